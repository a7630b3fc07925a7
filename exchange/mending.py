"""The child's part of a reconcile: it asks, whichever end of the stream it is (shell)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from catalog.database.pool import Database
from exchange import reconciling, recounting
from exchange.ends import Me, Peer
from exchange.lanes import Lane, Way
from exchange.reconciling import Compared, Heard, Leaves, Look, Mend, Mended, Open, Stand, Standing

Ask = Callable[[Lane, reconciling.Up | reconciling.Down, type[Any]], Awaitable[Any]]  # says it to the parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a reconcile found and did."""

    equal: bool  # proved before anything was mended
    buckets: int  # that differed
    keys: int  # told anew
    told: int  # keys that stand at the producer
    heard: int  # keys that stand at the consumer
    waiting: int  # segments on their way


async def look(database: Database, peer: Peer, lane: Lane, ask: Ask, *, deep: bool = False) -> Report:
    """Compare both ledgers and change nothing but lines that say what isn't kept (`deep`)."""
    theirs, compared = await _compared(database, peer, lane, ask, deep=deep)
    return _report(theirs, compared, 0)


async def _compared(database: Database, peer: Peer, lane: Lane, ask: Ask, *, deep: bool) -> tuple[Standing, Compared]:
    if lane.way is Way.UP:
        theirs: Standing = await ask(lane, Stand(deep), Standing)
        return theirs, await reconciling.compare(database, peer, lane.channel, theirs)
    mine = await _stand(database, peer, lane, deep=deep)
    return mine, await ask(lane, Look(mine), Compared)


async def mend(
    database: Database, me: Me, peer: Peer, lane: Lane, ask: Ask, reason: str, *, deep: bool = False
) -> Report:
    """Reconcile a stream: afterwards repair segments wait for the consumer, if anything differed."""
    channel = lane.channel
    keys = 0
    if lane.way is Way.UP:
        stands: Standing = await ask(lane, Stand(deep), Standing)
        compared = await reconciling.begin(database, me, peer, channel, stands, reason)
        link = compared.link
        for buckets, final in reconciling.stretches(compared, stands):
            heard: Heard = await ask(lane, Leaves(buckets), Heard)
            mended = await reconciling.mend(database, me, peer, channel, buckets, heard.leaves, link, final=final)
            keys, link = keys + mended.keys, mended.link
        return _report(stands, compared, keys)
    stands = await _stand(database, peer, lane, deep=deep)
    compared = await ask(lane, Open(stands, reason), Compared)
    link = compared.link
    for buckets, final in reconciling.stretches(compared, stands):
        leaves = await reconciling.heard(database, peer, channel, buckets)
        told: Mended = await ask(lane, Mend(buckets, tuple(leaves), final, link), Mended)
        keys, link = keys + told.keys, told.link
    return _report(stands, compared, keys)


async def _stand(database: Database, peer: Peer, lane: Lane, *, deep: bool) -> Standing:
    if deep:
        await recounting.recount(database, peer, lane.channel)
    return await reconciling.standing(database, peer, lane.channel)


def _report(stands: Standing, compared: Compared, keys: int) -> Report:
    return Report(
        equal=not compared.buckets,
        buckets=len(compared.buckets),
        keys=keys,
        told=compared.alive,
        heard=stands.alive,
        waiting=compared.waiting,
    )
