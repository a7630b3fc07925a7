"""Nodes that talk to each other over real sockets, each with a database and a home of its own, all in one process.

async with network.standing(server, "CENTRE", tier="central") as centre, …:
    await network.joined(child, centre)
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from catalog import libraries, ownership, peers
from catalog.database import pool
from catalog.database.pool import Database
from catalog.model import Library
from catalog.peers import Peer
from config import settings
from config.secret import Secret
from exchange import codes, joining
from exchange import peer as talking
from exchange.codes import Code
from exchange.keys import Keyring
from exchange.peer import Client
from node import identity
from node.web import app, exchange_door
from node.web.exchange_door import Door
from node.web.openapi import Route
from node.web.routes import ROUTES
from protocols.http import door as outgoing_door
from protocols.http.guard import Rules
from tests import postgres
from tests.postgres import Postgres
from tests.stocked import Node, Shelf


@dataclass(kw_only=True)
class Stand:
    """A node whose web door is open. Its clock is `now` plus `offset` seconds."""

    symbol: str
    home: Path
    database: Database
    node: Node
    door: Door
    session: aiohttp.ClientSession  # for what no node would send
    out: outgoing_door.Door
    serving: TestServer
    address: str = ""
    offset: float = field(default=0.0)

    @property
    def keyring(self) -> Keyring:
        """The node's key."""
        return identity.keyring(self.home, self.node.settings)

    async def invite(self, symbol: str, path: str = "uplink", days: float = 7) -> Code:
        """A code for a library."""
        key = self.keyring.key()
        code = Code(
            address=self.address,
            symbol=self.symbol,
            suite=key.suite,
            fingerprint=key.fingerprint,
            secret=Secret(token_hex(codes.SECRET)),
        )
        async with self.database.transaction() as conn:
            await joining.invite(conn, codes.ticket(code.secret, code.suite)[1], symbol, path, days, self.symbol)
        return code

    async def join(self, code: Code) -> Peer:
        """Join a parent."""
        return await joining.join(self.database, self.out, self.keyring, code, me=self.symbol)

    async def peer(self, symbol: str) -> Peer:
        """A peer as this node knows it now."""
        async with self.database.connection() as conn:
            return await peers.get(conn, symbol)

    async def set_state(self, symbol: str, state: peers.State) -> None:
        """Suspend, resume or revoke a peer."""
        async with self.database.transaction() as conn:
            await peers.set_state(conn, symbol, state)

    async def stop(self) -> None:
        """Close the door in order."""
        await self.serving.close()

    @contextlib.asynccontextmanager
    async def client(self, symbol: str, proxy: str = "") -> AsyncIterator[Client]:
        """A client to a parent."""
        rules, peer = Rules(proxy=proxy), await self.peer(symbol)
        async with talking.connect(self.database, self.keyring, self.symbol, peer, rules) as client:
            client.clock = self.clock
            yield client

    def outside(self, address: str) -> None:
        """As if `exchange.address` were set, because a proxy stands before the node."""
        told = self.node.settings
        told = dataclasses.replace(told, exchange=dataclasses.replace(told.exchange, address=address))
        self.door.node = self.node = dataclasses.replace(self.node, settings=told)

    def clock(self) -> float:
        """The node's idea of the time."""
        return _now() + self.offset


def _now() -> float:
    return time.time()


@contextlib.asynccontextmanager
async def standing(
    server: Postgres, symbol: str, *, tier: str = "local", routes: Sequence[Route] = (), name: str = ""
) -> AsyncIterator[Stand]:
    """A node with its door open; `routes` are added to its own."""
    async with contextlib.AsyncExitStack() as stack:
        home = stack.enter_context(postgres.home())
        dsn = await stack.enter_async_context(server.fresh())
        database = await stack.enter_async_context(pool.open(home, dsn))
        async with database.transaction() as conn:
            await ownership.claim(conn, symbol)
            await libraries.add(conn, Library(symbol=symbol, name=name or f"{symbol} library", area="天津"))
        told = settings.load(home, {}, {"node.symbol": symbol, "node.tier": tier, "node.name": name})
        node = Node(database=database, reader=Shelf(), home=home, settings=told, symbol=symbol)
        made: web.Application = app.make(node, (*ROUTES, *routes))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=("Accept-Encoding", "Content-Type"))
        )
        out = await stack.enter_async_context(outgoing_door.open())
        serving = TestServer(made)
        stand = Stand(
            symbol=symbol,
            home=home,
            database=database,
            node=node,
            door=made[exchange_door.DOOR],
            session=session,
            out=out,
            serving=serving,
        )
        stand.door.clock = stand.clock
        await stack.enter_async_context(serving)
        stand.address = str(serving.make_url("/"))
        yield stand


async def joined(child: Stand, parent: Stand) -> Peer:
    """Let a child join; the parent as the child knows it."""
    return await child.join(await parent.invite(child.symbol))


def known(stand: Stand) -> talking.Known:
    """A node as one that has read its key."""
    key = stand.keyring.key()
    return talking.Known(
        symbol=stand.symbol, address=stand.address, suite=key.suite.name, fingerprint=key.fingerprint, key=key.public
    )
