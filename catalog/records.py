"""Source records: the bytes as received, and what an earlier load had there (store)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.connection import Connection
from catalog.model import HELD_PREFIX
from catalog.visibility import VISIBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A source record as kept. `body` is zstd of the bytes as received, with dictionary number `dictionary`."""

    source: int
    local_id: str
    library: str
    sid: int | None
    load: int
    format: int
    carrier: int
    encoding: str
    visibility: int
    dictionary: int
    digest: bytes
    stamp: str
    title_hash: int
    body: bytes
    kind: int  # 0 bibliographic, 1 authority, 2 holdings
    parent: str  # of a holdings record: what names its parent (catalog.attached)
    score: int | None  # 0 to 100 by the rules of its library's profile; None = not judged yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a record that is there already."""

    digest: bytes
    title_hash: int
    sid: int | None
    visibility: int
    kind: int


FIELDS = tuple(Row.__dataclass_fields__)
Values = tuple[  # of FIELDS
    int, str, str, int | None, int, int, int, str, int, int, bytes, str, int, bytes, int, str, int | None
]  # fmt: skip
COLUMNS = ", ".join(FIELDS)
R_COLUMNS = ", ".join(f"r.{name}" for name in FIELDS)


async def any_of_source(conn: Connection, source: int) -> bool:
    """Has the source records at all?"""
    found: bool = await conn.fetchval("select exists (select from record where source = $1)", source)
    return found


async def standing(conn: Connection, source: int, local_ids: Collection[str]) -> dict[str, Standing]:
    """What is there already, by local id."""
    rows = await conn.fetch(
        """select r.local_id, r.digest, r.title_hash, r.sid, r.visibility, r.kind from unnest($2::text[]) i (local_id)
           join record r on r.source = $1 and r.local_id = i.local_id""",
        source,
        list(local_ids),
    )
    return {
        r["local_id"]: Standing(
            digest=r["digest"], title_hash=r["title_hash"], sid=r["sid"], visibility=r["visibility"], kind=r["kind"]
        )
        for r in rows
    }


async def remember(conn: Connection, by: int, source: int, local_ids: Collection[str]) -> None:
    """Keep the standing versions of these records as what load `by` replaced."""
    await conn.execute(
        f"""insert into record_before (by, {COLUMNS})
            select $1, {R_COLUMNS} from record r where r.source = $2 and r.local_id = any($3::text[])
            on conflict do nothing""",
        by,
        source,
        list(local_ids),
    )


async def put(conn: Connection, rows: Sequence[Values], *, fresh: bool) -> None:
    """Write records; `fresh` = none of them is there yet, so they are copied in."""
    if fresh:
        await conn.copy_records_to_table("record", records=rows, columns=list(FIELDS))
        return
    sets = ", ".join(f"{name} = excluded.{name}" for name in FIELDS[2:])
    await conn.execute(
        f"""insert into record ({COLUMNS})
            select * from unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[],
                $7::smallint[], $8::text[], $9::smallint[], $10::int[], $11::bytea[], $12::text[], $13::bigint[],
                $14::bytea[], $15::smallint[], $16::text[], $17::smallint[])
            on conflict (source, local_id) do update set {sets}""",
        *([list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in FIELDS]),
    )


async def delete(conn: Connection, source: int, local_ids: Collection[str]) -> None:
    """Remove records and their holdings; remember them first."""
    for table in ("holding", "record"):
        await conn.execute(
            f"delete from {table} where source = $1 and local_id = any($2::text[])", source, list(local_ids)
        )


async def unjudged(conn: Connection, source: int, local_ids: Collection[str]) -> set[str]:
    """Those of the records that no rules have looked at yet."""
    rows = await conn.fetch(
        "select local_id from record where source = $1 and local_id = any($2::text[]) and score is null",
        source,
        list(local_ids),
    )
    return {row["local_id"] for row in rows}


async def rescore(conn: Connection, source: int, told: Sequence[tuple[str, bytes, int | None]]) -> set[int]:
    """Give records (local id, digest, score) of a source another digest and score; signatures of those whose score is
    another one now."""
    rows = await conn.fetch(
        """with old as (
               select r.local_id, r.score from record r where r.source = $1 and r.local_id = any($2::text[]))
           update record r set digest = t.digest, score = t.score
           from unnest($2::text[], $3::bytea[], $4::smallint[]) t (local_id, digest, score) join old using (local_id)
           where r.source = $1 and r.local_id = t.local_id
           returning case when old.score is distinct from t.score then r.sid end sid""",
        source,
        *map(list, zip(*told, strict=True)),
    )
    return {row["sid"] for row in rows if row["sid"] is not None}


async def resign(conn: Connection, changes: Sequence[tuple[int, str, int]]) -> None:
    """Give records (source, local_id) another signature."""
    await conn.execute(
        """update record r set sid = c.sid from unnest($1::int[], $2::text[], $3::bigint[]) c (source, local_id, sid)
           where r.source = c.source and r.local_id = c.local_id""",
        [source for source, _, _ in changes],
        [local_id for _, local_id, _ in changes],
        [sid for _, _, sid in changes],
    )


async def local_ids(conn: Connection, source: int) -> AsyncIterator[list[str]]:
    """Every local id of a source, in pages."""
    last = ""
    while True:
        rows = await conn.fetch(
            "select local_id from record where source = $1 and local_id > $2 order by local_id limit 50000",
            source,
            last,
        )
        if not rows:
            return
        last = rows[-1]["local_id"]
        yield [row["local_id"] for row in rows]


async def get(conn: Connection, source: int, local_id: str) -> Row | None:
    """One record, visible or not."""
    row = await conn.fetchrow(f"select {COLUMNS} from record where source = $1 and local_id = $2", source, local_id)
    return Row(**dict(row)) if row else None


async def named(conn: Connection, source: int, told: str) -> Row | None:
    """One record by what a person calls it: its local id, which may be told of a holdings record without its prefix."""
    return await get(conn, source, told) or await get(conn, source, HELD_PREFIX + told)


async def of_library(conn: Connection, library: str, local_id: str) -> list[str]:
    """A library's records of this number in any of its sources, as source/local id; several at most."""
    rows = await conn.fetch(
        """select s.name || '/' || r.local_id name from record r join source s using (source)
           where r.library = $1 and s.library = $1 and r.local_id = $2 order by 1 limit 10""",
        library,
        local_id,
    )
    return [row["name"] for row in rows]


async def of_library_in(conn: Connection, library: str, cluster: int) -> list[str]:
    """A library's bibliographic records in a cluster, as source/local id; several at most."""
    rows = await conn.fetch(
        """select s.name || '/' || r.local_id name
           from membership m join record r using (sid) join source s using (source)
           where m.cluster = $2 and r.library = $1 and s.library = $1 and r.kind = 0 order by 1 limit 10""",
        library,
        cluster,
    )
    return [row["name"] for row in rows]


async def many(conn: Connection, source: int, local_ids: Collection[str]) -> list[Row]:
    """Records of a source by local id."""
    rows = await conn.fetch(
        f"select {COLUMNS} from record where source = $1 and local_id = any($2::text[])", source, list(local_ids)
    )
    return [Row(**dict(row)) for row in rows]


async def visible(conn: Connection, sources: Collection[int]) -> AsyncIterator[Any]:
    """Rows of every visible record of the sources, by source name and local id. Needs a transaction."""
    async for row in conn.cursor(
        f"""select s.name source_name, m.cluster, {R_COLUMNS} from record r join source s using (source)
            left join membership m using (sid)
            where r.source = any($1::int[]) and {VISIBLE} order by s.name, r.local_id""",
        list(sources),
        prefetch=2000,
    ):
        yield row


async def placed(conn: Connection, sources: Collection[int]) -> AsyncIterator[Any]:
    """(source, local_id, cluster) of every visible record that has a cluster. Needs a transaction."""
    async for row in conn.cursor(
        f"""select s.name source, r.local_id, m.cluster from record r join source s using (source)
            join membership m using (sid) where r.source = any($1::int[]) and {VISIBLE} order by s.name, r.local_id""",
        list(sources),
        prefetch=5000,
    ):
        yield row


async def sample(conn: Connection, source: int, count: int) -> list[str]:
    """Local ids of some records of a source, taken here and there, always the same ones of the same records."""
    rows = await conn.fetch(
        "select local_id from record where source = $1 order by md5(local_id), local_id limit $2", source, count
    )
    return [row["local_id"] for row in rows]


async def behind(conn: Connection, source: int, after: str, limit: int) -> list[Row]:
    """A source's records behind a local id, in its order."""
    rows = await conn.fetch(
        f"select {COLUMNS} from record where source = $1 and local_id > $2 order by local_id limit $3",
        source,
        after,
        limit,
    )
    return [Row(**dict(row)) for row in rows]


async def show(conn: Connection, source: int, visibilities: Mapping[str, int]) -> None:
    """Give records another visibility, by local id."""
    await conn.execute(
        """update record r set visibility = v.visibility
           from unnest($2::text[], $3::smallint[]) v (local_id, visibility)
           where r.source = $1 and r.local_id = v.local_id""",
        source,
        list(visibilities),
        list(visibilities.values()),
    )


async def last_replaced(conn: Connection, source: int, local_id: str) -> int | None:
    """The newest load that replaced or deleted a version of this record."""
    load: int | None = await conn.fetchval(
        "select max(by) from record_before where source = $1 and local_id = $2", source, local_id
    )
    return load


async def brought_by(conn: Connection, source: int, load: int) -> AsyncIterator[list[str]]:
    """Local ids of records that a load added (they replaced nothing) and that stand as it left them, in pages."""
    last = ""
    while True:
        rows = await conn.fetch(
            """select r.local_id from record r where r.source = $1 and r.load = $2 and r.local_id > $3
               and not exists (select from record_before b
                               where b.by = $2 and b.source = $1 and b.local_id = r.local_id)
               order by r.local_id limit 2000""",
            source,
            load,
            last,
        )
        if not rows:
            return
        last = rows[-1]["local_id"]
        yield [row["local_id"] for row in rows]


async def replaced_by(conn: Connection, source: int, load: int) -> AsyncIterator[list[Row]]:
    """Versions that a load replaced or deleted, in pages."""
    last = ""
    while True:
        rows = await conn.fetch(
            f"""select {COLUMNS} from record_before where by = $2 and source = $1 and local_id > $3
                order by local_id limit 1000""",
            source,
            load,
            last,
        )
        if not rows:
            return
        last = rows[-1]["local_id"]
        yield [Row(**dict(row)) for row in rows]
