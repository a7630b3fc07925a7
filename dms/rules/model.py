"""The nouns of quality control: levels, rules, findings, receipts, profiles (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from protocols.marc import Record

LEADER = "LDR"  # stands for the tag in findings about the leader


class Level(IntEnum):
    """How bad a finding is. An error sends the record back; all else is told of a record that is published."""

    OFF = 0
    NOTE = 1
    WARNING = 2
    ERROR = 3


class Kind(IntEnum):
    """What a record describes, by its leader: each has its own definitions."""

    BIBLIOGRAPHIC = 0
    AUTHORITY = 1
    HOLDINGS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the catalogue. In the texts `{value}` and `{wanted}` stand for a finding's."""

    id: str  # words with hyphens, e.g. isbn-check-digit
    level: Level  # where no profile says otherwise
    zh: str
    en: str
    reference: str  # standard and section, or "assumed"
    fix: bool = False  # it can be mended
    formats: frozenset[str] = frozenset(("marc21", "cnmarc"))


class Finding(NamedTuple):
    """What a rule found, and where."""

    rule: str
    tag: str = ""  # or LEADER; "" = the record as a whole
    nth: int = 0  # n-th field of that tag, 1 = first
    code: str = ""  # subfield code, "ind1" or "ind2"
    at: int = -1  # character position in a leader, control field or coded subfield
    value: str = ""  # what was found, at most 200 characters
    wanted: str = ""  # what was expected


class Receipt(NamedTuple):
    """What a fix changed: the field's text before and after; "" = there was, or is, none."""

    rule: str
    tag: str
    nth: int
    before: str
    after: str


class Mended(NamedTuple):
    """A record after its fixes, with a receipt of each change; the same record if there was none."""

    record: Record
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A domain's or a library's choice. `levels` overrides rules' own; `mends` lists what is mended on arrival."""

    name: str = "default"
    version: int = 0
    levels: Mapping[str, Level] = field(default_factory=dict)
    mends: frozenset[str] = frozenset()

    def level(self, rule: Rule) -> Level:
        """The level of a rule under this profile."""
        return self.levels.get(rule.id, rule.level)
