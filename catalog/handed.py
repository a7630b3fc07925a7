"""Sources and records of a library that moves to another host (store)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from catalog import clusters, dictionaries
from catalog.connection import Connection
from catalog.model import Source
from catalog.payload import Habits
from catalog.records import COLUMNS, Row
from catalog.sources import COLUMNS as SOURCE
from catalog.sources import of_row
from config.errors import Conflict, Misconfigured
from protocols.charsets import private

PAGE = 2000  # records


async def sources(conn: Connection, library: str) -> list[Source]:
    """The library's sources that no peer feeds, by name."""
    rows = await conn.fetch(
        f"""select {SOURCE} from source where library = $1 and state <> 'removed'
            and source not in (select source from peer where source is not null) order by name""",
        library,
    )
    return [of_row(row) for row in rows]


async def habits(conn: Connection, library: str) -> tuple[Habits, ...]:
    """The same as they are told."""
    found = await sources(conn, library)
    tables = await dictionaries.of(conn, {one.characters for one in found})
    return tuple(
        Habits(
            one.name,
            one.format,
            one.encoding,
            one.identity,
            _json(one.mapping),
            _json(one.sharing),
            int(one.visibility),
            one.trust,
            one.template,
            tables.get(one.characters, b""),
        )
        for one in found
    )


def _json(tree: object) -> bytes:
    return json.dumps(tree, ensure_ascii=False, sort_keys=True).encode()


async def settle(conn: Connection, library: str, told: Sequence[Habits]) -> None:
    """Sources with these habits. Conflict if another library has a source of one of the names, or a peer feeds it.

    Records that are there already come under the sharing profile that is told.
    """
    for one in told:
        other: int | None = await conn.fetchval(
            "select source from source where name = $1 and sharing <> $2::text::jsonb", one.name, one.sharing.decode()
        )
        done = await conn.execute(
            """insert into source as s (name, library, format, encoding, identity, mapping, sharing, visibility, trust,
                                       template, characters)
               values ($1, $2, $3, $4, $5, $6::text::jsonb, $7::text::jsonb, $8, $9, $10, $11)
               on conflict (name) do update set format = excluded.format, encoding = excluded.encoding,
                   identity = excluded.identity, mapping = excluded.mapping, sharing = excluded.sharing,
                   sharing_after = case when s.sharing <> excluded.sharing then '' else s.sharing_after end,
                   visibility = excluded.visibility, trust = excluded.trust,
                   template = excluded.template, characters = excluded.characters, state = 'active'
               where s.library = excluded.library
                   and s.source not in (select p.source from peer p where p.source is not null)""",
            one.name,
            library,
            one.format,
            one.encoding,
            one.identity,
            one.mapping.decode(),
            one.sharing.decode(),
            one.visibility,
            one.trust,
            one.template,
            await _table(conn, one),
        )
        if done.endswith(" 0"):
            raise Conflict(f"a source named {one.name} is there already, and isn't {library}'s: remove it first")
        if other is not None:
            await clusters.soil_source(conn, other)


async def _table(conn: Connection, told: Habits) -> int:
    """The number of a source's table of characters here; 0 = it has none."""
    if not told.characters:
        return 0
    try:
        text = told.characters.removeprefix(private.MAGIC).decode("utf-8")
        return await dictionaries.add_characters(conn, private.body(text))
    except (Misconfigured, UnicodeDecodeError) as error:
        raise Conflict(f"the table of characters of source {told.name} can't be read: {error}") from error


async def clash(conn: Connection, library: str, names: Collection[str]) -> str | None:
    """One of these names of sources that can't be the library's here: another library's source has it, or a peer's."""
    found: str | None = await conn.fetchval(
        """select name from source where name = any($2::text[])
           and (library <> $1 or source in (select source from peer where source is not null)) order by name limit 1""",
        library,
        list(names),
    )
    return found


async def replaced(conn: Connection, load: int, after: str) -> list[Row]:
    """Records that a load took away, behind a local id."""
    rows = await conn.fetch(
        f"select {COLUMNS} from record_before where by = $1 and local_id > $2 order by local_id limit {PAGE}",
        load,
        after,
    )
    return [Row(**dict(row)) for row in rows]


async def brought_since(conn: Connection, source: int, local_ids: Collection[str], mark: int) -> set[str]:
    """Those of the records that a load after `mark` brought."""
    rows = await conn.fetch(
        "select local_id from record where source = $1 and local_id = any($2::text[]) and load > $3",
        source,
        list(local_ids),
        mark,
    )
    return {row["local_id"] for row in rows}


async def holdings(conn: Connection, source: Source, local_ids: Sequence[str]) -> list[Any]:
    """Holdings of these records as `catalog.outward.holdings` gives them, as if each were a cluster: 0, 1, …

    That goes for what stays at the library too: its item numbers, unless the source's profile shares them.
    """
    from_ids: list[Any] = await conn.fetch(
        """select k.n - 1 cluster, $3::text source, concat($4::text, '/', $3::text, '/', h.local_id, '#', h.n) origin,
               h.library, h.call_number, case when $5 then h.item else '' end item, h.location, h.status, h.note
           from unnest($2::text[]) with ordinality k (local_id, n)
           join holding h on h.source = $1 and h.local_id = k.local_id""",
        source.no,
        list(local_ids),
        source.name,
        source.library,
        source.sharing.get("items") is True,
    )
    return from_ids


async def pause(conn: Connection, library: str) -> None:
    """Its sources are kept, and nothing is loaded into them: their records are at another host."""
    await conn.execute(
        """update source set state = 'paused' where library = $1 and state = 'active'
           and source not in (select source from peer where source is not null)""",
        library,
    )


async def open_loads(conn: Connection, sources: Sequence[int]) -> list[tuple[int, str, str]]:
    """(load, state, source's name) of loads of these sources that aren't over; state 'left' = its landing died."""
    rows = await conn.fetch(
        """select l.load, s.name, case when l.state = 'landing' and not exists (
                   select from lease e where e.name = 'landing:' || l.source and e.until > clock_timestamp())
               then 'left' else l.state end state
           from load l join source s using (source)
           where l.source = any($1::int[]) and l.state in ('landing', 'preparing', 'held', 'placing') order by load""",
        list(sources),
    )
    return [(row["load"], row["state"], row["name"]) for row in rows]
