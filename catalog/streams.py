"""Streams to peers: how far each is made and acknowledged, and the segments on their way (store)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.connection import Connection

Place = tuple[int, int, bytes]  # epoch, seq, link: digest of the manifest that ends there
START: Place = (0, 0, b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A row of table `outgoing`."""

    made: Place  # upper end of the last segment made
    known: Place  # what the peer acknowledged
    held_up: str  # reason of a reconcile that is due
    policy: str = ""  # under which it was told; "" = nothing was told yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A segment that is not acknowledged yet, without its content."""

    number: int
    link: bytes
    manifest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment with its content."""

    link: bytes
    manifest: bytes
    content: bytes


STREAM = "made_epoch, made_seq, made_link, known_epoch, known_seq, known_link, held_up, policy"


async def outgoing(conn: Connection, peer: int, channel: str) -> Outgoing:
    """The stream, begun if it is new, and locked until the transaction ends."""
    query = f"select {STREAM} from outgoing where peer = $1 and channel = $2 for update"
    row = await conn.fetchrow(query, peer, channel)
    if row is None:
        await conn.execute("insert into outgoing (peer, channel) values ($1, $2) on conflict do nothing", peer, channel)
        row = await conn.fetchrow(query, peer, channel)
    return _of_row(row)


async def look(conn: Connection, peer: int, channel: str) -> Outgoing | None:
    """The stream as it stands, None before it has begun."""
    row = await conn.fetchrow(f"select {STREAM} from outgoing where peer = $1 and channel = $2", peer, channel)
    return _of_row(row) if row else None


def _of_row(row: Any) -> Outgoing:
    values = tuple(row)
    return Outgoing(made=values[:3], known=values[3:6], held_up=row["held_up"], policy=row["policy"])


async def tell_under(conn: Connection, peer: int, channel: str, policy: str) -> None:
    """Under which policy the peer is told from now on."""
    await conn.execute("update outgoing set policy = $3 where peer = $1 and channel = $2", peer, channel, policy)


async def move_made(conn: Connection, peer: int, channel: str, place: Place) -> None:
    """Everything up to here is in segments, or need not be told."""
    await conn.execute(
        "update outgoing set made_epoch = $3, made_seq = $4, made_link = $5 where peer = $1 and channel = $2",
        peer,
        channel,
        *place,
    )


async def move_known(conn: Connection, peer: int, channel: str, place: Place, upto: int | None) -> None:
    """The peer has everything up to here: segments up to number `upto` go."""
    await conn.execute(
        "update outgoing set known_epoch = $3, known_seq = $4, known_link = $5 where peer = $1 and channel = $2",
        peer,
        channel,
        *place,
    )
    if upto is not None:
        await conn.execute("delete from segment where peer = $1 and channel = $2 and number <= $3", peer, channel, upto)


async def hold_up(conn: Connection, peer: int, channel: str, reason: str) -> None:
    """A reconcile is due, or with an empty reason it is no more."""
    await conn.execute("update outgoing set held_up = $3 where peer = $1 and channel = $2", peer, channel, reason)


async def keep(conn: Connection, peer: int, channel: str, link: bytes, manifest: bytes, content: bytes) -> None:
    """A new segment, behind those that wait."""
    await conn.execute(
        "insert into segment (peer, channel, link, manifest, content) values ($1, $2, $3, $4, $5)",
        peer,
        channel,
        link,
        manifest,
        content,
    )


async def waiting(conn: Connection, peer: int, channel: str) -> list[Waiting]:
    """Segments that are not acknowledged, in order."""
    rows = await conn.fetch(
        "select number, link, manifest from segment where peer = $1 and channel = $2 order by number", peer, channel
    )
    return [Waiting(**dict(row)) for row in rows]


async def waiting_count(conn: Connection, peer: int, channel: str) -> int:
    """How many segments are not acknowledged."""
    found: int = await conn.fetchval("select count(*) from segment where peer = $1 and channel = $2", peer, channel)
    return found


async def segment(conn: Connection, peer: int, channel: str, number: int) -> Segment:
    """One of those that wait, with its content."""
    row = await conn.fetchrow(
        "select link, manifest, content from segment where peer = $1 and channel = $2 and number = $3",
        peer,
        channel,
        number,
    )
    return Segment(**dict(row))


async def busy(conn: Connection) -> set[tuple[int, str]]:
    """(peer, channel) where there is anything that the peer must hear of: a segment, or that a reconcile is due."""
    rows = await conn.fetch(
        "select peer, channel from segment union select peer, channel from outgoing where held_up <> ''"
    )
    return {(row["peer"], row["channel"]) for row in rows}


async def discard(conn: Connection, peer: int, channel: str) -> None:
    """Drop the segments that wait: the peer can't take them any more."""
    await conn.execute("delete from segment where peer = $1 and channel = $2", peer, channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a stream is behind."""

    no: int  # row of the peer
    peer: str  # its symbol
    role: str  # what the peer is to us
    channel: str
    told: int  # place in our feed up to which segments are made
    known: int  # place up to which the peer has acknowledged some; what it need not hear is acknowledged by nobody
    last: int  # of our feed
    waiting: int  # segments made and not acknowledged
    held_up: str  # why a reconcile is due
    policy: str  # under which the peer was told; "" = nothing was told yet
    heard: int  # place in the peer's feed up to which we have applied what it told us
    heard_ago: float | None  # seconds since we last applied something
    seen_ago: float | None  # seconds since the peer and we last greeted each other
    trouble: str  # why the last exchange with the peer failed

    @property
    def behind(self) -> int:
        """Places of our feed that the peer may still have to hear of."""
        return max(self.waiting, self.last - (self.known if self.waiting else self.told))


async def lags(conn: Connection, feeds: Mapping[str, str]) -> list[Lag]:
    """Every stream to and from the peers that we deal with; `feeds`: the feed behind each channel."""
    rows = await conn.fetch(
        """select p.peer no, p.symbol peer, p.role, c.channel, coalesce(o.made_seq, 0) told,
               coalesce(o.known_seq, 0) known, f.last,
               (select count(*) from segment s where s.peer = p.peer and s.channel = c.channel) waiting,
               coalesce(o.held_up, '') held_up, coalesce(o.policy, '') policy, coalesce(i.seq, 0) heard,
               extract(epoch from clock_timestamp() - i.applied_at)::float8 heard_ago,
               extract(epoch from clock_timestamp() - p.seen_at)::float8 seen_ago, p.trouble
           from peer p cross join unnest($1::text[], $2::text[]) c (channel, feed) join feed f on f.name = c.feed
           left join outgoing o on o.peer = p.peer and o.channel = c.channel
           left join incoming i on i.peer = p.peer and i.channel = c.channel
           where p.state = 'active' order by p.role desc, p.symbol, c.channel""",
        list(feeds),
        list(feeds.values()),
    )
    return [Lag(**dict(row)) for row in rows]
