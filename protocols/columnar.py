"""ISO 2709 by columns: one numpy pass over a stretch of records gives every field's place and which records are sound.

A record is *sound* when its structure agrees with ISO 2709:2008 (4.2-4.4) in full: length, base address, a directory of
digits, every entry ending at a field terminator, fields that touch each other and fill the record, no terminator left
over. Sound records need no parser: a wanted field is a slice. All others go the tolerant way (`iso2709`).
Line ends and blanks that some programs write between records are stepped over; they do not make a record unsound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RECORD_END, FIELD_END, DELIMITER = 0x1D, 0x1E, 0x1F
PADDING = b"\r\n\t\x00\x1a\x0c"  # bytes that may lie between records; blanks may belong to a leader
BYTE_ORDER = b"\xef\xbb\xbf"  # of UTF-8
MAX_PADDING = 16  # steps of the vectorised skip; more than that is left to the tolerant reader

Octets = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_IS_PADDING = np.zeros(256, np.bool_)
_IS_PADDING[list(PADDING)] = True
_IS_TAG = np.zeros(256, np.bool_)
_IS_TAG[list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True
_TEN = 10 ** np.arange(4, -1, -1, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Places in `data`. Arrays of records have one row a terminator 1D, arrays of fields one row a directory entry of
    a sound record, in directory order; unsound records have no field rows."""

    data: bytes
    starts: Ints  # first byte of the leader
    ends: Ints  # one past the record terminator
    sound: Bools
    bases: Ints  # addresses of the first fields, from the leaders on
    ordered: Bools  # sound, and the directory in the order of the fields
    record: Ints  # index of the record a field belongs to
    tag: Ints  # the tag's three bytes as one number, big-endian
    field_starts: Ints
    field_ends: Ints  # the field terminator's place
    marks: Ints  # every field terminator 1E of the stretch
    tail: int  # first byte after the last record terminator


def _digits(bytes_: NDArray[np.uint8], starts: Ints, count: int) -> tuple[Ints, Bools]:
    """Numbers of `count` digits at `starts`, and which of them are digits throughout."""
    rows = bytes_[starts[:, None] + np.arange(count)].astype(np.int64) - 48
    return rows @ _TEN[-count:], ((rows >= 0) & (rows <= 9)).all(axis=1)


def scan(data: bytes) -> Scan:
    """Find and check every record of `data`; bytes after the last record terminator are left in `tail`."""
    octets = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero((octets == FIELD_END) | (octets == RECORD_END))
    is_record = octets[marks] == RECORD_END
    terminators: Ints = marks[is_record].astype(np.int64)
    field_marks: Ints = marks[~is_record].astype(np.int64)
    count = len(terminators)
    starts = np.zeros(count, np.int64)
    starts[1:] = terminators[:-1] + 1
    marked = BYTE_ORDER in data
    for _ in range(MAX_PADDING if count else 0):
        padded = _IS_PADDING[octets[starts]].astype(np.int64)  # never runs past: the terminator is no padding
        if marked:
            padded += _byte_orders(octets, starts, terminators)
        if not padded.any():
            break
        starts += padded
    sound, bases, entries = _leaders(octets, starts, terminators, field_marks)
    first = np.cumsum(entries) - entries
    record = np.repeat(np.arange(count), entries)
    columns = _entries(data, np.repeat(starts + 24 - 12 * first, entries) + 12 * np.arange(len(record)))
    digits = columns[3:] - np.uint8(48)  # wraps: whatever is no digit becomes more than 9
    wrong = np.maximum.reduce(digits, axis=0) > 9
    for letter in columns[:3]:
        wrong |= ~_IS_TAG[letter]
    bodies = starts + bases
    field_starts = np.repeat(bodies, entries) + _number(digits[4:])
    field_ends = field_starts + _number(digits[:4]) - 1
    wrong |= (field_ends >= np.repeat(terminators, entries)) | (field_ends < field_starts)
    wrong |= octets[np.where(wrong, 0, field_ends)] != FIELD_END
    sound[record[wrong]] = False
    ordered = _check_touching(sound, record, field_starts, field_ends, bodies)
    keep = slice(None) if len(record) == int(entries[sound].sum()) else sound[record]
    return Scan(
        data=data,
        starts=starts,
        ends=terminators + 1,
        sound=sound,
        bases=bases,
        ordered=ordered & sound,
        record=record[keep],
        tag=_tags(columns)[keep],
        field_starts=field_starts[keep],
        field_ends=field_ends[keep],
        marks=field_marks,
        tail=int(terminators[-1]) + 1 if count else 0,
    )


def _entries(data: bytes, places: Ints) -> Octets:
    """Directory entries, a row for each of their twelve bytes: then all first bytes lie side by side, and so on."""
    if not len(places):
        return np.empty((12, 0), np.uint8)
    windows = np.ndarray(len(data) - 11, "V12", data, strides=(1,))  # the twelve bytes from every place on
    entries: Octets = windows[places].view(np.uint8).reshape(-1, 12)
    return np.ascontiguousarray(entries.T)


def _number(digits: Octets) -> Ints:
    """What rows of digits say."""
    found: Ints = digits[0].astype(np.int64)
    for each in digits[1:]:
        found *= 10
        found += each
    return found


def _tags(columns: Octets) -> Ints:
    one, two, three = columns[:3].astype(np.int64)
    tags: Ints = one << 16 | two << 8 | three
    return tags


def _byte_orders(octets: NDArray[np.uint8], starts: Ints, terminators: Ints) -> Ints:
    """Width of the mark of byte order at every start: files that were put together have them in the middle too."""
    found = starts + len(BYTE_ORDER) <= terminators
    for number, byte in enumerate(BYTE_ORDER):
        found &= octets[np.where(found, starts + number, 0)] == byte
    return found * len(BYTE_ORDER)


def _leaders(octets: NDArray[np.uint8], starts: Ints, terminators: Ints, field_marks: Ints) -> tuple[Bools, Ints, Ints]:
    """(sound so far, base addresses, number of directory entries; 0 where unsound) of every record."""
    lengths = terminators - starts + 1
    short = lengths < 26
    safe = np.where(short, 0, starts)
    if len(octets) < 26:
        nothing = np.zeros(len(starts), np.int64)
        return np.zeros(len(starts), np.bool_), nothing, nothing
    stated, is_number = _digits(octets, safe, 5)
    bases, is_base = _digits(octets, safe + 12, 5)
    sound = ~short & is_number & is_base & (stated == lengths) & (bases > 25) & (bases < lengths)
    sound &= (bases - 25) % 12 == 0
    # the entry map (leader 20-21) is taken to be "45": many write blanks or zeros there and mean it all the same
    entries = np.where(sound, (bases - 25) // 12, 0)
    inside = np.searchsorted(field_marks, terminators) - np.searchsorted(field_marks, starts)
    sound &= inside == entries + 1
    sound &= octets[np.where(sound, starts + bases - 1, 0)] == FIELD_END
    return sound, np.where(sound, bases, 0), np.where(sound, entries, 0)


def _check_touching(sound: Bools, record: Ints, starts: Ints, ends: Ints, bodies: Ints) -> Bools:
    """Unset `sound` where fields leave gaps or overlap; the directory need not be in the order of the data, and which
    are is the answer."""
    ordered = np.ones(len(sound), np.bool_)
    if not len(record):
        return ordered
    touching = _touches(record, starts, ends, bodies)
    if not touching.all():
        ordered[record[~touching]] = False
        order = np.lexsort((starts, record))
        touching = _touches(record[order], starts[order], ends[order], bodies)
        sound[record[order][~touching]] = False
    return ordered


def _touches(record: Ints, starts: Ints, ends: Ints, bodies: Ints) -> Bools:
    """Whether each field begins where the one before it ended, or at the base address if it is the first."""
    expected = np.empty_like(starts)
    expected[1:] = ends[:-1] + 1
    first = np.empty(len(record), np.bool_)
    first[0] = True
    first[1:] = record[1:] != record[:-1]
    expected[first] = bodies[record[first]]
    touching: Bools = starts == expected
    return touching


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The fields that are wanted: which rows of the scan, their tags, and where each record's fields lie among them."""

    keep: Bools | None  # None: all
    tags: list[str]
    bounds: list[tuple[int, int]]

    def places(self, *columns: Ints) -> list[list[int]]:
        """The wanted rows of columns, as lists."""
        return [(column if self.keep is None else column[self.keep]).tolist() for column in columns]


def wanted(found: Scan, tags: frozenset[str] | None) -> Wanted:
    """The fields with these tags, or all, in directory order. Unsound records have none."""
    record, tag, keep = found.record, found.tag, None
    if tags is not None:
        keep = _table(tags)[(tag >> 16) << 14 | (tag >> 8 & 0x7F) << 7 | tag & 0x7F]
        record, tag = record[keep], tag[keep]
    counts = np.bincount(record, minlength=len(found.starts))
    lasts = np.cumsum(counts)
    return Wanted(
        keep=keep,
        tags=names(tag),
        bounds=list(zip((lasts - counts).tolist(), lasts.tolist(), strict=True)),
    )


class Slices:
    """Wanted fields as bytes, a record at a time."""

    def __init__(self, found: Scan, wanted: Wanted) -> None:
        self._data = found.data
        self._wanted = wanted
        self._starts, self._ends = wanted.places(found.field_starts, found.field_ends)

    def of(self, row: int) -> list[tuple[str, bytes]]:
        """(tag, field bytes without terminator) of a record."""
        first, last = self._wanted.bounds[row]
        data, tags, starts, ends = self._data, self._wanted.tags, self._starts, self._ends
        return [(tags[index], data[starts[index] : ends[index]]) for index in range(first, last)]


def texts(found: Scan, text: str, wanted: Wanted) -> list[tuple[tuple[str, str], ...]] | None:
    """(tag, text) of every record's wanted fields, out of the stretch's text: what stands before the n-th terminator is
    one field.

    None if `text` was decoded in an encoding that takes terminators for something else.
    """
    pieces = text.split("\x1e")
    if len(pieces) != len(found.marks) + 1:
        return None
    (places,) = wanted.places(np.searchsorted(found.marks, found.field_ends))
    pairs = list(zip(wanted.tags, map(pieces.__getitem__, places), strict=True))
    return [tuple(pairs[first:last]) for first, last in wanted.bounds]


@lru_cache(maxsize=32)
def _table(tags: frozenset[str]) -> Bools:
    """Whether a tag is wanted, by its bytes of seven bits each; tags that no directory can have are left out."""
    table = np.zeros(1 << 21, np.bool_)
    for tag in tags:
        if len(tag) == 3 and tag.isascii():
            one, two, three = tag.encode()
            table[one << 14 | two << 7 | three] = True
    return table


class _Names(dict[int, str]):
    """Tags by their numbers; there are no more than letters and digits allow."""

    def __missing__(self, number: int) -> str:
        self[number] = name = number.to_bytes(3).decode("ascii")
        return name


_NAMES = _Names()


def names(tags: Ints) -> list[str]:
    """Tags by their numbers (`Scan.tag`)."""
    return list(map(_NAMES.__getitem__, tags.tolist()))
