"""Amendments: accepted corrections, applied to a cluster's merged record each time it is made (store)."""

from __future__ import annotations

from collections.abc import Collection

from catalog.connection import Connection

Amendment = tuple[str, str, str]  # tag, old and new text of a field


async def add(conn: Connection, cluster: int, amendment: Amendment, correction: str) -> None:
    """The next amendment of a cluster; mark the cluster to be merged again."""
    await conn.execute(
        "insert into amendment (cluster, tag, old, new, correction) values ($1, $2, $3, $4, $5)",
        cluster,
        *amendment,
        correction,
    )


async def of(conn: Connection, clusters: Collection[int]) -> dict[int, tuple[Amendment, ...]]:
    """Amendments by cluster, in the order in which they were accepted. Those of clusters that one of these took over
    are its own.
    """
    rows = await conn.fetch(
        """select c.cluster, a.tag, a.old, a.new from unnest($1::bigint[]) c (cluster)
           cross join lateral (select c.cluster source union all select r.old from redirect r where r.new = c.cluster) s
           cross join lateral (select * from amendment a where a.cluster = s.source offset 0) a order by a.n""",
        list(clusters),
    )
    found: dict[int, tuple[Amendment, ...]] = {}
    for row in rows:
        found[row["cluster"]] = (*found.get(row["cluster"], ()), (row["tag"], row["old"], row["new"]))
    return found


async def any_amendment(conn: Connection) -> bool:
    """Most nodes have none: then nothing else need be asked."""
    found: bool = await conn.fetchval("select exists (select from amendment)")
    return found
