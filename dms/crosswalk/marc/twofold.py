"""Fields of the UNIMARC family that stand in two scripts, and pinyin wherever it is, read as one field each (pure).

UNIMARC Manual, $6 and $7: a field in Latin letters is linked to the one in Han. CALIS has pinyin in capital codes, the
National Library in $9. Here it is in capital codes behind what it spells.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from dms.crosswalk.marc import pairs
from protocols import marc
from protocols.marc import DELIMITER, Record

SPELLED = ("200", "225", "5", "60", "61", "70", "71", "72")  # fields that have pinyin
LATIN, CHINESE = "ba", "ea"  # UNIMARC Manual, $7
NINE = DELIMITER + "9"
_SEVEN = DELIMITER + "7"
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
_LETTER = re.compile("[A-Za-z]")
_LINK = re.compile(r"a(\d\d)")


class Entry(NamedTuple):
    """A field of the record, with pinyin in capital codes."""

    tag: str
    text: str
    place: int  # of the field in the record
    twin: int | None  # of the one that was joined to it
    same: tuple[str, ...] = ()  # codes that say the same in both


def has_twins(record: Record) -> bool:
    """Whether fields may stand in two scripts."""
    return _SEVEN in "".join([text for _, text in record.fields])


def joined(record: Record) -> tuple[Record, list[pairs.Origin]]:
    """The record with the fields that stand in two scripts as one, and the origin of every field."""
    seen: Counter[str] = Counter()
    places: list[tuple[str, int]] = []
    for tag, _ in record.fields:
        seen[tag] += 1
        places.append((tag, seen[tag]))
    entries = read(record)
    origins = [
        pairs.Origin(places[each.place], None if each.twin is None else places[each.twin], (), each.same)
        for each in entries
    ]
    return Record(record.leader, tuple((each.tag, each.text) for each in entries)), origins


def read(record: Record) -> list[Entry]:
    """The record's fields, those in two scripts as one, pinyin in capital codes."""
    if not has_twins(record):
        return list(map(alone, range(len(record.fields)), record.fields))
    chinese: dict[tuple[str, str], int] = {}
    latin: dict[tuple[str, str], int] = {}
    for index, (tag, text) in enumerate(record.fields):
        if _SEVEN in text and (link := _LINK.match(marc.value(text, "6"))):
            known = {CHINESE: chinese, LATIN: latin}.get(marc.value(text, "7")[:2])
            if known is not None:
                known.setdefault((tag, link[1]), index)
    twins = {index: latin[link] for link, index in chinese.items() if link in latin}
    whole = {
        index: woven
        for index, twin in twins.items()
        if not (woven := _woven(record.fields[index], record.fields[twin][1])).left
    }
    inside = {twins[index] for index in whole}
    entries: list[Entry] = []
    for index, (tag, text) in enumerate(record.fields):
        if index in inside:
            continue
        if index in whole:
            entries.append(Entry(tag, whole[index].text, index, twins[index], whole[index].same))
        else:
            entries.append(Entry(tag, capitals(text) if tag.startswith(SPELLED) else text, index, None))
    return entries


def alone(index: int, field: tuple[str, str]) -> Entry:
    """A field that stands in no two scripts."""
    tag, text = field
    return Entry(tag, capitals(text) if NINE in text and tag.startswith(SPELLED) else text, index, None)


def _woven(field: tuple[str, str], twin: str) -> pairs.Woven:
    tag, text = field
    return pairs.woven(tag, _unlinked(text), _unlinked(twin), text[:2])


def _unlinked(text: str) -> str:
    return marc.field(text[:2], [(code, value) for code, value in marc.subfields(text) if code not in "67"])


def capitals(text: str) -> str:
    """The field with pinyin in the capital code of what it spells, where it was in $9."""
    if NINE not in text:
        return text
    told: list[tuple[str, str]] = []
    for code, value in marc.subfields(text):
        if code == "9" and told and _HAN.search(told[-1][1]) and not _HAN.search(value) and _LETTER.search(value):
            code = told[-1][0].upper()
        told.append((code, value))
    return marc.field(text[:2], told)
