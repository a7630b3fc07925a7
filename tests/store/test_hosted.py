"""Libraries without a node of their own: their domain hosts them, and nobody can tell the difference."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import handed, hosting, libraries, payload
from catalog.model import Library
from exchange import raws, running
from tests import fed, moving, postgres
from tests.moving import Census, Living
from tests.postgres import Postgres

SZU = Library(symbol="CN-SZU", name="深圳大学图书馆", area="广东/深圳")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that look for news more often than real ones, so that nobody waits for them."""
    monkeypatch.setattr(running, "LOOK", 0.05)
    monkeypatch.setattr(running, "PAUSE", 0.05)


@pytest_asyncio.fixture
async def centre(server: Postgres) -> AsyncIterator[Living]:
    async with moving.node(server, "CN-C", tier="central") as living:
        yield living


@pytest_asyncio.fixture
async def domain(server: Postgres, centre: Living) -> AsyncIterator[Living]:
    async with moving.node(server, "CN-GD", tier="domain") as living:
        await living.host(SZU)
        await moving.joined(living, centre)
        yield living


@pytest_asyncio.fixture
async def member(server: Postgres, domain: Living) -> AsyncIterator[Living]:
    async with moving.node(server, "CN-TJU") as living:
        await moving.joined(living, domain)
        yield living


@pytest_asyncio.fixture
async def own(server: Postgres) -> AsyncIterator[Living]:
    async with moving.node(server, SZU.symbol) as living:
        yield living


async def there(living: Living, library: str, count: int) -> None:
    """Until so many titles of a library are counted."""

    async def counted() -> bool:
        return await living.counted(library) == count

    await postgres.eventually(counted, 60.0)


async def hosts(living: Living, library: str, node: str, reign: int) -> None:
    """Until a node knows who hosts a library."""

    async def known() -> bool:
        async with living.stand.database.connection() as conn:
            return await hosting.host(conn, library) == (node, reign)

    await postgres.eventually(known, 60.0)


async def test_a_hosted_library_looks_like_a_members(centre: Living, domain: Living, member: Living) -> None:
    await domain.load("szu", moving.titles(1, 12), SZU.symbol)
    await member.load("tju", moving.titles(7, 12), "CN-TJU")
    async with centre.at_work(), domain.at_work(), member.at_work():
        for library in (SZU.symbol, "CN-TJU"):
            await there(centre, library, 12)
            await there(domain, library, 12)
        await hosts(centre, SZU.symbol, "CN-GD", 0)
        await hosts(centre, "CN-TJU", "CN-TJU", 0)
        await hosts(member, SZU.symbol, "CN-GD", 0)
    for living in (centre, domain):
        async with living.stand.database.connection() as conn:
            assert await conn.fetchval("select count(*) from merged where not deleted") == 18  # six are held by both
            directory = {each.symbol: each for each in await libraries.every(conn)}
        assert directory[SZU.symbol].name == SZU.name
        assert await living.origins(SZU.symbol) == {f"CN-SZU/szu/b{n}#1" for n in range(1, 13)}
        assert await living.origins("CN-TJU") == {f"CN-TJU/tju/b{n}#1" for n in range(7, 19)}
        assert await living.held(SZU.symbol) == sorted((f"TP{n}", "") for n in range(1, 13))
        assert len(await living.held("CN-TJU")) == 12


async def test_nobody_above_sees_a_library_move(centre: Living, domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 30), SZU.symbol)
    census = Census()
    async with centre.at_work(), domain.at_work():
        await there(centre, SZU.symbol, 30)
        before = await centre.held(SZU.symbol), await centre.origins(SZU.symbol)
        await moving.joined(own, domain)
        async with own.at_work(), census.of(SZU.symbol, centre, domain):
            await moving.until(own, SZU.symbol, "done")
            await hosts(centre, SZU.symbol, SZU.symbol, 1)
            await there(centre, SZU.symbol, 30)
            await own.load("szu", moving.titles(31, 1), SZU.symbol)
            await there(centre, SZU.symbol, 31)
    assert all({30} <= seen <= {30, 31} for seen in census.seen.values())
    held, origins = await centre.held(SZU.symbol), await centre.origins(SZU.symbol)
    assert (held, origins) == (sorted([*before[0], ("TP31", "")]), before[1] | {"CN-SZU/szu/b31#1"})


async def test_a_record_that_was_edited_before_the_old_copy_went_counts_once(domain: Living) -> None:
    await domain.load("szu", moving.titles(1, 3), SZU.symbol)
    copy = payload.Held("CN-SZU/szu/b2#1", SZU.symbol, "TP2")
    await domain.catalogue.source(fed.CHILD, fed.CHILD)
    await fed.feed(domain.catalogue, [fed.told(9, title="全然不同之书", holdings=[copy])])
    assert await domain.counted(SZU.symbol) == 3
    assert len(await domain.held(SZU.symbol)) == 3
    async with domain.stand.database.transaction() as conn:
        (source,) = await handed.sources(conn, SZU.symbol)
        await raws.retire(conn, domain.catalogue.queue, [source], "gone")
    await domain.catalogue.settle()
    assert await domain.counted(SZU.symbol) == 1
    async with domain.stand.database.connection() as conn:
        assert await conn.fetchval("select count(*) from pin") == 0
