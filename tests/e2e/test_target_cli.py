"""`tianlu target` as a person runs it."""

from __future__ import annotations

from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]


def test_a_target_is_entered_changed_and_forgotten(cli: Cli) -> None:
    secret = cli.home / "secret"
    secret.write_text("correct horse\n", encoding="utf-8")
    cli.run(
        "target", "add", "nlc", "z3950.example.org:2200", "--database", "UCS01", "--database", "UCS09",
        "--apart", "yes", "--terms", "GBK",
        "--user", "wang", "--password-file", str(secret), "--map", "isbn=1=7 4=1",
    )  # fmt: skip
    (listed,) = cli.lines("target", "list")
    (shown,) = cli.lines("target", "show", "nlc")
    assert shown == listed | {"password": True}
    assert "horse" not in str(shown)
    assert (shown["address"], shown["apart"]) == ("z3950.example.org:2200", True)
    assert (shown["databases"], shown["auth"]) == (["UCS01", "UCS09"], "idpass")
    assert (shown["terms"], shown["attributes"], shown["user"]) == ("gbk", {"isbn": "1=7 4=1"}, "wang")
    cli.run("target", "set", "nlc", "--apart", "no", "--no-password", "--address", "[2001:db8::1]")
    cli.run("target", "set", "nlc", "--map", "title=1=4")
    cli.run("target", "pause", "nlc")
    (changed,) = cli.lines("target", "show", "nlc")
    assert (changed["address"], changed["apart"], changed["password"]) == ("[2001:db8::1]:210", False, False)
    assert changed["attributes"] == {"isbn": "1=7 4=1", "title": "1=4"}
    assert (changed["state"], changed["databases"]) == ("paused", ["UCS01", "UCS09"])
    cli.run("target", "add", "nlc", "other.example.org", code=5)
    cli.run("target", "remove", "nlc")
    assert cli.lines("target", "list") == []
    cli.run("target", "show", "nlc", code=1)


def test_what_can_not_be_is_refused_by_name(cli: Cli) -> None:
    for wrong in (
        ("a/b", "example.org"),
        ("a", "example.org:0"),
        ("a", "http://example.org"),
        ("a", "example.org", "--database", "two words"),
        ("a", "example.org", "--terms", "klingon"),
        ("a", "example.org", "--auth", "open"),
        ("a", "example.org", "--map", "colour=1=4"),
        ("a", "example.org", "--map", "title=4"),
        ("a", "example.org", "--chunk", "0"),
        ("a", "example.org", "--timeout", "1e9"),
        ("a", "example.org", "--drop", "9"),
    ):
        cli.run("target", "add", *wrong, code=2)
    assert cli.lines("target", "list") == []
