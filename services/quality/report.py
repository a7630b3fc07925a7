"""The report of quality: what stands of each source, what came in each month, and which rules found something (pure).

A month counts the records that the rules looked at in it: those that were new, changed or read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dms import quality_texts
from dms.rules.model import Level
from protocols.csv import Cell

MONTHS = 12  # that a page shows
COLUMNS = (
    "library", "source", "month", "judged", "score", "returned", "unreadable", "mended",
    "rule", "level", "text", "records", "findings",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What was judged of a source in a month."""

    month: date  # its first day
    judged: int
    score: float | None  # mean; None = nothing was judged
    returned: int
    unreadable: int
    mended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that found something in the months of the report."""

    rule: str
    level: Level
    records: int
    findings: int
    share: float  # of the records that were judged
    months: Mapping[date, tuple[int, int]]  # records and findings
    examples: tuple[str, ...]  # local ids, of the newest load that found any


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A source."""

    source: str
    library: str
    records: int  # that stand
    judged: int  # of these
    score: float | None  # mean of those
    poor: int  # of those, with a score below 60
    months: tuple[Month, ...]  # oldest first
    rules: tuple[Broken, ...]  # worst first

    @property
    def returned(self) -> int:
        """Records that came back in the months of the report."""
        return sum(month.returned for month in self.months)

    @property
    def mended(self) -> int:
        """Records that were mended in the months of the report."""
        return sum(month.mended for month in self.months)


def report(standing: Sequence[Any], months: Sequence[Any], rules: Sequence[Any], newest: int = MONTHS) -> list[Quality]:
    """Sources by library and name. The rows are those of `catalog.quality`; `newest`: months, of each source."""
    names = {(row["library"], row["source"]) for row in (*standing, *months)}
    there = {row["source"]: row for row in standing}
    found = []
    for library, source in sorted(names):
        some = tuple(_month(row) for row in months if row["source"] == source)[-newest:]
        row = there.get(source)
        found.append(
            Quality(
                source=source,
                library=library,
                records=row["records"] if row else 0,
                judged=row["judged"] if row else 0,
                score=row["score"] if row else None,
                poor=row["poor"] if row else 0,
                months=some,
                rules=_rules(some, [row for row in rules if row["source"] == source]),
            )
        )
    return found


def _month(row: Any) -> Month:
    return Month(
        month=row["month"],
        judged=row["judged"],
        score=row["score"] / row["judged"] if row["judged"] else None,
        returned=row["returned"],
        unreadable=row["unreadable"],
        mended=row["mended"],
    )


def _rules(months: Sequence[Month], rows: Sequence[Any]) -> tuple[Broken, ...]:
    shown = {month.month for month in months}
    judged = sum(month.judged for month in months) or 1
    by_rule: dict[str, list[Any]] = {}
    for row in rows:
        if row["month"] in shown:
            by_rule.setdefault(row["rule"], []).append(row)
    found = [
        Broken(
            rule=rule,
            level=Level(some[-1]["level"]),
            records=(records := sum(row["records"] for row in some)),
            findings=sum(row["findings"] for row in some),
            share=records / judged,
            months={row["month"]: (row["records"], row["findings"]) for row in some},
            examples=tuple(some[-1]["examples"]),
        )
        for rule, some in by_rule.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.level, -one.records, one.rule)))


def rows(found: Sequence[Quality], lang: str) -> Iterator[Sequence[Cell]]:
    """The report as a table with a head: a row a month, and a row for each rule that found something in it."""
    yield COLUMNS
    for one in found:
        for month in one.months:
            score = None if month.score is None else round(month.score, 1)
            head = (one.library, one.source, f"{month.month:%Y-%m}", month.judged, score)
            yield (*head, month.returned, month.unreadable, month.mended, "", "", "", None, None)
            for rule in one.rules:
                if month.month in rule.months:
                    records, findings = rule.months[month.month]
                    said = (rule.rule, rule.level.name.lower(), quality_texts.heading(rule.rule, lang))
                    yield (*head, None, None, None, *said, records, findings)


def plain(one: Quality, lang: str) -> dict[str, Any]:
    """A source for programs."""
    return {
        "source": one.source,
        "library": one.library,
        "records": one.records,
        "judged": one.judged,
        "score": None if one.score is None else round(one.score, 1),
        "poor": one.poor,
        "months": [
            {
                "month": f"{month.month:%Y-%m}",
                "judged": month.judged,
                "score": None if month.score is None else round(month.score, 1),
                "returned": month.returned,
                "unreadable": month.unreadable,
                "mended": month.mended,
            }
            for month in one.months
        ],
        "rules": [
            {
                "rule": rule.rule,
                "level": rule.level.name.lower(),
                "text": quality_texts.heading(rule.rule, lang),
                "records": rule.records,
                "findings": rule.findings,
                "share": round(rule.share, 4),
                "months": {f"{month:%Y-%m}": records for month, (records, _) in rule.months.items()},
                "examples": list(rule.examples),
            }
            for rule in one.rules
        ],
    }
