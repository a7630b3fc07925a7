"""A MARC 21 field and its 880 as one: the field in Han with its romanised form inside (pure).

MARC 21 Format for Bibliographic Data, 880 and appendix A ($6): the romanised form stands in the field and the original
script in an 880, or, in many Chinese libraries, the other way round. In CNMARC there is one field: what is romanised
stands in capital codes behind the subfield that it spells (CALIS联机合作编目手册, 200 $A, $E, $F).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from protocols import marc
from protocols.marc import DELIMITER, Record

SCRIPTS = "880"
_LINK = re.compile(r"\x1f6(\d{3})-(\d{2})[^\x1f]*")
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_NAMES = frozenset(("100", "600", "700", "800"))


class Origin(NamedTuple):
    """Where a joined field comes from: (tag, which of its tag from 1)."""

    own: tuple[str, int]
    romanised: tuple[str, int] | None = None  # where its capital subfields were
    left: tuple[tuple[str, str], ...] = ()  # romanised subfields that spell nothing in the other field


def joined(record: Record, tags: Collection[str]) -> tuple[Record, list[Origin]]:
    """The record with each pair of `tags` in one field, and the origin of every field.

    A pair of another tag, or without Han text, stays two fields.
    """
    seen: Counter[str] = Counter()
    places: list[tuple[str, int]] = []
    linked: dict[tuple[str, str], int] = {}  # (tag, occurrence) → index of the 880
    for index, (tag, text) in enumerate(record.fields):
        seen[tag] += 1
        places.append((tag, seen[tag]))
        if tag == SCRIPTS and (link := _LINK.search(text)) and link[1] in tags and link[2] != "00":
            linked.setdefault((link[1], link[2]), index)
    if not linked:
        return record, [Origin(place) for place in places]
    partner: dict[int, int] = {}
    for index, (tag, text) in enumerate(record.fields):
        link = _LINK.search(text) if tag in tags else None
        if link and link[1] == SCRIPTS and (other := linked.pop((tag, link[2]), None)) is not None:
            partner[index] = other
    taken = set(partner.values())
    fields: list[tuple[str, str]] = []
    origins: list[Origin] = []
    for index, (tag, text) in enumerate(record.fields):
        if index in taken and _is_pair(text, record.fields[_of(partner, index)][1]):
            continue
        other = partner.get(index)
        if other is None or not _is_pair(text, record.fields[other][1]):
            fields.append((tag, text))
            origins.append(Origin(places[index]))
            continue
        han, romanised = (other, index) if _HAN.search(record.fields[other][1]) else (index, other)
        text, left = woven(tag, record.fields[han][1], record.fields[romanised][1], text[:2])
        fields.append((tag, text))
        origins.append(Origin(places[han], places[romanised], left))
    return Record(record.leader, tuple(fields)), origins


def _of(partner: dict[int, int], other: int) -> int:
    return next(index for index, each in partner.items() if each == other)


def _is_pair(one: str, two: str) -> bool:
    """Whether one is in Han and the other is not."""
    return bool(_HAN.search(one)) != bool(_HAN.search(two))


def woven(tag: str, han: str, romanised: str, indicators: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The Han field with each romanised subfield in its capital code behind the subfield that it spells; the rest."""
    spelled = [(code, value) for code, value in marc.subfields(romanised) if code != "6"]
    pairs: list[tuple[str, str]] = []
    for code, value in marc.subfields(han):
        if code == "6":
            continue
        pairs.append((code, value))
        at = next((n for n, (each, _) in enumerate(spelled) if each == code), None)
        if at is None or not code.isalpha():
            continue
        spelling = spelled[at][1]
        if spelling != value and not _HAN.search(value):
            continue
        spelled.pop(at)
        if spelling == value:
            continue
        if tag in _NAMES and code == "a" and ", " not in value:
            spelling = spelling.rstrip(", ").replace(", ", " ")
        pairs.append((code.upper(), spelling))
    return marc.field(indicators, pairs), tuple(spelled)


def in_order(text: str) -> str:
    """A CNMARC field with each capital subfield straight behind the one that it spells, the n-th behind the n-th."""
    parts = text.split(DELIMITER)
    capitals = [part for part in parts[1:] if part[:1].isalpha() and part[:1].isupper()]
    if not capitals:
        return text
    waiting: dict[str, list[str]] = {}
    for part in capitals:
        waiting.setdefault(part[0].lower(), []).append(part)
    told = parts[:1]
    for part in parts[1:]:
        if part in capitals:
            continue
        told.append(part)
        if (spelled := waiting.get(part[:1])) and _HAN.search(part):
            told.append(spelled.pop(0))
    told += [part for rest in waiting.values() for part in rest]
    return DELIMITER.join(told)
