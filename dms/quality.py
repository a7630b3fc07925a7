"""Records under a profile of rules: what is found, the score, what sends a record back; and the counts of it (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from catalog.model import Format
from dms import quality_profile
from dms.pipeline import RuleCount
from dms.rules import catalogue, check, content, mend, score
from dms.rules.model import Finding, Kind, Level, Profile, Receipt
from protocols.marc import Record

EXAMPLES = 3  # local ids kept of each rule and load


class Judged(NamedTuple):
    """What the rules say of a record."""

    findings: Sequence[Finding]
    score: int  # 0 to 100
    errors: Sequence[Finding]  # what sends it back


class Inspector:
    """A profile at work.

    At load count the definitions in full, and of the rules about content those that the profile calls a warning or an
    error. Notes about content cost three times as much as all else together: they are told when somebody asks (`whole`)
    and leave the score as it is.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.levels = {id_: profile.level(rule) for id_, rule in catalogue.rules().items()}
        self._errors = frozenset(id_ for id_, level in self.levels.items() if level is Level.ERROR)
        quiet = {id_ for rule in content.rules() for id_ in rule.ids if self.levels[id_] <= Level.NOTE}
        self._counted = frozenset(self.levels) - quiet
        self._checker = check.checker(replace(profile, levels={**profile.levels, **dict.fromkeys(quiet, Level.OFF)}))

    @cached_property
    def _whole(self) -> check.Checker:
        return check.checker(self.profile)  # which loads have no use for

    def look(self, records: Iterable[tuple[Record, Format, Kind | None]]) -> list[list[Finding]]:
        """What counts at load in each of many records, at once."""
        return self._checker.check_many(records)

    def judge(
        self, record: Record, fmt: Format, told: Iterable[tuple[str, str]] = (), kind: Kind | None = None
    ) -> Judged:
        """What counts at load in one record. `told`: what the reader found in its bytes."""
        return self.judged(self._checker.check(record, fmt, kind), told)

    def whole(
        self, record: Record, fmt: Format, told: Iterable[tuple[str, str]] = (), kind: Kind | None = None
    ) -> Judged:
        """Everything that there is to say of a record, with the score that it has at load."""
        return self.judged(self._whole.check(record, fmt, kind), told)

    def judged(self, findings: list[Finding], told: Iterable[tuple[str, str]] = ()) -> Judged:
        """The same of findings that were made already."""
        if told:
            findings = findings + [one for one in check.of_reading(told) if self.levels.get(one.rule)]
        if not findings:
            return Judged((), score.BEST, ())
        errors = [one for one in findings if one.rule in self._errors]
        counting = [one for one in findings if one.rule in self._counted]
        return Judged(findings, score.score(counting, self.profile), errors)

    def mend(
        self, record: Record, fmt: Format, asked: frozenset[str] = frozenset()
    ) -> tuple[Record, tuple[Receipt, ...]]:
        """The record after the profile's fixes and those that were asked for, and what they changed."""
        rules = self.profile.mends | asked
        if not rules:
            return record, ()
        mended = mend.mend(record, fmt, rules)
        return mended.record, mended.receipts


_inspectors: dict[bytes, Inspector] = {}
MOST = 16  # profiles in use at once


def inspector(profile: Profile) -> Inspector:
    """The inspector of a profile; the same for equal ones."""
    key = quality_profile.digest(profile)
    found = _inspectors.get(key)
    if found is None:
        if len(_inspectors) >= MOST:
            _inspectors.clear()
        found = _inspectors[key] = Inspector(profile)
    return found


@dataclass(slots=True)
class Sheet:
    """What the rules found in some records."""

    judged: int = 0
    score: int = 0  # sum
    mended: int = 0  # records
    rules: dict[str, RuleCount] = field(default_factory=dict)

    def count(self, local_id: str, judged: Judged, inspector: Inspector) -> None:
        """Count one record."""
        self.judged += 1
        self.score += judged.score
        for rule, count in Counter([one.rule for one in judged.findings]).items():
            row = self._row(rule, inspector)
            row.findings += count
            row.records += 1
            if len(row.examples) < EXAMPLES:
                row.examples.append(local_id)

    def count_mended(self, receipts: Iterable[Receipt], inspector: Inspector) -> None:
        """Count one record that was mended."""
        self.mended += 1
        for rule in {one.rule for one in receipts}:
            self._row(rule, inspector).mended += 1

    def add(self, judged: int, score: int, mended: int, rules: dict[str, RuleCount]) -> None:
        """Count another sheet's."""
        self.judged += judged
        self.score += score
        self.mended += mended
        for rule, more in rules.items():
            row = self.rules.setdefault(rule, RuleCount(more.level))
            row.findings += more.findings
            row.records += more.records
            row.mended += more.mended
            row.examples += more.examples[: EXAMPLES - len(row.examples)]

    def _row(self, rule: str, inspector: Inspector) -> RuleCount:
        return self.rules.setdefault(rule, RuleCount(int(inspector.levels[rule])))
