"""Tables as CSV (RFC 4180) that a spreadsheet can't take for formulas.

    "".join(csv.lines(rows, mark=True)).encode()      for Excel, which takes CSV without a mark for its local encoding

A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection). So does such a
text that has apostrophes before it already, so that whoever takes one away has the text back: nothing is lost. Numbers
are given as numbers and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

Cell = str | int | float | None

MARK = "\ufeff"  # of UTF-8
# Signs that begin a formula, in every width that spreadsheets know, and those that end a cell early. Blanks and
# characters that nobody sees are passed over, as spreadsheets do.
_FORMULA = re.compile(
    "'*(?:[\\s\0-\x1f\x7f\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*[=+\\-@＝＋－＠﹦﹢﹣﹫−]|[\t\r\n])"
)
# What spreadsheets of some countries part cells at is quoted too; or a harmless `a;=b` would become two cells.
_QUOTED = re.compile('[",;|\t\r\n]|^ | $')


def lines(rows: Iterable[Iterable[Cell]], *, mark: bool = False) -> Iterator[str]:
    """A line a row, each with its end. `mark` = begin with the mark that makes Excel read UTF-8."""
    if mark:
        yield MARK
    for row in rows:
        yield line(row)


def line(cells: Iterable[Cell]) -> str:
    """One row, with its end; None is an empty cell."""
    return ",".join(map(_written, cells)) + "\r\n"


def _written(cell: Cell) -> str:
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    text = f"'{cell}" if _FORMULA.match(cell) else cell
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
