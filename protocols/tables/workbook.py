"""From a spreadsheet (xlsx, xlsm, xlsb, xls, ods) to rows of cells (shell).

A workbook is small while it is packed and may be of any size, or made to hurt, once it isn't. It is therefore taken
apart by a process of its own that has a bound of memory and time, and that hands over row by row.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice

import python_calamine

from config.errors import BadRecord
from protocols.tables.cells import LONGEST_CELL, MOST_COLUMNS, Row

MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # a zip; an OLE 2 document
MOST_BYTES = 100_000_000  # of the file
MOST_UNPACKED = 1_000_000_000  # of what a zip says that it holds
MOST_PARTS = 10_000  # files in the zip
MOST_ROWS = 1_048_576  # of a sheet: what spreadsheets hold themselves
MOST_MEMORY = 2_000_000_000  # bytes of the process's addresses: some twenty million cells
MOST_SECONDS = 600  # of processor time


class BadWorkbook(BadRecord):
    """The workbook is damaged, locked, or larger than we read."""

    code = "bad-workbook"


def is_workbook(head: bytes) -> bool:
    """Whether the bytes begin as workbooks do."""
    return head.startswith(MAGIC)


def rows(data: bytes) -> Iterator[Row]:
    """Rows of every visible sheet in order, empty ones left out. Raises `BadWorkbook`."""
    _look(data)
    with subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout and child.stderr
        try:
            with contextlib.suppress(BrokenPipeError):  # it says itself why it ended
                child.stdin.write(data)
                child.stdin.close()
            for line in child.stdout:
                number, sheet, fault, cells = json.loads(line)
                yield Row(number, tuple(cells), fault, sheet)
            reason = child.stderr.read().decode("utf-8", "replace").strip()
            if child.wait():
                raise BadWorkbook(_said(reason, child.returncode))
        finally:
            child.kill()


def _said(reason: str, code: int) -> str:
    told = reason.splitlines()[-1] if reason else ""
    if code < 0 or "MemoryError" in told or "memory allocation" in reason:
        return "the workbook needs more memory or time than is given to one: divide it, or save it as CSV"
    return f"the workbook can't be read: {told}. Open and save it again, or save it as CSV (UTF-8)"


def _look(data: bytes) -> None:
    """What can be told before it is unpacked."""
    if len(data) > MOST_BYTES:
        raise BadWorkbook(f"the workbook has {len(data):,} bytes, more than {MOST_BYTES:,}: save it as CSV")
    if not data.startswith(MAGIC[0]):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadWorkbook(f"the workbook is damaged: {error}") from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED or len(parts) > MOST_PARTS:
        raise BadWorkbook(
            f"the workbook unpacks to {unpacked:,} bytes in {len(parts):,} parts, more than {MOST_UNPACKED:,} and "
            f"{MOST_PARTS:,}: save it as CSV"
        )


def _child() -> int:
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
    sys.exit(_child())
