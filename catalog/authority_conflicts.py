"""Headings for which two records of a cluster give different ids of one authority file (store).

MERGE enters what it finds and removes what is no longer so. What somebody settled stays, so that it isn't asked again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from catalog.connection import Connection
from config.errors import Conflict, NotFound


class Found(NamedTuple):
    """What MERGE finds in a cluster; `a` before `b` in the order of names."""

    tag: str
    heading: str
    file: str
    a: str  # source name / local id
    id_a: str
    b: str
    id_b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A row of table `authority_conflict`."""

    conflict: int
    cluster: int
    tag: str
    heading: str
    file: str
    a: str  # source name / local id
    library_a: str
    id_a: str
    b: str
    library_b: str
    id_b: str
    state: str  # waiting, settled
    found_at: datetime
    who: str | None
    why: str | None
    at: datetime | None


_SHOWN = """select c.conflict, c.cluster, c.tag, c.heading, c.file, c.id_a, c.id_b, c.library_a, c.library_b, c.state,
                   c.found_at, c.who, c.why, c.at, x.name || '/' || c.local_id_a a, y.name || '/' || c.local_id_b b
            from authority_conflict c join source x on x.source = c.source_a join source y on y.source = c.source_b"""


async def replace(conn: Connection, found: Mapping[int, Sequence[Found]]) -> None:
    """What there is in these clusters now, by cluster."""
    rows = {(one.a, one.b, one.file, one.id_a, one.id_b): (cluster, one) for cluster in found for one in found[cluster]}
    entered = await _enter(conn, list(rows.values())) if rows else []
    await conn.execute(
        """delete from authority_conflict
           where cluster = any($1::bigint[]) and state = 'waiting' and conflict <> all($2::bigint[])""",
        list(found),
        entered,
    )


async def _enter(conn: Connection, rows: Sequence[tuple[int, Found]]) -> list[int]:
    names = [(one.a.partition("/"), one.b.partition("/")) for _, one in rows]
    entered = await conn.fetch(
        """insert into authority_conflict (cluster, tag, heading, file, source_a, local_id_a, library_a, id_a,
                                           source_b, local_id_b, library_b, id_b)
           select c.cluster, c.tag, c.heading, c.file, ra.source, ra.local_id, ra.library, c.id_a,
                  rb.source, rb.local_id, rb.library, c.id_b
           from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                       $9::text[], $10::text[])
                c (cluster, tag, heading, file, name_a, local_id_a, id_a, name_b, local_id_b, id_b)
           join source sa on sa.name = c.name_a join record ra on (ra.source, ra.local_id) = (sa.source, c.local_id_a)
           join source sb on sb.name = c.name_b join record rb on (rb.source, rb.local_id) = (sb.source, c.local_id_b)
           on conflict (source_a, local_id_a, source_b, local_id_b, file, id_a, id_b)
           do update set cluster = excluded.cluster, tag = excluded.tag, heading = excluded.heading
           returning conflict""",
        [cluster for cluster, _ in rows],
        [one.tag for _, one in rows],
        [one.heading for _, one in rows],
        [one.file for _, one in rows],
        [a[0] for a, _ in names],
        [a[2] for a, _ in names],
        [one.id_a for _, one in rows],
        [b[0] for _, b in names],
        [b[2] for _, b in names],
        [one.id_b for _, one in rows],
    )
    return [row["conflict"] for row in entered]


async def listing(
    conn: Connection, limit: int, *, settled: bool = False, libraries: Collection[str] | None = None
) -> list[Contradiction]:
    """Those that wait, the oldest first; with `settled` the others too. `libraries`: one of the records is theirs."""
    rows = await conn.fetch(
        f"""{_SHOWN} where (c.state = 'waiting' or $2)
                and ($3::text[] is null or c.library_a = any($3) or c.library_b = any($3))
            order by c.conflict limit $1""",
        limit,
        settled,
        None if libraries is None else sorted(libraries),
    )
    return [_of_row(row) for row in rows]


async def of_cluster(conn: Connection, cluster: int) -> list[Contradiction]:
    """Those of one cluster, settled ones too."""
    return [_of_row(row) for row in await conn.fetch(f"{_SHOWN} where c.cluster = $1 order by c.conflict", cluster)]


async def get(conn: Connection, number: int) -> Contradiction:
    """One of them. NotFound if there is none of this number."""
    row = await conn.fetchrow(f"{_SHOWN} where c.conflict = $1", number)
    if row is None:
        raise NotFound(f"there is no conflict {number} of authority ids (tianlu review list --kind authority)")
    return _of_row(row)


async def settle(conn: Connection, number: int, *, who: str, why: str) -> None:
    """It was seen to, or is as it should be: don't ask again. Conflict if it is settled already."""
    one = await get(conn, number)
    if one.state == "settled":
        raise Conflict(f"conflict {number} was settled by {one.who}: {one.why}")
    await conn.execute(
        "update authority_conflict set state = 'settled', who = $2, why = $3, at = now() where conflict = $1",
        number,
        who,
        why,
    )


def _of_row(row: Any) -> Contradiction:
    return Contradiction(**dict(row))
