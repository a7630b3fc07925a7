"""A hand-over that is not wanted after all, cancelled before anything was given: real databases, real sockets."""

from __future__ import annotations

import pytest

from catalog import hosting
from config.errors import Conflict, NotFound
from exchange import ends, handover, parting
from exchange.handing import Handing
from exchange.handover import Step, Turn
from exchange.spares import nobody
from tests import moving, postgres
from tests.moving import SZU, Living


async def cancelled(living: Living) -> hosting.Handover:
    async with living.stand.database.transaction() as conn:
        return await parting.cancel(conn, SZU.symbol)


async def test_a_domain_keeps_a_library_whose_node_has_only_joined(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 5), SZU.symbol)
    await moving.joined(own, domain)
    with pytest.raises(Conflict, match="CN-GD hosts CN-SZU so far: there, run"):
        await cancelled(own)
    assert (await cancelled(domain)).state == "due"
    with pytest.raises(NotFound):
        await cancelled(domain)
    assert (await domain.stand.peer(own.symbol)).state == "revoked"
    async with domain.at_work(), own.at_work():
        await domain.load("szu", moving.titles(6, 1), SZU.symbol)
        await moving.joined(own, domain)  # with a new code it begins anew
        await moving.until(own, SZU.symbol, "done")
    assert await own.counted(SZU.symbol) == await domain.counted(SZU.symbol) == 6


async def test_whoever_signs_or_cancels_first_decides(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 5), SZU.symbol)
    await moving.joined(own, domain)
    async with domain.stand.database.transaction() as conn:
        (due,) = await hosting.going(conn)
        await hosting.turn(conn, due, "freezing")
        (freezing,) = await hosting.going(conn)
    child = ends.peer(await domain.stand.peer(own.symbol))
    me = ends.me(domain.symbol, domain.stand.keyring.key)
    handing = Handing(database=domain.stand.database, queue=domain.catalogue.queue, me=me, peer=child, alone=nobody)
    await cancelled(domain)
    freeze = Turn("freezing", frozenset(), Step.FREEZE, "moving")
    with pytest.raises(Conflict):  # it was under way in another process
        await handing.freeze(freezing, freeze)
    async with domain.stand.database.connection() as conn:
        assert await hosting.host(conn, SZU.symbol) == ("", 0)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(domain, SZU.symbol, "moving", "retiring", "done")
        with pytest.raises((Conflict, NotFound)):
            await cancelled(domain)
        await moving.until(own, SZU.symbol, "done")


async def test_a_node_keeps_its_library_and_may_give_it_again(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 1), domain.symbol)  # a source of that name, of another library
    await own.load("szu", moving.titles(11, 2), SZU.symbol)
    await moving.joined(own, domain)
    async with own.stand.database.transaction() as conn:
        await parting.give(conn, own.symbol, domain.symbol)
    async with domain.at_work(), own.at_work():

        async def refused() -> bool:
            found = await own.handover(SZU.symbol)
            return found is not None and "a source named szu" in found.reason

        await postgres.eventually(refused)
        await cancelled(own)
        await own.load("szu", moving.titles(21, 1), SZU.symbol)

        async def forgotten() -> bool:
            return await own.handover(SZU.symbol) is None

        await postgres.eventually(forgotten)
        assert await domain.handover(SZU.symbol) is None
        assert (await domain.stand.peer(own.symbol)).state == "active"


@pytest.mark.parametrize("heard", [False, True])
async def test_what_was_cancelled_is_forgotten_at_the_parent_too(domain: Living, own: Living, heard: bool) -> None:
    await own.load("szu", moving.titles(11, 2), SZU.symbol)
    await moving.joined(own, domain)
    async with own.stand.database.transaction() as conn:
        one = await parting.give(conn, own.symbol, domain.symbol)
    child = ends.peer(await domain.stand.peer(own.symbol))

    async def ask(state: str) -> str:
        async with domain.stand.database.transaction() as conn:
            asked = handover.Ask(library=SZU.symbol, reign=one.reign, way="out", state=state)
            return (await parting.hear(conn, domain.symbol, child, asked)).state

    if heard:
        assert await ask("due") == "due"
    await cancelled(own)
    if not heard:  # it is given again before the parent has heard of anything
        async with own.stand.database.transaction() as conn:
            assert (await parting.give(conn, own.symbol, domain.symbol)).reign == one.reign
        assert await own.state(SZU.symbol) == "due"
        await cancelled(own)
    assert await ask("cancelled") == "cancelled"
    assert await ask("cancelled") == "cancelled"
    assert await domain.handover(SZU.symbol) is None
    async with own.stand.database.transaction() as conn:
        await conn.execute("delete from handover")
        await parting.give(conn, own.symbol, domain.symbol)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await domain.counted(SZU.symbol) == 2
