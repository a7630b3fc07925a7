"""Corrections: patches offered to the owner of a record (store)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.connection import Connection
from catalog.payload import Correction

COLUMNS = ("target", "tag", "expected", "old", "new", "why", "who")


async def offered(conn: Connection, peer: int, corrections: Mapping[str, Correction]) -> None:
    """Keep what a parent offers, by id, until it is decided on; one that is here already stays as it is."""
    offers = list(corrections.values())
    await conn.execute(
        """insert into correction (id, peer, outward, target, tag, expected, old, new, why, who)
           select c.id, $1, false, c.target, c.tag, c.expected, c.old, c.new, c.why, c.who
           from unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[])
                c (id, target, tag, expected, old, new, why, who)
           on conflict do nothing""",
        peer,
        list(corrections),
        *([getattr(offer, name) for offer in offers] for name in COLUMNS),
    )


async def withdrawn(conn: Connection, peer: int, idents: Sequence[str]) -> None:
    """The parent no longer offers these: they are stale unless decided on."""
    await conn.execute(
        """update correction set state = 'stale', decided_at = now()
           where id = any($2::text[]) and peer = $1 and not outward and state = 'open'""",
        peer,
        list(idents),
    )


async def answered(conn: Connection, peer: int, states: Mapping[str, str]) -> None:
    """What a child made of the corrections that we offered it, by id."""
    await conn.execute(
        """update correction c set state = a.state, decided_at = now() from unnest($2::text[], $3::text[]) a (id, state)
           where c.id = a.id and c.peer = $1 and c.outward and c.state = 'open'
             and a.state in ('accepted', 'refused', 'stale')""",
        peer,
        list(states),
        list(states.values()),
    )
