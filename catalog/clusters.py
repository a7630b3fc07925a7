"""Clusters: which signatures belong together, which cluster took over which, and what must be merged again (store)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from catalog import bodies, dictionaries, packing
from catalog.connection import Connection
from catalog.model import Carrier, Cluster, Format, Published, cluster_id, cluster_number
from catalog.visibility import HOLDS, HOLDS_ONLY, VISIBLE

MOST_LOST = 1 << 32  # numbers that a lost future can have given: nobody uses them all up by a word
# What outputs are made of: the outward form where there is one, and nothing where nothing may leave.
PUBLISHED = (
    "m.cluster, m.seq, m.at, m.deleted or coalesce(m.outward = '', false) deleted, m.redirect, m.format, m.libraries,"
    " m.dictionary, coalesce(m.outward, m.content) content, (select symbol from node) symbol"
)
SEEN = "m.at > 'epoch'"  # was ever in an output; what was told other nodes as a stub only was not (`changes.publish`)


async def symbol(conn: Connection) -> str:
    """The node's symbol, the first half of every cluster id."""
    found: str = await conn.fetchval("select symbol from node")
    return found


async def membership(conn: Connection, sids: Collection[int]) -> dict[int, int]:
    """Cluster by signature."""
    rows = await conn.fetch("select sid, cluster from membership where sid = any($1::bigint[])", list(sids))
    return {row["sid"]: row["cluster"] for row in rows}


async def mates(conn: Connection, sids: Collection[int]) -> dict[int, int]:
    """Cluster by signature, for every signature of every cluster that holds one of `sids`."""
    rows = await conn.fetch(
        """select sid, cluster from membership where cluster in
           (select distinct cluster from membership where sid = any($1::bigint[]))""",
        list(sids),
    )
    return {row["sid"]: row["cluster"] for row in rows}


async def peopled(conn: Connection, clusters: Collection[int]) -> set[int]:
    """Those of the clusters that have signatures."""
    rows = await conn.fetch(
        """select c.cluster from unnest($1::bigint[]) c (cluster)
           cross join lateral (select from membership m where m.cluster = c.cluster limit 1) m""",
        list(clusters),
    )
    return {row["cluster"] for row in rows}


async def reserve(conn: Connection, count: int) -> list[int]:
    """New cluster numbers."""
    rows = await conn.fetch("select nextval('cluster_no') n from generate_series(1, $1)", count)
    return [row["n"] for row in rows]


async def pass_over(conn: Connection, number: int) -> None:
    """Never give this number or one below it again: another node has heard of it, in a future that is lost here."""
    await conn.execute(
        """select setval('cluster_no', $1) from cluster_no
           where $1 >= last_value and $1 - last_value < $2""",
        number,
        MOST_LOST,
    )


async def add_members(conn: Connection, rows: Sequence[tuple[int, int]]) -> None:
    """Enter (sid, cluster) of signatures that have no cluster yet."""
    await conn.copy_records_to_table("membership", records=rows, columns=["sid", "cluster"])


async def move_members(conn: Connection, rows: Mapping[int, int]) -> None:
    """Put signatures into clusters, wherever they were."""
    await conn.execute(
        """insert into membership (sid, cluster) select * from unnest($1::bigint[], $2::bigint[])
           on conflict (sid) do update set cluster = excluded.cluster""",
        list(rows),
        list(rows.values()),
    )


async def redirect(conn: Connection, heirs: Mapping[int, int]) -> None:
    """Old cluster ids resolve to their heirs from now on; earlier redirects to them follow."""
    if not heirs:
        return
    old, new = list(heirs), list(heirs.values())
    await conn.execute(
        "update redirect r set new = h.new from unnest($1::bigint[], $2::bigint[]) h (old, new) where r.new = h.old",
        old,
        new,
    )
    await conn.execute(
        """insert into redirect (old, new) select * from unnest($1::bigint[], $2::bigint[])
           on conflict (old) do update set new = excluded.new, at = now()""",
        old,
        new,
    )


async def heirs(conn: Connection, clusters: Collection[int]) -> dict[int, int]:
    """The cluster that took over, by old cluster."""
    rows = await conn.fetch("select old, new from redirect where old = any($1::bigint[])", list(clusters))
    return {row["old"]: row["new"] for row in rows}


async def soil(conn: Connection, clusters: Collection[int]) -> None:
    """Mark clusters whose merged record must be made again."""
    if clusters:
        await conn.execute(
            """insert into dirty (cluster, mark) select c, nextval('dirty_mark') from unnest($1::bigint[]) c order by c
               on conflict (cluster) do update set mark = excluded.mark""",
            sorted(clusters),
        )


async def soil_source(conn: Connection, source: int) -> None:
    """Mark the clusters of all records of a source."""
    await conn.execute(
        """insert into dirty (cluster, mark) select c.cluster, nextval('dirty_mark') from (
               select distinct m.cluster from record r join membership m using (sid) where r.source = $1 order by 1) c
           on conflict (cluster) do update set mark = excluded.mark""",
        source,
    )


async def dirty(conn: Connection, limit: int, lane: int = 0, lanes: int = 1) -> dict[int, int]:
    """Clusters to merge again, with the mark to clear, of the lane that their number falls into."""
    rows = await conn.fetch(
        "select cluster, mark from dirty where cluster % $3 = $2 order by cluster limit $1", limit, lane, lanes
    )
    return {row["cluster"]: row["mark"] for row in rows}


async def dirty_count(conn: Connection) -> int:
    """How many clusters wait for their merged record."""
    found: int = await conn.fetchval("select count(*) from dirty")
    return found


async def more_dirty_than(conn: Connection, count: int) -> bool:
    """Whether more clusters than that wait for their merged record."""
    return bool(await conn.fetchval("select exists (select from dirty offset $1)", count))


async def marked(conn: Connection, clusters: Collection[int]) -> set[int]:
    """Those of the clusters that wait for their merged record."""
    rows = await conn.fetch("select cluster from dirty where cluster = any($1::bigint[])", list(clusters))
    return {row["cluster"] for row in rows}


async def examples(conn: Connection, sids: Collection[int]) -> dict[int, str]:
    """A visible record (source/local id) of each signature, by which a person knows it."""
    rows = await conn.fetch(
        f"""select r.sid, min(s.name || '/' || r.local_id) name from record r join source s using (source)
            where r.sid = any($1::bigint[]) and {VISIBLE} group by r.sid""",
        list(sids),
    )
    return {row["sid"]: row["name"] for row in rows}


async def twins(conn: Connection, sid: int, limit: int) -> list[str]:
    """Visible records (source/local id) that have this signature."""
    rows = await conn.fetch(
        f"""select s.name || '/' || r.local_id name from record r join source s using (source)
            where r.sid = $1 and {VISIBLE} order by 1 limit $2""",
        sid,
        limit,
    )
    return [row["name"] for row in rows]


async def clean(conn: Connection, marks: Mapping[int, int]) -> None:
    """Clear the marks, but not those that rose meanwhile."""
    await conn.execute(
        "delete from dirty d using unnest($1::bigint[], $2::bigint[]) m (cluster, mark) "
        "where d.cluster = m.cluster and d.mark = m.mark",
        list(marks),
        list(marks.values()),
    )


async def members(conn: Connection, clusters: Collection[int], *, shown: bool = True) -> list[Any]:
    """Visible source records of clusters, ordered so that the same members always come in the same order. Without
    `shown`: those instead that share holdings only.

    `offset 0` keeps the order of the joins: without statistics the planner reads every record there is.
    """
    which = VISIBLE if shown else HOLDS_ONLY
    rows: list[Any] = await conn.fetch(
        f"""select c.cluster, r.source, r.trust, r.local_id, r.library, r.format, r.carrier, r.encoding,
                   r.dictionary, r.stamp, r.digest, r.body, r.score
            from unnest($1::bigint[]) c (cluster)
            cross join lateral (select sid from membership m where m.cluster = c.cluster offset 0) m
            cross join lateral (select s.name source, s.trust, r.local_id, r.library, r.format, r.carrier, r.encoding,
                                       r.dictionary, r.stamp, r.digest, r.body, r.score
                                from record r join source s using (source) where r.sid = m.sid and {which} offset 0) r
            order by c.cluster, r.source, r.local_id""",
        list(clusters),
    )
    return rows


async def told(conn: Connection, clusters: Collection[int]) -> dict[int, bytes]:
    """A digest of the records that other nodes told of, by cluster: each of them hears what became of its own."""
    rows = await conn.fetch(
        f"""select c.cluster, sha256(convert_to(string_agg(r.told, chr(30) order by r.told), 'UTF8')) digest
            from unnest($1::bigint[]) c (cluster)
            cross join lateral (select sid from membership m where m.cluster = c.cluster offset 0) m
            cross join lateral (select concat(r.source, chr(31), r.local_id) collate "C" told from record r
                                where r.sid = m.sid and r.carrier = $2 and {HOLDS} offset 0) r
            group by c.cluster""",
        list(clusters),
        int(Carrier.PACKED),
    )
    return {row["cluster"]: row["digest"] for row in rows}


async def published(conn: Connection, rows: Sequence[Any]) -> list[Published]:
    """What rows of PUBLISHED tell."""
    numbers = {row["dictionary"] for row in rows}
    known = dictionaries.met(numbers)
    if known is None:
        known = await dictionaries.of(conn, numbers)
    return [_published(row, known) for row in rows]


def _published(row: Any, known: Mapping[int, bytes]) -> Published:
    body, description = b"", None
    if not row["deleted"]:
        body, packed = packing.unpack_content(bodies.open_body(row["content"], row["dictionary"], known))
        description = packing.unpack_description(packed)
    symbol = row["symbol"]
    return Published(
        cluster=Cluster(row["cluster"]),
        id=cluster_id(symbol, row["cluster"]),
        seq=row["seq"],
        at=row["at"],
        deleted=row["deleted"],
        redirect=cluster_id(symbol, row["redirect"]) if row["redirect"] is not None else "",
        format=Format(row["format"]),
        body=body,
        description=description,
        libraries=tuple(row["libraries"]),
    )


async def many(conn: Connection, clusters: Sequence[int]) -> dict[int, Published]:
    """What is published of these clusters."""
    rows = await conn.fetch(
        f"select {PUBLISHED} from merged m where m.cluster = any($1::bigint[]) and {SEEN}", list(clusters)
    )
    return {one.cluster: one for one in await published(conn, rows)}


async def resolve(conn: Connection, ident: str) -> Published | None:
    """What is published under a cluster id, following its redirect; None if the id was never given."""
    number = cluster_number(ident, await symbol(conn))
    if number is None:
        return None
    heir = await conn.fetchval("select new from redirect where old = $1", number)
    return (await many(conn, [heir or number])).get(heir or number)
