"""Invitations that this node has given out: each lets one library join once (store)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from catalog.connection import Connection

COLUMNS = "symbol, path, made_at, expires_at, used_at, expires_at <= clock_timestamp() as expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What was offered to a library."""

    symbol: str
    path: Literal["uplink", "membership"]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    expired: bool


async def add(conn: Connection, digest: bytes, symbol: str, path: str, days: float) -> Invitation:
    """Keep what a code's secret can be recognised by, never the secret."""
    row = await conn.fetchrow(
        "insert into invitation (digest, symbol, path, expires_at)"
        f" values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4)) returning {COLUMNS}",
        digest,
        symbol,
        path,
        days * 86400,
    )
    return Invitation(**dict(row))


async def take(conn: Connection, digest: bytes) -> Invitation | None:
    """The invitation, locked until the caller's transaction ends: two with one code come one after the other."""
    row = await conn.fetchrow(f"select {COLUMNS} from invitation where digest = $1 for update", digest)
    return Invitation(**dict(row)) if row else None


async def use(conn: Connection, digest: bytes) -> None:
    """It has let its library in and is of no more use."""
    await conn.execute("update invitation set used_at = clock_timestamp() where digest = $1", digest)


async def withdraw(conn: Connection, symbol: str) -> bool:
    """No code that this library was given can be used any more; whether there was one."""
    done: str = await conn.execute("delete from invitation where symbol = $1 and used_at is null", symbol)
    return not done.endswith(" 0")


async def waiting(conn: Connection) -> list[Invitation]:
    """Those that can still be used, by symbol."""
    rows = await conn.fetch(
        f"select {COLUMNS} from invitation where used_at is null and expires_at > clock_timestamp()"
        " order by symbol, expires_at"
    )
    return [Invitation(**dict(row)) for row in rows]
