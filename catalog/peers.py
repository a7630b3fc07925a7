"""Other nodes: who they are to us, by which key we know them, and whether we deal with them (store)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NewType

from catalog.connection import Connection
from config.errors import NotFound

PeerNo = NewType("PeerNo", int)
Role = Literal["parent", "child"]
Path = Literal["uplink", "membership"]
State = Literal["active", "suspended", "revoked"]

OVERLAP = 7 * 86400  # seconds that a former key is still trusted
COLUMNS = (
    "peer, symbol, name, role, path, state, suite, key,"
    " case when former_until > clock_timestamp() then former end as former,"
    " address, policy, proto, skew, source, seen_at, trouble"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another node as we know it."""

    no: PeerNo
    symbol: str
    name: str
    role: Role  # what it is to us
    path: Path
    state: State
    suite: str
    key: bytes  # public
    former: bytes | None  # public key before a change, while it is still trusted
    address: str  # of a parent
    policy: Mapping[str, Any]  # what we publish to it
    proto: int
    skew: float  # seconds that its clock is ahead of ours
    source: int | None  # of a child: the source that its records are of
    seen_at: datetime | None
    trouble: str


def _of_row(row: Any) -> Peer:
    values = dict(row)
    return Peer(no=values.pop("peer"), **values)


async def every(conn: Connection, role: Role | None = None) -> list[Peer]:
    """All peers, or those of a role, by symbol."""
    rows = await conn.fetch(
        f"select {COLUMNS} from peer where $1::text is null or role = $1 order by symbol",
        role,
    )
    return [_of_row(row) for row in rows]


async def any_child(conn: Connection) -> bool:
    """Has any other node told us of records, or can it?"""
    found: bool = await conn.fetchval("select exists (select from peer where role = 'child')")
    return found


async def find(conn: Connection, symbol: str) -> Peer | None:
    """The peer with this symbol."""
    row = await conn.fetchrow(f"select {COLUMNS} from peer where symbol = $1", symbol)
    return _of_row(row) if row else None


async def get(conn: Connection, symbol: str) -> Peer:
    """The peer with this symbol, or NotFound."""
    found = await find(conn, symbol)
    if found is None:
        raise NotFound(f"no peer has the symbol {symbol} (tianlu peer list)")
    return found


async def enter(
    conn: Connection,
    symbol: str,
    *,
    name: str,
    role: Role,
    path: Path,
    suite: str,
    key: bytes,
    proto: int,
    address: str = "",
    source: int | None = None,
) -> Peer:
    """Enter a peer, or admit one anew that was revoked or has changed its path. Its former key is trusted no longer."""
    row = await conn.fetchrow(
        f"""insert into peer (symbol, name, role, path, suite, key, proto, address, source)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (symbol) do update set name = excluded.name, role = excluded.role, path = excluded.path,
                suite = excluded.suite, key = excluded.key, proto = excluded.proto, address = excluded.address,
                source = coalesce(excluded.source, peer.source), state = 'active', former = null, former_until = null,
                trouble = ''
            returning {COLUMNS}""",
        symbol,
        name,
        role,
        path,
        suite,
        key,
        proto,
        address,
        source,
    )
    return _of_row(row)


async def set_state(conn: Connection, symbol: str, state: State) -> None:
    """active, suspended or revoked; it holds from the peer's next request on."""
    done = await conn.execute("update peer set state = $2 where symbol = $1", symbol, state)
    if done.endswith(" 0"):
        raise NotFound(f"no peer has the symbol {symbol} (tianlu peer list)")


async def set_policy(conn: Connection, symbol: str, policy: Mapping[str, object]) -> None:
    """What is published to it (`exchange.outward.policy`, which the caller has read it by)."""
    await conn.execute("update peer set policy = $2 where symbol = $1", symbol, policy)


async def set_key(conn: Connection, peer: Peer, suite: str, key: bytes) -> bool:
    """The peer has changed its key; the one before is trusted for another week. False if somebody was quicker."""
    done: str = await conn.execute(
        "update peer set former = key, former_until = clock_timestamp() + make_interval(secs => $4),"
        " suite = $2, key = $3 where peer = $1 and key = $5",
        peer.no,
        suite,
        key,
        OVERLAP,
        peer.key,
    )
    return done.endswith(" 1")


async def seen(conn: Connection, peer: PeerNo, *, proto: int, skew: float) -> None:
    """We have just talked: the protocol's version that was agreed on, and how far its clock is ahead."""
    await conn.execute(
        "update peer set seen_at = clock_timestamp(), proto = $2, skew = $3 where peer = $1",
        peer,
        proto,
        skew,
    )


async def failed(conn: Connection, peer: PeerNo, trouble: str) -> None:
    """An exchange with it failed, and why; empty = none does any more."""
    await conn.execute("update peer set trouble = $2 where peer = $1", peer, trouble)


async def trusted(conn: Connection) -> dict[int, tuple[State, bytes]]:
    """(state, key) of every peer by its number: what running requests are checked against."""
    rows = await conn.fetch("select peer, state, key from peer")
    return {row["peer"]: (row["state"], row["key"]) for row in rows}


async def heard(conn: Connection, peer: PeerNo) -> dict[str, tuple[int, int, bytes]]:
    """(epoch, place, link) by channel: how far we have applied what it tells us."""
    rows = await conn.fetch("select channel, epoch, seq, link from incoming where peer = $1", peer)
    return {row["channel"]: (row["epoch"], row["seq"], row["link"]) for row in rows}
