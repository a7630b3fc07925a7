"""Two files for one library: bibliographic records as MARC, and their holdings as a table, joined by the node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]  # fixtures


def bibs(path: Path, *numbers: int, **given: Any) -> str:
    told = [
        builders.a_cnmarc(title=f"园冶注释第{n}种", isbn=builders.isbn13(500 + n), local_id=f"b{n}", **given)
        for n in numbers
    ]
    path.write_bytes(builders.iso2709(*told))
    return str(path)


def sheet(path: Path, *rows: str, head: str = "控制号,条码,索书号,馆藏地,状态", encoding: str = "utf-8") -> str:
    path.write_text("\n".join([head, *rows, ""]), encoding=encoding)
    return str(path)


def held(cli: Cli) -> list[tuple[str, ...]]:
    """(source, item, call number, location, status) of what `export --holdings` says, by item."""
    rows = cli.lines("export", "--holdings")
    assert all(row["cluster"] for row in rows)
    return sorted((r["source"], r["item"], r["call_number"], r["location"], r["status"]) for r in rows)


BARE: dict[str, Any] = {"f905": None}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_sheet_is_joined_by_the_number_of_the_record(cli: Cli, tmp_path: Path, encoding: str) -> None:
    cli.load(bibs(tmp_path / "bibs.mrc", 1, 2, **BARE), "--source", "lib", "--library", "LIB")
    rows = ["b1,T001,TU-098/1,总馆,在架", "b1,T002,TU-098/1,分馆,借出", "b3,T009,TU-098/3,总馆,在架"]
    file = sheet(tmp_path / "held.csv", *rows, encoding=encoding)
    done = cli.run("load", file, "--source", "lib", "--holdings")
    assert "row 4 (h:T009)" in done.stderr.decode() and "'b3'" in done.stderr.decode(), "what waits is listed"
    copies = [
        ("lib", "", "", "", ""),
        ("lib-holdings", "T001", "TU-098/1", "总馆", "在架"),
        ("lib-holdings", "T002", "TU-098/1", "分馆", "借出"),
    ]
    assert held(cli) == copies
    assert cli.load(file, "--source", "lib", "--holdings")["unchanged"] == 3
    told = {line["step"]: line["told"] for line in cli.lines("explain", "lib-holdings/T009")}
    assert told["names"] == "its record by id b3" and "waiting" in told

    cli.load(bibs(tmp_path / "more.mrc", 3, **BARE), "--source", "lib")
    assert held(cli)[-1] == ("lib-holdings", "T009", "TU-098/3", "总馆", "在架"), "it attached itself"
    told = {line["step"]: line["told"] for line in cli.lines("explain", "lib-holdings/T009")}
    assert told["attached"] == "to lib/b3" and told["cluster"] and "finding" not in told
    assert "also of lib-holdings/h:T009" in cli.run("explain", "lib/b3").stdout.decode()
    assert "TU-098/3" in cli.run("show", "lib-holdings/T009").stdout.decode()
    assert "T009" in cli.run("show", told["cluster"]).stdout.decode()
    assert "h:T009" in cli.run("show", told["cluster"], "--json").stdout.decode()

    full = cli.load(sheet(tmp_path / "new.csv", *rows[1:]), "--source", "lib", "--holdings", "--mode", "full", "--yes")
    assert (full["deleted"], full["unchanged"]) == (1, 2), "and no bibliographic record is"
    assert len(cli.lines("export", "--clusters")) == 3
    cli.run("loads", "undo", str(full["load"]))
    assert ("lib-holdings", "T001", "TU-098/1", "总馆", "在架") in held(cli)


def test_a_sheet_is_joined_by_call_or_item_number_and_nothing_is_guessed(cli: Cli, tmp_path: Path) -> None:
    first = builders.a_cnmarc(
        title="园冶注释", isbn=builders.isbn13(501), local_id="b1", f905="  $aLIB$bT001$dTU-098$e1", leader=None
    )
    others = [
        builders.a_cnmarc(
            title=title, isbn=builders.isbn13(502 + n), local_id=f"b{2 + n}", f905=f"  $aLIB$bT00{2 + n}$dI247$e5"
        )
        for n, title in enumerate(("长物志校注", "闲情偶寄"))
    ]
    marc = tmp_path / "bibs.mrc"
    marc.write_bytes(builders.iso2709(first, *others))
    cli.load(str(marc), "--source", "lib", "--library", "LIB")
    head = "call number,location,copies"
    calls = sheet(tmp_path / "calls.csv", "tu-098 / 1,Annex,3", "I247/5,Main,1", "Z1/1,Main,1", head=head)
    done = cli.run("load", calls, "--source", "lib", "--holdings", "--join", "call-number")
    told = done.stderr.decode()
    assert "2 bibliographic records" in told and "'z1/1'" in told
    rows = [row for row in cli.lines("export", "--holdings") if row["source"] == "lib-holdings"]
    assert [(row["location"], row["note"]) for row in rows] == [("Annex", "×3")]

    codes = sheet(tmp_path / "codes.csv", "T002,三楼,在架", "T003,四楼,在架", head="条码,馆藏地,状态")
    cli.load(codes, "--source", "lib", "--holdings", "--join", "barcode", "--mode", "full", "--yes")
    assert [(i, place) for _, i, _, place, _ in held(cli)] == [("T001", ""), ("T002", "三楼"), ("T003", "四楼")]
    cli.run("load", codes, "--source", "lib", "--join", "id", code=2)


@pytest.mark.parametrize(("head", "row"), [("条码,馆藏地", "T001,三楼"), ("索书号,馆藏地", "TU-098/1,三楼")])
def test_a_sheet_without_record_numbers_needs_no_option(cli: Cli, tmp_path: Path, head: str, row: str) -> None:
    one = builders.a_cnmarc(title="园冶注释", isbn=builders.isbn13(501), local_id="b1", f905="  $aLIB$bT001$dTU-098$e1")
    marc = tmp_path / "bibs.mrc"
    marc.write_bytes(builders.iso2709(one))
    cli.load(str(marc), "--source", "lib", "--library", "LIB")
    cli.load(sheet(tmp_path / "held.csv", row, head=head), "--source", "lib", "--holdings")
    assert ("lib-holdings", "三楼") in {(source, place) for source, _, _, place, _ in held(cli)}


def test_books_of_a_table_and_their_copies_of_another_are_joined(cli: Cli, tmp_path: Path) -> None:
    books = tmp_path / "books.csv"
    books.write_text("题名,责任者,控制号,条码\n园冶注释,陈植,n7,T001\n园冶注释,陈植,n7,T002\n", encoding="utf-8")
    cli.load(str(books), "--source", "lib", "--library", "LIB")
    cli.load(sheet(tmp_path / "held.csv", "n7,T001,TU-098/1,三楼,在架"), "--source", "lib", "--holdings")
    assert ("lib-holdings", "T001", "TU-098/1", "三楼", "在架") in held(cli)


def test_an_update_of_copies_has_no_barcodes(cli: Cli, tmp_path: Path) -> None:
    cli.load(bibs(tmp_path / "bibs.mrc", 1, 2, 3, **BARE), "--source", "lib", "--library", "LIB")
    head = "书目控制号,索书号,馆藏地,复本数,年卷期,状态,删除"
    first = sheet(
        tmp_path / "first.csv",
        "b1,TU-098/1,总馆,3,,在架,",
        "b1,TU-098/1,分馆,1,,在架,",
        "b2,TU-098/2,期刊部,,1998:1-6(合订本),在架,",
        "b2,TU-098/2,期刊部,,1998:7-12合订本,在架,",
        "b3,TU-098/3,总馆,1,,在架,",
        head=head,
    )
    cli.load(first, "--source", "lib", "--holdings")
    rows = [row for row in cli.lines("export", "--holdings") if row["source"] == "lib-holdings"]
    told = sorted((row["location"], row["copies"] or 0, row["held"]) for row in rows)
    assert told == [
        ("分馆", 1, ""),
        ("总馆", 1, ""),
        ("总馆", 3, ""),
        ("期刊部", 0, "1998:no.1-6"),
        ("期刊部", 0, "1998:no.7-12"),
    ]
    clusters = {row["local_id"]: row["cluster"] for row in cli.lines("export", "--clusters")}
    shown = cli.lines("show", clusters["b2"], "--json")[0]
    assert shown["held"] == [{"library": "LIB", "copies": 2, "held": "1998:no.1-12"}]
    assert "= 1998年第1-12期" in cli.run("--lang", "zh", "show", clusters["b2"]).stdout.decode()
    assert cli.lines("show", clusters["b1"], "--json")[0]["held"][0]["copies"] == 4
    for words, answer in (
        (("--year", "1998", "--issue", "8"), "yes"),
        (("--year", "1998", "--issue", "13"), "no"),
        (("--year", "1998"), "part"),
        (("--year", "1999"), "no"),
        (("--volume", "3"), "unknown"),
    ):
        assert cli.lines("show", clusters["b2"], *words) == [
            {"library": "LIB", "answer": answer, "held": "1998:no.1-12"}
        ], words
    said = cli.run("--lang", "zh", "show", clusters["b2"], "--year", "1998", "--issue", "8").stdout.decode()
    assert said == "LIB  有  1998年第1-12期\n"
    cli.run("show", "lib/b2", "--year", "1998", code=2)

    again = sheet(
        tmp_path / "again.csv",
        "b1,TU-098/9,总馆,5,,在架,",
        "b1,TU-098/1,分馆,1,,注销,",
        "b3,TU-098/3,总馆,1,,在架,是",
        "b7,TU-098/7,总馆,1,,在架,",
        head=head,
    )
    done = cli.run("load", again, "--source", "lib", "--holdings", "--json")
    assert "'b7'" in done.stderr.decode(), "what finds no record is listed"
    rows = [row for row in cli.lines("export", "--holdings") if row["source"] == "lib-holdings"]
    assert sorted((row["location"], row["call_number"], row["copies"] or 0) for row in rows) == [
        ("总馆", "TU-098/9", 5),
        ("期刊部", "TU-098/2", 0),
        ("期刊部", "TU-098/2", 0),
    ], "corrected, taken away, and what the sheet is silent of stays"
    newest = max(line["load"] for line in cli.lines("loads", "list"))
    cli.run("loads", "undo", str(newest))
    assert cli.lines("show", clusters["b1"], "--json")[0]["held"][0]["copies"] == 4


def test_rules_have_nothing_to_say_of_what_a_sheet_did_not(cli: Cli, tmp_path: Path) -> None:
    file = sheet(tmp_path / "held.csv", "b1,T001,TU-098/1,Main,available")
    (checked,) = cli.lines("check", file, "--template", "holdings")
    assert (checked["verdict"], checked["findings"]) == ("ok", [])
