"""`tianlu submission` and `tianlu reservation` as people run them."""

from __future__ import annotations

from pathlib import Path

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

ISBN = builders.isbn13(501)


def record(folder: Path, name: str, **given: str) -> str:
    told = {"title": "园冶注释", "isbn": ISBN, "local_id": name} | given
    path = folder / f"{name}.iso"
    path.write_bytes(builders.iso2709(builders.a_cnmarc(**told)))
    return str(path)


def test_a_record_is_looked_at_handed_in_found_replaced_and_deleted(cli: Cli, tmp_path: Path) -> None:
    path = record(tmp_path, "T1")
    (seen,) = cli.lines("submission", "make", path, "--dry-run")
    assert (seen["outcome"], seen["submission"], seen["held"]) == ("new", None, [])
    assert cli.lines("submission", "list") == []
    (made,) = cli.lines("submission", "make", path, "--note", "新书")
    assert (made["state"], made["outcome"], made["note"]) == ("merged", "new", "新书")
    name = "submitted-cnmarc/T1"
    assert "园冶注释" in cli.run("show", name).stdout.decode()
    (other,) = cli.lines("submission", "make", record(tmp_path, "T2"), "--dry-run")
    assert other["outcome"] == "matched"
    assert "a record that reads the same is there" in other["why"]
    second = record(tmp_path, "T2")
    assert other["cluster"] in cli.run("--lang", "zh", "submission", "make", second, "--dry-run").stdout.decode()
    refused = cli.run("submission", "make", path, code=5)  # what is new takes nothing's place
    assert "already: replace it" in refused.stderr.decode()
    (again,) = cli.lines("submission", "make", record(tmp_path, "T1", title="园冶图说"), "--replace", name)
    assert again["state"] == "merged"
    assert "园冶图说" in cli.run("show", name).stdout.decode()
    (gone,) = cli.lines("submission", "make", "--delete", name)
    assert (gone["state"], gone["title"], gone["action"]) == ("merged", "园冶图说", "delete")
    assert cli.run("show", name, code=1)
    acts = [each["act"] for each in cli.lines("audit", "list") if each["act"].startswith("submission.")]
    assert acts == ["submission.make"] * 4  # with the one that was refused


def test_a_draft_is_edited_handed_in_returned_and_withdrawn(cli: Cli, tmp_path: Path) -> None:
    mrk = tmp_path / "draft.mrk"
    mrk.write_text("=LDR  00000nam0 2200000   450 \n=001  T1\n=300  \\\\$a无题\n", encoding="utf-8")
    (made,) = cli.lines("submission", "make", str(mrk), "--draft")
    assert made["state"] == "draft"
    number = str(made["submission"])
    (held,) = cli.lines("submission", "submit", number, code=5)
    assert (held["state"], held["held"]) == ("submitted", ["errors"])
    assert "no-description" in cli.run("submission", "accept", number, code=1).stderr.decode()
    (waiting,) = cli.lines("submission", "list")
    assert (waiting["submission"], waiting["outcome"]) == (made["submission"], "held")
    (back,) = cli.lines("submission", "return", number, "--why", "缺题名")
    assert (back["state"], back["reason"]) == ("returned", "缺题名")
    (edited,) = cli.lines("submission", "edit", number, record(tmp_path, "T1"))
    assert (edited["state"], edited["title"]) == ("returned", "园冶注释")
    shown = cli.run("--lang", "zh", "submission", "show", number).stdout.decode()
    assert "200" in shown
    assert "缺题名" in shown
    (done,) = cli.lines("submission", "withdraw", number)
    assert done["state"] == "withdrawn"
    assert "withdrawn" in cli.run("submission", "submit", number, code=5).stderr.decode()
    assert cli.lines("submission", "list") == []
    assert len(cli.lines("submission", "list", "--state", "withdrawn")) == 1


def test_what_is_wrong_in_the_command_is_said(cli: Cli, tmp_path: Path) -> None:
    two = tmp_path / "two.iso"
    two.write_bytes(builders.iso2709(builders.a_cnmarc(local_id="1"), builders.a_cnmarc(local_id="2")))
    for words, code, said in (
        ((), 2, "--delete"),
        ((str(tmp_path / "absent"),), 2, "absent"),
        ((str(two),), 3, "one record"),
        ((record(tmp_path, "T1"), "--replace", "nowhere/1"), 1, "nowhere"),
        ((record(tmp_path, "T1"), "--library", "CN-XX"), 1, "CN-XX"),
    ):
        assert said in cli.run("submission", "make", *words, code=code).stderr.decode()
    assert "there is no submission 7" in cli.run("submission", "show", "7", code=1).stderr.decode()


def test_what_is_reserved_is_seen_and_kept_from_others(cli: Cli, tmp_path: Path) -> None:
    cli.run("library", "add", "CN-NKU", "--name", "南开大学图书馆")
    (made,) = cli.lines("reservation", "make", ISBN, "--library", "CN-NKU")
    assert (made["library"], made["key"]) == ("CN-NKU", f"isbn:{ISBN}")
    assert "CN-NKU" in cli.run("reservation", "make", ISBN, code=5).stderr.decode()
    (listed,) = cli.lines("reservation", "list")
    assert listed == made
    (held,) = cli.lines("submission", "make", record(tmp_path, "T1"), code=5)
    assert held["held"] == ["reserved"]
    assert any("CN-NKU" in line for line in held["why"])
    cli.lines("reservation", "end", ISBN)
    (done,) = cli.lines("submission", "accept", str(held["submission"]))
    assert done["state"] == "merged"
    assert cli.run("reservation", "make", "9787020002208", code=2)
