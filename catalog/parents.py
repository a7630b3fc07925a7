"""The nodes above this one, as readers' questions need them (store)."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A node whose catalogue contains ours."""

    symbol: str
    name: str
    uplink: bool  # else a membership
    address: str  # http[s]://host[:port]/


async def active(conn: Connection) -> list[Parent]:
    """Parents that may be asked: the uplink first, then memberships by symbol."""
    rows = await conn.fetch(
        """select symbol, name, path = 'uplink' uplink, address from peer
           where role = 'parent' and state = 'active' and address <> '' order by path <> 'uplink', symbol"""
    )
    return [Parent(**dict(row)) for row in rows]
