"""The process that takes a workbook apart: its bytes on standard input, its rows as JSON on standard output (shell).

A row is `[number, sheet, fault, cells]`. What goes wrong is said on standard error, and the exit code is 1.
"""

from __future__ import annotations

import datetime
import io
import json
import resource
import sys
from collections.abc import Iterator
from itertools import islice

import python_calamine

from protocols.tables.cells import LONGEST_CELL, MOST_COLUMNS

MOST_ROWS = 1_048_576  # of a sheet: what spreadsheets hold themselves
MOST_MEMORY = 2_000_000_000  # bytes of addresses: some twenty million cells
MOST_SECONDS = 600  # of processor time


def main() -> int:
    """Bytes of a workbook on standard input, rows as JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    write = sys.stdout.buffer.write
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        for about in book.sheets_metadata:
            if about.visible is python_calamine.SheetVisibleEnum.Visible:
                for told in _sheet(book.get_sheet_by_name(about.name), about.name):
                    write(json.dumps(told).encode() + b"\n")
        sys.stdout.flush()
    except (python_calamine.CalamineError, MemoryError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _sheet(sheet: python_calamine.CalamineSheet, name: str) -> Iterator[tuple[int, str, str, list[str]]]:
    if sheet.start is None:
        return
    first = sheet.start[1]  # columns left of the first that is filled are left out
    for number, row in enumerate(islice(sheet.iter_rows(), MOST_ROWS), 1):
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
