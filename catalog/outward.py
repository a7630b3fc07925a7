"""What is read of clusters to tell another node: states, holdings with their origins, records of a peer (store).

Joins keep their order by `offset 0`: without statistics the planner reads every record there is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from catalog import dictionaries
from catalog.connection import Connection
from catalog.holdings import ORIGIN
from catalog.visibility import HOLDS, VISIBLE


class State(NamedTuple):
    """A place in the feed. `content` and `outward` are zstd of packed (body, description) with one dictionary.

    A tuple because one is made of every row that is told, and a dataclass takes five times as long.
    """

    cluster: int
    seq: int
    deleted: bool
    redirect: int | None
    format: int
    dictionary: int
    content: bytes
    outward: bytes | None  # as it may leave the node, where that differs from the content; empty = not at all

    @property
    def gone(self) -> bool:
        """Nothing of it is told anybody. What is deleted here may still have a stub, which parents are told."""
        return self.deleted and not self.outward


STATE = ", ".join(State._fields)


async def after(conn: Connection, seq: int, limit: int) -> list[State]:
    """The next states behind a place in the feed."""
    rows = await conn.fetch(f"select {STATE} from merged where seq > $1 order by seq limit $2", seq, limit)
    return [State._make(row) for row in rows]


async def places(conn: Connection, seq: int, limit: int, source: int) -> list[tuple[int, int, bool]]:
    """(cluster, place, whether it has a record of this source whose holdings may be shown), behind a place."""
    rows = await conn.fetch(
        f"""select p.cluster, p.seq, coalesce(r.mine, false) mine
            from (select cluster, seq from merged where seq > $1 order by seq limit $2) p
            left join lateral (
                select true mine from (select sid from membership m where m.cluster = p.cluster offset 0) m
                cross join lateral (select from record r
                                    where r.sid = m.sid and r.source = $3 and {HOLDS} offset 0) r limit 1) r on true
            order by p.seq""",
        seq,
        limit,
        source,
    )
    return [tuple(row) for row in rows]


async def clusters_of(conn: Connection, source: int, limit: int) -> set[int] | None:
    """Clusters of a source's records whose holdings may be shown; None if there are `limit` such records or more."""
    rows = await conn.fetch(
        f"""select m.cluster from (select r.sid from record r where r.source = $1 and {HOLDS}
                                order by r.local_id limit $2) r
            left join lateral (select cluster from membership m where m.sid = r.sid offset 0) m on true""",
        source,
        limit,
    )
    return {row["cluster"] for row in rows if row["cluster"] is not None} if len(rows) < limit else None


async def places_of(conn: Connection, clusters: Collection[int], seq: int) -> list[tuple[int, int]]:
    """(cluster, place) of those of the clusters that are behind a place in the feed, in its order."""
    rows = await conn.fetch(
        """select m.cluster, m.seq from unnest($1::bigint[]) c (wanted)
           cross join lateral (select cluster, seq from merged m where m.cluster = c.wanted offset 0) m
           where m.seq > $2 order by m.seq""",
        list(clusters),
        seq,
    )
    return [tuple(row) for row in rows]


async def of(conn: Connection, clusters: Collection[int]) -> list[State]:
    """The states of these clusters, by place."""
    rows = await conn.fetch(
        f"""select {STATE} from unnest($1::bigint[]) c (wanted)
            cross join lateral (select * from merged m where m.cluster = c.wanted offset 0) m order by seq""",
        list(clusters),
    )
    return [State._make(row) for row in rows]


async def openers(conn: Connection, states: Collection[State]) -> Mapping[int, bytes]:
    """Dictionaries that open the states' contents."""
    return await dictionaries.of(conn, {state.dictionary for state in states})


async def holdings(conn: Connection, clusters: Collection[int]) -> list[Any]:
    """(cluster, source name, origin, library, call_number, item, location, status, note) of what may be shown.

    The item number of what was mapped here stays here, unless the source's profile shares it.
    """
    rows: list[Any] = await conn.fetch(
        f"""select c.cluster, r.name source, {ORIGIN} origin, h.library, h.call_number,
                case when h.origin <> '' or r.items then h.item else '' end item, h.location, h.status, h.note
            from unnest($1::bigint[]) c (cluster)
            cross join lateral (select sid from membership m where m.cluster = c.cluster offset 0) m
            cross join lateral (select s.name, s.library, s.sharing->>'items' = 'true' items, r.source, r.local_id
                                from record r join source s using (source) where r.sid = m.sid and {HOLDS} offset 0) r
            cross join lateral (select * from holding h
                                where h.source = r.source and h.local_id = r.local_id and not h.covered
                                offset 0) h""",
        list(clusters),
    )
    return rows


async def of_source(conn: Connection, clusters: Collection[int], source: int) -> dict[int, list[str]]:
    """Local ids of a source's records whose holdings may be shown, by cluster."""
    rows = await conn.fetch(
        f"""select c.cluster, r.local_id from unnest($1::bigint[]) c (cluster)
            cross join lateral (select sid from membership m where m.cluster = c.cluster offset 0) m
            cross join lateral (select r.local_id from record r
                                where r.sid = m.sid and r.source = $2 and {HOLDS} offset 0) r""",
        list(clusters),
        source,
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row["cluster"], []).append(row["local_id"])
    return found


async def with_sources(conn: Connection, clusters: Collection[int], names: Collection[str]) -> set[int]:
    """Those of the clusters that have a visible record of one of these sources; of stubs one with holdings will do."""
    rows = await conn.fetch(
        f"""select c.cluster from unnest($1::bigint[]) c (cluster) where exists (
                select from membership m join record r using (sid) join source s using (source)
                where m.cluster = c.cluster and s.name = any($2::text[]) and {HOLDS}
                    and ({VISIBLE} or (select g.deleted from merged g where g.cluster = c.cluster)))""",
        list(clusters),
        list(names),
    )
    return {row["cluster"] for row in rows}
