"""Source records on the channel `handover`: what a host has of a library, told, compared and landed (store).

There is no feed behind this channel. Both ends write into their ledgers what they have, and a reconcile finds what
differs: only that is rendered and sent, as repair segments, which a break resumes like all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from catalog import bodies, bringing, dictionaries, handed, hosting, ledgers, loads, records, sources, versions
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.loads import Load
from catalog.model import LoadState, Source
from catalog.payload import HANDOVER, Change, Kind, Raw, encode
from catalog.records import Row
from catalog.versions import Version
from catalog.work.queue import Queue
from config.errors import BadRecord, Conflict
from exchange.ends import Peer
from exchange.model import Key, Leaf, leaf

BETWEEN = "\t"  # the source's name and the local id, in the id of a change
MODE = "move"  # of loads that bring or take away what a hand-over moves


def ident(source: str, local_id: str) -> str:
    """The id of a source record on the channel."""
    return f"{source}{BETWEEN}{local_id}"


def parts(told: str) -> tuple[str, str]:
    """(source, local id). BadRecord if it is no such id."""
    source, between, local_id = told.partition(BETWEEN)
    if not between or not source or not local_id:
        raise BadRecord(f"{told!r} names no source record")
    return source, local_id


def change(source: str, row: Row, known: Mapping[int, bytes]) -> Change:
    """A record as it is told."""
    body = bodies.open_body(row.body, row.dictionary, known)
    raw = Raw(row.carrier, row.encoding, row.digest, body, row.parent)
    return Change(Kind.RAW, ident(source, row.local_id), 0, 0, encode(raw))


async def standing(database: Database, of: Sequence[Source]) -> AsyncIterator[tuple[Source, list[Row]]]:
    """Every record of these sources, in pages."""
    for source in of:
        last = ""
        while True:
            async with database.connection() as conn:
                rows = await records.behind(conn, source.no, last, handed.PAGE)
            if not rows:
                break
            last = rows[-1].local_id
            yield source, rows


async def retired(database: Database, by: Sequence[int]) -> AsyncIterator[tuple[Source, list[Row]]]:
    """Every record that these loads took away, in pages."""
    for load in by:
        async with database.connection() as conn:
            source = await sources.by_number(conn, (await loads.get(conn, load)).source)
        last = ""
        while True:
            async with database.connection() as conn:
                rows = await handed.replaced(conn, load, last)
            if not rows:
                break
            last = rows[-1].local_id
            yield source, rows


async def fill(database: Database, ledger: Ledger, peer: Peer, pages: AsyncIterator[tuple[Source, list[Row]]]) -> int:
    """Write into a ledger of the channel what these pages hold; how many records. Done again it ends in the same."""
    count = 0
    async with database.transaction() as conn:
        await ledgers.forget(conn, ledger, peer.no, HANDOVER)
        known = await dictionaries.every(conn)
    async for source, rows in pages:
        lines = await asyncio.to_thread(_lines, source.name, rows, known)
        async with database.transaction() as conn:
            await ledgers.write(conn, ledger, peer.no, HANDOVER, lines, fresh=True)
        count += len(rows)
    return count


def _lines(source: str, rows: Sequence[Row], known: Mapping[int, bytes]) -> list[Leaf]:
    return [leaf(change(source, row, known)) for row in rows]


async def current(conn: Connection, peer: Peer, keys: Sequence[Key]) -> list[Change]:
    """What these keys are now; those of records that aren't there are left out, and all that isn't handed to the peer:
    whatever it asks for, it gets the library that moves to it and nobody else's.
    """
    going = [one for one in await hosting.going(conn) if (one.peer, one.way, one.state) == (peer.no, "out", "moving")]
    of = {source.name: source for one in going for source in await handed.sources(conn, one.library)}
    wanted: dict[str, list[str]] = {}
    for kind, told in keys:
        name, local_id = parts(told) if kind == Kind.RAW else ("", "")
        if name in of:
            wanted.setdefault(name, []).append(local_id)
    known = await dictionaries.every(conn)
    found = []
    for name, local_ids in wanted.items():
        found += [change(name, row, known) for row in await records.many(conn, of[name].no, local_ids)]
    return found


async def land(conn: Connection, queue: Queue, peer: Peer, place: str, told: Mapping[str, Raw]) -> None:
    """Bring source records that the old host told, by id. Conflict unless a hand-over from this peer is under way.

    What a load of this node brought since the hand-over began is newer and stays.
    """
    going = [one for one in await hosting.going(conn) if (one.peer, one.way) == (peer.no, "in")]
    by_source: dict[str, dict[str, Raw]] = {}
    for key, raw in told.items():
        name, local_id = parts(key)
        by_source.setdefault(name, {})[local_id] = raw
    for name, raws in by_source.items():
        source = await sources.get(conn, name)
        one = next((one for one in going if one.library == source.library), None)
        if one is None or one.state != "moving":
            raise Conflict(f"{peer.symbol} hands over records of {source.library}, which isn't under way")
        newer = await handed.brought_since(conn, source.no, list(raws), one.mark)
        wanted = [
            Version(local_id, raw.body, raw.carrier, raw.encoding, raw.digest, 0, raw.parent)
            for local_id, raw in raws.items()
            if local_id not in newer
        ]
        if wanted:
            load = await open_load(conn, source, f"{peer.symbol} {place}")
            await bringing.land(conn, queue, load, 0, wanted)
            await give_over(conn, load)


async def open_load(conn: Connection, source: Source, origin: str) -> Load:
    """A load that moves versions; nothing holds it."""
    return await loads.begin(
        conn,
        source.no,
        source.library,
        mode=MODE,
        origin=origin,
        fingerprint=b"",
        carrier=versions.CARRIER,
        encoding="auto",
        assured=True,
    )


async def give_over(conn: Connection, load: Load) -> None:
    """All of the load has landed."""
    await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))


async def retire(conn: Connection, queue: Queue, of: Sequence[Source], origin: str) -> list[int]:
    """Loads that take away every record of these sources; what they take is kept as what any load replaces."""
    begun = []
    for source in of:
        load = await open_load(conn, source, origin)
        landed = 0
        async for local_ids in records.local_ids(conn, source.no):
            landed = await bringing.land(conn, queue, load, landed, [versions.deletion(one) for one in local_ids])
        await give_over(conn, load)
        begun.append(load.load)
    return begun


async def restore(conn: Connection, queue: Queue, peer: Peer, by: Sequence[int], origin: str) -> int:
    """Bring back of what the loads `by` took away whatever the other host proved to have just so; how many records."""
    known = await dictionaries.every(conn)
    count = 0
    for taken in by:
        source = await sources.by_number(conn, (await loads.get(conn, taken)).source)
        load, landed, last = await open_load(conn, source, origin), 0, ""
        while rows := await handed.replaced(conn, taken, last):
            last = rows[-1].local_id
            equal = await _proved(conn, peer, source.name, rows)
            back = [bringing.kept(row, known) for row in rows if row.local_id in equal]
            landed = await bringing.land(conn, queue, load, landed, back)
        count += landed
        await give_over(conn, load)
    return count


async def _proved(conn: Connection, peer: Peer, source: str, rows: Sequence[Row]) -> set[str]:
    """Local ids whose line in the ledger is the one that this node wrote itself, and no repair has changed."""
    keys = [(int(Kind.RAW), ident(source, row.local_id)) for row in rows]
    lines = [Leaf(*line) for line in await ledgers.of(conn, Ledger.HEARD, peer.no, HANDOVER, keys)]
    return {parts(line.id)[1] for line in lines if line.version == (0, 0) and line.digest is not None}
