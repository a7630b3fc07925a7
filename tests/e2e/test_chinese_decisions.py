"""With --lang zh, what commands say of clusters, decisions, batch changes and re-keying is Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import builders
from tests.e2e.test_chinese_cli import latin
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]  # fixtures
# Names in these tests, what stands for one, and an operation.
OURS = {"LIB-A", "LIB-B", "CAL", "os", "root", "FIELD", "FILE", "RULE", "delete"}
NAMES = re.compile(r"\b[ab]/\w+|TST\.\w+|\$\w|\b\d{3}\$\w+|ISBN|CNY")

Say = Callable[..., str]


@pytest.fixture
def say(cli: Cli) -> Say:
    def run(*words: str, code: int = 0) -> str:
        done = cli.run("--lang", "zh", *words, code=code)
        told = done.stdout.decode() + done.stderr.decode()
        assert not latin(NAMES.sub(" ", told)) - OURS, f"{' '.join(words)}:\n{told}"
        return told

    return run


def bib(number: int, link: str, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": f"n{number}"} | given
    return builders.iso2709(builders.a_cnmarc(f606=f"0 $a园林$3{link}", **told))


@pytest.fixture
def stocked(cli: Cli, tmp_path: Path) -> Cli:
    """Two libraries with two books, whose ids of a subject contradict, and a pair that a person must judge."""
    for source, link in (("a", "(CAL)S1"), ("b", "(CAL)S2")):
        file = tmp_path / f"{source}.mrc"
        pair = bib(9, link, isbn="", publisher="甲出版社" if source == "a" else "乙出版社")
        file.write_bytes(bib(1, link) + bib(2, link) + pair)
        cli.run("load", str(file), "--source", source, "--library", f"LIB-{source.upper()}")
    return cli


def test_clusters_and_decisions(stocked: Cli, say: Say) -> None:
    say("cluster", "show", "a/n1")
    say("cluster", "explain", "a/n1")
    say("cluster", "explain", "a/n1", "a/n2")
    say("review", "list", "--kind", "pair")
    say("review", "list", "--kind", "authority")
    say("review", "decide", "a/n9~b/n9", "link", "--why", "两种印本")
    say("review", "decide", "1", "settle", "--why", "并存")
    say("cluster", "split", "a/n1", "--record", "b/n1", "--why", "另一印次")
    say("cluster", "join", "a/n1", "b/n1", "--why", "疑同", code=5)
    say("cluster", "base", "b/n2", "--why", "手检")
    say("cluster", "show", "a/n1")
    say("cluster", "history")
    say("explain", "a/n1")
    (shown,) = stocked.lines("cluster", "show", "a/n9")
    say("show", shown["cluster"])
    say("show", shown["cluster"], "--year", "1999")


def test_batch_changes(stocked: Cli, say: Say) -> None:
    say("batch", "make", "--source", "a", "--change", "606$a 园林 -> 园艺")
    say("batch", "make", "--source", "a", "--change", "606$a 园林 -> 园艺", "--yes", "--why", "词表")
    say("batch", "make", "--source", "a", "--change", "delete 801", "--yes", "--why", "词表")
    say("batch", "list")
    say("batch", "show", "1")
    say("batch", "show", "2")
    say("batch", "undo", "1", "--why", "误")


def test_a_source_gets_other_ids(stocked: Cli, say: Say, tmp_path: Path) -> None:
    new = tmp_path / "new.mrc"
    others = [bib(n, "(CAL)S1", local_id=f"k{n}") for n in (1, 2)]
    new.write_bytes(b"".join(others))
    say("source", "rekey", "a", "--new", str(new))
    say("source", "rekey", "a", "--new", str(new), "--yes")
    say("explain", "a/n1")
    say("cluster", "show", "a/n1")
