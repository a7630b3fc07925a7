"""Both ends of a reconcile, and what they say to each other (shell).

The consumer tells where it stands. The producer opens the repair, if need be with a new epoch of its feed, compares the
buckets, then stretch by stretch their leaves, and tells anew whatever differs. Repair segments go the way of all
others. It is always the child that asks: `answer` is the parent's part, `exchange.mending` the child's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from catalog import arrivals, clusters, feeds, ledgers, streams
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.model import cluster_number
from catalog.payload import BUCKETS, CLUSTERS, Kind
from exchange import feed, producer, reconcile, recounting
from exchange.ends import FEEDS, Me, Peer
from exchange.model import START, Cursor, Leaf, Version

STRETCH = 20_000  # leaves that are compared at a time, about


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a consumer stands."""

    cursor: Cursor = START
    top: Version = (0, 0)  # highest version in its ledger
    summary: bytes = b""  # of its ledger
    alive: int = 0  # keys that stand
    highest: str = ""  # newest cluster id of the producer that it has heard of


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What the buckets say."""

    buckets: tuple[int, ...] = ()  # that differ
    alive: int = 0  # keys that stand at the producer
    waiting: int = 0  # segments on their way: while there are any, the ledgers can't be equal
    link: bytes = b""  # of the repair's last segment


class Stand(msgspec.Struct, frozen=True, tag=True):
    """Upwards: tell where you stand. `deep`: look first at what is really kept."""

    deep: bool = False


class Leaves(msgspec.Struct, frozen=True, tag=True):
    """Upwards: tell your leaves of these buckets."""

    buckets: tuple[int, ...]


class Look(msgspec.Struct, frozen=True, tag=True):
    """Downwards: compare, and change nothing."""

    standing: Standing


class Open(msgspec.Struct, frozen=True, tag=True):
    """Downwards: begin a repair."""

    standing: Standing
    reason: str = "a peer asked for it"


class Mend(msgspec.Struct, frozen=True, tag=True):
    """Downwards: these are our leaves of these buckets, tell anew what differs."""

    buckets: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    final: bool
    link: bytes  # as the answer before said


class Heard(msgspec.Struct, frozen=True):
    """Leaves."""

    leaves: tuple[Leaf, ...]


class Mended(msgspec.Struct, frozen=True):
    """How many keys are told anew, and the link of the repair's last segment."""

    keys: int
    link: bytes


Up = Stand | Leaves
Down = Look | Open | Mend


async def answer(database: Database, me: Me, peer: Peer, channel: str, asked: Up | Down) -> msgspec.Struct:
    """What the parent says."""
    match asked:
        case Stand(deep=deep):
            if deep:
                await recounting.recount(database, peer, channel)
            return await standing(database, peer, channel)
        case Leaves(buckets=buckets):
            return Heard(tuple(await heard(database, peer, channel, buckets)))
        case Look(standing=theirs):
            return await compare(database, peer, channel, theirs)
        case Open(standing=theirs, reason=reason):
            return await begin(database, me, peer, channel, theirs, reason or "a peer asked for it")
        case Mend(buckets=buckets, leaves=leaves, final=final, link=link):
            return await mend(database, me, peer, channel, buckets, leaves, link, final=final)
        case _:
            assert_never(asked)


async def standing(database: Database, peer: Peer, channel: str) -> Standing:
    """The consumer's end."""
    async with database.snapshot() as conn:
        highest = ""
        if channel == CLUSTERS:
            highest = await ledgers.highest(conn, Ledger.HEARD, peer.no, channel, Kind.BIB)
        return Standing(
            cursor=Cursor(*await arrivals.cursor(conn, peer.no, channel)),
            top=await ledgers.top(conn, Ledger.HEARD, peer.no, channel),
            summary=await _summary(conn, Ledger.HEARD, peer, channel),
            alive=await ledgers.alive(conn, Ledger.HEARD, peer.no, channel),
            highest=highest,
        )


async def heard(database: Database, peer: Peer, channel: str, buckets: Sequence[int]) -> list[Leaf]:
    """The consumer's leaves of these buckets."""
    async with database.connection() as conn:
        return [Leaf(*each) for each in await ledgers.leaves(conn, Ledger.HEARD, peer.no, channel, buckets)]


async def compare(database: Database, peer: Peer, channel: str, theirs: Standing) -> Compared:
    """The producer's look at a consumer; it changes nothing."""
    async with database.snapshot() as conn:
        return await _compare(conn, peer, channel, theirs)


async def begin(database: Database, me: Me, peer: Peer, channel: str, theirs: Standing, reason: str) -> Compared:
    """The producer opens the repair; where nothing differs, that is all. `reason` is shown until the repair is done."""
    async with database.transaction() as conn:
        stands = await feed.lock(conn, peer, channel)
        waiting = await feed.waiting(conn, peer, channel)
        found = await feed.head(conn, channel)
        above = producer.outrun(found, stands, waiting, theirs.cursor, theirs.top)
        if above is not None:
            await feeds.renew(conn, FEEDS[channel], above)
            found = await feed.head(conn, channel)
        if channel == CLUSTERS and (number := cluster_number(theirs.highest, me.symbol)) is not None:
            await clusters.pass_over(conn, number)
        await streams.discard(conn, peer.no, channel)
        compared = await _compare(conn, peer, channel, theirs)
        after = producer.open_repair(found, stands, theirs.cursor, reason)
        segments, then = producer.chain(after, feed.label(me, peer, channel), theirs.cursor.link, me.signer)
        if not compared.buckets:
            then = producer.repair(then, then.made.link, (), (), final=True).outgoing
        await feed.write(conn, peer, channel, segments, after.told, then)
        await streams.move_known(conn, peer.no, channel, then.known, None)
    return msgspec.structs.replace(compared, link=then.made.link)


async def mend(
    database: Database,
    me: Me,
    peer: Peer,
    channel: str,
    buckets: Sequence[int],
    theirs: Sequence[Leaf],
    link: bytes,
    *,
    final: bool,
) -> Mended:
    """The producer tells anew what differs in these buckets. `final`: no other buckets follow.

    `link`: of the last segment of this reconcile. Overtaken if another one was begun or done since.
    """
    async with database.transaction() as conn:
        stands = await feed.lock(conn, peer, channel)
        mine = [Leaf(*each) for each in await ledgers.leaves(conn, Ledger.TOLD, peer.no, channel, buckets)]
        keys = reconcile.unequal(mine, theirs)
        rendered = await feed.current(conn, me, peer, channel, keys)
        after = producer.repair(stands, link, keys, rendered, final=final)
        label = feed.label(me, peer, channel)
        segments, then = await asyncio.to_thread(producer.chain, after, label, stands.made.link, me.signer)
        await feed.write(conn, peer, channel, segments, after.told, then)
    return Mended(len(keys), then.made.link)


def stretches(compared: Compared, theirs: Standing) -> Iterator[tuple[tuple[int, ...], bool]]:
    """(differing buckets, are they the last) in portions of about `STRETCH` leaves."""
    most = max(compared.alive, theirs.alive, 1)
    portion = max(1, STRETCH * BUCKETS // most)
    for at in range(0, len(compared.buckets), portion):
        yield compared.buckets[at : at + portion], at + portion >= len(compared.buckets)


async def _compare(conn: Connection, peer: Peer, channel: str, theirs: Standing) -> Compared:
    mine = await _summary(conn, Ledger.TOLD, peer, channel)
    return Compared(
        buckets=reconcile.differing(mine, theirs.summary),
        alive=await ledgers.alive(conn, Ledger.TOLD, peer.no, channel),
        waiting=await streams.waiting_count(conn, peer.no, channel),
    )


async def _summary(conn: Connection, ledger: Ledger, peer: Peer, channel: str) -> bytes:
    return reconcile.pack(await ledgers.sums(conn, ledger, peer.no, channel))
