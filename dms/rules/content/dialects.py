"""Which dialect of CNMARC a record is written in, and what that dialect chooses (pure). Table: `dialects.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dms.rules.content.model import Look
from protocols.marc import DELIMITER, value

CAPITAL = "capital"
_PINYIN_TAGS = ("200", "701", "702", "711", "712", "225", "517", "500", "510", "606")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A row of the table."""

    name: str
    agencies: frozenset[str]
    pinyin: str  # CAPITAL or a code
    pinyin_tags: tuple[str, ...]
    series: tuple[str, ...]
    held: tuple[str, ...]


@cache
def dialects() -> Mapping[str, Dialect]:
    """Every dialect by name."""
    table = tomllib.loads((Path(__file__).parent / "dialects.toml").read_text("utf-8"))
    return {
        name: Dialect(
            name=name,
            agencies=frozenset(row["agencies"]),
            pinyin=row["pinyin"],
            pinyin_tags=tuple(row["pinyin_tags"]),
            series=tuple(row["series"]),
            held=tuple(row["held"]),
        )
        for name, row in table.items()
    }


@cache
def _by_agency() -> Mapping[str, Dialect]:
    return {agency: dialect for dialect in dialects().values() for agency in dialect.agencies}


def is_agency(name: str) -> bool:
    """Whether an agency's dialect is in the table."""
    return name in _by_agency()


def by_agency(seen: Look) -> Dialect | None:
    """The dialect of the last agency of 801 that is in the table."""
    known = _by_agency()
    for text in reversed(seen.texts("801")):
        if dialect := known.get(value(text, "b").strip()):
            return dialect
    return None


def by_pinyin(seen: Look) -> frozenset[str]:
    """The ways in which a record writes pinyin: CAPITAL, "9", both or none."""
    found = set()
    for tag in _PINYIN_TAGS:
        for text in seen.texts(tag):
            for part in text.split(DELIMITER)[1:]:
                if part[:1] == "9" and part[1:2].isalpha() and part.isascii():
                    found.add("9")
                elif part[:1] in "AEFGHI" and len(part) > 1 and part.isascii():
                    found.add(CAPITAL)
    return frozenset(found)


def of(seen: Look) -> Dialect | None:
    """The dialect of a record, by its agency or by its pinyin; None where that tells nothing."""
    if dialect := by_agency(seen):
        return dialect
    ways = by_pinyin(seen)
    return next((d for d in dialects().values() if ways == {d.pinyin}), None)
