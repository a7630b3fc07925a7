"""Leases: at most one holder of a name at a time, and a term that a late writer can't pass (store).

Only the database's clock counts. The term rises with every new holder; whatever a holder writes is fenced by it in the
same transaction, so a holder that slept through the end of its lease changes nothing.
"""

from __future__ import annotations

from catalog.connection import Connection
from config.errors import Conflict


async def acquire(conn: Connection, name: str, holder: str, seconds: float) -> int | None:
    """Take the lease if it is free or has run out: its term, or None if somebody else holds it. `holder` is one life of
    one process; the same holder may take it again and gets a new term.
    """
    term: int | None = await conn.fetchval(
        "insert into lease (name, holder, term, until)"
        " values ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))"
        " on conflict (name) do update set holder = excluded.holder, term = lease.term + 1,"
        " until = clock_timestamp() + make_interval(secs => $3)"
        " where lease.until <= clock_timestamp() or lease.holder = excluded.holder returning term",
        name,
        holder,
        seconds,
    )
    return term


async def renew(conn: Connection, name: str, holder: str, term: int, seconds: float) -> bool:
    """Keep the lease for `seconds` from now; False if it is another's by now, and the holder must stop."""
    kept = await conn.fetchval(
        "update lease set until = clock_timestamp() + make_interval(secs => $4)"
        " where name = $1 and holder = $2 and term = $3 returning true",
        name,
        holder,
        term,
        seconds,
    )
    return bool(kept)


async def holder(conn: Connection, name: str) -> str | None:
    """Who has the lease, whether or not it has run out."""
    found: str | None = await conn.fetchval("select holder from lease where name = $1", name)
    return found


async def bury(conn: Connection, name: str, holder: str) -> None:
    """The holder is known to be dead: its lease ends now."""
    await conn.execute(
        "update lease set until = clock_timestamp() where name = $1 and holder = $2 and until > clock_timestamp()",
        name,
        holder,
    )


async def release(conn: Connection, name: str, holder: str, term: int) -> None:
    """Give the lease back, if it is still this one. The row stays: terms never start again."""
    await conn.execute(
        "update lease set until = clock_timestamp() where name = $1 and holder = $2 and term = $3", name, holder, term
    )


async def fence(conn: Connection, name: str, term: int) -> None:
    """Conflict if the term is no longer the current one. Until the caller's transaction ends nobody can take the lease,
    nor its holder renew it or fence another transaction by it: they write one after the other.
    """
    current = await conn.fetchval("select term from lease where name = $1 for update", name)
    if current != term:
        raise Conflict(f"the lease {name} has gone to another holder (term {current}, ours was {term}); start again")
