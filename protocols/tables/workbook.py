"""From a spreadsheet (xlsx, xlsm, xlsb, xls, ods) to rows of cells (shell).

A workbook is small while it is packed and may be of any size, or made to hurt, once it isn't. It is therefore taken
apart by a process of its own (`unpack`), which has a bound of memory and time and hands over row by row.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator

from config.errors import BadRecord
from protocols.tables.cells import Row

MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # a zip; an OLE 2 document
MOST_BYTES = 100_000_000  # of the file
MOST_UNPACKED = 1_000_000_000  # of what a zip says that it holds
MOST_PARTS = 10_000  # files in the zip
REFUSED = 3  # the exit code of `unpack` where it says itself why


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
        [sys.executable, "-P", "-m", "protocols.tables.unpack"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
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
    if code == REFUSED:
        return reason
    told = reason.splitlines()[-1] if reason else f"its reader ended with {code}"
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
