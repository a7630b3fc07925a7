"""`tianlu cluster` as a person uses it: look, ask why, decide, see that it holds, take it back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]


@pytest.fixture
def stocked(cli: Cli, tmp_path: Path) -> Cli:
    """Two libraries with the same two books."""
    for source, library in (("a", "LIB-A"), ("b", "LIB-B")):
        file = tmp_path / f"{source}.mrc"
        records = [
            builders.a_cnmarc(title=f"园冶注释第{n}种", isbn=builders.isbn13(500 + n), local_id=f"n{n}") for n in (1, 2)
        ]
        file.write_bytes(builders.iso2709(*records))
        cli.run("load", str(file), "--source", source, "--library", library)
    return cli


def test_a_cataloguer_asks_why_and_decides_otherwise(stocked: Cli) -> None:
    (shown,) = stocked.lines("cluster", "show", "a/n1")
    assert [each["record"] for each in shown["records"]] == ["a/n1", "b/n1"]
    (why,) = stocked.lines("cluster", "explain", shown["cluster"])
    assert why["records"] == ["a/n1", "b/n1"]
    (pair,) = stocked.lines("cluster", "explain", "a/n1", "a/n2")
    assert (pair["together"], pair["verdict"]) == (False, "apart") and pair["score"] < pair["join_from"]
    assert {"label", "a", "b"} == set(pair["fields"][0])
    assert "卷册不同" in stocked.run("--lang", "zh", "cluster", "explain", "a/n1", "a/n2").stdout.decode()
    assert b"say why" in stocked.run("cluster", "split", "a/n1", "--record", "b/n1", code=2).stderr
    (split,) = stocked.lines("cluster", "split", "a/n1", "--record", "b/n1", "--why", "another printing")
    assert (split["state"], len(split["clusters"])) == ("done", 2)
    (joined,) = stocked.lines("cluster", "join", "a/n1", "a/n2", "--why", "one book")
    assert (joined["state"], len(joined["clusters"])) == ("done", 1)
    (late,) = stocked.lines("cluster", "join", "a/n1", "b/n1", "--why", "or are they", code=5)
    assert late["result"] == f"against {split['decision']}"
    said = stocked.run("--lang", "zh", "cluster", "show", "a/n1").stdout.decode()
    assert f"未生效：与裁定 {split['decision']} 相抵触" in said and "拆分，有效" in said
    stocked.run("cluster", "undo", str(late["decision"]), "--why", "no")
    past = stocked.lines("cluster", "history")[1:]
    assert [(each["kind"], each["why"]) for each in past] == [("join", "one book"), ("split", "another printing")]
    (undone,) = stocked.lines("cluster", "undo", str(split["decision"]), "--why", "no, the same")
    assert undone["state"] == "undone"
    (after,) = stocked.lines("cluster", "show", "a/n1")
    assert {each["record"] for each in after["records"]} == {"a/n1", "b/n1", "a/n2", "b/n2"}
    assert b"undone" in stocked.run("cluster", "undo", str(split["decision"]), "--why", "x", code=5).stderr
    acts = [json.loads(line)["act"] for line in _audit(stocked).stdout.splitlines()]
    assert {"cluster.split", "cluster.join", "cluster.undo"} <= set(acts)


def test_what_a_decision_came_to_follows_those_that_are_taken_back(stocked: Cli) -> None:
    asked = (("split", "a/n1", "--record"), 0), (("link", "a/n1"), 0), (("join", "a/n1"), 5)
    first, second, join = (
        stocked.lines("cluster", *words, "b/n1", "--why", "we looked", code=code)[0]["decision"]
        for words, code in asked
    )

    def came_to() -> str:
        (found,) = [each for each in stocked.lines("cluster", "history") if each["decision"] == join]
        return str(found["result"])

    assert came_to() == f"against {first} {second}"
    stocked.run("cluster", "undo", str(first), "--why", "no")
    assert came_to() == f"against {second}"
    stocked.run("cluster", "undo", str(second), "--why", "no")
    assert came_to() == ""


def _audit(cli: Cli) -> subprocess.CompletedProcess[bytes]:
    return cli.run("--json", "audit", "list")


def test_what_is_linked_is_shown_with_a_record_and_what_was_decided_is_told(stocked: Cli) -> None:
    (linked,) = stocked.lines("cluster", "link", "a/n1", "a/n2", "--why", "book and its workbook")
    one, other = linked["clusters"]
    shown = stocked.run("--lang", "zh", "show", one).stdout.decode()
    assert f"~ {other} 园冶注释第2种: 人工关联" in shown
    for ident in ("a/n1", one):
        told = [each["told"] for each in stocked.lines("explain", ident) if each["step"] == "decision"]
        assert len(told) == 1 and "book and its workbook" in told[0]


def test_who_gave_a_field_is_told(stocked: Cli) -> None:
    (shown,) = stocked.lines("cluster", "show", "a/n1")
    (told,) = stocked.lines("show", shown["cluster"], "--who")
    assert (told["base"], told["base_by"]) == ("a/n1", "key")
    (title,) = [each for each in told["fields"] if each["tag"] == "200"]
    assert (title["wording"], title["others"]) == ("a/n1", ["b/n1"])
    said = stocked.run("--lang", "zh", "show", shown["cluster"], "--who").stdout.decode()
    assert "基础记录：a/n1" in said and "< a/n1；b/n1 亦有" in said
    assert b"cluster id" in stocked.run("show", "a/n1", "--who", code=2).stderr


def test_a_cataloguer_chooses_the_base_and_settles_ids_that_contradict(cli: Cli, tmp_path: Path) -> None:
    for source, link in (("a", "(CAL)S1"), ("b", "(CAL)S2")):
        file = tmp_path / f"{source}.mrk"
        file.write_text(
            f"=LDR  00000nam a2200000   4500\n=001  n1\n=010  \\\\$a{builders.isbn13(501)}\n"
            f"=100  \\\\$a20240101d2001    em y0chiy0120    ea\n=200  1\\$a园冶注释$f计成\n"
            f"=210  \\\\$a北京$c某社$d2001\n"
            f"=606  0\\$a园林$3{link}\n\n",
            encoding="utf-8",
        )
        cli.run("load", str(file), "--source", source, "--library", source.upper())
    (shown,) = cli.lines("cluster", "show", "a/n1")
    assert (shown["base"], shown["base_by"]) == ("a/n1", "key")
    (clash,) = shown["conflicts"]
    assert (clash["field"], clash["file"]) == ("606 $a 园林", "CAL")
    (waiting,) = cli.lines("review", "list", "--kind", "authority")
    assert (waiting["cluster"], waiting["id_a"], waiting["id_b"]) == (shown["cluster"], "s1", "s2")
    assert b"say why" in cli.run("review", "decide", str(waiting["conflict"]), "settle", code=2).stderr
    cli.run("review", "decide", str(waiting["conflict"]), "settle", "--why", "two printings of the file")
    assert not cli.lines("review", "list", "--kind", "authority")
    cli.run("review", "decide", str(waiting["conflict"]), "settle", "--why", "again", code=5)
    (chosen,) = cli.lines("cluster", "base", "b/n1", "--why", "checked with the book")
    assert (chosen["base"], chosen["base_by"]) == ("b/n1", "pinned")
    (told,) = cli.lines("show", shown["cluster"], "--who")
    (heading,) = [each for each in told["fields"] if each["tag"] == "606"]
    assert (heading["wording"], heading["others"]) == ("b/n1", ["a/n1"])
    (back,) = cli.lines("cluster", "base", "b/n1", "--policy", "--why", "no need")
    assert back["base"] == "a/n1"
    acts = [json.loads(line)["act"] for line in _audit(cli).stdout.splitlines()]
    assert "cluster.base" in acts


def test_all_that_waits_is_listed_kind_by_kind(cli: Cli, tmp_path: Path) -> None:
    assert "没有待处理的事项" in cli.run("--lang", "zh", "review", "list").stdout.decode()
    for source, publisher in (("a", "中国建筑工业出版社"), ("b", "南京大学出版社"), ("c", "古籍书社")):
        file = tmp_path / f"{source}.mrc"
        file.write_bytes(builders.iso2709(builders.a_cnmarc(isbn="", publisher=publisher, local_id="n1")))
        cli.run("load", str(file), "--source", source, "--library", source.upper())
    assert {line["pair"] for line in cli.lines("review", "list")} == {"a/n1~b/n1", "a/n1~c/n1", "b/n1~c/n1"}
    few = cli.run("review", "list", "--limit", "2")
    assert len(few.stdout.splitlines()) == 3 and b"more than 2 wait" in few.stderr
    assert cli.lines("review", "list", "--kind", "authority") == []
    cli.run("review", "decide", "a/n1~b/n1", "apart", "--why", "two publishers")
    assert len(cli.lines("review", "list", "--library", "A")) == 1


def test_a_record_that_was_split_off_is_not_told_as_joined(stocked: Cli) -> None:
    stocked.run("cluster", "split", "a/n1", "--record", "b/n1", "--why", "we looked")
    told = {each["step"]: each["told"] for each in stocked.lines("explain", "a/n1")}
    assert "join" not in told and "tianlu cluster explain a/n1 b/n1" in told["apart"]
