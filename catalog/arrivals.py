"""Streams from peers: how far each is applied, and segments of which a part has arrived (store)."""

from __future__ import annotations

from catalog.connection import Connection
from catalog.streams import Place
from config.errors import Conflict

PART = 16 * 1024  # bytes that a part counts at least


async def cursor(conn: Connection, peer: int, channel: str) -> Place:
    """How far the peer's stream is applied."""
    row = await conn.fetchrow("select epoch, seq, link from incoming where peer = $1 and channel = $2", peer, channel)
    return tuple(row) if row else (0, 0, b"")


async def lock(conn: Connection, peer: int, channel: str) -> Place:
    """The same, and nobody else applies anything of this stream until the transaction ends."""
    await conn.execute("insert into incoming (peer, channel) values ($1, $2) on conflict do nothing", peer, channel)
    row = await conn.fetchrow(
        "select epoch, seq, link from incoming where peer = $1 and channel = $2 for update", peer, channel
    )
    place: Place = tuple(row)
    return place


async def move(conn: Connection, peer: int, channel: str, base: Place, place: Place) -> None:
    """Applied up to `place`. Conflict unless it stood at `base`."""
    done = await conn.execute(
        """update incoming set epoch = $6, seq = $7, link = $8, applied_at = clock_timestamp()
           where peer = $1 and channel = $2 and epoch = $3 and seq = $4 and link = $5""",
        peer,
        channel,
        *base,
        *place,
    )
    if done.endswith(" 0"):
        raise Conflict(f"the stream {channel} of peer {peer} was moved by another process: ask where it stands")


async def offset(conn: Connection, peer: int, link: bytes) -> int:
    """Bytes of a segment that have arrived."""
    found: int = await conn.fetchval(
        "select coalesce(max(start + length(part)), 0) from arriving where peer = $1 and link = $2", peer, link
    )
    return found


async def add_part(conn: Connection, peer: int, link: bytes, start: int, part: bytes) -> None:
    """Keep the next part. Conflict if it doesn't begin where the last one ended."""
    done = await conn.execute(
        """insert into arriving (peer, link, n, start, part)
           select $1, $2, count(*), $3, $4 from arriving where peer = $1 and link = $2
           having coalesce(max(start + length(part)), 0) = $3 on conflict do nothing""",
        peer,
        link,
        start,
        part,
    )
    if done.endswith(" 0"):
        raise Conflict(f"{start} is not where the last part of {link.hex()} ended: ask for the offset")


async def parts(conn: Connection, peer: int, link: bytes) -> bytes:
    """What has arrived, in one piece."""
    rows = await conn.fetch("select part from arriving where peer = $1 and link = $2 order by n", peer, link)
    return b"".join(row["part"] for row in rows)


async def drop(conn: Connection, peer: int, link: bytes) -> None:
    """Forget the parts of a segment: it was applied, or it can't be."""
    await conn.execute("delete from arriving where peer = $1 and link = $2", peer, link)


async def waste(conn: Connection, peer: int) -> int:
    """Bytes that wait in parts of a peer's segments; a small part counts as `PART` bytes, for its row."""
    found: int = await conn.fetchval(
        "select coalesce(sum(greatest(length(part), $2)), 0) from arriving where peer = $1", peer, PART
    )
    return found


async def sweep(conn: Connection, hours: float) -> None:
    """Forget parts of segments that nobody has gone on with."""
    await conn.execute(
        """delete from arriving where (peer, link) in (select peer, link from arriving group by peer, link
           having max(at) < now() - make_interval(hours => $1))""",
        int(hours),
    )


async def waiting(conn: Connection, source: int) -> tuple[int, int]:
    """(units, bytes) of a source that are not placed yet."""
    row = await conn.fetchrow(
        """select count(*) units, coalesce(sum(i.size), 0)::bigint size
           from (select load from load where source = $1 and state in ('landing', 'preparing', 'placing', 'held')
                 offset 0) l
           cross join lateral (select octet_length(payload) + coalesce(octet_length(prepared), 0) size
                               from inbox i where i.load = l.load offset 0) i""",
        source,
    )
    return row["units"], row["size"]


async def head(conn: Connection, peer: int, link: bytes, length: int) -> bytes:
    """The beginning of the first part."""
    found: bytes | None = await conn.fetchval(
        "select substr(part, 1, $3) from arriving where peer = $1 and link = $2 and n = 0", peer, link, length
    )
    return found or b""


async def library(conn: Connection, source: int) -> str:
    """Whose records a source brings."""
    found: str = await conn.fetchval("select library from source where source = $1", source)
    return found


async def source_of(conn: Connection, peer: int, symbol: str) -> int:
    """A source for what a parent sends that can't be read, made at the first time: quarantine goes by source."""
    await conn.execute("insert into library (symbol, name) values ($1, $1) on conflict do nothing", symbol)
    source: int = await conn.fetchval(
        """insert into source (name, library, visibility, state) values ($1, $1, 2, 'paused')
           on conflict (name) do update set name = excluded.name returning source""",
        symbol,
    )
    await conn.execute("update peer set source = $2 where peer = $1", peer, source)
    return source
