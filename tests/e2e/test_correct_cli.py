"""`tianlu source share`, `correct` and `review` as a person runs them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]


def title_of(line: dict[str, Any]) -> str:
    (field,) = [field["200"] for field in line["fields"] if "200" in field]
    return "".join(value for each in field["subfields"] for value in each.values())


@pytest.fixture
def held(cli: Cli) -> str:
    """The id of one record, of a source with a note that is for nobody else."""
    raw = builders.iso2709(builders.a_cnmarc(title="园冶注解", f300="  $a内部资料", local_id="x"))
    (cli.home / "a.mrc").write_bytes(raw)
    cli.load(str(cli.home / "a.mrc"), "--source", "opac", "--library", "CN-TST")
    (line,) = cli.lines("export", "--merged")
    ident: str = line["fields"][0]["001"]
    return ident


def test_a_source_is_shared_as_told_at_once(cli: Cli, held: str) -> None:
    (told,) = cli.lines("source", "share", "opac", "--show")
    assert told == {
        "source": "opac", "level": "all", "drop": [], "hide": [], "items": False, "pending": False,
    }  # fmt: skip
    (told,) = cli.lines("source", "share", "opac", "--drop", "9..", "010$d", "--items", "share")
    assert (told["drop"], told["items"], told["pending"]) == (["9..", "010$d"], True, False)
    assert len(cli.lines("export", "--merged")) == 1
    cli.run("source", "share", "opac", "--drop", "9..", "010$d", "300")
    assert "内部资料" not in json.dumps(
        [cli.lines("export", what) for what in ("--merged", "--records")], ensure_ascii=False
    )
    cli.run("source", "share", "opac", "--drop", "9..", "010$d")
    assert "内部资料" in json.dumps(cli.lines("export", "--merged"), ensure_ascii=False)
    cli.run("source", "share", "opac", "--hide", "300$a=内部资料")
    assert cli.lines("export", "--merged") == [] == cli.lines("export", "--holdings")
    assert "hidden" in [line["step"] for line in cli.lines("explain", "opac/x")]
    (told,) = cli.lines("source", "share", "opac", "--hide", "--level", "holdings")
    assert (told["hide"], told["level"], told["drop"]) == ([], "holdings", ["9..", "010$d"])
    assert cli.lines("export", "--merged") == []
    assert "holdings" in [line["step"] for line in cli.lines("explain", "opac/x")]
    cli.run("source", "share", "opac", "--level", "all")
    assert [line["fields"][0]["001"] for line in cli.lines("export", "--merged")] == [held]
    for wrong in (("--drop", "9"), ("--hide", "300")):
        assert b"TAG" in cli.run("source", "share", "opac", *wrong, code=2).stderr
    cli.run("source", "share", "nobody", "--show", code=1)


def test_a_record_is_corrected_and_stays_so(cli: Cli, held: str) -> None:
    words = ("correct", held, "--field", "200", "--find", "注解", "--put", "注释", "--why", "错字")
    (told,) = cli.lines(*words)
    assert (told["id"], told["offered"]) == (held, 0) and "$a园冶注释" in told["new"]
    (line,) = cli.lines("export", "--merged")
    assert "园冶注释" in title_of(line)
    cli.run(*words, code=1)
    assert b"subfields" in cli.run("correct", held, "--field", "200", "--find", "园", "--put", "$b", code=2).stderr
    cli.run("correct", "CN-TST.zzzz", "--field", "200", "--find", "a", "--put", "b", code=1)
    (line,) = [line for line in cli.lines("explain", held) if line["step"] == "corrected"]
    assert "$a园冶注解" in line["told"] and "$a园冶注释" in line["told"]
    assert cli.lines("review", "list") == []
    ((entry),) = cli.lines("review", "list", "--all")
    assert (entry["state"], entry["from"], entry["why"]) == ("accepted", "CN-TST", "错字")
    cli.run("review", "decide", "nothing", "accept", code=1)
    assert "注释" in cli.run("search", "园冶注释").stdout.decode()


def test_help_is_in_both_languages(cli: Cli) -> None:
    for words in (("correct", "--help"), ("review", "--help"), ("source", "share", "--help")):
        assert cli.run(*words).stdout
