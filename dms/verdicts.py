"""What the rules of a profile make of records: everything that there is to say of each, and its verdict (pure).

A load would come to the same verdict: what can be neither identified nor described is returned by the same reading of
its facts as in PREPARE, and a deletion is told nothing, since it says only what is gone.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import NamedTuple

from catalog.model import Format
from dms import formats, identity
from dms.rules import catalogue, check, kinds
from dms.rules.model import Finding, Kind, Level, Profile
from protocols.marc import Record

OK, WARNED, RETURNED, UNREADABLE = "ok", "warned", "returned", "unreadable"
VERDICTS = (OK, WARNED, RETURNED, UNREADABLE)
TITLE_TAG = {Format.MARC21: "245", Format.CNMARC: "200"}

Told = Sequence[tuple[str, str]]  # by a record's reader: rule, detail


class Verdict(NamedTuple):
    """The findings on a record, and what becomes of it."""

    findings: Sequence[Finding]
    verdict: str


class Subject(NamedTuple):
    """A record to be looked at, with what its reader told."""

    record: Record
    format: Format
    told: Told


class Court:
    """A profile at work, and the rules by which it mends: all that can, unless it names some."""

    def __init__(self, profile: Profile) -> None:
        rules = catalogue.rules()
        self.levels = {id_: profile.level(rule) for id_, rule in rules.items()}
        self.mends = profile.mends or frozenset(
            id_ for id_, rule in rules.items() if rule.fix and self.levels[id_] != Level.OFF
        )
        self._checker = check.checker(profile)

    def judge(self, subjects: Sequence[Subject]) -> list[Verdict]:
        """Verdicts of many records, which takes a third of the time of one after the other. A rule of ours that fails
        on one of them is a fault on that one alone."""
        try:
            return self._judged(subjects)
        except Exception:
            return [self._alone(each) for each in subjects]

    def _alone(self, subject: Subject) -> Verdict:
        try:
            (found,) = self._judged([subject])
        except Exception as error:
            return Verdict([fault(error)], RETURNED)
        return found

    def _judged(self, subjects: Sequence[Subject]) -> list[Verdict]:
        alive = [each for each in subjects if not identity.is_deleted(each.record)]
        of_kind = [kinds.kind_of(each.record, each.format) for each in alive]
        found = iter(
            self._checker.check_many(
                (each.record, each.format, kind) for each, kind in zip(alive, of_kind, strict=True)
            )
        )
        kind = iter(of_kind)
        return [
            Verdict((), OK) if identity.is_deleted(each.record) else self._verdict(each, next(found), next(kind))
            for each in subjects
        ]

    def _verdict(self, each: Subject, findings: list[Finding], kind: Kind) -> Verdict:
        if each.told:
            findings = [one for one in check.of_reading(each.told) if self.levels[one.rule]] + findings
        if not described(each.record, each.format, kind):
            findings = [*findings, Finding("no-description")]
        worst = max((self.levels[one.rule] for one in findings), default=Level.OFF)
        return Verdict(findings, RETURNED if worst == Level.ERROR else WARNED if worst == Level.WARNING else OK)


def fault(error: Exception) -> Finding:
    """That a piece of our own failed on a record."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    reason = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return Finding("fault", value=reason[: check.LONGEST_VALUE])


def described(record: Record, fmt: Format, kind: Kind) -> bool:
    """Whether there is anything to describe the record by, as PREPARE asks of its facts; a title answers at once."""
    if kind is not Kind.BIBLIOGRAPHIC:
        return True
    title = record.first(TITLE_TAG[fmt])
    if title is not None and any(map(str.isalnum, title.partition("\x1fa")[2].partition("\x1f")[0])):
        return True
    return formats.describable(formats.facts(record, fmt, kind=kind))
