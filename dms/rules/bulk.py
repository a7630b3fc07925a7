"""The outlines of many records' fields at once: one numpy pass over their texts (pure).

Texts are joined and seen as bytes, so tags, indicators and subfield codes of every field are columns, and an outline is
a number: a sum of its parts, each times an odd number of its own, 64 bits of it. What an outline means
is worked out once by `shapes`; fields that are out of the ordinary (no subfields, empty values, codes beyond ASCII) are
looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from protocols import columnar
from protocols.marc import Record
from protocols.sealed import Sealed

FIELD_END, BLANK = 0x1E, 0x20
ENTRY = 12  # bytes of a directory's entry, its tag first
ODD = 0
MOST_PLACES = 1 << 17  # fields and subfields that are looked at together
_IS_ODD = np.ones(256, np.bool_)  # codes that no ordinary subfield has
_IS_ODD[BLANK + 1 : 0x7F] = False
_STARTS_OF_BLANKS = np.zeros(256, np.bool_)  # first bytes of what str.strip takes away, in UTF-8
_STARTS_OF_BLANKS[[*range(0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
_ENDS_OF_BLANKS = np.zeros(256, np.bool_)  # and last bytes
_ENDS_OF_BLANKS[[*range(0x21), *range(0x80, 0xC0)]] = True

NO_DIGITS = 1000
ODD_TAGS = b"?" * ENTRY  # what no directory has
_PLACES = np.array([100, 10, 1])  # of digits

Octets = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

# Odd numbers of 64 bits that have nothing to do with each other: for the place of a code, and for the other parts.
_STEP = 0x9E3779B97F4A7C15
_TABLE, _TAG, _ONE, _TWO = np.array(
    [0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64
)


def _powers(base: int) -> Words:
    factors = np.full(MOST_PLACES, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors)


_POWERS, _INVERSES = _powers(_STEP), _powers(pow(_STEP, -1, 1 << 64))


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Every field of some records, in order, and all of their texts as bytes."""

    record: Ints  # which record it belongs to
    number: Ints  # the tag's three bytes as one number
    outline: Words  # the same number for the same outline under the same definitions; ODD: to be looked at itself
    digits: Ints  # the tag as a number of three digits; NO_DIGITS: it is none
    data: bytes  # texts in UTF-8, FIELD_END after each, two blanks at the end
    octets: Octets  # the same
    marks: Ints  # every delimiter and FIELD_END of it
    starts: Ints  # first octet of each field
    ends: Ints  # the FIELD_END behind each
    records: int  # how many

    @cached_property
    def tags(self) -> list[str]:
        """The tag of every field."""
        return columnar.names(self.number)

    @cached_property
    def texts(self) -> list[str]:
        """The text of every field, and what ends the data."""
        return self.data.decode("utf-8", "surrogatepass").split("\x1e")

    @cached_property
    def bounds(self) -> list[int]:
        """The first field of every record, and one past the last of all."""
        found: list[int] = np.searchsorted(self.record, np.arange(self.records + 1)).tolist()
        return found

    def texts_of(self, fields: Ints) -> list[str]:
        """The texts of some fields, without making those of all."""
        data = self.data
        places = zip(self.starts[fields].tolist(), self.ends[fields].tolist(), strict=True)
        return [data[start:end].decode("utf-8", "surrogatepass") for start, end in places]

    def fields_at(self, places: Ints) -> Ints:
        """The fields in which octets are."""
        fields: Ints = np.searchsorted(self.starts, places, side="right") - 1
        return fields

    def rows_of(self, fields: Ints | Bools | list[int]) -> Bools:
        """Of every record, whether it has one of some fields."""
        rows = np.zeros(self.records, np.bool_)
        rows[self.record[fields]] = True
        return rows

    def points(self, places: Ints) -> Ints:
        """Code points of the characters whose first octets are at `places`."""
        first = self.octets[places].astype(np.int64)
        points = first.copy()
        for width, lead in ((2, 0xC0), (3, 0xE0), (4, 0xF0)):
            longer = np.flatnonzero(first >= lead)
            value = first[longer] & (0x7F >> width)
            for behind in range(1, width):
                value = value << 6 | self.octets[places[longer] + behind] & 0x3F
            points[longer] = value
        return points

    def tagged(self, table: Bools) -> Ints:
        """The fields whose tags are in a table (`of_tags`)."""
        fields: Ints = np.flatnonzero(table[self.digits])
        return fields


def within(points: Ints, ranges: Ints) -> Bools:
    """Which code points are in one of some ranges; each is a row with its first and last."""
    found: Bools = np.searchsorted(ranges[:, 0], points, side="right") > np.searchsorted(ranges[:, 1], points)
    return found


def of_tags(tags: Iterable[str]) -> Bools:
    """A table of tags, which are three digits each."""
    table = np.zeros(NO_DIGITS + 1, np.bool_)
    table[[int(tag) for tag in tags]] = True
    return table


def tag_number(tag: str) -> int:
    """A tag as it stands in `Columns.number`; only tags of three ASCII characters do."""
    return int.from_bytes(tag.encode("ascii"))


def columns(records: Sequence[Record], tables: Ints) -> Columns | None:
    """Columns of records, `tables` telling which definitions each has; None where a tag or text has what none has."""
    entries = [_entries(record) for record in records]
    bodies = [_contents(record) for record in records]
    bodies.append(b"  ")
    heads = np.frombuffer(b"".join(entries), np.uint8).reshape(-1, ENTRY)
    data = b"".join(bodies)
    octets = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(octets >> 1 == FIELD_END >> 1)  # or a delimiter, the next number
    ends = octets[places] == FIELD_END
    if not len(heads) or int(ends.sum()) != len(heads) or len(places) > MOST_PLACES or ODD_TAGS in entries:
        return None
    tag = heads[:, :3].astype(np.int64)
    number = tag[:, 0] << 16 | tag[:, 1] << 8 | tag[:, 2]
    digits = tag @ _PLACES - 0x30 * 111
    digits[((tag < 0x30) | (tag > 0x39)).any(axis=1)] = NO_DIGITS
    counts = [len(each) // ENTRY for each in entries]
    record = np.repeat(np.arange(len(records)), counts)
    lasts = np.flatnonzero(ends)
    starts = np.empty_like(lasts)
    starts[0], starts[1:] = 0, places[lasts[:-1]] + 1
    outline, odd = _outlines(octets, places, ends, number, starts, lasts)
    outline += np.repeat(tables.astype(np.uint64), counts) * _TABLE
    outline[odd] = ODD
    return Columns(
        record=record,
        number=number,
        outline=outline,
        digits=digits,
        data=data,
        octets=octets,
        marks=places,
        starts=starts,
        ends=places[lasts],
        records=len(records),
    )


def _entries(record: Record) -> bytes:
    """A directory's entries, of which only the tags are told; ODD_TAGS if one has not three ASCII characters."""
    if isinstance(record, Sealed):
        return record.directory()
    tags = [tag for tag, _ in record.fields]
    if any(len(tag) != 3 or not tag.isascii() for tag in tags):
        return ODD_TAGS
    return "".join([f"{tag:<{ENTRY}}" for tag in tags]).encode("ascii")


def _contents(record: Record) -> bytes:
    """The fields in UTF-8, FIELD_END after each."""
    if isinstance(record, Sealed):
        return record.contents()
    return "".join([text + "\x1e" for _, text in record.fields]).encode("utf-8", "surrogatepass")


def _outlines(
    octets: Octets, places: Ints, ends: Bools, number: Ints, starts: Ints, lasts: Ints
) -> tuple[Words, Bools]:
    """(outline without its definitions, whether it is odd) of every field; `lasts`: its end among the places.

    The codes of a field are summed with rising powers of a number over all fields; dividing by the power that the field
    begins with makes the sum the field's own.
    """
    firsts = np.empty_like(lasts)  # its first subfield; its end, if it has none
    firsts[0], firsts[1:] = 0, lasts[:-1] + 1
    codes = octets[places + 1]
    codes[ends] = 0
    summed = np.empty(len(places) + 1, np.uint64)
    summed[0] = 0
    np.cumsum(codes * _POWERS[: len(places)], out=summed[1:])
    control = number >> 8 == 0x3030
    one, two = octets[starts] * _ONE, octets[starts + 1] * _TWO
    outline = (summed[lasts] - summed[firsts]) * _INVERSES[firsts] + number.astype(np.uint64) * _TAG
    outline += np.where(control, np.uint64(0), one + two)
    bare = firsts == lasts
    odd = np.where(control, ~bare | (places[lasts] == starts), bare | (places[firsts] - starts != 2))
    odd[np.searchsorted(lasts, _unusual(octets, places, ends, codes))] = True
    return outline, odd


def _unusual(octets: Octets, places: Ints, ends: Bools, codes: Octets) -> Ints:
    """Subfields that may be empty or blank, or whose code is no ASCII sign."""
    sure = _IS_ODD[codes]
    sure[:-1] |= np.diff(places) < 3
    found = np.flatnonzero((sure | _STARTS_OF_BLANKS[octets[places + 2]]) & ~ends)
    unusual: Ints = found[sure[found] | _ENDS_OF_BLANKS[octets[places[found + 1] - 1]]]
    return unusual
