"""Nonces of signed requests, kept until their signatures expire: a request that comes again is known (store)."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.connection import Connection

PRUNED = 1000  # expired ones that a request takes away at most


async def first(conn: Connection, peer: int, nonce: str, *, until: float, now: float) -> bool:
    """Whether the nonce is new. It is remembered from `now` to `until`, Unix seconds of the clock that the signatures
    are judged by; expired ones are removed by the way.
    """
    found = await conn.fetchval(
        """with expired as (
               delete from nonce n using (select peer, nonce from nonce where until < $4
                                          limit $5 for update skip locked) old
               where (n.peer, n.nonce) = (old.peer, old.nonce))
           insert into nonce (peer, nonce, until) values ($1, $2, $3) on conflict do nothing returning true""",
        peer,
        nonce,
        datetime.fromtimestamp(until, UTC),
        datetime.fromtimestamp(now, UTC),
        PRUNED,
    )
    return bool(found)
