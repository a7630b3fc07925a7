"""From separated text (RFC 4180 and what is found in life) to rows of cells (pure).

Separators are comma, semicolon, tab or bar. A cell in quotation marks may hold line ends. One that is opened and never
closed costs the line it began on and no more: `rows` gives that line as a fault and goes on behind it.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from protocols.charsets import evidence, sniff

SEPARATORS = "\t,;|"
MOST_COLUMNS = 500
LONGEST_CELL = 100_000  # characters
LONGEST_LINE = 1 << 20  # characters of a line that is still read
MOST_LINES = 200  # of one row: a quotation mark that is not closed by then is a fault
LOOKED_AT = 200  # lines from which the separator is told

csv.field_size_limit(LONGEST_LINE)


class Row(NamedTuple):
    """A row, or with a `fault` a piece that is none. `number` is its first line (text) or row (spreadsheet), 1 = first.

    Bytes without meaning in the text's encoding are lone surrogates (PEP 383).
    """

    number: int
    cells: tuple[str, ...]
    fault: str = ""
    sheet: str = ""


def encoding_of(head: bytes) -> str:
    """The Python codec of a text that begins with `head`, judged on its bytes; marks at the start are the codec's."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    if b"\0" in head[:400]:  # text has no NUL but as half of a character
        first, second = head[:4000:2].count(0), head[1:4000:2].count(0)
        return "utf-16-be" if first > second else "utf-16-le"
    head = head[: head.rfind(b"\n") + 1] or head  # a character cut in two tells nothing
    if sniff.plain(head) == sniff.UNICODE:
        return "utf-8"
    part = sniff.sample(head)
    scores = {name: each.score(part) for name, each in evidence.scorers().items() if name in _OF_TEXTS}
    return max(scores, key=lambda name: scores[name])


_OF_TEXTS = ("utf-8", "gb18030", "big5", "latin-1", "cp1251", "koi8-r")


def separator_of(text: str) -> str:
    """The separator that divides most lines into the same number of cells, more than one; "" if none does."""
    lines = [line for line in text.splitlines()[:LOOKED_AT] if line.strip()]
    best, points = "", 0.0
    for sign in SEPARATORS:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        told = widths.count(usual) / len(widths) * min(usual, 20) if usual > 1 else 0.0
        if told > points:
            best, points = sign, told
    return best


def rows(lines: Iterable[str], separator: str) -> Iterator[Row]:
    """Rows of a text given line by line, each with its line end; empty rows are left out."""
    source = _Lines(lines)
    while (line := source.next()) is not None:
        number = source.number
        if not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            yield Row(number, (), f"line {number} is longer than {LONGEST_LINE:,} characters")
        elif '"' not in line:
            yield _row(number, line.rstrip("\r\n").split(separator))
        else:
            yield _quoted(source, line, number, separator)


def _quoted(source: _Lines, line: str, number: int, separator: str) -> Row:
    """The row that begins with `line`, with as many of the next lines as its quotation marks take in."""
    taken, length = [line], len(line)
    cells = _whole(taken, separator)
    while cells is None:
        more = source.next() if len(taken) < MOST_LINES else None
        length += len(more or "")
        if more is None or length > LONGEST_LINE:
            source.back([*taken[1:], *([more] if more else [])])
            return Row(number, (line.rstrip("\r\n"),), f"line {number}: a quotation mark is opened and not closed")
        taken.append(more)
        if '"' in more:  # else nothing has been closed
            cells = _whole(taken, separator)
    return _row(number, cells)


def _whole(lines: list[str], separator: str) -> list[str] | None:
    """The cells of a row; None while a quotation mark is open. One that stands within a cell is read as it stands."""
    try:
        return next(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None
        return next(csv.reader(lines, delimiter=separator))


def _row(number: int, cells: list[str]) -> Row:
    if len(cells) > MOST_COLUMNS:
        return Row(
            number, tuple(cells[:MOST_COLUMNS]), f"row {number} has {len(cells):,} cells, more than {MOST_COLUMNS}"
        )
    for place, cell in enumerate(cells, 1):
        if len(cell) > LONGEST_CELL:
            shown = tuple(each[:1000] for each in cells)
            return Row(number, shown, f"row {number}, column {place}: the cell has {len(cell):,} characters")
    return Row(number, tuple(cells))


class _Lines:
    """Lines that can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.number = 0  # of the line last given, 1 = first
        self._lines = iter(lines)
        self._back: deque[str] = deque()

    def next(self) -> str | None:
        line = self._back.popleft() if self._back else next(self._lines, None)
        self.number += line is not None
        return line

    def back(self, lines: list[str]) -> None:
        """Give these again."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)
