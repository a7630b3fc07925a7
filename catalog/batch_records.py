"""Which records a batch change is about (store)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from catalog import records
from catalog.connection import Connection
from catalog.records import Row
from catalog.visibility import VISIBLE


async def choose(conn: Connection, batch: int, named: Collection[tuple[int, str]]) -> None:
    """Records (source, local id) that the batch is about."""
    await conn.execute(
        """insert into batch_record (batch, source, local_id) select $1, * from unnest($2::int[], $3::text[])
           on conflict do nothing""",
        batch,
        [source for source, _ in named],
        [local_id for _, local_id in named],
    )


async def choose_source(conn: Connection, batch: int, source: int) -> None:
    """All bibliographic records of a source."""
    await conn.execute(
        """insert into batch_record (batch, source, local_id)
           select $1, source, local_id from record where source = $2 and kind = 0""",
        batch,
        source,
    )


async def leave_out(conn: Connection, batch: int, source: int, local_ids: Collection[str]) -> None:
    """These were not meant after all: the rule finds nothing in them."""
    await conn.execute(
        "delete from batch_record where batch = $1 and source = $2 and local_id = any($3::text[])",
        batch,
        source,
        list(local_ids),
    )


async def of_clusters(conn: Connection, clusters: Collection[int], within: Collection[str] | None) -> list[Any]:
    """Bibliographic records (source, local_id) of clusters: those of some libraries (None = all), and others' that
    everybody sees.
    """
    rows: list[Any] = await conn.fetch(
        f"""select r.source, r.local_id from membership m join record r using (sid)
            where m.cluster = any($1::bigint[]) and r.kind = 0
              and ($2::text[] is null or r.library = any($2) or {VISIBLE})
            order by r.source, r.local_id""",
        list(clusters),
        None if within is None else sorted(within),
    )
    return rows


async def of_source(conn: Connection, source: int, after: str, limit: int) -> list[str]:
    """Local ids of a source's bibliographic records behind one."""
    rows = await conn.fetch(
        "select local_id from record where source = $1 and kind = 0 and local_id > $2 order by local_id limit $3",
        source,
        after,
        limit,
    )
    return [row["local_id"] for row in rows]


async def rows(conn: Connection, source: int, local_ids: Collection[str]) -> dict[str, Row]:
    """The records as they stand, by local id."""
    return {row.local_id: row for row in await records.many(conn, source, local_ids)}
