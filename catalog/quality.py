"""What the rules found: by load, and by month of what is in force (store).

A load's findings are counted when it is judged, a month's when the load is released; an undone load leaves its month.
What stands is kept as sums by source.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from catalog.connection import Connection

STANDING = """
    select s.name source, s.library, q.records, q.judged, q.score::float8 / nullif(q.judged, 0) score, q.poor
    from quality_standing q join source s using (source)
    where ($1::text[] is null or s.library = any($1)) and ($2::text is null or s.name = $2) and q.records > 0
    order by s.library, s.name"""
POOR = 60  # a score below it is poor

# rule, level under the profile, findings, records that have any, records that its fix changed, a few local ids
RuleRow = tuple[str, int, int, int, int, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the rules found in a load."""

    judged: int  # records
    score: int  # sum of theirs
    rules: Sequence[RuleRow]


async def count(conn: Connection, load: int, found: Found) -> None:
    """Keep it; a load that is judged once more is counted anew."""
    await conn.execute("update load set judged = $2, score = $3 where load = $1", load, found.judged, found.score)
    await conn.execute("delete from load_rule where load = $1", load)
    await conn.copy_records_to_table(
        "load_rule",
        records=[(load, *row) for row in found.rules],
        columns=["load", "rule", "level", "findings", "records", "mended", "examples"],
    )


async def into_months(conn: Connection, load: int) -> None:
    """Count a load that is released into its month."""
    await conn.execute(
        """insert into quality_month as q (source, month, judged, score, returned, unreadable, mended)
           select source, date_trunc('month', started_at at time zone 'UTC'), judged, score, returned, unreadable,
                  mended
           from load where load = $1 and (judged > 0 or returned > 0 or unreadable > 0)
           on conflict (source, month) do update set judged = q.judged + excluded.judged,
               score = q.score + excluded.score, returned = q.returned + excluded.returned,
               unreadable = q.unreadable + excluded.unreadable, mended = q.mended + excluded.mended""",
        load,
    )
    await conn.execute(
        """insert into quality_rule as q (source, month, rule, level, findings, records, examples)
           select l.source, date_trunc('month', l.started_at at time zone 'UTC'), r.rule, r.level, r.findings,
                  r.records, r.examples
           from load l join load_rule r using (load) where l.load = $1 and r.records > 0
           on conflict (source, month, rule) do update set level = excluded.level,
               findings = q.findings + excluded.findings, records = q.records + excluded.records,
               examples = excluded.examples""",
        load,
    )


async def out_of_months(conn: Connection, load: int) -> None:
    """Take an undone load out of its month."""
    await conn.execute(
        """update quality_rule q set findings = q.findings - r.findings, records = q.records - r.records
           from load l join load_rule r using (load)
           where l.load = $1 and q.source = l.source and q.rule = r.rule
             and q.month = date_trunc('month', l.started_at at time zone 'UTC')""",
        load,
    )
    await conn.execute(
        """delete from quality_rule q using load l where l.load = $1 and q.source = l.source and q.records <= 0
             and q.month = date_trunc('month', l.started_at at time zone 'UTC')""",
        load,
    )
    await conn.execute(
        """update quality_month q set judged = q.judged - l.judged, score = q.score - l.score,
               returned = q.returned - l.returned, unreadable = q.unreadable - l.unreadable,
               mended = q.mended - l.mended
           from load l where l.load = $1 and q.source = l.source
             and q.month = date_trunc('month', l.started_at at time zone 'UTC')""",
        load,
    )


async def of_load(conn: Connection, load: int) -> list[Any]:
    """What the rules found in a load, the worst first: rule, level, findings, records, mended, examples."""
    rows: list[Any] = await conn.fetch(
        """select rule, level, findings, records, mended, examples from load_rule where load = $1
           order by level desc, records desc, rule""",
        load,
    )
    return rows


async def score_of_load(conn: Connection, load: int) -> tuple[int, int]:
    """(records judged, sum of their scores)."""
    row = await conn.fetchrow("select judged, score from load where load = $1", load)
    return row["judged"], row["score"]


async def months(conn: Connection, within: Collection[str] | None = None, source: str | None = None) -> list[Any]:
    """Every month of every source with its library, oldest first; of some libraries or one source, if told."""
    rows: list[Any] = await conn.fetch(
        """select s.name source, s.library, q.month, q.judged, q.score, q.returned, q.unreadable, q.mended
           from quality_month q join source s using (source)
           where ($1::text[] is null or s.library = any($1)) and ($2::text is null or s.name = $2)
             and (q.judged > 0 or q.returned > 0 or q.unreadable > 0)
           order by s.library, s.name, q.month""",
        None if within is None else sorted(within),
        source,
    )
    return rows


async def rules(conn: Connection, within: Collection[str] | None = None, source: str | None = None) -> list[Any]:
    """Every rule of every month of every source, oldest month first, as `months`."""
    rows: list[Any] = await conn.fetch(
        """select s.name source, s.library, q.month, q.rule, q.level, q.findings, q.records, q.examples
           from quality_rule q join source s using (source)
           where ($1::text[] is null or s.library = any($1)) and ($2::text is null or s.name = $2) and q.records > 0
           order by s.library, s.name, q.month, q.level desc, q.records desc, q.rule""",
        None if within is None else sorted(within),
        source,
    )
    return rows


async def standing(conn: Connection, within: Collection[str] | None = None, source: str | None = None) -> list[Any]:
    """What stands of each source now: records, how many are judged, the mean of their scores, how many are below 60."""
    rows: list[Any] = await conn.fetch(
        STANDING,
        None if within is None else sorted(within),
        source,
    )
    return rows


class Sums(NamedTuple):
    """Of some records: how many, how many are judged, the sum of their scores, how many are below 60."""

    records: int = 0
    judged: int = 0
    score: int = 0
    poor: int = 0

    @classmethod
    def of(cls, scores: Collection[int | None]) -> Sums:
        """Of records with these scores; None = not judged."""
        told = [each for each in scores if each is not None]
        return cls(len(scores), len(told), sum(told), sum(each < POOR for each in told))


async def sums(conn: Connection, source: int, local_ids: Collection[str]) -> Sums:
    """Of those of a source's records that stand."""
    rows = await conn.fetch(
        "select score from record where source = $1 and local_id = any($2::text[])", source, list(local_ids)
    )
    return Sums.of([row["score"] for row in rows])


async def stand(conn: Connection, source: int, before: Sums, after: Sums) -> None:
    """Records of these sums stand instead of those: whoever writes records tells it in the same transaction."""
    if before != after:
        await conn.execute(
            """insert into quality_standing as q (source, records, judged, score, poor) values ($1, $2, $3, $4, $5)
               on conflict (source) do update set records = q.records + excluded.records,
                   judged = q.judged + excluded.judged, score = q.score + excluded.score,
                   poor = q.poor + excluded.poor""",
            source,
            *(new - old for old, new in zip(before, after, strict=True)),
        )
