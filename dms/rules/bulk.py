"""The outlines of many records' fields at once: one numpy pass over their texts (pure).

Texts are joined and seen as bytes, so tags, indicators and subfield codes of every field are columns, and an outline is
a number: a sum of its parts, each times an odd number of its own (multilinear hashing, 64 bits). What an outline means
is worked out once by `shapes`; fields that are out of the ordinary (no subfields, empty values, codes beyond ASCII) are
looked at one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocols.marc import Record

FIELD_END, BLANK = 0x1E, 0x20
ODD = 0
MOST_SUBFIELDS = 256  # of an ordinary field
_STARTS_OF_BLANKS = np.zeros(256, np.bool_)  # first bytes of what str.strip takes away, in UTF-8
_STARTS_OF_BLANKS[[*range(0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
_ENDS_OF_BLANKS = np.zeros(256, np.bool_)  # and last bytes
_ENDS_OF_BLANKS[[*range(0x21), *range(0x80, 0xC0)]] = True

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


def _odd(count: int) -> Words:
    """Odd numbers of 64 bits that have nothing to do with each other (SplitMix64)."""
    found = []
    for step in range(1, count + 1):
        word = step * 0x9E3779B97F4A7C15
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        word = (word ^ word >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        found.append((word ^ word >> 31) | 1)
    return np.array(found, np.uint64)


_FACTORS = _odd(MOST_SUBFIELDS + 4)


class Columns(NamedTuple):
    """Every field of some records, in order."""

    tags: list[str]
    texts: list[str]
    record: Ints  # which record it belongs to
    number: Ints  # the tag's three bytes as one number
    outline: list[int]  # the same number for the same outline under the same definitions; ODD: to be looked at itself


def tag_number(tag: str) -> int:
    """A tag as it stands in `Columns.number`; only tags of three ASCII characters do."""
    return int.from_bytes(tag.encode("ascii"))


def columns(records: Sequence[Record], tables: Sequence[int]) -> Columns | None:
    """Columns of records, `tables` telling which definitions each has; None where a tag or text has what none has."""
    pairs = list(chain.from_iterable(record.fields for record in records))
    if not pairs:
        return None
    tags, texts = [tag for tag, _ in pairs], [text for _, text in pairs]
    heads = np.frombuffer(("\x1e".join(tags) + "\x1e").encode("utf-8", "surrogatepass"), np.uint8)
    octets = np.frombuffer(("\x1e".join(texts) + "\x1e  ").encode("utf-8", "surrogatepass"), np.uint8)
    places = np.flatnonzero(octets >> 1 == FIELD_END >> 1)  # or a delimiter, the next number
    ends = octets[places] == FIELD_END
    if len(heads) != 4 * len(tags) or (heads[3::4] != FIELD_END).any() or int(ends.sum()) != len(texts):
        return None  # tags have three characters, and no text has a terminator
    tag = heads.reshape(-1, 4).astype(np.int64)
    number = tag[:, 0] << 16 | tag[:, 1] << 8 | tag[:, 2]
    counts = [len(record.fields) for record in records]
    record = np.repeat(np.arange(len(records)), counts)
    outline, odd = _outlines(octets, places, ends, number)
    outline += np.repeat(np.array(tables, np.uint64), counts) * _FACTORS[-1]
    outline[odd] = ODD
    return Columns(tags, texts, record, number, outline.tolist())


def _outlines(octets: NDArray[np.uint8], places: Ints, ends: Bools, number: Ints) -> tuple[Words, Bools]:
    """(outline without its definitions, whether it is odd) of every field."""
    field_ends = places[ends]
    starts = np.empty_like(field_ends)
    starts[0], starts[1:] = 0, field_ends[:-1] + 1
    lasts = np.cumsum(~ends)[ends]  # subfields up to and with each field
    firsts = np.empty_like(lasts)
    firsts[0], firsts[1:] = 0, lasts[:-1]
    counts: Ints = lasts - firsts
    marks = np.flatnonzero(~ends)
    codes = octets[places[marks] + 1]
    nth = np.arange(len(marks)) - np.repeat(firsts, counts)
    summed = np.zeros(len(marks) + 1, np.uint64)
    np.cumsum(codes * _FACTORS[np.minimum(nth, MOST_SUBFIELDS - 1)], out=summed[1:])
    control = number >> 8 == 0x3030
    bare: Bools = counts == 0
    width = np.where(bare, 0, places[marks[np.where(bare, 0, firsts)]] - starts if len(marks) else 0)
    one, two = octets[starts].astype(np.uint64), octets[starts + 1].astype(np.uint64)
    outline = summed[lasts] - summed[firsts] + number.astype(np.uint64) * _FACTORS[-2]
    outline += np.where(control, np.uint64(0), one * _FACTORS[-3] + two * _FACTORS[-4])
    odd = np.where(control, ~bare | (field_ends == starts), width != 2) | (counts > MOST_SUBFIELDS)
    odd[np.repeat(np.arange(len(starts)), counts)[_unusual(octets, places, marks, codes)]] = True
    return outline, odd


def _unusual(octets: NDArray[np.uint8], places: Ints, marks: Ints, codes: NDArray[np.uint8]) -> Bools:
    """Subfields that may be empty or blank, or whose code is no letter or digit."""
    begins, after = places[marks], places[marks + 1]
    found = (after - begins < 3) | (codes >= 0x80) | (codes <= BLANK)
    found |= _STARTS_OF_BLANKS[octets[np.minimum(begins + 2, after)]] & _ENDS_OF_BLANKS[octets[after - 1]]
    unusual: Bools = found
    return unusual
