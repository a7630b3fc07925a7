"""Checking: a record goes in, its findings come out (pure).

A checker is compiled from a profile: rules that it has turned off are never run.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from catalog.model import Format
from dms.rules import catalogue, content, kinds
from dms.rules.content.model import ContentRule, Look
from dms.rules.model import LEADER, Finding, Kind, Level, Profile
from dms.rules.structure import Structure, Subject
from protocols.marc import Record

LONGEST_VALUE = 200  # characters of a record that a finding quotes
AT_ONCE = 256  # records that a rule of content looks at in turn


class Checker:
    """The rules that are on, arranged by what they look at."""

    def __init__(self, off: frozenset[str]) -> None:
        self._off = off
        self._structure = Structure(off)
        on = [rule for rule in content.rules() if not off.issuperset(rule.ids)]
        self._content = {
            (fmt, kind): _Shelf([rule for rule in on if fmt in rule.formats and kind in rule.kinds])
            for fmt in Format
            for kind in Kind
        }

    def check(self, record: Record, fmt: Format, kind: Kind | None = None) -> list[Finding]:
        """What is wrong with a record; `kind` by `kinds.kind_of` if none is given."""
        subject = _subject(record, fmt, kind)
        found = self._structure.one(subject)
        self._add_content([subject], [found])
        return found

    def check_many(self, records: Iterable[tuple[Record, Format, Kind | None]]) -> list[list[Finding]]:
        """What `check` finds in each of a stretch's records, in half of its time."""
        subjects = [_subject(*each) for each in records]
        found = self._structure.many(subjects)
        for start in range(0, len(subjects), AT_ONCE):
            self._add_content(subjects[start : start + AT_ONCE], found[start : start + AT_ONCE])
        return found

    def structure_of(self, record: Record, fmt: Format, kind: Kind | None = None) -> list[Finding]:
        """As `check`, without the rules about content."""
        return self._structure.one(_subject(record, fmt, kind))

    def structure(self, records: Iterable[tuple[Record, Format, Kind | None]]) -> list[list[Finding]]:
        """As `check_many`, without the rules about content."""
        return self._structure.many([_subject(*each) for each in records])

    def _add_content(self, subjects: list[Subject], found: list[list[Finding]]) -> None:
        """Add what rules of content find. A rule looks at all records in turn: its code stays in the caches."""
        looks: dict[tuple[Format, Kind], list[_Looked]] = {}
        for subject, findings in zip(subjects, found, strict=True):
            record, place = subject.record, (subject.format, subject.kind)
            fields: dict[str, list[str]] = {}
            for tag, text in record.fields:
                fields.setdefault(tag, []).append(text)
            told: list[Finding] = []
            which = self._content[place].which(fields)
            looks.setdefault(place, []).append(_Looked(Look(record, fields, *place), which, told, findings))
        for place, some in looks.items():
            for number, rule in enumerate(self._content[place].rules):
                bit, look = 1 << number, rule.look
                for seen, which, told, _ in some:
                    if which & bit:
                        told += look(seen)
            for _, _, told, findings in some:
                findings += [each for each in told if each.rule not in self._off]


class _Looked(NamedTuple):
    """A record under the eyes of the rules of content."""

    look: Look
    which: int  # of the rules, one a bit
    told: list[Finding]
    findings: list[Finding]


class _Shelf:
    """The rules of content for one kind of record, and which of them a tag calls for."""

    def __init__(self, rules: list[ContentRule]) -> None:
        self.rules = rules
        self._always = 0
        self._by_tag: dict[str, int] = {}
        for number, rule in enumerate(rules):
            self._always |= 0 if rule.tags else 1 << number
            for tag in rule.tags:
                self._by_tag[tag] = self._by_tag.get(tag, 0) | 1 << number

    def which(self, tags: Iterable[str]) -> int:
        """The rules that look at a record with these tags."""
        found = self._always
        for tag in tags:
            found |= self._by_tag.get(tag, 0)
        return found


def _subject(record: Record, fmt: Format, kind: Kind | None) -> Subject:
    return Subject(record, fmt, kinds.kind_of(record, fmt) if kind is None else kind)


def checker(profile: Profile) -> Checker:
    """The checker of a profile; profiles that turn the same rules off share one."""
    return _compiled(turned_off(profile))


def turned_off(profile: Profile) -> frozenset[str]:
    """Ids of the rules that are off under a profile."""
    return frozenset(id_ for id_, rule in catalogue.rules().items() if profile.level(rule) == Level.OFF)


@lru_cache(maxsize=16)
def _compiled(off: frozenset[str]) -> Checker:
    return Checker(off)


def of_reading(told: Iterable[tuple[str, str]]) -> list[Finding]:
    """What the readers told of a record (`reading.Read.findings`), as findings; the value is their detail."""
    return [
        Finding(rule, *_OF_LEADER.get(rule, ("", 0, "", -1)), value=detail[:LONGEST_VALUE]) for rule, detail in told
    ]


_OF_LEADER = {  # where in the leader a fault of structure stands
    "iso2709-length": (LEADER, 1, "", 0),
    "iso2709-base": (LEADER, 1, "", 12),
    "encoding-leader": (LEADER, 1, "", 9),
    "iso2709-leader": (LEADER, 1, "", -1),
    "leader-length": (LEADER, 1, "", -1),
    "leader-missing": (LEADER, 1, "", -1),
}
