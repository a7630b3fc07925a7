"""`tianlu batch` as a person runs it: seen, made, listed, taken back; and what a later load makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

OLD, NEW = "图书馆学", "图书馆事业"


def raw(number: int, subject: str = OLD) -> bytes:
    return builders.iso2709(
        builders.a_cnmarc(
            title=f"园冶注解之{number}",
            isbn=builders.isbn13(60000 + number),
            local_id=f"n{number}",
            f606=f"0 $a{subject}",
        )
    )


@pytest.fixture
def file(cli: Cli) -> Path:
    path = cli.home / "a.mrc"
    path.write_bytes(b"".join([raw(1), raw(2), raw(3, "天文学")]))
    cli.load(str(path), "--source", "opac", "--library", "CN-TST")
    return path


def subject(cli: Cli, local_id: str) -> str:
    return cli.run("show", f"opac/{local_id}").stdout.decode()


def test_a_change_is_seen_made_and_taken_back(cli: Cli, file: Path) -> None:
    asked = ("batch", "make", "--source", "opac", "--change", f"606$a {OLD} -> {NEW}")
    (seen,) = cli.lines(*asked, "--dry-run")
    assert (seen["looked"], seen["changed"], seen["same"], seen["refused"]) == (3, 2, 1, 0)
    assert seen["examples"][0] == {
        "record": "opac/n1",
        "edits": [{"field": "606", "old": f"0 $a{OLD}", "new": f"0 $a{NEW}"}],
    }
    assert b"--yes" in cli.run(*asked).stderr and NEW not in subject(cli, "n1"), "nothing is done without --yes"
    assert (cli.lines(*asked, "--limit", "1"))[0]["looked"] == 1
    assert b"why" in cli.run(*asked, "--yes", code=2).stderr
    (made,) = cli.lines(*asked, "--yes", "--why", "新词表")
    assert (made["state"], made["changed"], made["same"]) == ("done", 2, 1)
    assert NEW in subject(cli, "n1") and OLD.encode() in cli.run("show", "opac/n1", "--to", "raw").stdout
    assert NEW in cli.run("export", "--merged").stdout.decode()
    number = str(made["batch"])
    (listed,) = cli.lines("batch", "list")
    assert (listed["why"], listed["changed"], listed["selection"]) == ("新词表", 2, "source: opac")
    (told,) = cli.lines("batch", "show", number, "--state", "changed")
    assert told["change"] == [f"606$a {OLD} -> {NEW}"]
    assert [each["record"] for each in told["records"]] == ["opac/n1", "opac/n2"]
    assert b"tianlu batch undo" in cli.run("loads", "undo", str(cli.lines("loads", "list")[0]["load"]), code=5).stderr
    file.write_bytes(b"".join([raw(1), raw(2, "目录学"), raw(3, "天文学")]))
    assert cli.load(str(file), "--source", "opac")["updated"] == 1
    assert cli.lines("batch", "list")[0]["superseded"] == 1
    (gone,) = cli.lines("batch", "undo", number, "--why", "误", code=5)
    assert (gone["state"], gone["undone"], gone["kept"], gone["undone_why"]) == ("undone", 1, 1, "误")
    assert NEW not in subject(cli, "n1") and "目录学" in subject(cli, "n2")
    acts = [line["act"] for line in cli.lines("audit", "list") if line["act"].startswith("batch")]
    assert sorted(acts) == ["batch.make", "batch.make", "batch.undo"], "with the one that was without a reason"


def test_by_query_by_file_and_by_rule(cli: Cli, file: Path) -> None:
    (seen,) = cli.lines("batch", "make", "--select", "园冶", "--change", "add 690 ##$aG250")
    assert seen["changed"] == 3
    ids = cli.home / "ids.txt"
    ids.write_text("opac/n1\nopac/n3\n")
    change = cli.home / "change.txt"
    change.write_text("# a note\nadd 690 ##$aG250\ndelete 606\n")
    (seen,) = cli.lines("batch", "make", "--select", str(ids), "--change", str(change))
    assert (seen["changed"], seen["fields"]) == (2, {"606": 2, "690": 2})
    ids.write_text("opac/n1\nopac/nobody\n")
    assert b"nobody" in cli.run("batch", "make", "--select", str(ids), "--change", str(change), code=1).stderr
    (seen,) = cli.lines("batch", "make", "--source", "opac", "--rule", "isbn-check-digit", "--change", "delete 606")
    assert seen["looked"] == 0
    (seen,) = cli.lines("batch", "make", "--source", "opac", "--change", "delete 001")
    assert seen["reasons"] == {"field 001 is protected: the record's number": 3}
    for wrong in ("606a x", "606$a /(/ -> x", "fix nothing", "add 606 ##text"):
        cli.run("batch", "make", "--source", "opac", "--change", wrong, code=2)
