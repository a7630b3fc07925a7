"""Where the records of an ISO 2709 stretch begin and end when a record terminator was lost or stands inside a field.

Records are framed by the terminator 1D. Two kinds of damage need more: a terminator that is missing glues the next,
sound record to whatever is before it; a stray one cuts a record in two. Both are mended only on strong evidence (a
leader whose base address and directory fit the bytes), because a neighbour must never pay for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from protocols import iso2709
from protocols.columnar import FIELD_END, Scan

PATIENCE = 8  # times that a stretch is read in search of records
LEAST = 38  # bytes of a record: leader, one entry, the terminators
FEW = 8  # pieces with fewer bytes that are looked at one by one
CRUMBS = -2  # row of a frame that is a run of such pieces

_LEADER = re.compile(rb"(?=[0-9]{5}[A-Za-z ]{2}[\x20-\x7e]{5}([0-9]{5})[\x20-\x7e]{7}[0-9A-Za-z]{3}[0-9]{9})")
_DIRECTORY = re.compile(rb"(?:[0-9A-Za-z]{3}[0-9]{9})+\x1e")

Finding = tuple[str, str]  # rule id, detail


class Frame(NamedTuple):
    """One record's bytes in a stretch."""

    start: int
    end: int
    row: int  # row of a sound record in the scan, -1 for others, CRUMBS where none can be
    findings: tuple[Finding, ...] = ()


def frames(found: Scan) -> Iterator[Frame]:
    """Every record of a scanned stretch in order, the unterminated rest last; padding lies between frames."""
    data = found.data
    starts, ends, sound = found.starts.tolist(), found.ends.tolist(), found.sound.tolist()
    joining = _Joining(found)
    crumbs = _crumbs(found)
    row = 0
    while row < len(starts):
        start, end = starts[row], ends[row]
        if sound[row]:
            yield Frame(start=start, end=end, row=row)
        elif row in crumbs:
            row = crumbs[row]
            yield Frame(start=start, end=ends[row], row=CRUMBS)
        else:
            last = joining.last(start, row)
            if last > row:
                yield Frame(
                    start=start,
                    end=ends[last],
                    row=-1,
                    findings=(("iso2709-terminator-in-field", "a record terminator stands inside the record"),),
                )
                row = last
            else:
                yield from _split(data, start, end)
        row += 1
    rest = data[found.tail :]
    start = found.tail + len(rest) - len(rest.lstrip(b"\r\n\t\x00\x1a\x0c"))
    if data[start:].strip():
        yield from _split(data, start, len(data))


def _crumbs(found: Scan) -> dict[int, int]:
    """First and last row of each run of pieces in which no record can be; a stretch may be a million of them."""
    octets = np.frombuffer(found.data, np.uint8)
    digit = octets[found.starts] - ord("0") < 10  # unsigned: what stands before the digits is far above them
    widths = found.ends - found.starts
    small = ~found.sound & (widths < LEAST) & (~digit | (widths < 6))  # five digits tell how far a record goes
    turns = np.flatnonzero(np.diff(small, prepend=False, append=False)).tolist()
    return {first: behind - 1 for first, behind in zip(turns[::2], turns[1::2], strict=True) if behind - first > FEW}


class _Joining:
    """Finds the ends of records that a stray terminator cut.

    What is read in vain is counted: a stretch can be made in which every byte begins such a record.
    """

    def __init__(self, found: Scan) -> None:
        self._data = found.data
        self._ends = found.ends
        self._sound = np.concatenate(([0], np.cumsum(found.sound)))  # sound rows before each row
        self._patience = PATIENCE * len(found.data)

    def last(self, start: int, row: int) -> int:
        """Row of the piece with which the record that begins here ends, by its leader length; else `row`."""
        stated = self._data[start : start + 5]
        if not stated.isdigit() or start + int(stated) <= self._ends[row] or self._patience < 0:
            return row
        end = start + int(stated)
        last = int(np.searchsorted(self._ends, end))
        if last == len(self._ends) or self._ends[last] != end or self._sound[last + 1] > self._sound[row]:
            return row
        self._patience -= end - start
        try:
            whole = iso2709.read(self._data[start:end])
        except iso2709.Unreadable:
            return row
        rules = {rule for rule, _ in whole.findings}
        return last if rules <= {"iso2709-terminator-in-field"} else row


def _split(data: bytes, start: int, end: int) -> Iterator[Frame]:
    """The piece, or the pieces where another record's leader and directory stand inside it."""
    at = start
    patience = PATIENCE * (end - start)
    lost: tuple[Finding, ...] = (("iso2709-terminator", "the terminator before the next record is missing"),)
    for match in _LEADER.finditer(data, start + 1, end):
        place, base = match.start(), int(match.group(1))
        if base < 37 or (base - 25) % 12 or place + base > end or data[place + base - 1] != FIELD_END:
            continue
        if (patience := patience - base) < 0:
            break
        if _DIRECTORY.fullmatch(data, place + 24, place + base):
            yield Frame(start=at, end=place, row=-1, findings=lost)
            at = place
    yield Frame(start=at, end=end, row=-1)
