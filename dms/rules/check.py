"""Checking: a record goes in, its findings come out (pure).

A checker is compiled from a profile: rules that it has turned off are never run.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from catalog.model import Format
from dms.rules import catalogue, content, kinds
from dms.rules.content.model import ContentRule, Look
from dms.rules.model import LEADER, Finding, Kind, Level, Profile
from dms.rules.structure import Structure, Subject
from protocols.marc import Record

LONGEST_VALUE = 200  # characters of a record that a finding quotes


class Checker:
    """The rules that are on, arranged by what they look at."""

    def __init__(self, off: frozenset[str]) -> None:
        self._off = off
        self._structure = Structure(off)
        on = [rule for rule in content.rules() if not off.issuperset(rule.ids)]
        self._content: dict[tuple[Format, Kind], list[ContentRule]] = {
            (fmt, kind): [rule for rule in on if fmt in rule.formats and kind in rule.kinds]
            for fmt in Format
            for kind in Kind
        }

    def check(self, record: Record, fmt: Format, kind: Kind | None = None) -> list[Finding]:
        """What is wrong with a record; `kind` by `kinds.kind_of` if none is given."""
        subject = _subject(record, fmt, kind)
        return self._structure.one(subject) + self._of_content(subject)

    def check_many(self, records: Iterable[tuple[Record, Format, Kind | None]]) -> list[list[Finding]]:
        """What `check` finds in each of a stretch's records, in a third of its time."""
        subjects = [_subject(*each) for each in records]
        found = self._structure.many(subjects)
        for subject, findings in zip(subjects, found, strict=True):
            findings += self._of_content(subject)
        return found

    def structure_of(self, record: Record, fmt: Format, kind: Kind | None = None) -> list[Finding]:
        """As `check`, without the rules about content."""
        return self._structure.one(_subject(record, fmt, kind))

    def structure(self, records: Iterable[tuple[Record, Format, Kind | None]]) -> list[list[Finding]]:
        """As `check_many`, without the rules about content."""
        return self._structure.many([_subject(*each) for each in records])

    def _of_content(self, subject: Subject) -> list[Finding]:
        record, fmt, kind = subject
        rules = self._content[fmt, kind]
        if not rules:
            return []
        fields: dict[str, list[str]] = {}
        for tag, text in record.fields:
            fields.setdefault(tag, []).append(text)
        look = Look(record, fields, fmt, kind)
        found: list[Finding] = []
        for rule in rules:
            if not rule.tags or not rule.tags.isdisjoint(fields):
                found += rule.look(look)
        return [each for each in found if each.rule not in self._off] if found else found


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
