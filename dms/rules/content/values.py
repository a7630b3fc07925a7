"""Rules about one subfield's value: a judge says what is wrong with it and, where that is certain, what it should be.

The same judge serves the finding and the fix, so a fix mends exactly what its rule tells of (pure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from catalog.model import Format
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content.model import Among, Fix, Look
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record, is_control

LONGEST_VALUE = 200  # characters of a record that a finding quotes


class Verdict(NamedTuple):
    """One thing that is wrong with a value."""

    rule: str
    wanted: str = ""  # what was expected, for people
    mended: str | None = None  # the whole value as it should be, where that is certain


Judge = Callable[[str], Sequence[Verdict]]  # remembers its values if it is dear
Places = Mapping[str, str]  # tag -> codes of the subfields that are judged
FINE: tuple[Verdict, ...] = ()


def looker(places: Mapping[Format, Places], judge: Judge) -> Callable[[Look], Iterator[Finding]]:
    """What a judge finds in the subfields at `places`."""

    def look(seen: Look) -> Iterator[Finding]:
        fields = seen.fields
        for tag, codes in places.get(seen.format, {}).items():
            if tag not in fields:
                continue
            for nth, text in enumerate(fields[tag], 1):
                for part in text.split(DELIMITER)[1:]:
                    if part and part[0] in codes and (verdicts := judge(part[1:])):
                        for verdict in verdicts:
                            wanted = verdict.wanted or verdict.mended or ""
                            yield Finding(verdict.rule, tag, nth, part[0], -1, part[1:][:LONGEST_VALUE], wanted)

    return look


def among(places: Mapping[Format, Places], judge: Judge) -> Among:
    """Records in which a judge finds something, out of many."""
    tables = {fmt: bulk.of_tags(here) for fmt, here in places.items()}

    def choose(columns: Columns, fmt: Format) -> Bools:
        texts, named, here = columns.texts, columns.tags, places.get(fmt, {})
        found: list[int] = []
        for field in columns.tagged(tables[fmt]).tolist() if here else ():
            codes = here[named[field]]
            for part in texts[field].split(DELIMITER)[1:]:
                if part and part[0] in codes and judge(part[1:]):
                    found.append(field)
                    break
        return columns.rows_of(found)

    return choose


def where(tags: Iterable[str], doubtful: Callable[[str], object]) -> Among:
    """Records with a field of these tags whose text is not beyond doubt."""
    table = bulk.of_tags(tags)

    def choose(columns: Columns, fmt: Format) -> Bools:
        del fmt
        texts = columns.texts
        return columns.rows_of([field for field in columns.tagged(table).tolist() if doubtful(texts[field])])

    return choose


def fixer(rule: str, places: Mapping[Format, Places], judge: Judge) -> Fix:
    """Put the value that a judge wants where it stood."""

    def mend(record: Record, fmt: Format) -> Mended:
        here = places.get(fmt, {})

        def change(tag: str, text: str) -> str:
            return each(text, here[tag], lambda value: _mended(judge, rule, value))

        return edit.fields(record, rule, change, here.keys()) if here else Mended(record, ())

    return mend


def _mended(judge: Judge, rule: str, value: str) -> str:
    found = next((v.mended for v in judge(value) if v.rule == rule and v.mended is not None), None)
    return value if found is None else found


def each(text: str, codes: str, change: Callable[[str], str]) -> str:
    """A data field's text with the values of the subfields `codes` changed; empty `codes` means all."""
    head, *parts = text.split(DELIMITER)
    return DELIMITER.join(
        [head, *[part[0] + change(part[1:]) if part and (not codes or part[0] in codes) else part for part in parts]]
    )


def tags(places: Mapping[Format, Places]) -> frozenset[str]:
    """Every tag of a table of places."""
    return frozenset(tag for one in places.values() for tag in one)


def all_values(tag: str, text: str, change: Callable[[str], str]) -> str:
    """A field's text, control field or not, with every value changed; indicators and codes stay."""
    return change(text) if is_control(tag) else each(text, "", change)
