"""Holdings records and the bibliographic records that their copies are shown with (store).

A holdings record names its parent by a *key*: `id:` and a local id, `item:` and an item number or `call:` and a call
number, of a bibliographic record of the same library; '' = it names none. Once the parent is there, table `attached`
says which it is, and the holdings record has the parent's signature: wherever holdings are looked up by cluster they
are found like those of any record. Its own text takes part in no merged record (`catalog.visibility`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from catalog.connection import Connection
from catalog.visibility import HOLDS

HOLDINGS = 2  # kind of record: dms.rules.model.Kind
NO_PARENT, AMBIGUOUS = WAITING = "holdings-no-parent", "holdings-parent-ambiguous"  # rules: each that waits has one
ID, ITEM, CALL = "id:", "item:", "call:"
PARENTS, JOIN = "parents", "join"  # in a source's mapping: the source of its parents, and by what they are named

Name = tuple[int, str]  # source, local id
_BLANKS = re.compile(r"\s+")


def item_key(item: str) -> str:
    """The key by which a record is named that has a copy with this item number."""
    return ITEM + item.strip()


def call_key(call_number: str) -> str:
    """The key by which a record is named that has a copy with this call number, whatever its blanks and case."""
    return CALL + _BLANKS.sub("", unicodedata.normalize("NFKC", call_number)).casefold()


class Attachment(NamedTuple):
    """A holdings record and a bibliographic record that its key names; several rows where several do."""

    source: int
    local_id: str
    key: str
    sid: int | None  # that it has so far
    of: Name | None  # that it is attached to so far
    parent: Name | None  # None = there is none
    parent_sid: int | None  # None = nothing of the parent may be shown


async def any_of_library(conn: Connection, library: str) -> bool:
    """Has the library holdings records at all? Most have none: then nothing else need be asked."""
    found: bool = await conn.fetchval(
        f"select exists (select from record where library = $1 and kind = {HOLDINGS})", library
    )
    return found


async def candidates(
    conn: Connection, library: str, keys: Collection[str], names: Collection[Name] = ()
) -> list[Attachment]:
    """Holdings records of the library that have one of these keys or names, with what their keys name.

    A source whose mapping names the source of its parents has them there and nowhere else. Otherwise a parent in the
    holdings record's own source goes before those in other sources of the library.
    """
    rows = await conn.fetch(
        f"""with child as (
                select r.source, r.local_id, r.parent, r.sid, s.mapping->>'{PARENTS}' base from record r
                join source s using (source)
                where r.library = $1 and r.kind = {HOLDINGS} and r.parent = any($2::text[])
                union
                select r.source, r.local_id, r.parent, r.sid, s.mapping->>'{PARENTS}' base
                from unnest($3::int[], $4::text[]) n (source, local_id) join record r using (source, local_id)
                join source s using (source) where r.kind = {HOLDINGS})
            select * from (
                select c.source, c.local_id, c.parent, c.sid, a.parent_source of_source, a.parent_id of_id,
                       p.source parent_source, p.local_id parent_id, case when p.holds then p.sid end parent_sid,
                       rank() over (partition by c.source, c.local_id
                                    order by p.source is distinct from c.source) place
                from child c
                left join attached a on a.source = c.source and a.local_id = c.local_id
                left join lateral (
                    select r.source, r.local_id, r.sid, {HOLDS} holds from source s
                    join record r on r.source = s.source and r.local_id = substr(c.parent, 4)
                    where c.parent like '{ID}%' and s.library = $1 and r.kind = 0
                        and (c.base is null or s.name = c.base)
                    union all
                    select r.source, r.local_id, r.sid, {HOLDS} holds from source s
                    join handle h on h.source = s.source and h.key = c.parent
                    join record r on r.source = h.source and r.local_id = h.local_id
                    where c.parent not like '{ID}%' and s.library = $1 and s.name = c.base and r.kind = 0
                    offset 0) p on true) found
            where place = 1 order by source, local_id, parent_source, parent_id""",
        library,
        list(keys),
        [source for source, _ in names],
        [local_id for _, local_id in names],
    )
    return [
        Attachment(
            r["source"],
            r["local_id"],
            r["parent"],
            r["sid"],
            _name(r["of_source"], r["of_id"]),
            _name(r["parent_source"], r["parent_id"]),
            r["parent_sid"],
        )
        for r in rows
    ]


def _name(source: int | None, local_id: str | None) -> Name | None:
    return None if source is None or local_id is None else (source, local_id)


async def put(conn: Connection, rows: Sequence[Attachment]) -> None:
    """Attach each to its parent, which has its signature from now on; those without one are attached to nothing."""
    sources, local_ids = [one.source for one in rows], [one.local_id for one in rows]
    await conn.execute(
        """delete from attached a using unnest($1::int[], $2::text[]) n (source, local_id)
           where a.source = n.source and a.local_id = n.local_id""",
        sources,
        local_ids,
    )
    await conn.copy_records_to_table(
        "attached",
        records=[(one.source, one.local_id, *one.parent) for one in rows if one.parent],
        columns=["source", "local_id", "parent_source", "parent_id"],
    )
    await conn.execute(
        """update record r set sid = n.sid from unnest($1::int[], $2::text[], $3::bigint[]) n (source, local_id, sid)
           where r.source = n.source and r.local_id = n.local_id and r.sid is distinct from n.sid""",
        sources,
        local_ids,
        [one.parent_sid for one in rows],
    )


async def gone(conn: Connection, source: int, local_ids: Collection[str]) -> set[Name]:
    """Holdings records that are deleted are attached to nothing; what they were attached to."""
    rows = await conn.fetch(
        """delete from attached where source = $1 and local_id = any($2::text[])
           returning parent_source, parent_id""",
        source,
        list(local_ids),
    )
    return {(row["parent_source"], row["parent_id"]) for row in rows}


async def lent(conn: Connection, source: int, library: str, parents: Collection[str]) -> set[str]:
    """Holdings records of a source that bear the number of their parent; of these parents (keys)."""
    rows = await conn.fetch(
        f"""select local_id from record where library = $1 and parent = any($2::text[]) and kind = {HOLDINGS}
                and source = $3 and local_id ~ '^h:.*#[0-9a-f]{{8}}$'""",
        library,
        list(parents),
        source,
    )
    return {row["local_id"] for row in rows}


async def resign(conn: Connection, parents: Collection[Name]) -> None:
    """Holdings records follow these parents to their present signatures."""
    await conn.execute(
        f"""update record h set sid = case when {HOLDS} then r.sid end
            from unnest($1::int[], $2::text[]) n (source, local_id)
            join record r using (source, local_id)
            join attached a on a.parent_source = r.source and a.parent_id = r.local_id
            where h.source = a.source and h.local_id = a.local_id""",
        [source for source, _ in parents],
        [local_id for _, local_id in parents],
    )


async def cover(conn: Connection, parents: Collection[Name]) -> None:
    """Mark which copies of these bibliographic records are told by their holdings records: those with the same item
    number, and copies without any particulars, which are only supposed. The record's own count no more then.
    """
    await conn.execute(
        """update holding b set covered = c.covered from (
               select b.source, b.local_id, b.n, exists (
                   select from attached a join holding h on h.source = a.source and h.local_id = a.local_id
                   where a.parent_source = b.source and a.parent_id = b.local_id
                       and (h.item = b.item and b.item <> ''
                            or (b.call_number, b.item, b.location, b.note) = ('', '', '', '')
                               and h.library = b.library)) covered
               from unnest($1::int[], $2::text[]) n (source, local_id)
               join holding b on b.source = n.source and b.local_id = n.local_id) c
           where b.source = c.source and b.local_id = c.local_id and b.n = c.n and b.covered <> c.covered""",
        [source for source, _ in parents],
        [local_id for _, local_id in parents],
    )


async def parent_of(conn: Connection, source: int, local_id: str) -> tuple[str, str] | None:
    """(source name, local id) of what a holdings record is attached to."""
    row = await conn.fetchrow(
        """select s.name, a.parent_id from attached a join source s on s.source = a.parent_source
           where a.source = $1 and a.local_id = $2""",
        source,
        local_id,
    )
    return (row["name"], row["parent_id"]) if row else None


async def of_parent(conn: Connection, source: int, local_id: str) -> list[tuple[str, str]]:
    """(source name, local id) of the holdings records attached to a bibliographic record."""
    rows = await conn.fetch(
        """select s.name, a.local_id from attached a join source s on s.source = a.source
           where a.parent_source = $1 and a.parent_id = $2 order by 1, 2""",
        source,
        local_id,
    )
    return [(row["name"], row["local_id"]) for row in rows]


async def waiting(conn: Connection, source: int, limit: int) -> tuple[int, list[Any]]:
    """How many holdings records of a source wait for a parent, and the first of them: (local_id, ordinal in the load
    that brought it, rule, detail).
    """
    total: int = await conn.fetchval(
        "select count(*) from finding where source = $1 and rule = any($2::text[])", source, list(WAITING)
    )
    rows: list[Any] = await conn.fetch(
        """select local_id, ordinal, rule, detail from finding where source = $1 and rule = any($2::text[])
           order by ordinal, local_id limit $3""",
        source,
        list(WAITING),
        limit,
    )
    return total, rows


async def wants_handles(conn: Connection, source: str) -> bool:
    """Is there a sheet of holdings that names records of this source by other things than their ids?"""
    found: bool = await conn.fetchval(
        f"""select exists (select from source where mapping->>'{PARENTS}' = $1 and mapping->>'{JOIN}' <> 'id'
                           and state <> 'removed')""",
        source,
    )
    return found


async def any_handle(conn: Connection, source: int) -> bool:
    """Are the keys of the source's records kept already?"""
    found: bool = await conn.fetchval("select exists (select from handle where source = $1)", source)
    return found


async def handle_all(conn: Connection, source: int) -> None:
    """Keep the keys of all records of a source. Needs a transaction."""
    rows: list[tuple[int, str, str]] = []
    async for row in conn.cursor(
        """select h.local_id, array_agg(distinct h.call_number) calls, array_agg(distinct h.item) items
           from holding h join record r using (source, local_id) where h.source = $1 and r.kind = 0
           group by h.local_id""",
        source,
        prefetch=5000,
    ):
        keys = {call_key(text) for text in row["calls"] if text} | {item_key(text) for text in row["items"] if text}
        rows += [(source, key, row["local_id"]) for key in keys]
    await conn.copy_records_to_table("handle", records=rows, columns=["source", "key", "local_id"])


async def handles_of(conn: Connection, source: int, local_ids: Collection[str]) -> set[str]:
    """Keys, other than their ids, by which these records may be named so far."""
    rows = await conn.fetch(
        "select distinct key from handle where source = $1 and local_id = any($2::text[])", source, list(local_ids)
    )
    return {row["key"] for row in rows}


async def handle(conn: Connection, source: int, keys: Mapping[str, Collection[str]]) -> None:
    """From now on these records are named by these keys, by local id, and by no others."""
    await conn.execute("delete from handle where source = $1 and local_id = any($2::text[])", source, list(keys))
    await conn.copy_records_to_table(
        "handle",
        records=[(source, key, local_id) for local_id, some in keys.items() for key in some],
        columns=["source", "key", "local_id"],
    )
