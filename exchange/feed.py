"""Cutting segments ahead: what is new in a feed becomes signed segments for one peer (shell).

Everything slow (reading, rendering, packing) is done without a lock, for a place in the feed that is looked at again
when the segments are written; whoever else cut or reconciled meanwhile wins, and the work is done anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from catalog import feeds, ledgers, notices, outward, payload, streams
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.model import cluster_id, cluster_number
from catalog.payload import CLUSTERS, HANDOVER, Change, Kind
from exchange import manifest, producer, raws, spares
from exchange.ends import FEEDS, Me, Peer
from exchange.model import Cursor, Feed, Key, Label, Leaf, Outgoing, Segment, Waiting
from exchange.outward import Batch, render
from exchange.producer import Cut
from exchange.spares import Ask

ROWS = producer.CHANGES  # of the feed, in one look
PLACES = 5 * ROWS  # the same for a child, which most of the feed doesn't concern
AHEAD = 8  # segments that may wait for a peer's acknowledgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The next stretch of a feed, as one peer gets to see it."""

    base: int  # place that it follows
    upto: int
    changes: list[Change]


async def cut(database: Database, me: Me, peer: Peer, channel: str, *, spare: Ask | None = None) -> int:
    """Cut until the feed is told or enough waits for the peer; how many segments were made.

    `spare`: asks the peer what it can put together itself, and needs no bodies of (`exchange.spares`).
    """
    await _under_policy(database, peer, channel)
    made = 0
    ahead: asyncio.Task[Rendered] | None = None
    try:
        while True:
            async with database.connection() as conn:
                stands = await outgoing(conn, peer, channel)
                feed = await head(conn, channel)
                waiting = await streams.waiting_count(conn, peer.no, channel)
            if stands.held_up or waiting >= AHEAD:
                return made
            if stands.made.seq >= feed.last:
                return made
            if ahead is None:
                ahead = asyncio.create_task(_next(database, me, peer, channel, stands.made.seq))
            stretch = await ahead
            ahead = None
            if stretch.base != stands.made.seq:  # somebody else was quicker
                continue
            if stretch.upto < feed.last:  # read on while this one is packed and written
                ahead = asyncio.create_task(_next(database, me, peer, channel, stretch.upto))
            async with database.connection() as conn:
                told = await _told(conn, peer, channel, stretch.changes)
            after = producer.cut(feed, stands, stretch.changes, told, stretch.upto)
            if spare is not None and channel == CLUSTERS:
                after = await spares.thin(after, spare)
            made += await _write(database, me, peer, channel, stands, after, fresh=not told)
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def _under_policy(database: Database, peer: Peer, channel: str) -> None:
    """Where another policy holds than the stream was told under, the feed is told from its beginning.

    What digests prove equal is left out, what the peer may no longer have is taken back. A new epoch of the feed makes
    the places rise all the same.
    """
    async with database.connection() as conn:
        row = await streams.look(conn, peer.no, channel)
    if row is not None and row.policy == peer.published:
        return
    async with database.transaction() as conn:
        row = await streams.outgoing(conn, peer.no, channel)
        if row.policy not in ("", peer.published):
            epoch = await feeds.renew(conn, FEEDS[channel])
            await streams.move_made(conn, peer.no, channel, (epoch, 0, row.made[2]))
        await streams.tell_under(conn, peer.no, channel, peer.published)


async def _next(database: Database, me: Me, peer: Peer, channel: str, base: int) -> Rendered:
    async with database.connection() as conn:
        feed = await head(conn, channel)  # before the rows: whatever is up to here is committed
        if channel == CLUSTERS:
            states, upto = await _states(conn, me, peer, base, feed.last)
            batch = await _batch(conn, me, peer, feed.epoch, states)
        else:
            news = await notices.after(conn, peer.no, base, ROWS)
            upto = news[-1].seq if len(news) == ROWS else None
            changes = await _noticed(conn, me, peer, feed.epoch, news)
    if channel == CLUSTERS:
        changes = await asyncio.to_thread(_render, batch, peer)
    latest = max([feed.last, *(change.seq for change in changes[-1:])])
    return Rendered(base=base, upto=latest if upto is None else upto, changes=changes)


async def _states(conn: Connection, me: Me, peer: Peer, base: int, last: int) -> tuple[list[outward.State], int | None]:
    """(the next states that concern the peer, how far in the feed they reach): None = to its end."""
    if peer.role == "parent":
        states = await outward.after(conn, base, ROWS)
        return states, states[-1].seq if len(states) == ROWS else None
    upto = None
    concern = await _few(conn, me, peer, base) if last - base > PLACES else None
    if concern is None:
        places = await outward.places(conn, base, PLACES, peer.source or 0)
        others = {number: cluster_id(me.symbol, number) for number, _, mine in places if not mine}
        told = await ledgers.known(conn, Ledger.TOLD, peer.no, CLUSTERS, Kind.BIB, others.values())
        concern = [(number, seq) for number, seq, mine in places if mine or others[number] in told]
        upto = places[-1][1] if len(places) == PLACES else None
    if len(concern) > ROWS:
        concern, upto = concern[:ROWS], concern[ROWS - 1][1]
    # What has moved on meanwhile comes again, at its new place.
    end = concern[-1][1] if concern else 0
    return [state for state in await outward.of(conn, [number for number, _ in concern]) if state.seq <= end], upto


async def _few(conn: Connection, me: Me, peer: Peer, base: int) -> list[tuple[int, int]] | None:
    """(cluster, place) of all that concerns a small child behind a place; None where it is easier to read the feed."""
    records = await outward.clusters_of(conn, peer.source or 0, PLACES)
    told = await ledgers.some(conn, Ledger.TOLD, peer.no, CLUSTERS, Kind.BIB, PLACES)
    if records is None or len(told) == PLACES:
        return None
    numbers = (cluster_number(ident, me.symbol) for ident in told)
    return await outward.places_of(conn, records.union(number for number in numbers if number is not None), base)


async def current(conn: Connection, me: Me, peer: Peer, channel: str, keys: Sequence[Key]) -> list[Change]:
    """What these keys are to the peer now; those that aren't there are left out."""
    if channel == HANDOVER:
        return await raws.current(conn, peer, keys)
    feed = await head(conn, channel)
    if channel == CLUSTERS:
        numbers = [cluster_number(ident, me.symbol) for kind, ident in keys if kind == Kind.BIB]
        states = await outward.of(conn, [number for number in numbers if number is not None])
        return render(await _batch(conn, me, peer, feed.epoch, states), peer.policy)
    return await _noticed(conn, me, peer, feed.epoch, await notices.of(conn, peer.no, keys))


def _render(batch: Batch, peer: Peer) -> list[Change]:
    return render(batch, peer.policy)


async def _batch(conn: Connection, me: Me, peer: Peer, epoch: int, states: Sequence[outward.State]) -> Batch:
    standing = [state.cluster for state in states if not state.gone]
    sources = peer.policy.sources
    yours = None
    if peer.role == "child":
        yours = {} if peer.source is None else await outward.of_source(conn, standing, peer.source)
        standing = [cluster for cluster in standing if cluster in yours]
    return Batch(
        epoch=epoch,
        symbol=me.symbol,
        states=states,
        openers=await outward.openers(conn, states),
        holdings=await outward.holdings(conn, standing),
        of_sources=None if sources is None else frozenset(await outward.with_sources(conn, standing, sources)),
        yours=yours,
    )


async def _noticed(conn: Connection, me: Me, peer: Peer, epoch: int, news: Sequence[notices.Notice]) -> list[Change]:
    """Notices as changes. What the peer itself told us of a library just so is not told back."""
    libraries = [(one.kind, one.id) for one in news if one.kind == Kind.LIBRARY]
    theirs = {
        (kind, ident): digest
        for kind, ident, _, _, digest in await ledgers.of(conn, Ledger.HEARD, peer.no, payload.NOTICES, libraries)
        if digest is not None
    }
    found = {}
    for one in news:
        key = one.kind, one.id
        told = Change(one.kind, one.id, epoch, one.seq, one.payload)
        found[key] = msgspec.structs.replace(told, payload=b"") if theirs.get(key, b"") == told.digest else told
    return list(found.values())


async def _told(conn: Connection, peer: Peer, channel: str, changes: Sequence[Change]) -> dict[Key, bytes | None]:
    keys = [(change.kind, change.id) for change in changes]
    entries = await ledgers.of(conn, Ledger.TOLD, peer.no, channel, keys)
    return {(kind, ident): digest for kind, ident, _, _, digest in entries}


async def _write(
    database: Database, me: Me, peer: Peer, channel: str, stands: Outgoing, after: Cut, *, fresh: bool = False
) -> int:
    """Sign and write, unless the stream was moved meanwhile; how many segments."""
    segments, then = await asyncio.to_thread(
        producer.chain, after, label(me, peer, channel), stands.made.link, me.signer
    )
    async with database.transaction() as conn:
        there = await lock(conn, peer, channel)
        if (there.made, there.held_up) != (stands.made, stands.held_up):
            return 0
        await write(conn, peer, channel, segments, after.told, then, fresh=fresh)
    return len(segments)


async def write(
    conn: Connection,
    peer: Peer,
    channel: str,
    segments: Sequence[Segment],
    told: Sequence[Leaf],
    then: Outgoing,
    *,
    fresh: bool = False,
) -> None:
    """Segments, ledger and stream together; the caller holds the stream's lock."""
    await ledgers.write(conn, Ledger.TOLD, peer.no, channel, told, fresh=fresh)
    for segment in segments:
        await streams.keep(conn, peer.no, channel, segment.link, segment.manifest, segment.content)
    await streams.move_made(conn, peer.no, channel, then.made)
    await streams.hold_up(conn, peer.no, channel, then.held_up)


def label(me: Me, peer: Peer, channel: str) -> Label:
    """What is written on the segments of a stream."""
    return Label(origin=me.symbol, peer=peer.symbol, channel=channel, made=int(time.time()))


async def outgoing(conn: Connection, peer: Peer, channel: str) -> Outgoing:
    """The stream as it stands."""
    return _stream(await streams.look(conn, peer.no, channel))


async def lock(conn: Connection, peer: Peer, channel: str) -> Outgoing:
    """The same, and nobody else moves it until the transaction ends."""
    return _stream(await streams.outgoing(conn, peer.no, channel))


async def waiting(conn: Connection, peer: Peer, channel: str) -> list[Waiting]:
    """Segments that are not acknowledged, in order."""
    return [
        manifest.waiting(one.number, one.link, one.manifest) for one in await streams.waiting(conn, peer.no, channel)
    ]


async def head(conn: Connection, channel: str) -> Feed:
    """Where the feed behind a channel stands."""
    epoch, last = await feeds.head(conn, FEEDS[channel])
    return Feed(epoch=epoch, last=last)


def _stream(row: streams.Outgoing | None) -> Outgoing:
    if row is None:
        return Outgoing()
    return Outgoing(made=Cursor(*row.made), known=Cursor(*row.known), held_up=row.held_up)
