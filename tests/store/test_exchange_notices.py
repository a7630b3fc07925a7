"""Libraries, corrections and receipts between two nodes: two real databases, no wire."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import directory, libraries, notices, payload
from catalog.model import Library
from catalog.notices import Notice
from catalog.payload import NOTICES, Entry, Kind
from exchange import arriving, manifest
from exchange.arriving import Crowded
from tests import builders, exchanging
from tests.exchanging import Node, ident, pass_on
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def pair(server: Postgres, home: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with exchanging.pair(server, home) as nodes:
        yield nodes


async def test_libraries_are_told_by_those_who_host_them(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    async with parent.database.transaction() as conn:
        await libraries.add(conn, Library(symbol="CN-P", name="Parent's own", area="广东"))
    for node in pair:
        async with node.database.transaction() as conn:
            await directory.refresh(conn)
    await pass_on(child, parent, NOTICES)
    await pass_on(parent, child, NOTICES)
    async with parent.database.transaction() as conn:
        found = await libraries.get(conn, builders.SZL.symbol)
        node = await conn.fetchval("select node from library where symbol = $1", builders.SZL.symbol)
        assert await directory.refresh(conn) > 0
    assert found is not None
    assert (found.name, node) == (builders.SZL.name, child.symbol)
    async with child.database.connection() as conn:
        there = await conn.fetchrow("select name, area, node from library where symbol = 'CN-P'")
    assert tuple(there) == ("Parent's own", "广东", parent.symbol)
    # What came from the child is not told back to it, so its own entries stay its own.
    await pass_on(parent, child, NOTICES)
    async with child.database.connection() as conn:
        kept = await conn.fetchval("select count(*) from library where node = '' and name <> symbol")
    assert kept == len(builders.CAST)
    for node in pair:
        async with node.database.transaction() as conn:
            assert await directory.refresh(conn) == (0 if node is parent else 1)


async def test_an_older_host_changes_nothing(pair: tuple[Node, Node]) -> None:
    _, parent = pair
    async with parent.database.transaction() as conn:

        async def told(entry: Entry) -> Entry:
            await directory.take(conn, {"CN-H": entry}, peer="CN-TOP", role="parent", theirs=())
            return (await directory.entries(conn))["CN-H"]

        new = Entry("New host", node="CN-B", reign=2)
        assert await told(new) == new
        assert await told(Entry("Old host", node="CN-A", reign=1)) == new
        assert await told(Entry("Rival", node="CN-A", reign=2)) == new
        assert (await told(Entry("Renamed", node="CN-B", reign=2))).name == "Renamed"
        assert (await told(Entry("Handed over", node="CN-C", reign=3))).node == "CN-C"


async def test_a_child_speaks_for_nobody_but_itself_and_those_below_it(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    async with parent.database.transaction() as conn:
        await libraries.add(conn, Library(symbol="CN-HERE", name="Hosted by the parent"))
        await conn.execute("insert into source (name, library) values ('here', 'CN-HERE')")
        await libraries.ensure(conn, "CN-SEEN")  # known by a holding alone
        below = {"CN-ELSE": Entry("Another child's", node="CN-B")}
        await directory.take(conn, below, peer="CN-B", role="child", theirs=())
        claims = {symbol: Entry("Mine now", node=child.symbol, reign=9) for symbol in ("CN-HERE", "CN-ELSE", "CN-SEEN")}
        await directory.take(conn, claims, peer=child.symbol, role="child", theirs=())
        names = {symbol: entry.name for symbol, entry in (await directory.entries(conn)).items()}
        assert (names["CN-HERE"], names["CN-ELSE"], names["CN-SEEN"]) == (
            "Hosted by the parent",
            "Another child's",
            "Mine now",
        )
        moved = {"CN-SEEN": Entry("Moved below", node="CN-C", reign=10)}
        await directory.take(conn, moved, peer=child.symbol, role="child", theirs=("CN-SEEN",))
        assert (await directory.entries(conn))["CN-SEEN"] == moved["CN-SEEN"]


async def test_corrections_come_down_and_receipts_go_up(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    old, new = builders.field("1 $a旧"), builders.field("1 $a新")
    expected = hashlib.sha256(old.encode()).digest()
    offer = payload.Correction(ident(1), "200", expected, old, new, "typo", "operator")
    async with parent.database.transaction() as conn:
        await conn.execute(
            """insert into correction (id, peer, outward, target, tag, expected, old, new)
               values ('c1', $1, true, 'x', '200', '', '旧', '新')""",
            parent.peer.no,
        )
        await notices.publish(
            conn, [Notice(kind=Kind.CORRECTION, id="c1", payload=payload.encode(offer), peer=parent.peer.no)]
        )
    await pass_on(parent, child, NOTICES)
    async with child.database.transaction() as conn:
        row = await conn.fetchrow("select outward, target, tag, old, new, why, who, state from correction")
        assert tuple(row) == (False, ident(1), "200", old, new, "typo", "operator", "open")
        receipt = payload.encode(payload.Receipt("accepted"))
        await notices.publish(conn, [Notice(kind=Kind.RECEIPT, id="c1", payload=receipt, peer=child.peer.no)])
    await pass_on(child, parent, NOTICES)
    async with parent.database.transaction() as conn:
        assert await conn.fetchval("select state from correction") == "accepted"
        await notices.publish(conn, [Notice(kind=Kind.CORRECTION, id="c1", payload=b"", peer=parent.peer.no)])
    await pass_on(parent, child, NOTICES)
    async with child.database.connection() as conn:
        assert await conn.fetchval("select state from correction") == "stale"


async def test_a_child_tells_of_so_many_things_and_no_more(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    child, parent = pair
    monkeypatch.setattr(arriving, "MOST_NOTICES", 5)

    async def send(first: int, count: int) -> arriving.Arrived:
        entry = payload.encode(Entry("Library", node=child.symbol))
        news = [Notice(kind=Kind.LIBRARY, id=f"CN-{n}", payload=entry) for n in range(first, first + count)]
        async with child.database.transaction() as conn:
            await notices.publish(conn, news)
        await child.cut(NOTICES)
        parcel = await child.next(await parent.cursor(NOTICES), NOTICES)
        assert parcel is not None
        whole = manifest.join(parcel.manifest, parcel.content)
        return await arriving.part(parent.database, parent.queue, parent.me, parent.peer, parcel.link, 0, whole)

    assert (await send(1, 3)).cursor == await parent.cursor(NOTICES)
    await send(4, 2)
    with pytest.raises(Crowded, match="has told of 5 libraries"):
        await send(6, 1)
