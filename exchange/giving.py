"""Giving: what a peer's cursor acknowledges, and the segment that follows on it (shell)."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import streams
from catalog.connection import Connection
from catalog.database.pool import Database
from config.errors import Conflict
from exchange import feed, producer
from exchange.ends import Peer
from exchange.model import Cursor


class HeldUp(Conflict):
    """The two ends of a stream don't fit: a reconcile is due."""

    code = "reconcile-due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A segment to be sent."""

    link: bytes
    manifest: bytes
    content: bytes


async def following(database: Database, peer: Peer, channel: str, cursor: Cursor) -> Parcel | None:
    """What comes after the place that the peer has applied; None if nothing waits. HeldUp where it can't go on."""
    async with database.transaction() as conn:
        stands = await feed.lock(conn, peer, channel)
        if not stands.held_up:
            admitted = producer.admit(stands, await feed.waiting(conn, peer, channel), cursor)
            # A place that isn't known changes nothing: the request may be an old one. The reconcile will hold it up.
            if admitted.known is not None:
                if admitted.known != stands.known:
                    await streams.move_known(conn, peer.no, channel, admitted.known, admitted.upto)
                return None if admitted.next is None else await _parcel(conn, peer, channel, admitted.next)
    raise HeldUp(f"the stream {channel} to {peer.symbol} must be reconciled first: {stands.held_up or producer.LOST}")


async def _parcel(conn: Connection, peer: Peer, channel: str, number: int) -> Parcel:
    segment = await streams.segment(conn, peer.no, channel, number)
    return Parcel(link=segment.link, manifest=segment.manifest, content=segment.content)
