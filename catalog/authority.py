"""Authority records: written with their source records, searched apart from what they are about (store)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog import heading
from catalog.connection import Connection
from catalog.heading import Asked
from catalog.naming import Heading
from catalog.visibility import VISIBLE

MOST = 3_000  # of each kind of match that are put in order for one question: some 20 microseconds each


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority record that was found."""

    source: str  # its name
    local_id: str
    library: str
    kind: int  # naming.Naming
    heading: str
    variants: tuple[str, ...]
    related: tuple[str, ...]
    identifiers: tuple[str, ...]


async def replace(
    conn: Connection,
    source: int,
    library: str,
    replaced: Collection[str],
    told: Sequence[tuple[str, Heading, str]],
) -> None:
    """Put `told` (local id, heading, `heading.lexemes`) in the place of what the records `replaced` said. The records
    themselves must be there.
    """
    if replaced:
        await conn.execute(
            "delete from authority where source = $1 and local_id = any($2::text[])", source, list(replaced)
        )
    if not told:
        return
    # Lists travel as text with separators because unnest flattens arrays of arrays.
    lists = ", ".join(
        f"coalesce(string_to_array(nullif(t.{name}, ''), chr(31)), '{{}}')"
        for name in ("variants", "related", "numbers")
    )
    await conn.execute(
        f"""insert into authority (source, library, local_id, kind, heading, variants, related, identifiers, ordered,
                                   words)
            select $1, $2, t.local_id, t.kind, t.heading, {lists}, t.ordered, t.words::tsvector
            from unnest($3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                        $10::text[]) t (local_id, kind, heading, variants, related, numbers, ordered, words)""",
        source,
        library,
        [local_id for local_id, _, _ in told],
        [one.kind for _, one, _ in told],
        [one.heading for _, one, _ in told],
        *(["\x1f".join(getattr(one, name)) for _, one, _ in told] for name in ("variants", "related", "identifiers")),
        [heading.ordered(one.heading) for _, one, _ in told],
        [words for _, _, words in told],
    )


async def find(
    conn: Connection, asked: Asked, *, kind: int | None = None, offset: int = 0, limit: int = 20
) -> tuple[int, list[Authority]]:
    """(how many there are; those asked for), the best matches first, then by heading. Of a question that fits more than
    `MOST`, those that are the name or begin with it are among the ones that count.

    The order of matches: the heading itself; a variant, an identifier or the sound of a whole name; the beginning of a
    heading; words of the heading; of its variants; anything else.
    """
    # Found and ranked by their keys alone; what is shown is fetched for one page.
    rows = await conn.fetch(
        f"""with hit as (
                (select source, local_id from authority where words @@ $1::tsquery or words @@ $2::tsquery limit $7)
                union (select source, local_id from authority
                       where ordered collate "C" >= $3 and ordered collate "C" < $3 || chr(1114111)
                       order by ordered collate "C" limit $7)
                union (select source, local_id from authority where words @@ $6::tsquery limit $7)),
            ranked as materialized (
                select source, local_id, a.ordered collate "C" ordered,
                    case when words @@ $1::tsquery then 0 when words @@ $2::tsquery then 1
                         when starts_with(a.ordered, $3) then 2 when words @@ $4::tsquery then 3
                         when words @@ $5::tsquery then 4 else 5 end rank
                from hit join authority a using (source, local_id) join record r using (source, local_id)
                where {VISIBLE} and ($8::smallint is null or a.kind = $8)),
            page as (select * from ranked order by rank, ordered, source, local_id offset $9 limit $10)
            select (select count(*) from ranked) total, s.name, local_id, a.library, a.kind, a.heading, a.variants,
                a.related, a.identifiers
            from page p join authority a using (source, local_id) join source s using (source)
            order by p.rank, p.ordered, source, local_id""",
        asked.exact,
        asked.known,
        asked.begins,
        asked.named,
        asked.varied,
        asked.anywhere,
        MOST,
        kind,
        offset,
        limit,
    )
    found = [
        Authority(
            source=row["name"],
            local_id=row["local_id"],
            library=row["library"],
            kind=row["kind"],
            heading=row["heading"],
            variants=tuple(row["variants"]),
            related=tuple(row["related"]),
            identifiers=tuple(row["identifiers"]),
        )
        for row in rows
    ]
    return (rows[0]["total"] if rows else 0), found


async def count(conn: Connection) -> int:
    """How many may be shown."""
    found: int = await conn.fetchval(
        f"select count(*) from authority a join record r using (source, local_id) where {VISIBLE}"
    )
    return found
