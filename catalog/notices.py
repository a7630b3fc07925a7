"""The feed `notices`: the latest state of libraries, corrections and receipts, in commit order like `changes` (store).

A notice is for one peer, or for everyone (peer 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog import feeds
from catalog.connection import Connection

FEED = "notices"
EVERYONE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One state. `seq` is its place in the feed, 0 before it has one."""

    kind: int  # catalog.payload.Kind
    id: str
    payload: bytes  # empty = gone
    peer: int = EVERYONE
    seq: int = 0


async def publish(conn: Connection, news: Sequence[Notice]) -> None:
    """Write states with the next places in the feed. Call it last in the transaction."""
    if not news:
        return
    last = await feeds.take(conn, FEED, len(news))
    await conn.execute(
        """insert into notice (kind, id, peer, seq, payload)
           select * from unnest($1::smallint[], $2::text[], $3::int[], $4::bigint[], $5::bytea[])
           on conflict (kind, id, peer) do update set seq = excluded.seq, payload = excluded.payload, at = now()""",
        [n.kind for n in news],
        [n.id for n in news],
        [n.peer for n in news],
        list(range(last - len(news) + 1, last + 1)),
        [n.payload for n in news],
    )


async def after(conn: Connection, peer: int, seq: int, limit: int) -> list[Notice]:
    """The next states behind a place that are for this peer."""
    rows = await conn.fetch(
        """select kind, id, peer, seq, payload from notice
           where seq > $2 and peer in (0, $1) order by seq limit $3""",
        peer,
        seq,
        limit,
    )
    return [Notice(**dict(row)) for row in rows]


async def of(conn: Connection, peer: int, keys: Sequence[tuple[int, str]]) -> list[Notice]:
    """The states of these (kind, id) that are for this peer."""
    rows = await conn.fetch(
        """select n.kind, n.id, n.peer, n.seq, n.payload from unnest($2::smallint[], $3::text[]) k (kind, id)
           join notice n using (kind, id) where n.peer in (0, $1) order by n.seq""",
        peer,
        [kind for kind, _ in keys],
        [ident for _, ident in keys],
    )
    return [Notice(**dict(row)) for row in rows]


async def payloads(conn: Connection, kind: int) -> dict[str, bytes]:
    """What everyone is told of a kind, by id."""
    rows = await conn.fetch("select id, payload from notice where kind = $1 and peer = 0", kind)
    return {row["id"]: row["payload"] for row in rows}
