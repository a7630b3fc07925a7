"""`tianlu copy` as a person runs it, against Zebra, yaz-ztest and nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.pair import free_port
from tests import builders, targets
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

ISBNS = [builders.isbn13(number, "978") for number in range(40)]
WRONG = "9787302511114"  # its check digit
BOOKS = [
    builders.a_marc21(title=f"Gardens of {number}", isbn=isbn, local_id=f"z{number}", f852="  $aDLC$h{number}")
    for number, isbn in enumerate(ISBNS)
]


@pytest.fixture(scope="module")
def zebra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Zebra with the books; its port."""
    with targets.zebra(tmp_path_factory.mktemp("zebra"), builders.iso2709(*BOOKS)) as port:
        yield port


@pytest.fixture
def loc(cli: Cli, zebra: int) -> Cli:
    """A node that knows this Zebra as loc."""
    cli.run("target", "add", "loc", f"127.0.0.1:{zebra}", "--syntax", "usmarc")
    return cli


def test_the_record_of_an_isbn_becomes_one_of_the_library(loc: Cli) -> None:
    seen, *_ = loc.lines("copy", ISBNS[3], "--from", "loc", "--dry-run")
    assert (seen["chosen"]["title"], seen["id"]) == ("Gardens of 3", "loc-z3")
    assert seen["targets"][0]["hits"] == 1
    assert loc.lines("loads", "list") == []
    told, load = loc.lines("copy", ISBNS[3], "--from", "loc")
    assert "852" in told["dropped"]
    assert (load["state"], load["added"], load["source"]) == ("done", 1, "copied")
    assert "Gardens of 3" in loc.run("show", "copied/loc-z3").stdout.decode()
    (line,) = loc.lines("export", "--records")
    tags = [tag for field in line["fields"] for tag in field]
    assert "200" in tags
    assert "852" not in tags
    (entry,) = [
        each for each in loc.lines("audit", "list") if each["act"] == "record.copy" and each["outcome"] == "done"
    ]
    assert (entry["object"], entry["library"]) == (ISBNS[3], "CN-TST")
    assert loc.lines("copy", ISBNS[3], "--from", "loc")[-1]["unchanged"] == 1
    for number in (load["load"] + 1, load["load"]):
        loc.run("loads", "undo", str(number))
    assert loc.lines("export", "--merged") == []


def test_the_dialect_is_that_of_the_librarys_records(loc: Cli) -> None:
    (loc.home / "own.mrc").write_bytes(builders.iso2709(builders.a_marc21(title="Own", local_id="o")))
    loc.load(str(loc.home / "own.mrc"), "--source", "own", "--library", "CN-TST")
    told, _ = loc.lines("copy", ISBNS[0], "--from", "loc")
    assert (told["lost"], told["local"]) == (0, 0)
    assert any("245" in field for line in loc.lines("export", "--records") for field in line["fields"])


def test_words_and_prefix_notation_find_and_the_nth_best_can_be_taken(loc: Cli) -> None:
    first, second = (
        loc.lines("copy", "gardens of", "--from", "loc", "--dry-run", "--pick", pick)[0]["chosen"]["number"]
        for pick in "12"
    )
    assert first != second
    (told,) = loc.lines("copy", "@and @attr 1=4 gardens @attr 1=12 z7", "--from", "loc", "--dry-run")
    assert told["chosen"]["number"] == "z7"
    out = loc.run("copy", "gardens of 7", "--from", "loc", "--dry-run").stdout.decode()
    assert "Gardens of 7" in out
    assert "852" in out
    loc.run("copy", "nothing of the kind", "--from", "loc", code=1)
    loc.run("copy", WRONG, "--from", "loc", code=2)
    loc.run("copy", "@attr 1=x", "--from", "loc", code=2)


def test_many_isbns_are_one_load(loc: Cli) -> None:
    (loc.home / "isbns").write_text("# from an order\n" + "\n".join([*ISBNS, "", builders.isbn13(99), WRONG]), "utf-8")
    *told, load = loc.lines(
        "copy", "--isbns", str(loc.home / "isbns"), "--from", "loc", "--loss-report", str(loc.home / "loss"), code=3
    )
    assert (load["state"], load["added"]) == ("done", len(ISBNS))
    assert [each["query"] for each in told if not each.get("chosen")] == [WRONG, builders.isbn13(99)]
    lost = [json.loads(line) for line in (loc.home / "loss").read_text("utf-8").splitlines()]
    assert {each["id"] for each in lost} <= {f"loc-z{n}" for n in range(len(ISBNS))}


def test_the_living_answer_for_the_dead(loc: Cli) -> None:
    loc.run("target", "add", "dead", f"127.0.0.1:{free_port()}")
    told, load = loc.lines("copy", ISBNS[5], "--from", "dead,loc")
    troubles = {each["target"]: each["trouble"] for each in told["targets"]}
    assert "doesn't answer" in troubles["dead"]
    assert (troubles["loc"], load["added"]) == ("", 1)
    assert "无应答".encode() in loc.run("copy", ISBNS[5], "--from", "dead", "--lang", "zh", code=4).stderr
    loc.run("copy", ISBNS[5], "--from", "nobody", code=1)
    loc.run("target", "pause", "loc")
    loc.run("copy", ISBNS[5], "--from", "loc", code=5)


def test_a_target_of_several_databases_is_asked_one_by_one_if_it_wants_that(cli: Cli) -> None:
    with targets.ztest() as port:
        cli.run(
            "target", "add", "z", f"127.0.0.1:{port}", "--database", "Default", "--database", "slow", "--apart", "yes",
            "--auth", "open", "--user", "admin", "--syntax", "usmarc",
        )  # fmt: skip
        (told,) = cli.lines("copy", "computer", "--from", "z", "--dry-run", "--most", "3")
        assert told["targets"][0]["hits"] > 0
        assert told["chosen"]["target"] == "z"


def test_nobody_to_ask_is_told(cli: Cli) -> None:
    assert b"tianlu target add" in cli.run("copy", ISBNS[0], code=2).stderr


def test_a_target_says_what_of_it_works(loc: Cli) -> None:
    steps = {each["step"]: each for each in loc.lines("target", "test", "loc", "gardens of")}
    assert [name for name, each in steps.items() if each["works"]] == ["init", "charset", "search", "present"]
    assert steps["search"]["hits"] == len(BOOKS)
    assert (steps["present"]["format"], steps["present"]["carrier"]) == ("MARC21", "iso2709")
    assert "40 records" in loc.run("target", "test", "loc", "gardens of").stdout.decode()
    assert b"finds nothing" in loc.run("target", "test", "loc", "qwertyuiop", code=1).stdout
    assert b"finds nothing" in loc.run("target", "test", "loc", code=1).stdout  # neither of the words we try
    loc.run("target", "add", "dead", f"127.0.0.1:{free_port()}")
    (step,) = loc.lines("target", "test", "dead", code=4)
    assert "doesn't answer" in step["why"]


def test_a_catalogue_of_one_language_is_no_fault(cli: Cli, tmp_path: Path) -> None:
    book = builders.a_marc21(title="A computer of stone", local_id="c1")
    with targets.zebra(tmp_path / "zebra", builders.iso2709(book)) as port:
        cli.run("target", "add", "en", f"127.0.0.1:{port}", "--syntax", "usmarc", "--negotiation", "no")
        steps = [(each["step"], each.get("query")) for each in cli.lines("target", "test", "en")]
    assert steps == [("init", None), ("told", None), ("search", "computer"), ("absent", "中国"), ("present", None)]
