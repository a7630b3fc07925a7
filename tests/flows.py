"""Records that flow between the nodes of `tests.network`, for tests of the exchange over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from catalog import arrivals, bodies, clusters, libraries, packing, payload, peers
from catalog.connection import Connection
from catalog.model import cluster_id
from catalog.payload import CLUSTERS, Change
from catalog.work.queue import PgQueue
from config.errors import TianluError, Unreachable
from exchange import ends, feed, mending, running
from exchange.lanes import Lane, Way
from exchange.model import Cursor
from exchange.moving import Moves, Wire
from exchange.peer import Answer
from protocols.http.guard import Rules
from tests import builders, postgres, stocked
from tests.exchanging import a_title
from tests.network import Stand
from tests.stocked import Stock

UP, DOWN = Lane(CLUSTERS, Way.UP), Lane(CLUSTERS, Way.DOWN)

# What a backup holds of a node's catalogue and exchange.
TABLES = (
    "feed", "merged", "record", "holding", "membership", "outgoing", "told", "segment", "incoming", "heard",
    "received", "received_of", "notice",
)  # fmt: skip


async def stock(stand: Stand, numbers: Iterable[int]) -> None:
    """Publish titles as clusters of these numbers, as the pipeline would."""
    async with stand.database.transaction() as conn:
        await libraries.ensure(conn, builders.TJU.symbol)
        await conn.execute(
            "insert into source (name, library) values ('own', $1) on conflict do nothing", builders.TJU.symbol
        )
        for number in numbers:
            await stocked.stock(conn, [a_title(number)], number)


async def publish(stand: Stand, number: int, entry: Stock | None, redirect: int | None = None) -> None:
    """Another state of a cluster."""
    async with stand.database.connection() as conn:
        await stocked.publish(conn, [stocked.version(number, entry, redirect)])


def ident(stand: Stand, number: int) -> str:
    """A cluster's id."""
    return cluster_id(stand.symbol, number)


@contextlib.asynccontextmanager
async def exchanging(*stands: Stand) -> AsyncIterator[None]:
    """The exchange role of these nodes runs for the length of the block."""
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(
            running.run(
                stand.database,
                PgQueue(stand.database.dsn),
                symbol=stand.symbol,
                keyring=stand.keyring,
                rules=Rules(),
                stop=stop,
            )
        )
        for stand in stands
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


@contextlib.asynccontextmanager
async def moves(child: Stand, parent: Stand, wire: type[Cut] | None = None) -> AsyncIterator[Moves]:
    """A child's moves towards its parent, to be made one by one."""
    async with child.client(parent.symbol) as client:
        yield Moves(
            database=child.database,
            queue=PgQueue(child.database.dsn),
            me=ends.me(child.symbol, child.keyring.key),
            peer=ends.peer(await child.peer(parent.symbol)),
            wire=wire(client) if wire else client,
            wait=0.0,
        )


@dataclass
class Cut:
    """A wire that breaks when it is told to."""

    wire: Wire
    before: list[int] = field(default_factory=list)  # numbers of requests that never arrive, 0 = the first
    after: list[int] = field(default_factory=list)  # numbers of requests whose answer is lost
    sent: list[tuple[str, int]] = field(default_factory=list)  # method and bytes of the body

    @property
    def skew(self) -> float:
        """See `Wire`."""
        return self.wire.skew

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        patience: float = 60.0,
    ) -> Answer:
        """See `Wire`."""
        number = len(self.sent)
        self.sent.append((method, len(body)))
        if number in self.before:
            raise Unreachable("the line is cut")
        answer = await self.wire.send(method, path, body, headers=headers, patience=patience)
        if number in self.after:
            raise Unreachable("the line is cut")
        return answer

    def refusal(self, answer: Answer) -> TianluError:
        """See `Wire`."""
        return self.wire.refusal(answer)


async def settled(child: Stand, parent: Stand) -> None:
    """Until both have acknowledged everything that the other has to tell."""

    async def quiet() -> bool:
        return await told_all(child, parent) and await told_all(parent, child)

    await postgres.eventually(quiet, 30.0)


async def told_all(giver: Stand, taker: Stand) -> bool:
    """The taker has applied all of the giver's clusters, and the giver knows."""
    peer, other = ends.peer(await giver.peer(taker.symbol)), await taker.peer(giver.symbol)
    async with giver.database.connection() as conn:
        head = await feed.head(conn, CLUSTERS)
        stands = await feed.outgoing(conn, peer, CLUSTERS)
        waiting = await feed.waiting(conn, peer, CLUSTERS)
    async with taker.database.connection() as conn:
        cursor = Cursor(*await arrivals.cursor(conn, other.no, CLUSTERS))
    return stands.made.seq == head.last and not waiting and not stands.held_up and cursor == stands.known


async def landed(stand: Stand) -> dict[str, Change]:
    """The latest change of every key that landed in the inbox."""
    async with stand.database.connection() as conn:
        rows = await conn.fetch("select payload from inbox order by load, unit")
    return {change.id: change for row in rows for change in payload.changes(bodies.grow(row["payload"]))}


def title(change: Change) -> str:
    """The title in a change."""
    text = packing.unpack(payload.bib(change.payload).body).first("200") or ""
    return text.partition("\x1fa")[2].partition("\x1f")[0]


async def compared(child: Stand, parent: Stand, lane: Lane, *, deep: bool = False) -> mending.Report:
    """A look at both ends of a stream."""
    async with moves(child, parent) as making:
        return await making.look(lane, deep=deep)


async def back_up(stand: Stand) -> None:
    """Keep the state of a node inside its own database."""
    async with stand.database.transaction() as conn:
        await conn.execute("create schema backup")
        for table in TABLES:
            await conn.execute(f"create table backup.{table} as table public.{table}")


async def restore(stand: Stand) -> None:
    """Put the state of the backup in the place of the present one."""
    async with stand.database.transaction() as conn:
        await conn.execute(f"truncate {', '.join(f'public.{table}' for table in TABLES)} cascade")
        for table in TABLES:
            await conn.execute(f"insert into public.{table} overriding system value select * from backup.{table}")


async def place(stand: Stand, source_of: str) -> None:
    """Keep what landed as PREPARE and PLACE would: one record a bib, one cluster a record."""
    known = await stand.peer(source_of)
    async with stand.database.transaction() as conn:
        for number, change in enumerate((await landed(stand)).values(), 1):
            await _record(conn, known, number, change)
        await conn.execute("delete from inbox")
        await conn.execute("update load set state = 'done'")


async def _record(conn: Connection, known: peers.Peer, number: int, change: Change) -> None:
    await conn.execute("delete from record where source = $1 and local_id = $2", known.source, change.id)
    if not change.payload:
        return
    sid = 1000 + number
    await conn.execute(
        """insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility, dictionary,
               digest, stamp, title_hash, body)
           values ($1, $2, $3, $4, 1, 2, 4, 'utf-8', 0, 0, '', '', 0, $5)""",
        known.source, change.id, known.symbol, sid, bodies.shrink(change.payload),
    )  # fmt: skip
    await clusters.move_members(conn, {sid: sid})
