"""Rules about the content of fields: numbers and their check digits, dates, links, pinyin, holdings, notation.

A module of this folder has

    RULES: tuple[ContentRule, ...]       what it looks for (`content.model`); each id is a row of `catalogue/*.toml`
    FIXES: Mapping[str, Fix]             by rule id, what it can mend (`{}` if nothing); see `dms.rules.edit`

and is named in MODULES below. A function looks at a whole record (`Look`) and yields findings; it tells no level, since
levels are the profile's. It may yield an id that is off: the checker drops it. Where most records are beyond doubt a
rule has an `among`, which passes over them in the columns of many (`dms.rules.bulk`): it may keep too many, never too
few, so that the same is found in one record and in many.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Protocol

from dms.rules.content import (
    agency,
    characters,
    codes,
    copies,
    dates,
    indicators,
    links,
    nonfiling,
    notation,
    numbers,
    online,
    punctuation,
    repeats,
    responsibility,
    romanised,
    spaces,
    subjects,
    tongues,
    trade,
    vernacular,
    wide,
)
from dms.rules.content.model import ContentRule, Fix


class ContentModule(Protocol):
    """What a module of this folder looks like."""

    RULES: tuple[ContentRule, ...]
    FIXES: Mapping[str, Fix]


MODULES: tuple[ContentModule, ...] = (
    characters,
    spaces,
    wide,
    numbers,
    codes,
    trade,
    notation,
    romanised,
    links,
    dates,
    tongues,
    responsibility,
    subjects,
    agency,
    online,
    nonfiling,
    indicators,
    vernacular,
    punctuation,
    repeats,
    copies,
)


def rules() -> tuple[ContentRule, ...]:
    """All rules about content."""
    return tuple(chain.from_iterable(module.RULES for module in MODULES))


def fixes() -> dict[str, Fix]:
    """All fixes of content, by rule id."""
    return {id_: fix for module in MODULES for id_, fix in module.FIXES.items()}
