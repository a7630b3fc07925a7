"""A scanned stretch of ISO 2709: its records before their encoding is known, and its text once it is.

Texts are made of the stretch as a whole where that is possible, each once, and only where a record needs it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocols import columnar
from protocols.charsets import codec, mixed, points, private, references
from protocols.iso2709 import WRAPPED
from protocols.marc import Record
from protocols.sealed import Sealed

Finding = tuple[str, str]  # rule id, detail
Fields = tuple[tuple[str, str], ...]
Raw = Sequence[tuple[str, bytes]]

LOST = "\ufffd"
LOST_BYTES = LOST.encode()
_REFERENCE = re.compile(rb"&#")
UNPLAIN = (codec.ESC, WRAPPED, LOST_BYTES)  # what may mean something else than it is


class Pending(NamedTuple):
    """A record whose structure is known and whose encoding may not be."""

    position: int
    ordinal: int
    raw: bytes
    leader: str
    row: int  # of a sound record in the scan, -1 for others
    fields: Raw  # of the others
    findings: tuple[Finding, ...]

    def body(self) -> bytes:
        """The bytes after the directory: a damaged leader says nothing of the encoding."""
        return self.raw[self.raw.find(0x1E) :]


class Stretch:
    """The scan, and the fields that are wanted of it (None: all)."""

    def __init__(self, data: bytes, wanted: frozenset[str] | None) -> None:
        self.found = columnar.scan(data)
        self._tags = wanted
        self._texts: dict[str, str] = {}
        self._decoded: dict[str, Sequence[Fields | None] | None] = {}
        self._codes: dict[str, NDArray[np.uint16] | NDArray[np.uint32]] = {}
        self._private: dict[str, frozenset[int]] = {}
        self._slices: columnar.Slices | None = None
        self._rows: columnar.Wanted | None = None
        self._utf8: bool | None = None

    def is_utf8(self) -> bool:
        """Whether all of it is UTF-8."""
        if self._utf8 is None:
            self._utf8 = mixed.is_utf8(self.found.data)
        return self._utf8

    def is_plain(self) -> bool:
        """Whether all of it is sound records in UTF-8 whose bytes mean what they are."""
        found = self.found
        if found.data[found.tail :].strip(columnar.PADDING) or not found.ordered.all() or self._tags is not None:
            return False
        return self.is_utf8() and not any(sign in found.data for sign in UNPLAIN) and not self._refers()

    def _refers(self) -> bool:
        """Whether a record in ASCII, which doesn't say that it is UTF-8, may have references to other characters."""
        found = self.found
        if references.BEGINS not in found.data:
            return False
        places = [match.start() for match in _REFERENCE.finditer(found.data)]
        rows = set(np.searchsorted(found.ends, places, side="right").tolist())
        spans = [(int(found.starts[row]), int(found.bases[row]), int(found.ends[row])) for row in rows]
        return any(
            found.data[start + 9] != ord("a") and found.data[start + base : end].isascii() for start, base, end in spans
        )

    def record(self, each: Pending, name: str, *, common: bool) -> tuple[Record, tuple[Finding, ...]]:
        """A record with its wanted fields, and what was lost of them; `common`: many records are in this encoding."""
        if name == codec.UTF8 and self._tags is None and each.row >= 0 and self.found.ordered[each.row]:
            raw = each.raw
            if LOST_BYTES not in raw and (self.is_utf8() or mixed.is_utf8(raw)):
                return Sealed(each.leader, (), raw, int(self.found.bases[each.row])), ()
        fields, lost = self.fields(each, name, common=common)
        return Record(each.leader, fields), lost

    def text(self, name: str) -> str:
        """All of it in one encoding; codes without meaning are U+FFFD."""
        if name not in self._texts:
            self._texts[name] = self.found.data.decode(name, "replace")
        return self._texts[name]

    def codes(self, name: str) -> NDArray[np.uint16] | NDArray[np.uint32]:
        """The code points of `text`."""
        if name not in self._codes:
            self._codes[name] = points.code_points(self.text(name))
        return self._codes[name]

    def fields(self, each: Pending, name: str, *, common: bool) -> tuple[Fields, tuple[Finding, ...]]:
        """Wanted fields of a record, and what was lost of them; `common`: many records are in this encoding."""
        if common and each.row >= 0:
            if name not in self._decoded:
                self._decoded[name] = self._at_once(name)
            rows = self._decoded[name]
            if rows and (found := rows[each.row]) is not None:
                return found, ()
        return self._one_by_one(each, name)

    def has_private(self, each: Pending, name: str) -> bool:
        """Whether a record in GB 18030 has private use anywhere."""
        if each.row < 0:
            return private.PRIVATE.search(each.raw.decode(name, "replace")) is not None
        if name not in self._private:
            self._private[name] = points.private(self.codes(name))
        return each.row in self._private[name]

    def _at_once(self, name: str) -> Sequence[Fields | None] | None:
        """By row; None for records, or for all, that have to be decoded field by field."""
        if codec.by_field(name):
            return None
        rows = columnar.texts(self.found, self.text(name), self._wanted())
        doubtful = [LOST] if LOST in self.text(name) else []
        if not codec.is_unicode(name) and references.BEGINS in self.found.data:
            doubtful.append(references.START)
        if rows is None or not doubtful:
            return rows
        return [None if _has(fields, doubtful) else fields for fields in rows]

    def _wanted(self) -> columnar.Wanted:
        if self._rows is None:
            self._rows = columnar.wanted(self.found, self._tags)
        return self._rows

    def _one_by_one(self, each: Pending, name: str) -> tuple[Fields, tuple[Finding, ...]]:
        chosen = self._sliced(each.row) if each.row >= 0 else self._chosen(each.fields)
        fields: list[tuple[str, str]] = []
        lost: dict[str, None] = {}
        plain = codec.is_plain(each.raw, name)
        for tag, content in chosen:
            if plain and content.isascii():
                fields.append((tag, content.decode("ascii")))
            else:
                text, unknown = codec.decode(content, name)
                if unknown:
                    lost[tag] = None
                fields.append((tag, text))
        if not lost:
            return tuple(fields), ()
        detail = f"codes without meaning in {name} became U+FFFD: {' '.join(lost)}"
        return tuple(fields), (("encoding-invalid-bytes", detail),)

    def _chosen(self, fields: Raw) -> Raw:
        return fields if self._tags is None else [each for each in fields if each[0] in self._tags]

    def _sliced(self, row: int) -> Raw:
        """Wanted fields of a sound record as bytes."""
        if self._slices is None:
            self._slices = columnar.Slices(self.found, self._wanted())
        return self._slices.of(row)


def _has(fields: Fields, signs: Sequence[str]) -> bool:
    whole = "".join([text for _, text in fields])
    return any(sign in whole for sign in signs)
