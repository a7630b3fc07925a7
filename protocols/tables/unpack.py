"""The process that takes a workbook apart: its bytes on standard input, its rows as JSON on standard output (shell).

A row is `[number, sheet, fault, cells]`. What goes wrong is said on standard error, and the exit code is 1; it is
`workbook.REFUSED` where what is said is for people. The library holds a sheet whole, a gigabyte for six million rows of
one cell: rows are therefore counted before it is asked for any.
"""

from __future__ import annotations

import datetime
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator

import python_calamine

from protocols.tables.cells import LONGEST_CELL, MOST_COLUMNS
from protocols.tables.workbook import MAGIC, REFUSED

MOST_ROWS = 1_048_576  # of a sheet: what spreadsheets hold themselves
MOST_MEMORY = 2_000_000_000  # bytes of addresses: some twenty million cells
MOST_SECONDS = 600  # of processor time
CHUNK = 1 << 20  # bytes of a sheet in which rows are counted at a time
NAME = 64  # bytes of an element that tell whether it is a row
_ROW = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?row[\s/>]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


class TooManyRows(Exception):
    """A sheet has more rows than any spreadsheet could hold: somebody's program wrote it, or it is made to hurt."""

    def __init__(self) -> None:
        super().__init__(
            f"a sheet has more than {MOST_ROWS:,} rows, which is all that one holds: divide it, or save it as CSV"
        )


def main() -> int:
    """Bytes of a workbook on standard input, rows as JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    write = sys.stdout.buffer.write
    try:
        data = sys.stdin.buffer.read()
        _count(data)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for about in book.sheets_metadata:
            if about.visible is python_calamine.SheetVisibleEnum.Visible:
                for told in _sheet(book.get_sheet_by_name(about.name), about.name):
                    write(json.dumps(told).encode() + b"\n")
        sys.stdout.flush()
    except TooManyRows as error:
        print(error, file=sys.stderr)
        return REFUSED
    except (python_calamine.CalamineError, MemoryError, OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _count(data: bytes) -> None:
    """Raises `TooManyRows` where a sheet of an Office Open XML workbook has them (ECMA-376, 18.3.1.73)."""
    if not data.startswith(MAGIC[0]):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        for part in packed.infolist():
            if not _SHEET.fullmatch(part.filename):
                continue
            rows, rest = 0, b""
            with packed.open(part) as opened:
                while chunk := opened.read(CHUNK):
                    text = rest + chunk
                    last = text.rfind(b"<")  # what begins here may not be whole
                    rows += sum(1 for _ in _ROW.finditer(text, 0, max(last, 0)))
                    rest = text[last : last + NAME] if last >= 0 else b""
                    if rows > MOST_ROWS:
                        raise TooManyRows


def _sheet(sheet: python_calamine.CalamineSheet, name: str) -> Iterator[tuple[int, str, str, list[str]]]:
    if sheet.start is None:
        return
    if sheet.end and sheet.end[0] >= MOST_ROWS:
        raise TooManyRows
    first = sheet.start[1]  # columns left of the first that is filled are left out
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [""] * first + [_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, name, _fault(number, cells), [cell[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS]]


def _fault(number: int, cells: list[str]) -> str:
    if len(cells) > MOST_COLUMNS:
        return f"row {number} has {len(cells):,} cells, more than {MOST_COLUMNS}"
    wide = next((place for place, cell in enumerate(cells, 1) if len(cell) > LONGEST_CELL), 0)
    return f"row {number}, column {wide}: the cell has {len(cells[wide - 1]):,} characters" if wide else ""


def _text(cell: object) -> str:
    """A cell as people see it: whole numbers without a point (barcodes, ISBNs), dates as ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e18 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    return str(cell)


if __name__ == "__main__":
    sys.exit(main())
