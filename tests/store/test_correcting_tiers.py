"""A correction goes down two tiers and its effect comes up again: three nodes with databases, no wire."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from catalog import changes, corrections, packing, peers, received
from catalog.database import pool
from catalog.model import Published
from catalog.payload import CLUSTERS, NOTICES
from exchange import ends
from tests import builders, exchanging, fed
from tests.exchanging import Node, pass_on
from tests.pipeline import Catalogue
from tests.postgres import Postgres

TOP, MIDDLE, LEAF = "CN-TOP", "CN-DOM", "CN-TJU"


@dataclass
class Tier:
    """One node: its catalogue, and its ends of the streams by the other's symbol."""

    catalogue: Catalogue
    ends: dict[str, Node]

    async def one(self) -> Published:
        """The one record that is shown."""
        async with self.catalogue.database.connection() as conn:
            (found,) = [each for each in await changes.after(conn, 0, 100) if not each.deleted]
        return found

    async def title(self) -> str:
        return packing.unpack((await self.one()).body).first("200") or ""


@dataclass
class _End(Node):
    """One end of several at the same node."""

    other: str = ""

    async def look(self) -> None:
        async with self.database.connection() as conn:
            found = {each.symbol: each for each in await peers.every(conn)}
        self.peer = ends.peer(found[self.other])


@pytest_asyncio.fixture
async def tiers(server: Postgres, home: Path) -> AsyncIterator[tuple[Tier, Tier, Tier]]:
    async with contextlib.AsyncExitStack() as stack:
        made: dict[str, Tier] = {}
        for symbol in (TOP, MIDDLE, LEAF):
            dsn = await stack.enter_async_context(server.fresh())
            database = await stack.enter_async_context(pool.open(home, dsn))
            made[symbol] = Tier(await Catalogue(database).open(symbol), {})
        for n, (parent, child) in enumerate([(TOP, MIDDLE), (MIDDLE, LEAF)]):
            up = _End(made[child].catalogue.database, child, exchanging.a_key(2 * n + 1), other=parent)
            down = _End(made[parent].catalogue.database, parent, exchanging.a_key(2 * n + 2), other=child)
            made[child].ends[parent], made[parent].ends[child] = up, down
            await up.know(down, "parent")
            await down.know(up, "child")
        yield made[TOP], made[MIDDLE], made[LEAF]


async def flow(*tiers: Tier) -> None:
    """Everything told up and down, and placed, until nothing is left to tell."""
    top, middle, leaf = tiers
    links = [(leaf.ends[MIDDLE], middle.ends[LEAF], middle), (middle.ends[TOP], top.ends[MIDDLE], top)]
    while True:
        passed = 0
        for child, parent, above in links:
            for giver, taker in ((child, parent), (parent, child)):
                for channel in (CLUSTERS, NOTICES):
                    passed += len(await pass_on(giver, taker, channel))
            await above.catalogue.settle()
        if not passed:
            return


async def decide(tier: Tier, symbol: str) -> None:
    async with tier.catalogue.database.transaction() as conn:
        (entry,) = [each for each in await corrections.listing(conn) if not each.outward]
        assert await corrections.accept(conn, symbol, entry.id) == "accepted"
    await tier.catalogue.settle()


async def test_a_correction_from_the_top_reaches_the_library_and_comes_back(tiers: tuple[Tier, Tier, Tier]) -> None:
    top, middle, leaf = tiers
    record = fed.a_record(1, local_id="x", holdings=[builders.a_holding(item="T1")])
    await leaf.catalogue.load("opac", [builders.iso2709(record)])
    await flow(top, middle, leaf)
    before = await top.one()
    assert before.libraries == ("LIB",)
    old = await top.title()
    new = old.replace("园冶注释", "园冶註釋")
    async with top.catalogue.database.transaction() as conn:
        _, offered = await corrections.make(conn, TOP, before.cluster, "200", old, new, why="繁体", who=TOP)
    assert offered == 1
    await top.catalogue.settle()
    await flow(top, middle, leaf)
    assert [await tier.title() for tier in tiers] == [new, old, old], "nobody below has decided"
    async with middle.catalogue.database.connection() as conn:
        ((_, version),) = await received.of_cluster(conn, (await middle.one()).cluster)
    assert version.payload
    await decide(middle, MIDDLE)
    await flow(top, middle, leaf)
    assert [await tier.title() for tier in tiers] == [new, new, old]
    await decide(leaf, LEAF)
    await flow(top, middle, leaf)
    assert [await tier.title() for tier in tiers] == [new, new, new]
    for tier in (top, middle):
        async with tier.catalogue.database.connection() as conn:
            states = [each.state for each in await corrections.listing(conn, decided=True)]
        assert set(states) == {"accepted"}
    # Nothing goes round: another look tells nothing, and the record has its own holdings once.
    head = await top.catalogue.head()
    await flow(top, middle, leaf)
    assert await top.catalogue.head() == head
    async with top.catalogue.database.connection() as conn:
        assert await conn.fetchval("select count(*) from holding") == 1
        assert await conn.fetchval("select count(*) from amendment") == 1
