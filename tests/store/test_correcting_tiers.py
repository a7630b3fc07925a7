"""A correction goes down two tiers and its effect comes up again: three nodes with databases, no wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import corrections, received
from tests import builders, fed, linked
from tests.linked import LEAF, MIDDLE, TOP, Tier, flow
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def tiers(server: Postgres, home: Path) -> AsyncIterator[tuple[Tier, Tier, Tier]]:
    async with linked.tiers(server, home) as made:
        yield made


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
        _, offered = await corrections.make(conn, TOP, before.cluster, [("200", old, new)], why="繁体", who=TOP)
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
