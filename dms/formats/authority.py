"""What an authority record says of its heading (pure; the table is authority.toml).

The heading is the first field of the heading block, whatever its tag: files in the world have tags of their own there
(103 for topics). Further ones, and what 880 writes in another script, are variants.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.model import Format, unique
from catalog.naming import Heading, Naming
from protocols import marc
from protocols.marc import Record

TABLE_FILE = Path(__file__).with_name("authority.toml")
OTHER_SCRIPT = "880"
_TITLE_OF_WORK = {Format.MARC21: "t", Format.CNMARC: "t"}
_APART = "wi"  # control subfield and relationship: not part of a name
_ENDS = " ,;:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A format's blocks, by the first digit of their tags."""

    first: str
    variants: str
    related: str
    linked: tuple[str, ...]
    headings: Mapping[str, Naming]  # by tag
    joins: Mapping[str, str]  # what stands before a subfield; a blank where nothing is said
    of_classification: Mapping[str, str]
    identifiers: tuple[tuple[str, str], ...]  # tag and subfield code


def told(record: Record, fmt: Format) -> Heading | None:
    """The heading with all that leads to it; None if the record has none."""
    table = _tables()[fmt]
    named = [(tag, text) for tag, text in record.fields if tag[0] == table.first and len(text) > 2]
    if not named:
        return None
    kind = _kind(*named[0], fmt, table)
    heading = _name(named[0][1], kind, table)
    if not heading:
        return None
    variants = [_name(text, kind, table) for _, text in named[1:]]
    related: list[str] = []
    sounds = [sound for _, text in named for sound in _sounds(text)]
    for tag, text in record.fields:
        block = _linked_tag(text)[:1] if tag == OTHER_SCRIPT else tag[0]
        if block == table.variants or (tag == OTHER_SCRIPT and block == table.first):
            variants.append(_name(text, kind, table))
            sounds += _sounds(text)
        elif block == table.related or (block in table.linked and marc.value(text, "a")):
            related.append(_name(text, kind, table))
    return Heading(
        kind=int(kind),
        heading=heading,
        variants=tuple(each for each in unique(variants) if each != heading),
        related=unique(related),
        identifiers=unique(list(_identifiers(record, table))),
        sounds=unique(sounds),
    )


def _kind(tag: str, text: str, fmt: Format, table: Table) -> Naming:
    kind = table.headings.get(tag, Naming.OTHER)
    if kind in (Naming.PERSON, Naming.CORPORATE, Naming.MEETING) and marc.value(text, _TITLE_OF_WORK[fmt]):
        return Naming.TITLE
    if fmt is Format.CNMARC and tag == "210" and text[:1] == "1":
        return Naming.MEETING
    return kind


def _name(text: str, kind: Naming, table: Table) -> str:
    """The subfields of a heading or tracing in their order, as it is read: lower-case codes, without control data."""
    joins = table.of_classification if kind is Naming.CLASSIFICATION else table.joins
    name = ""
    for code, value in marc.subfields(text):
        if code.islower() and code not in _APART and (value := " ".join(value.split())):
            before = joins.get(code, " ")
            name = name.rstrip(_ENDS if before[0] in ",-" else "") + before + value if name else value
    return name.strip().rstrip(_ENDS)


def _sounds(text: str) -> Iterator[str]:
    """The cataloguer's pinyin: capital letters as codes (CNMARC $A beside $a)."""
    whole = " ".join(value for code, value in marc.subfields(text) if code.isupper())
    if whole:
        yield whole


def _linked_tag(text: str) -> str:
    """The tag that a field in another script belongs to: $6 100-01."""
    return marc.value(text, "6")[:3] or " "


def _identifiers(record: Record, table: Table) -> Iterator[str]:
    yield (record.first("001") or "").strip()
    for tag, code in table.identifiers:
        for text in record.all(tag):
            yield from (value.strip() for value in marc.values(text, code))


@cache
def _tables() -> Mapping[Format, Table]:
    whole = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
    return {fmt: _table(whole[fmt.name.lower()]) for fmt in Format}


def _table(rows: Mapping[str, object]) -> Table:
    def texts(key: str) -> Mapping[str, str]:
        found = rows.get(key, {})
        assert isinstance(found, dict)
        return found

    linked, identifiers = rows["linked"], rows["identifiers"]
    assert isinstance(linked, list) and isinstance(identifiers, list)
    return Table(
        first=str(rows["first"]),
        variants=str(rows["variants"]),
        related=str(rows["related"]),
        linked=tuple(map(str, linked)),
        headings={tag: Naming[name.upper()] for tag, name in texts("headings").items()},
        joins=texts("joins"),
        of_classification=texts("of_classification"),
        identifiers=tuple((each[:3], each[3:]) for each in identifiers),
    )
