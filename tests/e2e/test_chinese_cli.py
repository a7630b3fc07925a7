"""What commands say with --lang zh is Chinese: only names, ids, formats and field tags are in Latin letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import builders, sheets
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]  # fixtures

WORD = re.compile(r"[A-Za-z]{3,}(?:[-_][A-Za-z]+)*")
# Names of formats and standards, and of sources and libraries of these tests.
ALLOWED = {
    "ISO", "ISBN", "ISSN", "MARC", "MARCXML", "JSON", "MARC-in-JSON", "CNMARC", "marcjson", "iso", "UTF", "utf", "gzip",
    "Aleph", "sequential", "mrk", "Dublin", "Core", "MODS", "CSV", "SHA", "LIB", "lib", "lib-holdings", "books-zh",
    "cnmarc", "auto", "unreadable", "TST", "operator", "test", "domain", "holdings", "Debian", "deb",
}  # fmt: skip
RULE = re.compile(r"\b[a-z]+(?:-[a-z]+)+\b")  # rules are named by their ids
PATH = re.compile(r"(?:/[\w.-]+)+|\w+\.(?:mrc|csv|xlsx|toml)\b")
COMMAND = re.compile(r"tianlu(?: --?[a-z-]+| [a-z]+| [A-Z]+)*|--[a-z-]+|\bos:\w+")
DATABASE = re.compile(r"\b(?:Default|MARC21|CNMARC-(?:CALIS|NLC))(?:-[a-z]+)?\b")  # of Z39.50
FIELD = re.compile(r"^[ !]*(?:LDR|\d{3}).*$", re.MULTILINE)  # what a record says


def latin(text: str) -> set[str]:
    """Words in Latin letters that are nobody's name."""
    for known in (FIELD, DATABASE, PATH, RULE, COMMAND):
        text = known.sub(" ", text)
    return set(WORD.findall(text)) - ALLOWED


Say = Callable[..., str]


@pytest.fixture
def say(cli: Cli) -> Say:
    """Run a command in Chinese; what it says, if that is Chinese."""

    def run(*words: str, code: int = 0) -> str:
        done = cli.run("--lang", "zh", *words, code=code)
        told = done.stdout.decode() + done.stderr.decode()
        assert not latin(told), f"{' '.join(words)}:\n{told}"
        return told

    return run


def bib(number: int, **given: str | None) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": f"n{number}"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


def test_loads_and_what_came_back_are_told_in_chinese(cli: Cli, say: Say, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.mrc", tmp_path / "bad.mrc"
    good.write_bytes(b"".join(bib(n) for n in range(1, 4)))
    say("load", str(good), "--source", "lib", "--library", "LIB")
    cut = bib(7)[:150]
    untold = builders.iso2709(builders.a_cnmarc(title="", local_id="n9", f200=None, f010=None, f701=None, f210=None))
    bad.write_bytes(bib(4) + b"00047=1+1 this \x1d" + bib(5) + untold + bib(6) + cut)
    say("load", str(bad), "--source", "lib", code=3)
    for words in (("loads", "list"), ("loads", "show", "2"), ("quarantine", "list"), ("quarantine", "summary")):
        say(*words)
    cases = cli.lines("quarantine", "list")
    for case in cases:
        told = cli.run("--lang", "zh", "quarantine", "show", str(case["id"])).stdout.decode()
        assert not latin(told.partition("=1+1")[0]), told
    assert not latin(cli.run("--lang", "zh", "check", str(bad), code=3).stderr.decode())
    say("explain", "lib/n1")
    say("source", "list")
    assert "可信度" in say("source", "set", "lib", "--trust", "2", "--encoding", "auto")
    say("quality")
    say("quality", "--source", "lib")
    say("loads", "undo", "2")
    say("loads", "list")


def test_lists_have_chinese_headings_and_states(cli: Cli, say: Say, tmp_path: Path) -> None:
    marc = tmp_path / "good.mrc"
    marc.write_bytes(bib(1) + bib(2))
    say("load", str(marc), "--source", "lib", "--library", "LIB")
    for words in (
        ("library", "list"), ("source", "list"), ("loads", "list"), ("profile", "list"), ("quarantine", "list"),
        ("quarantine", "summary"), ("quality",), ("search", "园冶"), ("peer", "list"), ("review", "list"),
        ("handover", "list"), ("user", "list"), ("batch", "list"), ("status",),
    ):  # fmt: skip
        say(*words)


def test_a_held_load_and_the_one_that_it_gave_way_to_are_told_in_chinese(cli: Cli, say: Say, tmp_path: Path) -> None:
    first, second = tmp_path / "good.mrc", tmp_path / "bad.mrc"
    first.write_bytes(b"".join(bib(n) for n in range(60)))
    second.write_bytes(b"".join(bib(n, title=f"改了的题名{n}") for n in range(60)))
    say("load", str(first), "--source", "lib", "--library", "LIB")
    assert "题名改变" in say("load", str(second), "--source", "lib", code=1)
    assert "题名改变" in say("loads", "show", "2")
    say("explain", "lib/n1")
    say("load", str(first), "--source", "lib", "--mode", "full")
    assert "让位于" in say("loads", "show", "2")
    few = tmp_path / "few.mrc"
    few.write_bytes(bib(1))
    assert "未出现" in say("load", str(few), "--source", "lib", "--mode", "full", code=1)
    say("loads", "list")


def test_profiles_and_shadow_runs_are_told_in_chinese(cli: Cli, say: Say, tmp_path: Path) -> None:
    path, marc = tmp_path / "profile.toml", tmp_path / "good.mrc"
    path.write_text('[levels]\nisbn-qualifier = "error"\n', encoding="utf-8")
    marc.write_bytes(bib(1) + bib(2, isbn=builders.isbn13(502) + "(精装)"))
    say("load", str(marc), "--source", "lib", "--library", "LIB")
    say("profile", "add", str(path), "--why", "从严")
    told = say("profile", "shadow", "1")
    assert "ISBN" in told and "退回" in told
    say("profile", "show", "1")
    say("profile", "list")
    say("profile", "activate", "1")
    say("profile", "recheck", code=3)
    say("quarantine", "summary")
    say("quarantine", "list")
    say("quarantine", "fix", "--source", "lib", "--rule", "isbn-qualifier", "--dry-run")
    say("explain", "lib/n2")


def test_tables_and_holdings_are_told_in_chinese(cli: Cli, say: Say, tmp_path: Path) -> None:
    books, held = tmp_path / "books.xlsx", tmp_path / "held.csv"
    rows = (("题名", "责任者", "条码", "控制号"), ("园冶注释", "陈植", "T1", "7"), (None, "无名", "T2", None))
    books.write_bytes(sheets.xlsx({"书目": rows}))
    say("source", "test", str(books))
    say("load", str(books), "--source", "lib", "--library", "LIB", code=3)
    say("quarantine", "list")
    held.write_text("控制号,条码,馆藏地\n7,T1,总馆\n8,T9,总馆\n", encoding="utf-8")
    assert "没有控制号为" in say("load", str(held), "--source", "lib", "--holdings")
    say("explain", "lib-holdings/T9")
    say("explain", "lib-holdings/T1")
    say("explain", "lib/7")
    assert not latin(cli.run("--lang", "zh", "check", str(held)).stderr.decode())


def test_refusals_are_told_in_chinese(say: Say) -> None:
    assert "没有装载 99" in say("loads", "show", "99", code=1)
    assert "没有提交 99" in say("submission", "accept", "99", code=1)
    assert "没有名为" in say("source", "rekey", "lib", "--new", "new.mrc", code=1)
    say("loads", "undo", "99", code=1)
    say("cluster", "show", "TST.000001", code=1)
    say("reservation", "end", "红楼梦", code=1)
    say("profile", "show", "99", code=1)
