"""Three nodes, each the next one's child, with whole pipelines and databases and no wire."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from catalog import changes, packing, peers
from catalog.database import pool
from catalog.model import Published
from catalog.payload import CLUSTERS, NOTICES
from exchange import ends
from tests import exchanging
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
        """Its 200."""
        return packing.unpack((await self.one()).body).first("200") or ""


@dataclass
class _End(Node):
    """One end of several at the same node."""

    other: str = ""

    async def look(self) -> None:
        async with self.database.connection() as conn:
            found = {each.symbol: each for each in await peers.every(conn)}
        self.peer = ends.peer(found[self.other])


@contextlib.asynccontextmanager
async def tiers(server: Postgres, home: Path) -> AsyncIterator[tuple[Tier, Tier, Tier]]:
    """(top, middle, leaf)."""
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


async def flow(*tiers: Tier) -> list[bytes]:
    """Everything told up and down, and placed, until nothing is left to tell; the segments."""
    top, middle, leaf = tiers
    links = [(leaf.ends[MIDDLE], middle.ends[LEAF], middle), (middle.ends[TOP], top.ends[MIDDLE], top)]
    told: list[bytes] = []
    while True:
        before = len(told)
        for child, parent, above in links:
            for giver, taker in ((child, parent), (parent, child)):
                for channel in (CLUSTERS, NOTICES):
                    told += [parcel.content for parcel in await pass_on(giver, taker, channel)]
            await above.catalogue.settle()
        if len(told) == before:
            return told
