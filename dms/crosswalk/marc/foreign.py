"""Fields that a conversion kept as foreign, put back when the record returns to its own format (pure).

MARC 21 and UNIMARC, 886: first indicator 1 a control field, 2 a data field; $2 the format, $a the tag, $b the value or
the indicators, then the field's own subfields.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from protocols import marc
from protocols.marc import DELIMITER

_CONTROL, _DATA = "1", "2"


class Kept(NamedTuple):
    """What a field for foreign data holds."""

    tag: str
    text: str


def held(text: str, formats: Collection[str]) -> Kept | None:
    """The field that an 886 holds, if it is of one of `formats` and is whole; else None."""
    head = marc.subfields(text)
    if len(head) < 3 or [code for code, _ in head[:3]] != ["2", "a", "b"] or head[0][1] not in formats:
        return None
    tag, rest = head[1][1], text.split(DELIMITER)[4:]
    if len(tag) != 3:
        return None
    if text[:1] == _CONTROL and marc.is_control(tag) and not rest:
        return Kept(tag, head[2][1])
    if text[:1] == _DATA and not marc.is_control(tag) and len(head[2][1]) == 2:
        return Kept(tag, head[2][1] + "".join(DELIMITER + part for part in rest))
    return None
