"""The neutral MARC record: a leader and (tag, text) pairs, whatever the carrier was.

`text` of a control field is its value; of a data field it is both indicators followed by subfields, each `\\x1f`, code,
value: exactly the ISO 2709 field content (ISO 2709:2008, 4.3.4) decoded to Unicode. One light shape serves the columnar
reader, MARCXML, MARC-in-JSON and the writers, and costs no object per subfield until somebody asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

DELIMITER = "\x1f"


class Record(msgspec.Struct, frozen=True, gc=False):
    """A leader of 24 characters and the fields in record order; a struct because one is made of every record."""

    leader: str
    fields: tuple[tuple[str, str], ...]

    def all(self, *tags: str) -> list[str]:
        """Texts of every field with one of `tags`, in record order."""
        return [text for tag, text in self.fields if tag in tags]

    def opening(self, count: int) -> list[str]:
        """The tags of the first fields."""
        return [tag for tag, _ in self.fields[:count]]

    def first(self, *tags: str) -> str | None:
        """Text of the first field with one of `tags`."""
        for tag, text in self.fields:
            if tag in tags:
                return text
        return None


def is_control(tag: str) -> bool:
    """Control fields are 001-009 (and 00X): no indicators, no subfields."""
    return tag.startswith("00")


def subfields(text: str) -> list[tuple[str, str]]:
    """(code, value) pairs of a data field's text; an empty subfield keeps its code if it has one."""
    return [(part[0], part[1:]) for part in text.split(DELIMITER)[1:] if part]


def values(text: str, codes: str) -> list[str]:
    """Values of the subfields whose code is in `codes`, in field order."""
    return [part[1:] for part in text.split(DELIMITER)[1:] if part and part[0] in codes]


def value(text: str, code: str) -> str:
    """Value of the first subfield `code`, or the empty string."""
    return text.partition(DELIMITER + code)[2].partition(DELIMITER)[0]


def field(indicators: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Build a data field's text from two indicators and (code, value) pairs."""
    return indicators + "".join(DELIMITER + code + text for code, text in pairs)


def walk(record: Record) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """(tag, indicators or value, subfields) of every field; control fields have no subfields.

    Words before the first subfield, which no carrier but ISO 2709 can say, are told as a subfield a.
    """
    for tag, text in record.fields:
        if is_control(tag):
            yield tag, text, []
            continue
        pairs = subfields(text)
        if text[2:3] != DELIMITER and any(map(str.isalnum, stray := text.partition(DELIMITER)[0][2:])):
            pairs.insert(0, ("a", stray))
        yield tag, text[:2], pairs
