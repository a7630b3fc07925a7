"""Nodes that lost something: restored from an older backup, or with a byte that flipped. They find it by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import bodies, clusters
from catalog.payload import CLUSTERS
from config.errors import Refused
from exchange import ends, feed, link, reconciling
from exchange.model import Cursor
from exchange.reconciling import Standing
from tests import flows, network
from tests.exchanging import a_title
from tests.flows import DOWN, UP
from tests.network import Stand
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def parent(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "CN-DOM", tier="domain") as stand:
        yield stand


@pytest_asyncio.fixture
async def child(server: Postgres, parent: Stand) -> AsyncIterator[Stand]:
    async with network.standing(server, "CN-TJU") as stand:
        await network.joined(stand, parent)
        yield stand


async def epoch(stand: Stand) -> int:
    async with stand.database.connection() as conn:
        return (await feed.head(conn, CLUSTERS)).epoch


async def present(parent: Stand, child: Stand) -> dict[int, str]:
    """Titles by cluster of what the parent has of the child, as the ledger and the inbox say."""
    async with parent.database.connection() as conn:
        rows = await conn.fetch("select id from heard where channel = $1 and digest is not null", CLUSTERS)
    alive = {row["id"] for row in rows}
    found = await flows.landed(parent)
    return {
        number: flows.title(found[ident]) for number in range(1, 40) if (ident := flows.ident(child, number)) in alive
    }


def titles(*numbers: int) -> dict[int, str]:
    return {number: f"梦溪笔谈校证之{number}" for number in numbers}


async def test_a_restored_child_takes_its_lost_future_back(child: Stand, parent: Stand) -> None:
    await flows.stock(child, range(1, 6))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    await flows.back_up(child)
    await flows.stock(child, range(6, 9))
    await flows.publish(child, 1, a_title(11))
    await flows.publish(child, 2, None)
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await present(parent, child) == {**titles(3, 4, 5, 6, 7, 8), 1: "梦溪笔谈校证之11"}
    before = await epoch(child)
    await flows.restore(child)
    await flows.stock(child, [21])  # life goes on before anybody noticed
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await epoch(child) > before
    assert await present(parent, child) == titles(1, 2, 3, 4, 5, 21)
    async with child.database.connection() as conn:
        assert await clusters.reserve(conn, 1) == [9]  # 8 was heard of, and is never given again
    report = await flows.compared(child, parent, UP)
    assert (report.equal, report.told, report.heard, report.waiting) == (True, 6, 6, 0)


async def test_a_restored_parent_is_told_what_it_lost(child: Stand, parent: Stand) -> None:
    await flows.stock(child, range(1, 4))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    await flows.back_up(parent)
    await flows.stock(child, [4])
    await flows.publish(child, 1, a_title(11))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    await flows.restore(parent)
    async with parent.database.connection() as conn:
        await conn.execute("delete from inbox where load > 1")
    before = await epoch(child)
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await epoch(child) == before  # nothing of the child is lost
    assert await present(parent, child) == {**titles(2, 3, 4), 1: "梦溪笔谈校证之11"}
    async with parent.database.connection() as conn:
        last = await conn.fetchval("select max(load) from load")
        (again,) = [row["n"] for row in await conn.fetch("select units n from load where load = $1", last)]
    assert again == 1
    report = await flows.compared(child, parent, UP)
    assert report.equal


async def down(parent: Stand, child: Stand, count: int) -> None:
    """The parent has `count` clusters with a record of the child each."""
    await flows.stock(child, range(1, count + 1))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
        await flows.place(parent, child.symbol)
        await flows.stock(parent, range(1001, 1001 + count))
        await flows.settled(child, parent)


async def received(child: Stand) -> dict[str, bytes]:
    async with child.database.connection() as conn:
        return {row["id"]: row["payload"] for row in await conn.fetch("select id, payload from received")}


async def test_a_restored_child_gets_its_received_versions_again(child: Stand, parent: Stand) -> None:
    await down(parent, child, 3)
    await flows.back_up(child)
    await flows.publish(parent, 1002, a_title(22))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    whole = await received(child)
    await flows.restore(child)
    assert await received(child) != whole
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await received(child) == whole


async def test_a_restored_parent_takes_its_lost_versions_back(child: Stand, parent: Stand) -> None:
    await down(parent, child, 3)
    whole = await received(child)
    await flows.back_up(parent)
    await flows.publish(parent, 1001, None, redirect=1002)
    await flows.publish(parent, 1002, a_title(22))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await received(child) != whole
    before = await epoch(parent)
    await flows.restore(parent)
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await epoch(parent) > before
    assert await received(child) == whole
    async with parent.database.connection() as conn:
        (number,) = await clusters.reserve(conn, 1)
    assert number > 1003


async def test_one_flipped_byte_is_found_by_a_deep_look_and_mended_alone(child: Stand, parent: Stand) -> None:
    await down(parent, child, 20)
    assert (await flows.compared(child, parent, DOWN, deep=True)).equal
    whole = await received(child)
    wanted = flows.ident(parent, 1007)
    damaged = bytearray(bodies.grow(whole[wanted]))
    damaged[-40] ^= 1
    async with child.database.connection() as conn:
        await conn.execute("update received set payload = $1 where id = $2", bodies.shrink(bytes(damaged)), wanted)
    assert (await flows.compared(child, parent, DOWN)).equal  # the ledger alone doesn't tell
    found = await flows.compared(child, parent, DOWN, deep=True)
    assert (found.equal, found.buckets) == (False, 1)
    async with flows.moves(child, parent) as moves:
        assert (await moves.mend(DOWN)).keys == 1
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await received(child) == whole
    assert (await flows.compared(child, parent, DOWN, deep=True)).equal


async def test_a_damaged_and_a_missing_record_of_a_child_are_sent_again(child: Stand, parent: Stand) -> None:
    await flows.stock(child, range(1, 20))
    await flows.stock(child, [21])
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
        await flows.publish(child, 21, None, redirect=1)
        await flows.settled(child, parent)
    await flows.place(parent, child.symbol)
    assert (await flows.compared(child, parent, UP, deep=True)).equal
    async with parent.database.connection() as conn:
        await conn.execute("update record set body = '\\x00' where local_id = $1", flows.ident(child, 3))
        await conn.execute("delete from record where local_id = $1", flows.ident(child, 5))
    async with flows.moves(child, parent) as moves:
        assert (await moves.mend(UP, deep=True)).keys == 2
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert sorted(await flows.landed(parent)) == [flows.ident(child, 3), flows.ident(child, 5)]
    await flows.place(parent, child.symbol)
    report = await flows.compared(child, parent, UP, deep=True)
    assert (report.equal, report.heard) == (True, 20)  # the redirect is heard of too


async def test_a_reconcile_that_broke_off_is_done_anew(child: Stand, parent: Stand) -> None:
    await down(parent, child, 3)
    whole = await received(child)
    async with parent.database.connection() as conn:
        await conn.execute("update told set digest = $2 where id = $1", flows.ident(parent, 1001), bytes(16))
        await conn.execute("delete from told where id = $1", flows.ident(parent, 1002))
    async with flows.moves(child, parent) as moves:
        mine = await reconciling.standing(child.database, moves.peer, CLUSTERS)
        await moves.ask(DOWN, reconciling.Open(mine, "and then the child was killed"), reconciling.Compared)
    assert not await flows.told_all(parent, child)
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert await received(child) == whole
    assert (await flows.compared(child, parent, DOWN)).equal


async def test_no_word_of_a_peer_uses_up_epochs_or_numbers(child: Stand, parent: Stand) -> None:
    me = ends.me(parent.symbol, parent.keyring.key)
    peer = ends.peer(await parent.peer(child.symbol))
    claim = Standing(cursor=Cursor(1 << 62, 1, b"x"), top=(1 << 62, 1), summary=bytes(4096 * 16))
    with pytest.raises(Refused):
        await reconciling.begin(parent.database, me, peer, CLUSTERS, claim, "mischief")
    claim = Standing(summary=bytes(4096 * 16), highest=flows.ident(parent, 1 << 59))
    await reconciling.begin(parent.database, me, peer, CLUSTERS, claim, "mischief")
    async with parent.database.connection() as conn:
        assert await clusters.reserve(conn, 1) == [1]


async def test_a_parent_that_lost_something_is_noticed_without_news(
    child: Stand, parent: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "GREET", 0.3)
    await flows.stock(child, [1])
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
        await flows.back_up(parent)
        await flows.stock(child, [2])
        await flows.settled(child, parent)
        await flows.restore(parent)
        assert not await flows.told_all(child, parent)
        await flows.settled(child, parent)
    assert await present(parent, child) == titles(1, 2)


async def test_one_process_exchanges_for_a_node(child: Stand, parent: Stand) -> None:
    async with flows.exchanging(child, child, child):
        await flows.stock(child, range(1, 4))
        await flows.settled(child, parent)
        async with child.database.connection() as conn:
            assert await conn.fetchval("select term from lease where name = 'exchange'") == 1
    async with flows.exchanging(child):  # given back, so the next one need not wait for its end
        await flows.stock(child, [4])
        await flows.settled(child, parent)
    async with child.database.connection() as conn:
        assert await conn.fetchval("select term from lease where name = 'exchange'") > 1


async def test_a_peer_whose_policy_makes_no_sense_stops_no_other(child: Stand, parent: Stand, server: Postgres) -> None:
    async with network.standing(server, "CN-PRO", tier="domain") as other:
        await child.join(await other.invite(child.symbol, path="membership"))
        async with child.database.connection() as conn:
            await conn.execute("update peer set policy = $1 where symbol = 'CN-DOM'", {"level": "everything"})
        await flows.stock(child, [1])
        async with flows.exchanging(child):
            await flows.settled(child, other)
        assert list(await flows.landed(other)) == [flows.ident(child, 1)]
    assert await flows.landed(parent) == {}
