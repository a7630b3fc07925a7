"""What people decided about clusters: joined, split, kept apart, linked; with who, why, when, and taken back (store).

A decision names source records, never clusters or signatures: it holds whatever is loaded afterwards. The matcher turns
it into pins, and takes them out again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog import clusters as clustering
from catalog import signatures
from catalog.connection import Connection
from catalog.visibility import HOLDS, VISIBLE
from config.errors import Conflict, NotFound

Named = tuple[int, str]  # source number, local id


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A row of table `decision`."""

    decision: int
    kind: str  # join, split, apart, link
    state: str  # due → done → undue → undone; void: it could not be carried out
    records: tuple[Named, ...]
    others: tuple[Named, ...]
    clusters: tuple[str, ...]  # ids of then
    library: str
    who: str
    why: str
    at: datetime
    result: str
    undone_by: str | None
    undone_why: str | None
    undone_at: datetime | None


COLUMNS = ", ".join(Decision.__dataclass_fields__)


def _of_row(row: Any) -> Decision:
    told = dict(row)
    for name in ("records", "others"):
        told[name] = tuple((source, local_id) for source, local_id in told[name])
    return Decision(**{**told, "clusters": tuple(told["clusters"])})


async def add(
    conn: Connection,
    kind: str,
    records: Sequence[Named],
    others: Sequence[Named],
    *,
    clusters: Sequence[str],
    library: str,
    who: str,
    why: str,
) -> Decision:
    """Put a decision; the matcher carries it out."""
    row = await conn.fetchrow(
        f"""insert into decision (kind, records, others, clusters, library, who, why)
            values ($1, $2, $3, $4, $5, $6, $7) returning {COLUMNS}""",
        kind,
        [list(one) for one in records],
        [list(one) for one in others],
        list(clusters),
        library,
        who,
        why,
    )
    return _of_row(row)


async def get(conn: Connection, number: int) -> Decision:
    """One decision. NotFound if there is none of this number."""
    row = await conn.fetchrow(f"select {COLUMNS} from decision where decision = $1", number)
    if row is None:
        raise NotFound(f"there is no decision {number} (tianlu cluster history)")
    return _of_row(row)


async def recent(conn: Connection, limit: int, before: int | None = None) -> list[Decision]:
    """The newest first."""
    rows = await conn.fetch(
        f"select {COLUMNS} from decision where $2::bigint is null or decision < $2 order by decision desc limit $1",
        limit,
        before,
    )
    return [_of_row(row) for row in rows]


async def of_records(conn: Connection, named: Collection[Named]) -> list[Decision]:
    """Decisions that name one of these records, oldest first."""
    rows = await conn.fetch(
        f"""select {COLUMNS} from decision d where exists (
                select from unnest($1::int[], $2::text[]) n (source, local_id)
                where d.records @> jsonb_build_array(jsonb_build_array(n.source, n.local_id))
                   or d.others @> jsonb_build_array(jsonb_build_array(n.source, n.local_id)))
            order by decision""",
        [source for source, _ in named],
        [local_id for _, local_id in named],
    )
    return [_of_row(row) for row in rows]


async def take_back(conn: Connection, number: int, *, who: str, why: str) -> Decision:
    """It shall hold no longer. Conflict if it doesn't already."""
    one = await get(conn, number)
    row = await conn.fetchrow(
        f"""update decision set state = case state when 'due' then 'undone' else 'undue' end, undone_by = $2,
                undone_why = $3, undone_at = now()
            where decision = $1 and state in ('due', 'done') returning {COLUMNS}""",
        number,
        who,
        why,
    )
    if row is None:
        raise Conflict(f"decision {number} does not hold any more: it is {one.state}")
    return _of_row(row)


async def next_due(conn: Connection) -> Decision | None:
    """The oldest that is to be carried out or taken back."""
    row = await conn.fetchrow(
        f"select {COLUMNS} from decision where state in ('due', 'undue') order by decision limit 1"
    )
    return _of_row(row) if row else None


async def settle(conn: Connection, number: int, state: str, result: str) -> None:
    """It was carried out, taken back, or could not be."""
    await conn.execute("update decision set state = $2, result = $3 where decision = $1", number, state, result)


async def members(conn: Connection, cluster: int, limit: int) -> list[Any]:
    """A cluster's records, also those that share holdings only: source, name, local_id, library, sid, visible."""
    rows: list[Any] = await conn.fetch(
        f"""select r.source, s.name, r.local_id, r.library, r.sid, {VISIBLE} visible
            from membership m join record r using (sid) join source s using (source)
            where m.cluster = $1 and r.kind <> 2 and {HOLDS} order by r.source, r.local_id limit $2""",
        cluster,
        limit,
    )
    return rows


async def clusters_of(conn: Connection, named: Collection[Named]) -> dict[Named, tuple[int, int]]:
    """(cluster, signature) of those of the records that take part in matching."""
    rows = await conn.fetch(
        """select r.source, r.local_id, m.cluster, r.sid from unnest($1::int[], $2::text[]) n (source, local_id)
           join record r using (source, local_id) join membership m using (sid)""",
        [source for source, _ in named],
        [local_id for _, local_id in named],
    )
    return {(row["source"], row["local_id"]): (row["cluster"], row["sid"]) for row in rows}


async def missing(conn: Connection, named: Collection[Named]) -> list[Named]:
    """Those of the records that are not there."""
    rows = await conn.fetch(
        """select n.source, n.local_id from unnest($1::int[], $2::text[]) n (source, local_id)
           where not exists (select from record r where (r.source, r.local_id) = (n.source, n.local_id))""",
        [source for source, _ in named],
        [local_id for _, local_id in named],
    )
    return [(row["source"], row["local_id"]) for row in rows]


async def waiting(
    conn: Connection,
    limit: int,
    *,
    after: tuple[int, int, int] | None = None,
    libraries: Collection[str] | None = None,
) -> list[Any]:
    """Pairs of signatures in different clusters that a person must judge, the likeliest first: a, b, score, reasons,
    their clusters, and a visible record of each. `after`: (score, a, b) of the last one seen; `libraries`: one of the
    two records is theirs.

    A pair is judged once a decision names both records, or a cannot-link lies between the two.
    """
    rows: list[Any] = await conn.fetch(
        f"""select e.a, e.b, e.score, e.reasons, p.cluster cluster_a, q.cluster cluster_b,
                   x.source source_a, x.local_id local_id_a, x.name name_a, x.library library_a,
                   y.source source_b, y.local_id local_id_b, y.name name_b, y.library library_b
            from edge e
            join membership p on p.sid = e.a join membership q on q.sid = e.b and q.cluster <> p.cluster
            cross join lateral (select r.source, r.local_id, s.name, r.library
                                from record r join source s using (source)
                                where r.sid = e.a and {VISIBLE} order by r.source, r.local_id limit 1) x
            cross join lateral (select r.source, r.local_id, s.name, r.library
                                from record r join source s using (source)
                                where r.sid = e.b and {VISIBLE} order by r.source, r.local_id limit 1) y
            where e.verdict = 'review'
              and ($2::int is null or (-e.score, e.a, e.b) > (-$2::int, $3::bigint, $4::bigint))
              and ($5::text[] is null or x.library = any($5) or y.library = any($5))
              and not exists (select from decision d where d.state in ('due', 'done')
                  and d.records @> jsonb_build_array(jsonb_build_array(x.source, x.local_id))
                  and d.others @> jsonb_build_array(jsonb_build_array(y.source, y.local_id)))
              and not exists (select from decision d where d.state in ('due', 'done')
                  and d.records @> jsonb_build_array(jsonb_build_array(y.source, y.local_id))
                  and d.others @> jsonb_build_array(jsonb_build_array(x.source, x.local_id)))
            order by -e.score, e.a, e.b limit $1""",
        limit,
        *(after or (None, None, None)),
        None if libraries is None else sorted(libraries),
    )
    return rows


async def relations(conn: Connection, cluster: int, limit: int) -> dict[int, tuple[bytes | None, int | None]]:
    """What is related to a cluster and not one with it, by cluster: packed reasons of the likeliest edge, and the
    decision if a person said so."""
    own = [row["sid"] for row in await conn.fetch("select sid from membership where cluster = $1", cluster)]
    edges = sorted(await signatures.edges(conn, own, verdict="link"), key=lambda edge: -edge[2])
    ends = {b if a in own else a for a, b, *_ in edges}
    where = await clustering.membership(conn, ends)
    found: dict[int, tuple[bytes | None, int | None]] = {}
    for a, b, _, _, _, reasons in edges:
        other = where.get(b if a in own else a)
        if other is not None and other != cluster:
            found.setdefault(other, (reasons, None))
    named = [(row["source"], row["local_id"]) for row in await members(conn, cluster, limit)]
    for one in await of_records(conn, named):
        if one.kind == "link" and one.state == "done":
            mine = set(named)
            others = one.others if mine & set(one.records) else one.records
            for there, _ in (await clusters_of(conn, others)).values():
                if there != cluster:
                    found[there] = (found.get(there, (None, None))[0], one.decision)
    return dict(list(found.items())[:limit])


async def names(conn: Connection, named: Collection[Named]) -> Mapping[Named, str]:
    """source/local id, as people write it."""
    rows = await conn.fetch(
        "select source, name from source where source = any($1::int[])", sorted({source for source, _ in named})
    )
    known = {row["source"]: row["name"] for row in rows}
    return {(source, local_id): f"{known.get(source, source)}/{local_id}" for source, local_id in named}
