"""Segments that arrive in parts: a part is kept until the rest is there, then the segment is taken (shell).

As in the resumable uploads of the IETF (draft-ietf-httpbis-resumable-upload) the sender names the offset, and asks for
it after a cut. A segment that comes in one part is never kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog import arrivals, ledgers
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.payload import CLUSTERS, NOTICES
from catalog.work.queue import Queue
from config.errors import Conflict, Refused, Retry
from exchange import manifest, receiving
from exchange.ends import KNOWN, Me, Peer
from exchange.model import MOST_MANIFEST, MOST_PACKED, Cursor, Damaged

HEAD = 4 + MOST_MANIFEST  # bytes in which the manifest is
QUOTA = 2 * MOST_PACKED  # bytes of parts that a peer may leave here
KEPT = 24.0  # hours that parts wait for the rest
MOST_WAITING = 256  # units of a child that may wait in the inbox: of full segments, a million records
MOST_NOTICES = 500_000  # libraries, corrections and receipts that a child may tell of: all of them stay in the ledger
MOST_BYTES = 512 * 1024 * 1024  # of these units


class Crowded(Retry):
    """As much of the peer waits here as may: it can send on when that is worked off."""

    code = "too-much-waits"


class WrongOffset(Conflict):
    """A part doesn't begin where the last one ended; `offset` says where."""

    code = "wrong-offset"

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What became of a part."""

    offset: int  # bytes of the segment that are here
    cursor: Cursor | None  # where the stream stands, if the segment was the whole of it


async def offset(database: Database, peer: Peer, link: bytes) -> int:
    """Bytes of a segment that are here."""
    async with database.connection() as conn:
        return await arrivals.offset(conn, peer.no, link)


async def part(database: Database, queue: Queue, me: Me, peer: Peer, link: bytes, start: int, data: bytes) -> Arrived:
    """Take a part, and with the last one the segment. Damaged drops what is here of it: it is sent anew.

    Crowded where too much of the peer waits already, before anything is kept.
    """
    end = start + len(data)
    told = manifest.read(manifest.split(data)[0]) if not start else None
    if told is not None and told.channel == CLUSTERS:
        await _room(database, peer)
    if told is not None and told.channel == NOTICES:
        await _ledger_room(database, peer)
    if told is not None and end == _length(data):
        return Arrived(offset=end, cursor=await _whole(database, queue, me, peer, data))
    async with database.transaction() as conn:
        await arrivals.sweep(conn, KEPT)
        there = await arrivals.offset(conn, peer.no, link)
        if there != start:
            raise WrongOffset(f"{there} bytes of this segment are here, not {start}", there)
        if await arrivals.waste(conn, peer.no) + len(data) > QUOTA:
            raise Crowded(f"{peer.symbol} has left too many parts of segments here: finish one of them")
        await arrivals.add_part(conn, peer.no, link, start, data)
        missing = _length(data if not start else await arrivals.head(conn, peer.no, link, HEAD)) - end
    if missing > 0:
        return Arrived(offset=end, cursor=None)
    async with database.connection() as conn:
        segment = await arrivals.parts(conn, peer.no, link)
    try:
        cursor = await _whole(database, queue, me, peer, segment)
    except (Damaged, Refused, Conflict):
        await _drop(database, peer, link)
        raise
    await _drop(database, peer, link)
    return Arrived(offset=end, cursor=cursor)


async def _room(database: Database, peer: Peer) -> None:
    if peer.source is None:
        return
    async with database.connection() as conn:
        units, size = await arrivals.waiting(conn, peer.source)
    if units >= MOST_WAITING or size >= MOST_BYTES:
        raise Crowded(f"{units} segments of {peer.symbol} wait to be worked off: send on later")


async def _ledger_room(database: Database, peer: Peer) -> None:
    async with database.connection() as conn:
        if await ledgers.reaches(conn, Ledger.HEARD, peer.no, NOTICES, MOST_NOTICES):
            raise Crowded(
                f"{peer.symbol} has told of {MOST_NOTICES:,} libraries, corrections and receipts: that is all"
            )


async def _drop(database: Database, peer: Peer, link: bytes) -> None:
    async with database.transaction() as conn:
        await arrivals.drop(conn, peer.no, link)


def _length(head: bytes) -> int:
    """Bytes of the segment that begins like this, as far as its unverified manifest tells."""
    signed, _ = manifest.split(head)
    told = manifest.read(signed)
    return 4 + len(signed) + min(told.packed, MOST_PACKED + 1)


async def _whole(database: Database, queue: Queue, me: Me, peer: Peer, segment: bytes) -> Cursor:
    signed, content = manifest.split(segment)
    channel = manifest.read(signed).channel
    if channel not in KNOWN:
        raise Refused(f"{peer.symbol} sends on a channel that this node doesn't know: {channel[:40]!r}")
    return await receiving.take(database, queue, me, peer, channel, signed, content)
