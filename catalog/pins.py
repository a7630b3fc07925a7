"""Pins: a person's must-link and cannot-link between two source records (store).

They stand on (source, local id), never on signatures, so they outlive re-harvest and rebuild. The node itself pins
together records that tell of one holding: a library's record that came by two paths is one publication.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from catalog.connection import Connection
from catalog.holdings import ORIGIN

Named = tuple[int, str]  # source number, local id

# Signatures $1 with those of the records that pins name beside theirs, found from the signatures: a node that two paths
# reach may have a pin for every tenth record.
_PARTNERS = " union all ".join(
    f"""select x.sid a, y.sid b, p.verdict from unnest($1::bigint[]) i (sid)
        cross join lateral (select r.sid, r.source, r.local_id from record r where r.sid = i.sid offset 0) x
        cross join lateral (select p.verdict, p.source_{theirs} source, p.local_id_{theirs} local_id from pin p
                            where p.source_{mine} = x.source and p.local_id_{mine} = x.local_id offset 0) p
        cross join lateral (select r.sid from record r
                            where r.source = p.source and r.local_id = p.local_id and r.sid is not null offset 0) y"""
    for mine, theirs in ("ab", "ba")
)

# Pins that name the record `i.local_id` of source $1, and on which side.
_NAMING = " union all ".join(
    f"""(select p.pin, p.auto, p.verdict, '{side}' side from pin p
         where p.source_{side} = $1 and p.local_id_{side} = i.local_id offset 0)"""
    for side in "ab"
)


async def add_many(
    conn: Connection, pairs: Sequence[tuple[Named, Named, str]], *, who: str, why: str, decision: int
) -> None:
    """Pin pairs of records (record, record, `must` or `cannot`) as a decision asks."""
    await conn.execute(
        """insert into pin (source_a, local_id_a, source_b, local_id_b, verdict, who, why, decision)
           select *, $6, $7, $8 from unnest($1::int[], $2::text[], $3::int[], $4::text[], $5::text[])""",
        [a[0] for a, _, _ in pairs],
        [a[1] for a, _, _ in pairs],
        [b[0] for _, b, _ in pairs],
        [b[1] for _, b, _ in pairs],
        [verdict for _, _, verdict in pairs],
        who,
        why,
        decision,
    )


async def remove_decided(conn: Connection, decision: int) -> set[Named]:
    """Take out the pins of a decision; the records they held."""
    rows = await conn.fetch("delete from pin where decision = $1 returning *", decision)
    return {(row[f"source_{side}"], row[f"local_id_{side}"]) for row in rows for side in "ab"}


async def kept_apart(conn: Connection, source: int, local_ids: Collection[str]) -> set[str]:
    """Those of a source's records that some cannot-link names: they need a signature of their own."""
    rows = await conn.fetch(
        f"""select distinct i.local_id from unnest($2::text[]) i (local_id)
            cross join lateral ({_NAMING}) p where p.verdict = 'cannot'""",
        source,
        list(local_ids),
    )
    return {row["local_id"] for row in rows}


async def named(conn: Connection, source: int, local_ids: Collection[str]) -> set[str]:
    """Those of a source's records that any pin names."""
    rows = await conn.fetch(
        f"select distinct i.local_id from unnest($2::text[]) i (local_id) cross join lateral ({_NAMING}) p",
        source,
        list(local_ids),
    )
    return {row["local_id"] for row in rows}


async def follow_origins(conn: Connection, source: int, local_ids: Collection[str]) -> None:
    """Pin these records together with those of other sources that tell of the same holding, and with no others any
    more. Their holdings are written already.
    """
    await conn.execute(
        f"""delete from pin where pin = any(array(select p.pin from unnest($2::text[]) i (local_id)
                                                  cross join lateral ({_NAMING}) p where p.auto))""",
        source,
        list(local_ids),
    )
    await conn.execute(
        f"""insert into pin (source_a, local_id_a, source_b, local_id_b, verdict, who, why, auto)
           select distinct $1::int, i.local_id, o.source, o.local_id, 'must', '', 'one holding, two paths', true
           from unnest($2::text[]) i (local_id)
           cross join lateral (select {ORIGIN} origin, h.origin = '' own from holding h join source r using (source)
                               where h.source = $1 and h.local_id = i.local_id offset 0) h
           cross join lateral (
               select source, local_id from holding o
               where o.origin = h.origin and o.origin <> '' and o.source <> $1
               union all  -- mapped here, of a library that moves from here or to here
               select o.source, o.local_id from source s join holding o on o.source = s.source and o.origin = ''
                   and o.local_id = substring(h.origin from '^[^/]*/[^/]*/(.*)#[0-9]+$')
                   and o.n::text = substring(h.origin from '#([0-9]+)$')
               where not h.own and s.name = split_part(h.origin, '/', 2) and s.library = split_part(h.origin, '/', 1)
                   and s.source <> $1 offset 0) o""",
        source,
        list(local_ids),
    )


async def repoint(conn: Connection, source: int, heirs: Mapping[str, str]) -> set[str]:
    """People's pins on records that others took over are their heirs' from now on; the heirs that got any."""
    rows = await conn.fetch(
        f"""select p.pin, p.side, i.heir from unnest($2::text[], $3::text[]) i (local_id, heir)
            cross join lateral ({_NAMING}) p where not p.auto order by 1""",
        source,
        list(heirs),
        list(heirs.values()),
    )
    for side in "ab":
        mine = [row for row in rows if row["side"] == side]
        await conn.execute(
            f"""update pin set local_id_{side} = h.heir from unnest($1::bigint[], $2::text[]) h (pin, heir)
                where pin.pin = h.pin and pin.pin = any($1::bigint[])""",
            [row["pin"] for row in mine],
            [row["heir"] for row in mine],
        )
    await conn.execute(
        "delete from pin where pin = any($1::bigint[]) and (source_a, local_id_a) = (source_b, local_id_b)",
        [row["pin"] for row in rows],
    )
    return {row["heir"] for row in rows}


async def any_pin(conn: Connection) -> bool:
    """Most nodes have none: then nothing else need be asked."""
    found: bool = await conn.fetchval("select exists (select from pin)")
    return found


async def between_signatures(conn: Connection, sids: Collection[int], verdict: str) -> list[tuple[int, int]]:
    """Pairs of signatures (smaller first) that a pin holds together or apart and that touch one of `sids`."""
    rows = await conn.fetch(
        f"""select distinct least(a, b) a, greatest(a, b) b from ({_PARTNERS}) p where a <> b and verdict = $2""",
        list(sids),
        verdict,
    )
    return [(row["a"], row["b"]) for row in rows]


async def signatures_pinned(conn: Connection, sids: Collection[int]) -> set[int]:
    """Those of the signatures that a pinned record has, and their partners."""
    rows = await conn.fetch(
        f"select a, b from ({_PARTNERS}) p",
        list(sids),
    )
    return {sid for row in rows for sid in (row["a"], row["b"]) if sid is not None}
