"""`tianlu profile` and `quality`, and what `loads show`, `explain` and `show` tell of it, as a person runs them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

WRONG = "9787507600019"  # its check digit should be 8
RULES = """why = "from 2026 on"
[levels]
isbn-check-digit = "error"
isbn-label = "warning"
[mends]
rules = ["isbn-label"]
"""


def a_file(cli: Cli, *isbns: str) -> tuple[str, list[bytes]]:
    raws = [
        builders.iso2709(builders.a_cnmarc(title=f"园冶注解之{n}", isbn=isbn, local_id=f"n{n}"))
        for n, isbn in enumerate(isbns)
    ]
    path = cli.home / "a.mrc"
    path.write_bytes(b"".join(raws))
    return str(path), raws


@pytest.fixture
def rules(cli: Cli) -> Path:
    path = cli.home / "rules.toml"
    path.write_text(RULES)
    return path


def test_a_profile_from_draft_to_what_stands(cli: Cli, rules: Path) -> None:
    file, raws = a_file(cli, builders.isbn13(1), WRONG, "ISBN 978-7-5076-0001-8")
    cli.load(file, "--source", "a", "--library", "CN-A")
    (draft,) = cli.lines("profile", "add", str(rules), "--library", "CN-A")
    assert (draft["state"], draft["scope"], draft["why"]) == ("draft", "CN-A", "from 2026 on")
    number = str(draft["profile"])
    assert b"profile shadow" in cli.run("profile", "activate", number, code=1).stderr
    (found,) = cli.lines("profile", "shadow", number)
    assert (found["records"], found["returned"], found["mended"]) == (3, 1, 1)
    assert found["returned_examples"][0][0] == "a/n1"
    assert b"a/n1" in cli.run("profile", "show", number).stdout
    cli.run("profile", "activate", number)
    (line,) = cli.lines("profile", "recheck", "--library", "CN-A", code=3)
    assert (line["returned"], line["mended"], line["unchanged"]) == (1, 1, 1)
    assert [each["local_id"] for each in cli.lines("quarantine", "list")] == ["n1"]
    assert len(cli.lines("export", "--records")) == 3, "what is returned stays as it was"
    assert cli.run("show", "a/n2", "--to", "raw").stdout == raws[2]
    assert b"978-7-5076-0001-8" in (said := cli.run("show", "a/n2").stdout) and b"isbn-label" in said
    steps = {line["step"]: line["told"] for line in cli.lines("explain", "a/n2")}
    assert "(isbn-label)" in steps["mended"] and "of 100" in steps["score"]
    told = cli.run("--lang", "zh", "explain", "a/n1").stdout.decode()
    assert "校验" in told and "isbn-check-digit" in told
    assert cli.run("profile", "show", number, "--toml").stdout.decode().startswith('why = "from 2026 on"')
    assert {line["state"] for line in cli.lines("profile", "list")} == {"active"}
    cli.run("profile", "retire", number)
    cli.run("profile", "retire", number, code=5)
    acts = {line["act"] for line in cli.lines("audit", "list")}
    assert {"profile.add", "profile.shadow", "profile.activate", "profile.recheck", "profile.retire"} <= acts


def test_a_profile_that_is_wrong_is_refused(cli: Cli, rules: Path) -> None:
    rules.write_text('[levels]\nisbn-chek-digit = "error"\n')
    assert b"isbn-check-digit" in cli.run("profile", "add", str(rules), code=2).stderr
    assert b"rules.tml" in cli.run("profile", "add", str(cli.home / "rules.tml"), code=2).stderr
    rules.write_text(RULES)
    assert b"CN-X" in cli.run("profile", "add", str(rules), "--library", "CN-X", code=1).stderr
    assert b"9" in cli.run("profile", "shadow", "9", code=1).stderr
    (draft,) = cli.lines("profile", "add", str(rules))
    cli.run("profile", "shadow", str(draft["profile"]), "--limit", "0", code=2)
    cli.run("profile", "recheck", "--source", "nobody", code=1)


def test_the_rules_of_a_load_are_told_and_its_returns_end_it_with_3(cli: Cli, rules: Path) -> None:
    (draft,) = cli.lines("profile", "add", str(rules))
    cli.run("profile", "activate", str(draft["profile"]), "--yes")
    file, _ = a_file(cli, builders.isbn13(1), WRONG, "ISBN 978-7-5076-0001-8")
    done = cli.load(file, "--source", "a", "--library", "CN-A", code=3)
    assert (done["returned"], done["mended"], done["added"]) == (1, 1, 2)
    (shown,) = cli.lines("loads", "show", str(done["load"]))
    found = {row["rule"]: row for row in shown["rules"]}
    assert (found["isbn-check-digit"]["level"], found["isbn-check-digit"]["examples"]) == ("error", ["n1"])
    assert found["isbn-label"]["mended"] == 1 and shown["judged"] == 3
    assert b"isbn-check-digit" in cli.run("loads", "show", str(done["load"])).stdout
    assert cli.load(file, "--source", "a", code=3)["unchanged"] == 2, "the same bytes under the same profile"
    cli.run("profile", "retire", str(draft["profile"]))
    again = cli.load(file, "--source", "a")
    assert (again["added"], again["updated"]) == (1, 2), "without the profile they are read anew"


def test_the_report_by_source_month_and_rule(cli: Cli) -> None:
    file, _ = a_file(cli, builders.isbn13(1), WRONG)
    cli.load(file, "--source", "a", "--library", "CN-A")
    (told,) = cli.lines("quality", "--library", "CN-A")
    assert (told["source"], told["records"], told["judged"], told["months"][0]["judged"]) == ("a", 2, 2, 2)
    (rule,) = [row for row in told["rules"] if row["rule"] == "isbn-check-digit"]
    assert (rule["records"], rule["share"], rule["examples"]) == (1, 0.5, ["n1"])
    lines = list(csv.reader(io.StringIO(cli.run("--lang", "zh", "quality", "--csv").stdout.decode("utf-8-sig"))))
    assert lines[0][:2] == ["library", "source"] and lines[1][:2] == ["CN-A", "a"]
    assert any("校验" in line[10] for line in lines[1:])
    said = cli.run("quality", "--source", "a").stdout.decode()
    assert "isbn-check-digit" in said and "50.0%" in said
    cli.run("quality", "--source", "nobody", code=1)
    cli.run("quality", "--library", "CN-X", code=1)
