"""A MARC 21 field and its 880 as one: the field in Han with its romanised form inside (pure).

MARC 21 Format for Bibliographic Data, 880 and appendix A ($6): the romanised form stands in the field and the original
script in an 880, or, in many Chinese libraries, the other way round. In CNMARC there is one field: what is romanised
stands in capital codes behind the subfield that it spells (CALIS联机合作编目手册, 200 $A, $E, $F).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from protocols import marc
from protocols.marc import DELIMITER, Record

SCRIPTS = "880"
_LINK = re.compile(r"\x1f6(\d{3})-(\d{2})[^\x1f]*")
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SIX = DELIMITER + "6"
_CAPITAL = re.compile(r"\x1f[A-Z]")
_NAMES = frozenset(("100", "600", "700", "800"))
REMEMBERED = 4096  # places of fields


class Origin(NamedTuple):
    """Where a joined field comes from: (tag, which of its tag from 1)."""

    own: tuple[str, int]
    romanised: tuple[str, int] | None = None  # where its capital subfields were
    left: tuple[tuple[str, str], ...] = ()  # romanised subfields that spell nothing in the other field
    same: tuple[str, ...] = ()  # codes that say the same in both
    unlinked: str = ""  # a link that was taken out of it


@lru_cache(REMEMBERED)
def _of_itself(tag: str, nth: int) -> Origin:
    """The origin of a field that is joined with none."""
    return Origin((tag, nth))


def joined(record: Record, tags: Collection[str]) -> tuple[Record, list[Origin]]:
    """The record with each pair of `tags` in one field, and the origin of every field; none where nothing is linked.

    Of a pair of another tag the field in Han is the field, and the other an 880 that names it; pairs without Han text
    stay as they are. Links in fields that are no 880 are taken out: an 880 says to which field it belongs.
    """
    if _SIX not in "".join([text for _, text in record.fields]):
        return record, []
    places = _places(record)
    partner = _partners(record)
    fields: list[tuple[str, str]] = []
    origins: list[Origin] = []
    gone: set[int] = set()
    moved: dict[int, tuple[str, Origin]] = {}  # at the place of an 880 whose text went to its field
    for index, (tag, text) in enumerate(record.fields):
        if index in gone:
            continue
        if index in moved:
            fields.append((SCRIPTS, moved[index][0]))
            origins.append(moved[index][1])
            continue
        if index not in partner and (_SIX not in text or tag == SCRIPTS):
            fields.append((tag, text))
            origins.append(_of_itself(*places[index]))
            continue
        link = _LINK.search(text) if tag != SCRIPTS and not marc.is_control(tag) else None
        bare = _LINK.sub("", text) if link else text
        other = partner.get(index)
        if other is None or not _is_pair(text, record.fields[other][1]):
            fields.append((tag, bare))
            origins.append(Origin(places[index], unlinked=link[0][2:] if link else ""))
            continue
        script = record.fields[other][1]
        in_script = bool(_HAN.search(script))
        if tag in tags:
            han, romanised = (script, bare) if in_script else (bare, script)
            told = woven(tag, han, romanised, text[:2])
            fields.append((tag, told.text))
            one, two = (places[other], places[index]) if in_script else (places[index], places[other])
            origins.append(Origin(one, two, told.left, told.same))
            gone.add(other)
        elif in_script:
            fields.append((tag, _LINK.sub("", script)))
            origins.append(Origin(places[other], unlinked=marc.value(script, "6")))
            number = link[2] if link else "00"
            moved[other] = (f"{bare[:2]}{DELIMITER}6{tag}-{number}{bare[2:]}", Origin(places[index]))
        else:
            fields.append((tag, bare))
            origins.append(Origin(places[index], unlinked=link[0][2:] if link else ""))
    return Record(record.leader, tuple(fields)), origins


def _places(record: Record) -> list[tuple[str, int]]:
    seen: dict[str, int] = {}
    places = []
    for tag, _ in record.fields:
        seen[tag] = nth = seen.get(tag, 0) + 1
        places.append((tag, nth))
    return places


def _partners(record: Record) -> dict[int, int]:
    """Index of a field → index of its 880, which comes after it."""
    linked: dict[tuple[str, str], int] = {}
    for index, (tag, text) in enumerate(record.fields):
        if tag == SCRIPTS and (link := _LINK.search(text)) and link[2] != "00":
            linked.setdefault((link[1], link[2]), index)
    partner: dict[int, int] = {}
    if linked:
        for index, (tag, text) in enumerate(record.fields):
            link = _LINK.search(text) if _SIX in text and tag != SCRIPTS and not marc.is_control(tag) else None
            if link and link[1] == SCRIPTS and linked.get((tag, link[2]), -1) > index:
                partner[index] = linked.pop((tag, link[2]))
    return partner


def _is_pair(one: str, two: str) -> bool:
    """Whether one is in Han and the other is not."""
    return bool(_HAN.search(one)) != bool(_HAN.search(two))


class Woven(NamedTuple):
    """A field in Han with its romanised form inside, and what of that form is not inside."""

    text: str
    left: tuple[tuple[str, str], ...]
    same: tuple[str, ...]


def woven(tag: str, han: str, romanised: str, indicators: str) -> Woven:
    """The Han field with each romanised subfield in its capital code behind the subfield that it spells."""
    spelled = [(code, value) for code, value in marc.subfields(romanised) if code != "6"]
    pairs: list[tuple[str, str]] = []
    same: list[str] = []
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
            same.append(code)
            continue
        if tag in _NAMES and code == "a" and ", " not in value:
            spelling = spelling.rstrip(", ").replace(", ", " ")
        pairs.append((code.upper(), spelling))
    return Woven(marc.field(indicators, pairs), tuple(spelled), tuple(same))


def in_order(text: str) -> str:
    """A CNMARC field with each capital subfield straight behind the one that it spells, the n-th behind the n-th."""
    if not _CAPITAL.search(text):
        return text
    parts = text.split(DELIMITER)
    capitals = [part for part in parts[1:] if "A" <= part[:1] <= "Z"]
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
