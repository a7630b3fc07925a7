"""How long it takes to find what differs between two nodes, and to mend that alone.

Both hold the same records; some are then damaged at the parent. *Find* is what a look asks of the child and of the
parent over a real socket: the ledgers' 4,096 sums, and which of them differ. *Mend* tells those records anew. *Deep*
damages a byte of what is kept, which only a look at every kept byte can find.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bench import cpu, pair
from bench.cpu import Spent
from bench.exchange import side
from bench.node import Failed
from bench.options import Options
from bench.pair import End
from bench.report import Report, Row
from catalog import bodies, ledgers, payload, peers, records
from catalog.connection import Connection
from catalog.database import pool
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.model import Format, cluster_id
from catalog.payload import CLUSTERS, Kind
from catalog.work.queue import PgQueue
from config import settings
from exchange import feed, giving, receiving
from exchange import peer as talking
from exchange.ends import Peer
from exchange.lanes import Lane, Outcome, Way
from exchange.mending import Report as Found
from exchange.model import START
from exchange.moving import Moves
from node import identity, outgoing

SIZE = 300_000
PLANTED = 3
LOOKS = 5  # of which the median counts
UP = Lane(CLUSTERS, Way.UP)


def run(given: Options) -> Report:
    """Measure."""
    count = given.size or SIZE
    with pair.joined() as (child, parent):
        numbers = asyncio.run(pair.fill(child, count))
        rows = asyncio.run(_measured(child, parent, numbers))
    notes = ("CPU: this process, which is the child's part, both PostgreSQL and the parent's web role",)
    return Report(bench="reconcile", size=count, rows=tuple(rows), notes=notes)


async def _measured(child: End, parent: End, numbers: Sequence[int]) -> list[Row]:
    homes = child.node.home, parent.node.home
    async with pool.open(homes[0]) as below, pool.open(homes[1]) as above:
        _, giver = await side(parent, child, above)
        await _same(child, parent, below, above)
        with parent.node.running("web"):
            async with _moves(child, parent, below) as moves:
                quiet, whole = await _looks(moves, homes)
                _expect("buckets that differ before anything is damaged", whole.buckets, 0)
                planted = [cluster_id(child.symbol, numbers[at]) for at in (0, len(numbers) // 2, -1)]
                await _damage_ledger(above, giver, planted)
                looking, found = await _looks(moves, homes)
                _expect("buckets that differ", found.buckets, PLANTED)
                with cpu.spent(*homes) as mending:
                    mended = (await moves.mend(UP)).keys
                    await _drained(moves)
                _expect("records that were told anew", mended, PLANTED)
                _expect("buckets that differ after the repair", (await moves.look(UP)).buckets, 0)
                async with above.transaction() as conn:
                    await _place(conn, child.symbol, giver.source or 0)
                await _flip(above, giver, planted[1])
                with cpu.spent(*homes) as deep:
                    _expect("buckets that differ deep down", (await moves.look(UP, deep=True)).buckets, 1)
                with cpu.spent(*homes) as alone:
                    _expect("records that were mended", (await moves.mend(UP)).keys, 1)
                    await _drained(moves)
    return [
        *_times("find the buckets, nothing differs", quiet),
        *_times("find the buckets, three differ", looking, "< 0.5 at 300k"),
        *_times("mend the three", mending),
        *_times("find one flipped byte, deep", deep, "≤ 60 at 1M"),
        *_times("mend it alone", alone),
    ]


def _times(name: str, taken: Spent, goal: str = "") -> list[Row]:
    return [
        Row(name=name, value=taken.wall, unit="s", goal=goal),
        Row(name=f"{name}, CPU", value=taken.cpu, unit="s"),
    ]


def _expect(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise Failed(f"{what}: {found} and not {wanted}")


@contextlib.asynccontextmanager
async def _moves(child: End, parent: End, database: Database) -> AsyncIterator[Moves]:
    """The child's part of the exchange."""
    me, to = await side(child, parent, database)
    async with database.connection() as conn:
        known = await peers.get(conn, parent.symbol)
    told = settings.load(child.node.home, {})
    keyring = identity.keyring(child.node.home, told)
    async with talking.connect(database, keyring, child.symbol, known, outgoing.rules(told)) as wire:
        yield Moves(database=database, queue=PgQueue(database.dsn), me=me, peer=to, wire=wire, wait=0.0)


async def _same(child: End, parent: End, below: Database, above: Database) -> None:
    """Tell everything, and keep what landed as placing would."""
    me, to = await side(child, parent, below)
    taker, giver = await side(parent, child, above)
    queue = PgQueue(above.dsn)
    cursor = START
    while True:
        await feed.cut(below, me, to, CLUSTERS)
        parcel = await giving.following(below, to, CLUSTERS, cursor)
        if parcel is None:
            break
        cursor = await receiving.take(above, queue, taker, giver, CLUSTERS, parcel.manifest, parcel.content)
        async with above.transaction() as conn:
            await _place(conn, child.symbol, giver.source or 0)
    for database in (below, above):
        async with database.connection() as conn:
            await conn.execute("vacuum analyze")


async def _place(conn: Connection, library: str, source: int) -> None:
    for row in await conn.fetch("delete from inbox returning payload"):
        kept: list[records.Values] = [
            (source, one.id, library, None, 0, int(Format.CNMARC), receiving.PACKED, "utf-8", 0, 0,
             one.digest or b"", "", 0, bodies.shrink(one.payload), 0, "", None)
            for one in payload.changes(bodies.grow(row["payload"]))
        ]  # fmt: skip
        await records.put(conn, kept, fresh=False)
    await conn.execute("update load set state = 'done'")


async def _looks(moves: Moves, homes: tuple[Path, ...]) -> tuple[Spent, Found]:
    """The median of several looks, and what the last one found."""
    taken = []
    for _ in range(LOOKS):
        with cpu.spent(*homes) as spent:
            found = await moves.look(UP)
        taken.append(spent)
    return sorted(taken, key=lambda each: each.wall)[LOOKS // 2], found


async def _drained(moves: Moves) -> None:
    while await moves.push(CLUSTERS) is Outcome.MOVED:
        pass


async def _damage_ledger(above: Database, giver: Peer, idents: Sequence[str]) -> None:
    async with above.transaction() as conn:
        lines = [(int(Kind.BIB), ident, 0, 0, bytes(16)) for ident in idents]
        await ledgers.correct(conn, Ledger.HEARD, giver.no, CLUSTERS, lines)


async def _flip(above: Database, giver: Peer, ident: str) -> None:
    """One bit of what is kept of a record."""
    async with above.transaction() as conn:
        row = await records.get(conn, giver.source or 0, ident)
        assert row
        kept = bytearray(bodies.grow(row.body))
        kept[len(kept) // 2] ^= 1
        damaged = bodies.shrink(bytes(kept))
        await conn.execute(
            "update record set body = $3 where source = $1 and local_id = $2", giver.source, ident, damaged
        )
