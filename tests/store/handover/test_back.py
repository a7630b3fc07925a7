"""A library with a node of its own goes back to be hosted: real databases, real sockets."""

from __future__ import annotations

import asyncio
import random

import pytest

from catalog import hosting
from catalog.hosting import Moved
from exchange import parting, producer
from tests import moving, postgres
from tests.moving import SZU, Census, Living, Traffic


async def returned(domain: Living, own: Living) -> None:
    """The library moves to its own node's parent."""
    async with own.stand.database.transaction() as conn:
        await parting.give(conn, own.symbol, domain.symbol)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")


async def test_a_library_comes_back_and_what_is_there_still_is_not_sent(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    await domain.load("szu", moving.titles(1, 60), SZU.symbol)
    before = await domain.records(SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
        await own.load("szu", [*moving.titles(1, 2, shelf="NEW"), *moving.titles(61, 1)], SZU.symbol)
        await own.load("szu", moving.titles(2, 1), SZU.symbol)  # as it was before
        await postgres.eventually(lambda: _is(domain, 61))
    traffic, census = Traffic().watch(monkeypatch), Census()
    async with census.of(SZU.symbol, domain):
        await returned(domain, own)
    assert await domain.state(SZU.symbol) == "done"
    assert census.seen[domain.symbol] == {61}
    now = await domain.records(SZU.symbol)
    assert now == await own.records(SZU.symbol)
    assert {key for key in now if now[key] != before.get(key)} == {"szu/b1", "szu/b61"}
    assert 0 < traffic.told["handover"] < 2 * 1200  # those two, and nothing else
    assert await domain.held(SZU.symbol) == sorted([("NEW1", ""), *((f"TP{n}", "") for n in range(2, 62))])
    async with domain.stand.database.connection() as conn:
        child = await domain.stand.peer(own.symbol)
        assert child.state == "revoked"
        assert await conn.fetchval("select count(*) from record where source = $1", child.source) == 0
        assert await hosting.host(conn, SZU.symbol) == ("", 2)
    with pytest.raises(Moved, match="hosted by the node CN-GD"):
        await own.load("szu", moving.titles(70, 1), SZU.symbol)
    await domain.load("szu", moving.titles(70, 1), SZU.symbol)
    assert await domain.counted(SZU.symbol) == 62


async def _is(living: Living, count: int) -> bool:
    return await living.counted(SZU.symbol) == count


async def test_a_library_that_was_never_hosted_comes_to_the_domain(domain: Living, own: Living) -> None:
    await own.load("szu", moving.titles(1, 20), SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await postgres.eventually(lambda: _is(domain, 20))
    before = await domain.held(SZU.symbol), await domain.origins(SZU.symbol)
    await returned(domain, own)
    assert await domain.brought("move") == 20 + 20  # twenty came, twenty of the node's merged records went
    assert (await domain.held(SZU.symbol), await domain.origins(SZU.symbol)) == before
    assert await domain.records(SZU.symbol) == await own.records(SZU.symbol)


async def test_a_return_that_is_cut_off_again_and_again_ends_the_same_and_goes_out_again(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "CHANGES", 20)
    await domain.load("szu", moving.titles(1, 60), SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
        await own.load("szu", moving.titles(31, 90, shelf="NEW"), SZU.symbol)
        await postgres.eventually(lambda: _is(domain, 120))
    async with own.stand.database.transaction() as conn:
        await parting.give(conn, own.symbol, domain.symbol)
    chance = random.Random(4)
    census = Census()
    async with census.of(SZU.symbol, domain):
        for cuts in range(400):
            async with domain.at_work(), own.at_work():
                await asyncio.sleep(chance.random() * (0.1 + cuts / 40))
            if await own.state(SZU.symbol) == await domain.state(SZU.symbol) == "done":
                break
    assert cuts > 4
    assert census.seen[domain.symbol] == {120}
    assert await domain.records(SZU.symbol) == await own.records(SZU.symbol)
    moved = await own.brought("move")
    await moving.joined(own, domain)  # and once more: both have everything
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await own.brought("move") == moved
    assert await domain.records(SZU.symbol) == {}
    assert await domain.counted(SZU.symbol) == 120
    async with domain.stand.database.connection() as conn:
        assert await hosting.host(conn, SZU.symbol) == (own.symbol, 3)


async def test_a_library_is_not_given_where_its_sources_cannot_be(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 1), domain.symbol)  # a source of that name, of another library
    await own.load("szu", moving.titles(11, 2), SZU.symbol)
    await moving.joined(own, domain)
    async with own.stand.database.transaction() as conn:
        await parting.give(conn, own.symbol, domain.symbol)
    async with domain.at_work(), own.at_work():

        async def told() -> bool:
            found = await own.handover(SZU.symbol)
            return found is not None and "a source named szu that isn't CN-SZU's" in found.reason

        await postgres.eventually(told)
        assert await own.state(SZU.symbol) == "due"
        await own.load("szu", moving.titles(21, 1), SZU.symbol)  # nothing is frozen
