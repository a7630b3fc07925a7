"""What a publish policy lets through to a peer. Two real databases, no wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import packing, payload, peers, stub
from catalog.database import pool
from catalog.model import Format
from catalog.payload import Level
from config.errors import Misconfigured
from exchange import ends, outward
from tests import builders, exchanging, stocked
from tests.exchanging import Node, a_title, ident, landed, pass_on, stock, units
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def pair(server: Postgres, home: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with exchanging.pair(server, home) as nodes:
        yield nodes


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"level": "nothing"}, {}),
        ({"libraries": [builders.SZL.symbol]}, {2: ["S2"]}),
        ({"sources": [builders.TJU.symbol.lower()]}, {1: ["B1"], 2: ["T2"]}),
    ],
)
async def test_a_publish_policy_narrows_what_a_peer_gets(
    pair: tuple[Node, Node], policy: dict[str, object], expected: dict[int, list[str]]
) -> None:
    child, parent = pair
    async with child.database.connection() as conn:
        both = (builders.a_holding(item="T2"), builders.a_holding(builders.SZL, item="S2"))
        entries = [a_title(1), a_title(2, holdings=both), a_title(3, holdings=())]
        await stocked.stock(conn, entries)
        await conn.execute("update peer set policy = $1", policy)
    await child.look()
    await pass_on(child, parent)
    got = {
        number: [held.item for held in payload.bib(change.payload).holdings]
        for number in (1, 2, 3)
        if (change := (await landed(parent)).get(ident(number)))
    }
    assert got == expected


async def test_another_policy_takes_back_and_tells_what_it_changes(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    szl = (builders.a_holding(builders.SZL, item="S2"),)
    async with child.database.connection() as conn:
        await stocked.stock(conn, [a_title(1), a_title(2, holdings=szl)])
    await pass_on(child, parent)
    for policy, told in (({"libraries": [builders.TJU.symbol]}, {2: b""}), ({}, {2: b"S2"})):
        async with child.database.connection() as conn:
            await conn.execute("update peer set policy = $1", policy)
        await child.look()
        (sent,) = await pass_on(child, parent)
        last = (await units(parent))[-1]
        assert sent.link == (await parent.cursor()).link
        assert [change.id for change in last] == [ident(number) for number in told]
        assert all(told[2] in change.payload and bool(told[2]) == bool(change.payload) for change in last)
    assert await pass_on(child, parent) == []


async def test_holdings_only_is_a_stub_to_match_by(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 1)
    child.peer = replace(child.peer, policy=outward.policy({"level": "holdings"}))
    await pass_on(child, parent)
    bib = payload.bib((await landed(parent))[ident(1)].payload)
    tags = {tag for tag, _ in packing.unpack(bib.body).fields}
    assert bib.level == Level.HOLDINGS
    assert {"010", "200", "210"} <= tags <= stub.TAGS[Format.CNMARC]
    assert [held.item for held in bib.holdings] == ["B1"]


async def test_what_a_policy_withholds_is_taken_back_at_that_peer_and_stays_at_the_other(
    pair: tuple[Node, Node], server: Postgres, home: Path
) -> None:
    child, parent = pair
    await stock(child, 3)
    await pass_on(child, parent)
    async with server.fresh() as dsn, pool.open(home, dsn) as database:
        other = Node(database=database, symbol="CN-PRO", key=exchanging.a_key(3))
        await other.know(child, "child")
        again = Node(database=child.database, symbol=child.symbol, key=child.key)  # the same node, facing the other
        async with child.database.transaction() as conn:
            suite, key = other.key.suite.name, other.key.public
            await peers.enter(
                conn, other.symbol, name="", role="parent", path="membership", suite=suite, key=key, proto=1
            )
            again.peer = ends.peer(await peers.get(conn, other.symbol))
        await pass_on(again, other)
        async with child.database.transaction() as conn:
            await peers.set_policy(conn, parent.symbol, {"level": "nothing"})
            child.peer = ends.peer(await peers.get(conn, parent.symbol))
        await pass_on(child, parent)
        assert await pass_on(again, other) == []
        assert await stands(other) == {ident(number): True for number in (1, 2, 3)}
    assert await stands(parent) == {ident(number): False for number in (1, 2, 3)}


async def stands(node: Node) -> dict[str, bool]:
    """By id: is the last thing that landed a record, or a tombstone?"""
    return {key: bool(change.payload) for key, change in (await landed(node)).items()}


@pytest.mark.parametrize(
    "told",
    [
        {"level": "everything"},
        {"level": ["all"]},
        {"libraries": "CN-TJU"},
        {"sources": [1]},
        {"library": ["CN-TJU"]},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(Misconfigured):
        outward.policy(told)
