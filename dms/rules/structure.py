"""Structure and definitions of records: what `shapes`, `coded` and the lists of fields say, as findings (pure).

There are two ways to the same findings: `one` takes a record field by field, `many` takes the outlines of all fields of
a stretch from columns (`bulk`) and looks only at what is not known to be sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np

from catalog.model import Format
from dms.rules import bulk
from dms.rules.bulk import Columns, Ints
from dms.rules.coded import Coded
from dms.rules.definitions.tables import definitions, definitions_of
from dms.rules.model import LEADER, Finding, Kind
from dms.rules.shapes import OTHER, Fault, Shapes
from protocols import columnar
from protocols.marc import Record

MOST_OUTLINES = 1 << 18  # numbers of outlines that are remembered
SPREAD = 0xC2B2AE3D27D4EB4F  # odd, and its bits in no order
NUMBERS = 1 << 24  # of tags
AT_ONCE = 128  # records that are looked at together
FEW = 8  # records for which columns are not worth their making
LONGEST_VALUE = 200


class Subject(msgspec.Struct, frozen=True, gc=False):
    """A record, and what it was told to be; a struct because one is made of every record."""

    record: Record
    format: Format
    kind: Kind


class _Verdict(NamedTuple):
    faults: tuple[Fault, ...]
    coded: bool  # its values are looked at too


_SOUND = _Verdict((), False)
_ODD = _Verdict((), False)  # another object: the field is looked at by itself


class Table:
    """The rules for one kind of record."""

    def __init__(self, number: int, fmt: Format, kind: Kind | None, off: frozenset[str]) -> None:
        known = definitions(fmt, kind) if kind is not None else None
        self.number = number
        self.shapes = Shapes(known, fmt, off)
        self.coded = Coded(known, fmt, kind, off)
        fields = known.fields if known else {}
        single = {tag for tag, field in fields.items() if not field.repeatable}
        self.single = frozenset(single if "field-repeated" not in off else ())
        self.must = tuple(known.must if known and "field-missing" not in off else ())
        self.valued = self.coded.tags | ({OTHER} & fields.keys())  # fields whose values are looked at

    def values(self, tag: str, text: str, leader: str) -> Sequence[Fault]:
        """What the values say of a field that is `valued`."""
        return self.shapes.other(text) if tag == OTHER else self.coded.field(tag, text, leader)

    def verdict(self, tag: str, text: str) -> _Verdict:
        """What an ordinary field's outline says."""
        faults, coded = self.shapes.of(tag, text), tag in self.valued
        return _Verdict(faults, coded) if faults or coded else _SOUND


class Structure:
    """The tables that are needed, and the outlines met so far."""

    def __init__(self, off: frozenset[str]) -> None:
        places = [(fmt, kind) for fmt in Format for kind in Kind]
        self._tables = {place: Table(number, *place, off) for number, place in enumerate(places)}
        self._other = Table(len(places), Format.MARC21, None, off)
        tables = [*self._tables.values(), self._other]
        self._single = np.array([bulk.of_tags(table.single) for table in tables])
        self._met: dict[int, _Verdict] = {bulk.ODD: _ODD}
        self._sound, self._valued = _Outlines(), _Outlines()  # of the second, only the values are looked at

    def table(self, subject: Subject) -> Table:
        """The table of a record."""
        if subject.kind is Kind.AUTHORITY and definitions_of(subject.record, subject.format, subject.kind) is None:
            return self._other
        return self._tables[subject.format, subject.kind]

    def one(self, subject: Subject) -> list[Finding]:
        """Findings of one record."""
        record, table = subject.record, self.table(subject)
        found = [_finding(fault, LEADER, 1) for fault in table.coded.leader(record.leader)]
        seen: dict[str, int] = {}
        for tag, text in record.fields:
            seen[tag] = nth = seen.get(tag, 0) + 1
            faults = table.shapes.of(tag, text)
            if faults:
                found += [_finding(fault, tag, nth) for fault in faults]
            if tag in table.valued:
                found += [_finding(fault, tag, nth) for fault in table.values(tag, text, record.leader)]
        found += [_repeated(tag, count) for tag, count in seen.items() if count > 1 and tag in table.single]
        found += [_missing(tag) for tag in table.must if tag not in seen]
        return found

    def many(self, subjects: Sequence[Subject]) -> tuple[list[list[Finding]], Columns | None]:
        """Findings of each record, in the same order, and the columns if they were worth their making.

        There are to be AT_ONCE at most, whose columns stay in the processor's caches.
        """
        if len(subjects) < FEW:
            return [self.one(each) for each in subjects], None
        tables = [self.table(each) for each in subjects]
        numbers = np.array([table.number for table in tables], np.int64)
        columns = bulk.columns([each.record for each in subjects], numbers)
        if columns is None:
            return [self.one(each) for each in subjects], None
        found: list[list[Finding]] = [[] for _ in subjects]
        _leaders(subjects, tables, found)
        self._fields(subjects, tables, columns, found)
        single = self._single[numbers[columns.record], columns.digits]
        for row, tag, count in _repeats(columns, single):
            found[row].append(_repeated(tag, count))
        for row, tag in _lacks(columns, tables):
            found[row].append(_missing(tag))
        return found, columns

    def _fields(
        self, subjects: Sequence[Subject], tables: list[Table], columns: Columns, found: list[list[Finding]]
    ) -> None:
        starts, every = columns.bounds, columns.number.tolist()
        doubtful = self._doubtful(subjects, tables, columns)
        numbers, rows = columns.outline[doubtful].tolist(), columns.record[doubtful].tolist()
        tags, texts = columnar.names(columns.number[doubtful]), columns.texts_of(doubtful)
        for index, outline, row, tag, text in zip(doubtful.tolist(), numbers, rows, tags, texts, strict=True):
            table = tables[row]
            verdict = self._met.get(outline) or self._meet(outline, table, tag, text)
            if verdict is _SOUND:
                continue
            faults, coded = verdict
            if verdict is _ODD:
                faults, coded = table.shapes.of(tag, text), tag in table.valued
            if coded and (more := table.values(tag, text, subjects[row].record.leader)):
                faults = (*faults, *more)
            if faults:
                nth = every[starts[row] : index + 1].count(every[index])
                for fault in faults:
                    found[row].append(_finding(fault, tag, nth))

    def _doubtful(self, subjects: Sequence[Subject], tables: list[Table], columns: Columns) -> Ints:
        """The fields that are not known to be sound: by their outlines, or by their values where these matter."""
        doubtful: Ints = np.flatnonzero(~self._sound.have(columns.outline))
        valued = self._valued.have(columns.outline[doubtful])
        unsure = [doubtful[~valued]]
        fields = doubtful[valued]
        table = np.array([each.number for each in tables], np.int64)
        keys = table[columns.record[fields]] * NUMBERS + columns.number[fields]
        order = np.argsort(keys, kind="stable")
        fields, keys = fields[order], keys[order]
        for alike in np.split(fields, np.flatnonzero(np.diff(keys)) + 1) if len(fields) else ():
            rows = columns.record[alike].tolist()
            leaders = [subjects[row].record.leader for row in rows]
            (tag,) = columnar.names(columns.number[alike[:1]])
            some = tables[rows[0]].coded.unsure(tag, columns.texts_of(alike), leaders)
            unsure.append(alike[sorted(some)])
        return np.sort(np.concatenate(unsure))

    def _meet(self, outline: int, table: Table, tag: str, text: str) -> _Verdict:
        """Work out an outline that was not met before."""
        if len(self._met) >= MOST_OUTLINES:
            self._met = {bulk.ODD: _ODD}
        self._met[outline] = verdict = table.verdict(tag, text)
        if verdict is _SOUND:
            self._sound.add(outline)
        elif not verdict.faults and tag in table.coded.tags:
            self._valued.add(outline)
        return verdict


class _Outlines:
    """Numbers of outlines; a few are forgotten where several of them have the same places.

    A number has two places: the first and the next bits of its product with an odd number, since some differ only at
    their ends.
    """

    def __init__(self) -> None:
        self._first, self._second = np.zeros(1 << 16, np.uint64), np.zeros(1 << 16, np.uint64)

    def add(self, outline: int) -> None:
        """`outline` is not ODD, as which empty places count."""
        place = outline * SPREAD >> 48 & 0xFFFF
        if self._first[place]:
            self._second[outline * SPREAD >> 32 & 0xFFFF] = outline
        else:
            self._first[place] = outline

    def have(self, outlines: bulk.Words) -> bulk.Bools:
        """Which of them are among these."""
        places = (outlines * np.uint64(SPREAD) >> np.uint64(32)).astype(np.uint32)
        here = self._first[places >> np.uint32(16)] == outlines
        found: bulk.Bools = (here | (self._second[places & np.uint32(0xFFFF)] == outlines)) & (outlines != bulk.ODD)
        return found


def _leaders(subjects: Sequence[Subject], tables: Sequence[Table], found: list[list[Finding]]) -> None:
    """Add what is wrong with leaders."""
    for table in set(tables):
        rows = [row for row, each in enumerate(tables) if each is table]
        leaders = [subjects[row].record.leader for row in rows]
        for number in table.coded.leaders(leaders):
            found[rows[number]] += [_finding(fault, LEADER, 1) for fault in table.coded.leader(leaders[number])]


def _repeats(columns: Columns, single: bulk.Bools) -> Iterator[tuple[int, str, int]]:
    """(record, tag, how many) of fields in `single` of which a record has several."""
    keys, counts = np.unique(columns.record[single] * NUMBERS + columns.number[single], return_counts=True)
    for key, count in zip(keys[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
        yield key // NUMBERS, (key % NUMBERS).to_bytes(3).decode("ascii"), count


def _lacks(columns: Columns, tables: list[Table]) -> Iterator[tuple[int, str]]:
    """(record, tag) of fields that a record must have and has not."""
    for table in set(tables):
        rows: Ints = np.array([row for row, each in enumerate(tables) if each is table], np.int64)
        for tag in table.must:
            has = np.zeros(len(tables), np.bool_)
            has[columns.record[columns.number == bulk.tag_number(tag)]] = True
            for row in rows[~has[rows]].tolist():
                yield row, tag


@lru_cache(maxsize=1 << 14)
def _finding(fault: Fault, tag: str, nth: int) -> Finding:
    """Remembered, because most of a file's faults are one program's or one person's, made again and again."""
    rule, code, at, value, wanted = fault
    return Finding(rule, tag, nth, code, at, value[:LONGEST_VALUE], wanted)


def _repeated(tag: str, count: int) -> Finding:
    return Finding("field-repeated", tag, 2, value=str(count), wanted="1")


def _missing(tag: str) -> Finding:
    return Finding("field-missing", tag, wanted=tag)
