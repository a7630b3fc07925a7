"""Pins: a person's must-link and cannot-link between two source records (store).

They stand on (source, local id), never on signatures, so they outlive re-harvest and rebuild.
"""

from __future__ import annotations

from collections.abc import Collection

from catalog.connection import Connection


async def add(conn: Connection, a: tuple[int, str], b: tuple[int, str], verdict: str, *, who: str, why: str) -> int:
    """Pin two records (source, local id): `must` or `cannot`; the pin's number."""
    number: int = await conn.fetchval(
        """insert into pin (source_a, local_id_a, source_b, local_id_b, verdict, who, why)
           values ($1, $2, $3, $4, $5, $6, $7) returning pin""",
        *a,
        *b,
        verdict,
        who,
        why,
    )
    return number


async def remove(conn: Connection, pin: int) -> tuple[tuple[int, str], tuple[int, str]] | None:
    """Take a pin out; the two records it held."""
    row = await conn.fetchrow("delete from pin where pin = $1 returning *", pin)
    return ((row["source_a"], row["local_id_a"]), (row["source_b"], row["local_id_b"])) if row else None


async def kept_apart(conn: Connection, source: int, local_ids: Collection[str]) -> set[str]:
    """Those of a source's records that some cannot-link names: they need a signature of their own."""
    rows = await conn.fetch(
        """select local_id_a local_id from pin
           where source_a = $1 and local_id_a = any($2::text[]) and verdict = 'cannot'
           union select local_id_b from pin
           where source_b = $1 and local_id_b = any($2::text[]) and verdict = 'cannot'""",
        source,
        list(local_ids),
    )
    return {row["local_id"] for row in rows}


async def named(conn: Connection, source: int, local_ids: Collection[str]) -> set[str]:
    """Those of a source's records that any pin names."""
    rows = await conn.fetch(
        """select local_id_a local_id from pin where source_a = $1 and local_id_a = any($2::text[])
           union select local_id_b from pin where source_b = $1 and local_id_b = any($2::text[])""",
        source,
        list(local_ids),
    )
    return {row["local_id"] for row in rows}


async def any_pin(conn: Connection) -> bool:
    """Most nodes have none: then nothing else need be asked."""
    found: bool = await conn.fetchval("select exists (select from pin)")
    return found


async def between_signatures(conn: Connection, sids: Collection[int], verdict: str) -> list[tuple[int, int]]:
    """Pairs of signatures (smaller first) that a pin holds together or apart and that touch one of `sids`."""
    rows = await conn.fetch(
        """select least(x.sid, y.sid) a, greatest(x.sid, y.sid) b from pin p
           join record x on x.source = p.source_a and x.local_id = p.local_id_a
           join record y on y.source = p.source_b and y.local_id = p.local_id_b
           where p.verdict = $2 and x.sid <> y.sid and (x.sid = any($1::bigint[]) or y.sid = any($1::bigint[]))""",
        list(sids),
        verdict,
    )
    return [(row["a"], row["b"]) for row in rows]


async def signatures_pinned(conn: Connection, sids: Collection[int]) -> set[int]:
    """Those of the signatures that a pinned record has, and their partners."""
    rows = await conn.fetch(
        """select x.sid a, y.sid b from pin p
           join record x on x.source = p.source_a and x.local_id = p.local_id_a
           join record y on y.source = p.source_b and y.local_id = p.local_id_b
           where x.sid = any($1::bigint[]) or y.sid = any($1::bigint[])""",
        list(sids),
    )
    return {sid for row in rows for sid in (row["a"], row["b"]) if sid is not None}
