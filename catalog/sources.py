"""Where records come from: one system of one library, with its habits (store)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from catalog.connection import Connection
from catalog.model import Format, Source, SourceNo, Visibility
from config.errors import Conflict, NotFound

COLUMNS = (
    "source, name, library, format, encoding, identity, mapping, sharing, visibility, state, trust, template,"
    " characters"
)


def of_row(row: Any) -> Source:
    """A Source from a row of COLUMNS."""
    return Source(
        no=SourceNo(row["source"]),
        name=row["name"],
        library=row["library"],
        format=row["format"],
        encoding=row["encoding"],
        identity=row["identity"],
        mapping=_tree(row["mapping"]),
        sharing=_tree(row["sharing"]),
        visibility=Visibility(row["visibility"]),
        state=row["state"],
        trust=row["trust"],
        template=row["template"],
        characters=row["characters"],
    )


def _tree(told: Any) -> dict[str, object]:
    return json.loads(told) if isinstance(told, str) else dict(told)


async def every(conn: Connection) -> list[Source]:
    """All sources but the removed ones, by name."""
    rows = await conn.fetch(f"select {COLUMNS} from source where state <> 'removed' order by name")
    return [of_row(row) for row in rows]


async def get(conn: Connection, name: str) -> Source:
    """The source of this name, or NotFound."""
    row = await conn.fetchrow(f"select {COLUMNS} from source where name = $1 and state <> 'removed'", name)
    if row is None:
        raise NotFound(f"no source is named {name} (tianlu source list)")
    return of_row(row)


async def by_number(conn: Connection, no: int) -> Source:
    """The source with this row number."""
    row = await conn.fetchrow(f"select {COLUMNS} from source where source = $1", no)
    if row is None:
        raise NotFound(f"no source has the number {no}")
    return of_row(row)


async def add(
    conn: Connection,
    name: str,
    library: str,
    *,
    format: str = "auto",
    encoding: str = "auto",
    identity: str = "001",
    mapping: dict[str, object] | None = None,
    visibility: Visibility = Visibility.PUBLIC,
    trust: int = 0,
    template: str = "",
) -> Source:
    """Enter a source; a name in use is a Conflict. A removed source of that name comes back with the new habits."""
    row = await conn.fetchrow(
        f"""insert into source (name, library, format, encoding, identity, mapping, visibility, trust, template)
            values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9)
            on conflict (name) do update set library = excluded.library, format = excluded.format,
                encoding = excluded.encoding, identity = excluded.identity, mapping = excluded.mapping,
                visibility = excluded.visibility, trust = excluded.trust, template = excluded.template,
                state = 'active'
            where source.state = 'removed' returning {COLUMNS}""",
        name,
        library,
        format,
        encoding,
        identity,
        json.dumps(mapping or {}, ensure_ascii=False),
        int(visibility),
        trust,
        template,
    )
    if row is None:
        raise Conflict(f"a source named {name} is there already")
    return of_row(row)


async def change(conn: Connection, source: Source) -> None:
    """What is said of a source is this from now on. If others may see it than before, its records are looked at again
    from the first one on.
    """
    await conn.execute(
        """update source set format = $2, encoding = $3, identity = $4, mapping = $5::text::jsonb, visibility = $6,
               trust = $7, template = $8,
               sharing_after = case when visibility <> $6 then '' else sharing_after end
           where source = $1""",
        source.no,
        source.format,
        source.encoding,
        source.identity,
        json.dumps(source.mapping, ensure_ascii=False),
        int(source.visibility),
        source.trust,
        source.template,
    )


async def has_records(conn: Connection, no: int) -> bool:
    """Whether a record of the source stands or came back."""
    found: bool = await conn.fetchval(
        "select exists (select from record where source = $1) or exists (select from quarantine where source = $1)", no
    )
    return found


async def is_fed(conn: Connection, no: int) -> bool:
    """Whether the source's records are what another node tells."""
    found: bool = await conn.fetchval("select exists (select from peer where source = $1)", no)
    return found


async def set_characters(conn: Connection, no: int, table: int) -> None:
    """The number of the table of characters (`catalog.dictionaries`) by which it is read from now on; 0 = none."""
    await conn.execute("update source set characters = $2 where source = $1", no, table)


async def name_by(conn: Connection, no: int, identity: str) -> None:
    """The identity rule by which its records are named from now on."""
    await conn.execute("update source set identity = $2 where source = $1", no, identity)


async def lock(conn: Connection, no: int) -> None:
    """Until the caller's transaction ends nobody else begins a load of this source."""
    await conn.execute("select from source where source = $1 for no key update", no)


async def set_state(conn: Connection, name: str, state: str) -> None:
    """active, paused or removed."""
    done = await conn.execute("update source set state = $2 where name = $1 and state <> 'removed'", name, state)
    if done.endswith(" 0"):
        raise NotFound(f"no source is named {name} (tianlu source list)")


async def share(conn: Connection, no: int, sharing: Mapping[str, object]) -> None:
    """Give the source, and sheets of holdings beside it, another profile; their records are looked at again from the
    first one on.
    """
    await conn.execute(
        """update source set sharing = $2::text::jsonb, sharing_after = ''
           where source = $1 or mapping->>'parents' = (select name from source where source = $1)""",
        no,
        json.dumps(sharing, ensure_ascii=False),
    )


async def sharing_due(conn: Connection) -> tuple[Source, str] | None:
    """A source whose records don't all have its profile yet, and the local id up to which they do."""
    row = await conn.fetchrow(
        f"select {COLUMNS}, sharing_after from source where sharing_after is not null order by source limit 1"
    )
    return (of_row(row), row["sharing_after"]) if row else None


async def sharing_from(conn: Connection, no: int) -> str | None:
    """The local id up to which the source's records have its profile; None: all have."""
    found: str | None = await conn.fetchval("select sharing_after from source where source = $1", no)
    return found


async def shared_up_to(conn: Connection, source: Source, local_id: str | None) -> None:
    """Records up to this id have the profile that the source had when it was read (None: all have)."""
    await conn.execute(
        "update source set sharing_after = $3 where source = $1 and sharing = $2::text::jsonb",
        source.no,
        json.dumps(source.sharing, ensure_ascii=False),
        local_id,
    )


async def drops(conn: Connection) -> dict[str, tuple[str, ...]]:
    """What never leaves the node, by source name, of the sources that keep anything back."""
    rows = await conn.fetch(
        """select name, array(select jsonb_array_elements_text(sharing->'drop')) parts from source
           where jsonb_array_length(coalesce(sharing->'drop', '[]')) > 0"""
    )
    return {row["name"]: tuple(row["parts"]) for row in rows}


async def usual_format(conn: Connection, library: str) -> Format | None:
    """What most records of a library are in, by a sample of each of its sources; None if it has none."""
    found = await conn.fetchval(
        """select r.format from source s cross join lateral
               (select format from record where source = s.source limit 200) r
           where s.library = $1 and s.state <> 'removed' group by r.format order by count(*) desc, r.format limit 1""",
        library,
    )
    return None if found is None else Format(found)


async def counts(conn: Connection) -> dict[int, int]:
    """Records by source number."""
    rows = await conn.fetch("select source, count(*) n from record group by source")
    return {row["source"]: row["n"] for row in rows}
