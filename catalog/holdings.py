"""Holdings: rows of their own, never merged away (store).

A holding may come by two paths; its *origin* says whose it is, and whoever counts, lists or sums up takes each origin
once in a cluster. What came from another node has it in its row. What was mapped here has none there: its origin is
`<library>/<source>/<local id>#<n>`, with the library of the source and not this node, so that it is the same after the
library has moved to another host; and with the first local id that the record had (`named`), so that it is the same
after the library has moved to another system.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from catalog.connection import Connection
from catalog.model import HELD_PREFIX, Holding, Shelved
from catalog.visibility import HOLDS, VISIBLE

FIELDS = ("library", "call_number", "item", "location", "status", "note")

# Of a holding `h` of a record whose source `r` is: library and name.
_NAMED = "case when h.named <> '' then h.named else h.local_id end"
ORIGIN = f"case when h.origin <> '' then h.origin else concat(r.library, '/', r.name, '/', {_NAMED}, '#', h.n) end"

# A record of the cluster of `m` may itself be shown: else the cluster isn't, nor anything that it holds.
_SHOWN = f"exists (select from membership o join record r using (sid) where o.cluster = m.cluster and {VISIBLE})"

Row = tuple[int, str, int, str, str, str, str, str, str, str]  # source, local_id, n, FIELDS and origin


async def replace(conn: Connection, source: int, local_ids: Collection[str], rows: Sequence[Row]) -> None:
    """Put `rows` in the place of whatever the records `local_ids` had."""
    if local_ids:
        await conn.execute(
            "delete from holding where source = $1 and local_id = any($2::text[])", source, list(local_ids)
        )
    await conn.copy_records_to_table("holding", records=rows, columns=["source", "local_id", "n", *FIELDS, "origin"])


async def of_cluster(conn: Connection, cluster: int) -> list[tuple[str, str, Holding]]:
    """(source name, local id, holding) of every record of a cluster whose holdings may be shown, by library and call
    number.
    """
    rows = await conn.fetch(
        f"""select r.name source, h.local_id, {ORIGIN} origin, {", ".join("h." + f for f in FIELDS)}
            from (select s.name, s.library, r.source, r.local_id
                  from membership m join record r using (sid) join source s using (source)
                  where m.cluster = $1 and {HOLDS} and {_SHOWN}) r
            join holding h on h.source = r.source and h.local_id = r.local_id and not h.covered
            order by h.library, h.call_number, r.name, h.local_id, h.n""",
        cluster,
    )
    first: dict[str, int] = {}
    once = [r for n, r in enumerate(rows) if first.setdefault(r["origin"], n) == n]
    return [(r["source"], r["local_id"], Holding(**{f: r[f] for f in FIELDS})) for r in once]


async def of_record(conn: Connection, source: int, local_id: str) -> list[Holding]:
    """What one source record tells of, shown or not."""
    rows = await conn.fetch(
        f"select {', '.join(FIELDS)} from holding where source = $1 and local_id = $2 order by n", source, local_id
    )
    return [Holding(**dict(row)) for row in rows]


async def summary(conn: Connection, clusters: Collection[int]) -> dict[int, tuple[tuple[str, ...], bytes]]:
    """(holding libraries in order, digest of all holdings) by cluster, of records whose holdings may be shown.

    The digest is there so that a changed call number is published too, or an item number that may leave from now on.
    `offset 0` keeps the order of the joins: without
    statistics the planner reads every record there is.
    """
    rows = await conn.fetch(
        f"""select c.cluster, array_agg(distinct h.library order by h.library) libraries,
                sha256(convert_to(string_agg(distinct h.told, chr(30) order by h.told), 'UTF8')) digest
            from unnest($1::bigint[]) c (cluster)
            cross join lateral (select sid from membership m where m.cluster = c.cluster offset 0) m
            cross join lateral (select s.name, s.library, s.sharing->>'items' items, r.source, r.local_id from record r
                                join source s using (source) where r.sid = m.sid and {HOLDS} offset 0) r
            cross join lateral (select h.library, concat_ws(chr(31), {ORIGIN}, {", ".join("h." + f for f in FIELDS)},
                                                            r.items) collate "C" told
                                from holding h where h.source = r.source and h.local_id = r.local_id
                                    and not h.covered offset 0) h
            group by c.cluster""",
        list(clusters),
    )
    return {r["cluster"]: (tuple(r["libraries"]), r["digest"]) for r in rows}


async def shelved(conn: Connection, clusters: Collection[int]) -> dict[int, tuple[Shelved, ...]]:
    """What libraries know clusters by whose holdings may be shown. `summary` tells when it changes, but for records
    that got other numbers by rekeying: nothing is told anew of them.
    """
    rows = await conn.fetch(
        f"""select distinct c.cluster, h.library, h.local_id, h.origin, h.call_number
            from unnest($1::bigint[]) c (cluster)
            cross join lateral (select sid from membership m where m.cluster = c.cluster offset 0) m
            cross join lateral (select r.source, r.local_id from record r where r.sid = m.sid and {HOLDS} offset 0) r
            cross join lateral (select h.library, h.local_id, h.origin,
                                       case when h.covered then '' else h.call_number end call_number
                                from holding h where h.source = r.source and h.local_id = r.local_id offset 0) h
            order by 1, 2, 3, 4, 5""",
        list(clusters),
    )
    found: dict[int, dict[Shelved, None]] = {}
    for row in rows:
        number = _number(row["local_id"], row["origin"])
        one = Shelved(row["library"], number, row["call_number"])
        found.setdefault(row["cluster"], {})[one] = None
    return {cluster: tuple(several) for cluster, several in found.items()}


def _number(local_id: str, origin: str) -> str:
    """The number that the library's own record has; "" where it has none."""
    if origin:
        local_id = "/".join(origin.rpartition("#")[0].split("/")[2:])
    return "" if local_id.startswith((HELD_PREFIX, "sha256:")) else local_id


async def count(conn: Connection) -> int:
    """All holdings, each origin once, without those that wait for the record that they belong to.

    Origins are compared only of libraries that two sources tell of, one of them another node: it takes a second for
    each 300,000 holdings of theirs.
    """
    found: int = await conn.fetchval(
        f"""with told as (select library, source, count(*) n, bool_or(origin <> '') away from holding
                          where not covered group by 1, 2),
                twice as (select library from told group by library having count(*) > 1 and bool_or(away)),
                waits as (select h.source, h.local_id, h.n, h.library from record r
                          join holding h using (source, local_id) where r.kind = 2 and r.sid is null)
            select (select coalesce(sum(n), 0) from told where library not in (select * from twice))
                 - (select count(*) from waits where library not in (select * from twice))
                 + (select count(*) from (
                       select distinct ({ORIGIN}) collate "C" from holding h join source r using (source)
                       where h.library in (select * from twice) and not h.covered
                           and (h.source, h.local_id, h.n) not in (select source, local_id, n from waits)) once)"""
    )
    return int(found)


async def visible(conn: Connection, sources: Collection[int]) -> AsyncIterator[Any]:
    """(cluster, source, local_id, library, call_number, item, location, status, note) of the sources' visible holdings.

    Needs a transaction.
    """
    async for r in conn.cursor(
        f"""select * from (
                select distinct on (cluster, origin) r.cluster, r.name source, h.local_id, h.n,
                    {", ".join("h." + f for f in FIELDS)}, {ORIGIN} origin
                from (select m.cluster, s.name, s.library, r.source, r.local_id
                      from record r join source s using (source) left join membership m using (sid)
                      where r.source = any($1::int[]) and ({VISIBLE} or {HOLDS} and {_SHOWN})) r
                join holding h on h.source = r.source and h.local_id = r.local_id and not h.covered
                order by cluster, origin, source, h.local_id, h.n) once
            order by source, local_id, n""",
        list(sources),
        prefetch=2000,
    ):
        yield r
