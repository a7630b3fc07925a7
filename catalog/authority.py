"""Authority records: written with their source records, searched apart from what they are about (store)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog import heading
from catalog.connection import Connection
from catalog.heading import Asked, Heading
from catalog.visibility import VISIBLE

MOST = 10_000  # that are put in order for one question
COLUMNS = (
    "source", "local_id", "library", "kind", "heading", "variants", "related", "identifiers", "ordered",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority record that was found."""

    source: str  # its name
    local_id: str
    library: str
    kind: int  # heading.Naming
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
    """(how many there are, at most about `MOST`; those asked for), the best matches first, then by heading.

    The order of matches: the heading itself; a variant, an identifier or the sound of a whole name; the beginning of a
    heading; words of the heading; of its variants; anything else.
    """
    rows = await conn.fetch(
        f"""with hit as (
                (select source, local_id from authority where words @@ $1::tsquery or words @@ $2::tsquery limit $7)
                union (select source, local_id from authority where words @@ $6::tsquery limit $7)),
            shown as (
                select a.*, s.name,
                    case when words @@ $1::tsquery then 0 when words @@ $2::tsquery then 1
                         when starts_with(a.ordered, $3) then 2 when words @@ $4::tsquery then 3
                         when words @@ $5::tsquery then 4 else 5 end rank
                from hit join authority a using (source, local_id) join record r using (source, local_id)
                join source s using (source)
                where {VISIBLE} and ($8::smallint is null or a.kind = $8))
            select (select count(*) from shown) total, name, local_id, library, kind, heading, variants, related,
                identifiers
            from shown order by rank, ordered collate "C", heading collate "C", name, local_id
            offset $9 limit $10""",
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
