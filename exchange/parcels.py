"""How segments travel by HTTP: addresses, bodies, and the size of parts (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

import msgspec

from config.errors import BadRecord
from exchange.lanes import Lane
from exchange.model import Cursor

OFFSET = "Upload-Offset"
LARGEST = 4 * 1024 * 1024  # bytes of a part
SMALLEST = 64 * 1024
WAIT = 20.0  # seconds that a request for news may wait for some
DUE = "reconcile-due"  # code of an answer that there is nothing to be had before a reconcile


class Stands(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a segment, or of a part of one; with `code`, why it was not taken."""

    code: str = ""
    reason: str = ""
    cursor: Cursor | None = None  # where the stream stands
    offset: int = 0  # bytes of the segment that have arrived


def up(link: bytes) -> str:
    """Where a segment goes."""
    return f"/x/up/{link.hex()}"


def down(channel: str, cursor: Cursor, wait: float) -> str:
    """Where the segment that follows on a place is had."""
    query = urlencode({"epoch": cursor.epoch, "seq": cursor.seq, "link": cursor.link.hex(), "wait": f"{wait:g}"})
    return f"/x/down/{quote(channel, safe='')}?{query}"


def reconcile(lane: Lane) -> str:
    """Where a reconcile is asked for."""
    return f"/x/reconcile/{quote(lane.channel, safe='')}/{lane.way.value}"


def place(epoch: str, seq: str, link: str) -> Cursor:
    """The place in the query of `down`; BadRecord if it is none."""
    try:
        return Cursor(int(epoch or 0), int(seq or 0), bytes.fromhex(link))
    except ValueError as error:
        raise BadRecord("epoch and seq are numbers, link is hexadecimal") from error


def wanted(field: str, size: int) -> tuple[int, int]:
    """(first byte, end) of a Range field over a body of `size` bytes: one range from a known beginning (RFC 9110, 14).

    Whatever else a field may say is answered with the whole, as the RFC allows.
    """
    unit, _, spec = field.partition("=")
    first, dash, last = spec.partition("-")
    if unit.strip() != "bytes" or not dash or not first.strip().isdecimal() or "," in spec:
        return 0, size
    start = int(first)
    end = int(last) + 1 if last.strip().isdecimal() else size
    return (start, min(end, size)) if start < end else (0, size)


def total(field: str) -> int | None:
    """The size of the whole in a Content-Range field."""
    size = field.rpartition("/")[2]
    return int(size) if size.isdecimal() else None


@dataclass(slots=True)
class Pace:
    """How much to send or fetch at once: less where the line breaks, more where it holds."""

    size: int = LARGEST

    def held(self) -> None:
        """A part got through."""
        self.size = min(LARGEST, self.size * 2)

    def broke(self) -> None:
        """A part did not."""
        self.size = max(SMALLEST, self.size // 4)
