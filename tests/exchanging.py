"""Two nodes on two databases that exchange segments without a wire: a child, and the parent that it pushes to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog import arrivals, bodies, libraries, payload, peers, sources
from catalog.database import pool
from catalog.database.pool import Database
from catalog.model import Format, Library, cluster_id
from catalog.payload import CLUSTERS, Change
from catalog.work.queue import PgQueue, Queue
from config.secret import Secret
from exchange import ends, feed, giving, receiving
from exchange.ends import Me, Peer
from exchange.giving import Parcel
from exchange.keys import Key
from exchange.model import Cursor
from protocols import suites
from tests import builders, stocked
from tests.postgres import Postgres
from tests.stocked import Stock


def a_key(seed: int = 1) -> Key:
    """A key that is always the same."""
    bare = bytes([seed]) * 32
    return Key(suite=suites.DEFAULT, seed=Secret(bare.hex()), public=suites.DEFAULT.public(bare))


@dataclass
class Node:
    """One end."""

    database: Database
    symbol: str
    key: Key
    peer: Peer = field(init=False)
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = PgQueue(self.database.dsn)

    @property
    def me(self) -> Me:
        """The node as the exchange is given it."""
        return ends.me(self.symbol, lambda: self.key)

    async def know(self, other: Node, role: peers.Role, **policy: object) -> None:
        """Enter the other one as a peer. A child gets its source."""
        async with self.database.transaction() as conn:
            await conn.execute("insert into node (symbol) values ($1) on conflict do nothing", self.symbol)
            source = None
            if role == "child":
                await libraries.add(conn, Library(symbol=other.symbol, name=f"Library {other.symbol}"))
                source = (await sources.add(conn, other.symbol, other.symbol)).no
            known = await peers.enter(
                conn,
                other.symbol,
                name=other.symbol,
                role=role,
                path="uplink",
                suite=other.key.suite.name,
                key=other.key.public,
                proto=1,
                source=source,
            )
            await conn.execute("update peer set policy = $2 where peer = $1", known.no, policy)
        await self.look()

    async def look(self) -> None:
        """Read the peer's row again."""
        async with self.database.connection() as conn:
            (known,) = await peers.every(conn)
        self.peer = ends.peer(known)

    async def cut(self, channel: str = CLUSTERS) -> int:
        """Make segments of what is new."""
        return await feed.cut(self.database, self.me, self.peer, channel)

    async def next(self, cursor: Cursor, channel: str = CLUSTERS) -> Parcel | None:
        """The segment that follows on a place."""
        return await giving.following(self.database, self.peer, channel, cursor)

    async def take(self, parcel: Parcel, channel: str = CLUSTERS) -> Cursor:
        """Apply a segment."""
        return await receiving.take(
            self.database, self.queue, self.me, self.peer, channel, parcel.manifest, parcel.content
        )

    async def cursor(self, channel: str = CLUSTERS) -> Cursor:
        """How far the peer's stream is applied."""
        async with self.database.connection() as conn:
            return Cursor(*await arrivals.cursor(conn, self.peer.no, channel))


async def pass_on(giver: Node, taker: Node, channel: str = CLUSTERS) -> Sequence[Parcel]:
    """Cut, give and take until the taker has everything; what was passed on."""
    passed: list[Parcel] = []
    while True:
        await giver.cut(channel)
        parcel = await giver.next(await taker.cursor(channel), channel)
        if parcel is None:
            return passed
        await taker.take(parcel, channel)
        passed.append(parcel)


@contextlib.asynccontextmanager
async def pair(server: Postgres, home: Path) -> AsyncIterator[tuple[Node, Node]]:
    """(child, parent), each on a fresh database. The child's catalogue is the house of `tests.stocked`."""
    async with contextlib.AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(pool.open(home, await stack.enter_async_context(server.fresh())))
            for _ in range(2)
        ]
        child = Node(database=opened[0], symbol=stocked.SYMBOL, key=a_key(1))
        parent = Node(database=opened[1], symbol="CN-DOM", key=a_key(2))
        async with child.database.connection() as conn:
            await stocked.open_house(conn)
        await child.know(parent, "parent")
        await parent.know(child, "child")
        yield child, parent


def ident(number: int) -> str:
    """The child's id of a cluster."""
    return cluster_id(stocked.SYMBOL, number)


def a_title(number: int = 0, **more: Any) -> Stock:
    """A title told apart by its number, with one copy."""
    record = builders.a_cnmarc(title=f"梦溪笔谈校证之{number}", local_id="")
    return Stock(record=record, format=Format.CNMARC, **{"holdings": (builders.a_holding(item=f"B{number}"),), **more})


async def stock(node: Node, count: int, first: int = 1) -> None:
    """Publish so many titles as the pipeline would."""
    async with node.database.connection() as conn:
        await stocked.stock(conn, [a_title(n) for n in range(first, first + count)], first)


async def units(node: Node) -> list[list[Change]]:
    """The changes in every unit that landed, oldest load first."""
    async with node.database.connection() as conn:
        rows = await conn.fetch(
            "select i.payload, l.state, l.mode, l.carrier from inbox i join load l using (load) order by load"
        )
    assert {(row["state"], row["mode"], row["carrier"]) for row in rows} <= {("preparing", "feed", "packed")}
    return [payload.changes(bodies.grow(row["payload"])) for row in rows]


async def landed(node: Node) -> dict[str, Change]:
    """The latest change of every key that landed."""
    return {change.id: change for unit in await units(node) for change in unit}
