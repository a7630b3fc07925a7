"""Checking: a record goes in, its findings come out (pure).

A checker is compiled from a profile: rules that it has turned off are never run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from catalog.model import Format
from dms.rules import bulk, catalogue, content, kinds
from dms.rules.bulk import NO_DIGITS, Columns
from dms.rules.content.model import ContentRule, Look
from dms.rules.model import LEADER, Finding, Kind, Level, Profile
from dms.rules.structure import AT_ONCE, Structure, Subject
from protocols.marc import Record
from protocols.sealed import Sealed

LONGEST_VALUE = 200  # characters of a record that a finding quotes


class Checker:
    """The rules that are on, arranged by what they look at."""

    def __init__(self, off: frozenset[str]) -> None:
        self._off = off
        self._structure = Structure(off)
        on = [rule for rule in content.rules() if not off.issuperset(rule.ids)]
        self._shelves = {
            (fmt, kind): _Shelf(fmt, [rule for rule in on if fmt in rule.formats and kind in rule.kinds])
            for fmt in Format
            for kind in Kind
            if on
        }

    def check(self, record: Record, fmt: Format, kind: Kind | None = None) -> list[Finding]:
        """What is wrong with a record; `kind` by `kinds.kind_of` if none is given."""
        subject = _subject(record, fmt, kind)
        found = self._structure.one(subject)
        self._add_content([subject], [found])
        return found

    def check_many(self, records: Iterable[tuple[Record, Format, Kind | None]]) -> list[list[Finding]]:
        """What `check` finds in each of a stretch's records, in half of its time."""
        found: list[list[Finding]] = []
        for part in _parts([_subject(*each) for each in records]):
            findings, columns = self._structure.many(part)
            self._add_content(part, findings, columns)
            found += findings
        return found

    def _add_content(
        self, subjects: Sequence[Subject], found: list[list[Finding]], columns: Columns | None = None
    ) -> None:
        """Add what rules of content find. A rule looks at all records in turn: its code stays in the caches."""
        if not self._shelves:
            return
        looks = _Looks(subjects, columns)
        told: list[list[Finding]] = [[] for _ in subjects]
        for place in dict.fromkeys((each.format, each.kind) for each in subjects):
            rows = [row for row, each in enumerate(subjects) if (each.format, each.kind) == place]
            for rule, chosen in self._shelves[place].chosen(rows, looks, columns):
                look = rule.look
                for row in chosen:
                    told[row] += look(looks[row])
        for findings, more in zip(found, told, strict=True):
            if more:
                findings += [each for each in more if each.rule not in self._off]


def _parts(subjects: list[Subject]) -> Iterator[list[Subject]]:
    for start in range(0, len(subjects), AT_ONCE):
        yield subjects[start : start + AT_ONCE]


class _Looks(dict[int, Look]):
    """Records under the eyes of the rules of content, by row, each when a rule first looks at it."""

    def __init__(self, subjects: Sequence[Subject], columns: Columns | None) -> None:
        super().__init__()
        self._subjects = subjects
        self._columns = columns

    def __missing__(self, row: int) -> Look:
        subject = self._subjects[row]
        self[row] = look = Look(subject.record, self._fields(row), subject.format, subject.kind)
        return look

    def _fields(self, row: int) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = {}
        for tag, text in self._pairs(row):
            if tag in fields:
                fields[tag].append(text)
            else:
                fields[tag] = [text]
        return fields

    def _pairs(self, row: int) -> Iterable[tuple[str, str]]:
        record = self._subjects[row].record
        if self._columns is None or not isinstance(record, Sealed):
            return record.fields
        first, last = self._columns.bounds[row : row + 2]
        return record.open(self._columns.tags[first:last], self._columns.texts[first:last])


class _Shelf:
    """The rules of content for one kind of record, and which records they look at."""

    def __init__(self, fmt: Format, rules: list[ContentRule]) -> None:
        self._format = fmt
        self._rules = rules
        self._calls = np.zeros(NO_DIGITS + 1, np.uint64)  # the rules that a tag calls for, one a bit
        for number, rule in enumerate(rules):
            places = bulk.of_tags(rule.tags) if rule.tags else slice(None)
            self._calls[places] |= np.uint64(1 << number)

    def chosen(
        self, rows: list[int], looks: _Looks, columns: Columns | None
    ) -> Iterator[tuple[ContentRule, Sequence[int]]]:
        """Every rule with those of the records that it may have anything to say of."""
        if columns is None:
            for rule in self._rules:
                tags = rule.tags
                yield rule, [row for row in rows if not tags or not tags.isdisjoint(looks[row].fields)]
            return
        mine = np.zeros(columns.records, np.bool_)
        mine[rows] = True
        calls = self._calls[columns.digits]
        which = np.zeros(columns.records, np.uint64)
        np.bitwise_or.at(which, columns.record, calls)
        for number, rule in enumerate(self._rules):
            bit = np.uint64(1 << number)
            called = (which & bit).astype(np.bool_) & mine
            if rule.among and called.any():
                called &= rule.among(columns, self._format)
            yield rule, np.flatnonzero(called).tolist()


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
