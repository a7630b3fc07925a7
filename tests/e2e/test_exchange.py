"""Records between a child and its parent over real sockets: pushed and pulled in parts, long-polled, cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import arrivals, directory, libraries, received
from catalog.model import Library
from catalog.payload import CLUSTERS, NOTICES
from config.errors import Retry, Unreachable
from exchange import arriving, ends, feed, giving, link, manifest, parcels
from exchange.giving import Parcel
from exchange.lanes import Outcome
from exchange.model import START, Cursor, Damaged
from exchange.moving import Moves
from exchange.peer import Barred, Busy
from tests import flows, network, postgres
from tests.flows import UP, Cut
from tests.network import Stand
from tests.postgres import Postgres

MANY = 300  # records
PART = 400  # bytes


@pytest_asyncio.fixture
async def parent(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "CN-DOM", tier="domain") as stand:
        yield stand


@pytest_asyncio.fixture
async def child(server: Postgres, parent: Stand) -> AsyncIterator[Stand]:
    async with network.standing(server, "CN-TJU") as stand:
        await network.joined(stand, parent)
        yield stand


def small(moves: Moves, monkeypatch: pytest.MonkeyPatch) -> Cut:
    """Small parts, and the wire to be cut."""
    monkeypatch.setattr(parcels, "SMALLEST", PART)
    monkeypatch.setattr(parcels, "LARGEST", PART)
    moves.pace.size = PART
    assert isinstance(moves.wire, Cut)
    return moves.wire


async def cursor(child: Stand, parent: Stand) -> Cursor:
    """How far the parent has applied the child's clusters."""
    async with parent.database.connection() as conn:
        return Cursor(*await arrivals.cursor(conn, (await parent.peer(child.symbol)).no, CLUSTERS))


async def first(child: Stand, moves: Moves, after: Cursor = START) -> Parcel:
    """The child's next segment, cut and not sent."""
    await feed.cut(child.database, moves.me, moves.peer, CLUSTERS)
    parcel = await giving.following(child.database, moves.peer, CLUSTERS, after)
    assert parcel is not None
    return parcel


async def libraries_told(child: Stand) -> None:
    """Something to say on the channel of notices."""
    async with child.database.transaction() as conn:
        await directory.refresh(conn)


async def test_records_go_up_and_come_down_by_themselves(child: Stand, parent: Stand) -> None:
    await flows.stock(child, range(1, 4))
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
        assert sorted(await flows.landed(parent)) == [flows.ident(child, n) for n in (1, 2, 3)]
        await flows.place(parent, child.symbol)
        await flows.stock(parent, [1001])  # a cluster of its own, which the child's first record is in
        async with child.database.connection() as conn:
            await postgres.eventually(lambda: received.of_cluster(conn, 1))
            ((symbol, version),) = await received.of_cluster(conn, 1)
        assert (symbol, version.id) == (parent.symbol, flows.ident(parent, 1001))
        await flows.publish(child, 2, None, redirect=1)  # what is new follows at once

        async def gone() -> bool:
            change = (await flows.landed(parent)).get(flows.ident(child, 2))
            return change is not None and change.redirect == flows.ident(child, 1)

        await postgres.eventually(gone)
    report = await flows.compared(child, parent, UP)
    assert (report.equal, report.told, report.heard) == (True, 3, 3)


async def test_libraries_are_known_everywhere(child: Stand, parent: Stand) -> None:
    async with parent.database.transaction() as conn:
        await libraries.add(conn, Library(symbol="CN-OTH", name="Elsewhere"))
    async with flows.exchanging(child, parent):

        async def both() -> bool:
            async with child.database.connection() as conn, parent.database.connection() as above:
                own = await above.fetchval("select name from library where symbol = 'CN-TJU' and node = 'CN-TJU'")
                other = await libraries.get(conn, "CN-OTH")
                return own == "CN-TJU library" and other is not None and other.node == parent.symbol

        await postgres.eventually(both)


async def test_a_segment_goes_in_parts_and_on_from_where_it_broke_off(
    child: Stand, parent: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flows.stock(child, range(1, MANY))
    async with flows.moves(child, parent, Cut) as moves:
        wire = small(moves, monkeypatch)
        wire.before, wire.after = [3], [6]  # the third part never arrives; later an answer is lost
        parcel = await first(child, moves)
        whole = manifest.join(parcel.manifest, parcel.content)
        for _ in range(2):
            with pytest.raises(Unreachable):
                await moves.push(CLUSTERS)
        assert await moves.push(CLUSTERS) is Outcome.MOVED
        assert await moves.push(CLUSTERS) is Outcome.QUIET
        parts = [size for method, size in wire.sent if method == "PATCH"]
        assert [method for method, _ in wire.sent].count("HEAD") == 2
        assert len(parts) > 4
        assert sum(parts) == len(whole) + PART  # the part that never arrived, and no other, was sent again
    assert await flows.told_all(child, parent)
    assert len(await flows.landed(parent)) == MANY - 1


async def test_an_answer_that_is_lost_costs_no_segment(child: Stand, parent: Stand) -> None:
    await flows.stock(child, range(1, 4))
    async with flows.moves(child, parent, Cut) as moves:
        wire = moves.wire
        assert isinstance(wire, Cut)
        wire.after = [1]  # applied, and the child doesn't know
        with pytest.raises(Unreachable):
            await moves.push(CLUSTERS)
        await moves.hello()
        assert await moves.push(CLUSTERS) is Outcome.QUIET
        assert [method for method, _ in wire.sent] == ["POST", "PATCH", "POST"]
        wire.after = [3]
        await flows.stock(child, [9])
        with pytest.raises(Unreachable):
            await moves.push(CLUSTERS)
        assert await moves.push(CLUSTERS) is Outcome.QUIET
        assert [method for method, _ in wire.sent] == ["POST", "PATCH", "POST", "PATCH", "POST"]
    async with flows.moves(child, parent) as moves:  # sent again all the same, it changes nothing
        await flows.stock(child, [10])
        parcel = await first(child, moves, await cursor(child, parent))
        whole = manifest.join(parcel.manifest, parcel.content)
        for _ in range(2):
            answer = await moves.wire.send("PATCH", parcels.up(parcel.link), whole, headers={parcels.OFFSET: "0"})
            assert answer.status == 200
    assert len(await flows.landed(parent)) == 5
    async with parent.database.connection() as conn:
        assert await conn.fetchval("select count(*) from load") == 3


async def test_a_segment_is_pulled_in_ranges_and_on_from_where_it_broke_off(
    child: Stand, parent: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flows.stock(child, range(1, MANY))
    async with flows.moves(child, parent) as moves:
        await moves.push(CLUSTERS)
    await flows.place(parent, child.symbol)
    await flows.stock(parent, range(1001, 1000 + MANY))
    async with parent.database.connection() as conn:
        assert await conn.fetchval("select count(*) from merged") == MANY - 1
    me, to = ends.me(parent.symbol, parent.keyring.key), ends.peer(await parent.peer(child.symbol))
    assert await feed.cut(parent.database, me, to, CLUSTERS) == 1
    async with flows.moves(child, parent, Cut) as moves:
        wire = small(moves, monkeypatch)
        wire.after = [2, 3]
        for _ in range(2):
            with pytest.raises(Unreachable):
                await moves.pull(CLUSTERS)
        assert await moves.pull(CLUSTERS) is Outcome.MOVED
        assert await moves.pull(CLUSTERS) is Outcome.QUIET
        assert len(wire.sent) > 6
    async with child.database.connection() as conn:
        assert await conn.fetchval("select count(*) from received") == MANY - 1
        assert await conn.fetchval("select count(*) from received_of") == MANY - 1
    assert await flows.told_all(parent, child)


async def test_damaged_on_the_way_is_asked_for_again(child: Stand, parent: Stand) -> None:
    await flows.stock(child, [1])
    async with flows.moves(child, parent) as moves:
        parcel = await first(child, moves)
        flipped = bytearray(manifest.join(parcel.manifest, parcel.content))
        flipped[-1] ^= 1
        answer = await moves.wire.send("PATCH", parcels.up(parcel.link), bytes(flipped), headers={parcels.OFFSET: "0"})
        assert answer.status == 422
        assert await moves.push(CLUSTERS) is Outcome.MOVED


async def test_a_long_poll_ends_with_the_news(child: Stand, parent: Stand) -> None:
    await flows.stock(child, [1])
    async with flows.moves(child, parent) as moves, flows.exchanging(parent):
        await moves.push(CLUSTERS)
        await flows.place(parent, child.symbol)
        moves.wait = 20.0
        pulling = asyncio.create_task(moves.pull(CLUSTERS))
        done, _ = await asyncio.wait([pulling], timeout=1.0)
        assert not done
        started = time.monotonic()
        await flows.stock(parent, [1001])
        assert await pulling is Outcome.MOVED
        assert time.monotonic() - started < 10.0


async def test_a_long_poll_ends_with_the_membership(child: Stand, parent: Stand) -> None:
    async with flows.moves(child, parent) as moves:
        moves.wait = 20.0
        pulling = asyncio.create_task(moves.pull(CLUSTERS))
        done, _ = await asyncio.wait([pulling], timeout=0.5)
        assert not done
        started = time.monotonic()
        await parent.set_state(child.symbol, "suspended")
        with pytest.raises(Barred):
            await pulling
        assert time.monotonic() - started < 1.5


async def test_what_makes_no_sense_is_refused(child: Stand, parent: Stand) -> None:
    async with flows.moves(child, parent) as moves:
        for method, path, body, headers, status in (
            ("GET", "/x/down/nothing?epoch=0&seq=0&link=", b"", {}, 404),
            ("GET", "/x/down/clusters?epoch=x&seq=0&link=", b"", {}, 422),
            ("GET", "/x/down/clusters?wait=soon", b"", {}, 400),
            ("PATCH", "/x/up/zz", b"x", {parcels.OFFSET: "0"}, 400),
            ("PATCH", "/x/up/00", b"x", {}, 400),
            ("PATCH", "/x/up/00", b"x", {parcels.OFFSET: "0"}, 422),
            ("PATCH", "/x/up/00", b"x", {parcels.OFFSET: "7"}, 409),
            ("POST", "/x/reconcile/clusters/aside", b"x", {}, 404),
            ("POST", "/x/reconcile/clusters/up", b"x", {}, 422),
        ):
            answer = await moves.wire.send(method, path, body, headers=headers)
            assert answer.status == status, (method, path)


async def test_a_parent_that_has_enough_asks_for_a_pause(
    child: Stand, parent: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "MOST_WAITING", 0)
    await flows.stock(child, [1])
    async with flows.moves(child, parent) as moves:
        with pytest.raises(Busy) as busy:
            await moves.push(CLUSTERS)
        assert busy.value.pause == 5.0
        await libraries_told(child)
        assert await moves.push(NOTICES) is Outcome.MOVED, "what else there is to say goes on"
    async with flows.exchanging(child, parent):
        peer = await child.peer(parent.symbol)
        monkeypatch.setattr(arriving, "MOST_WAITING", 1)
        await flows.settled(child, parent)
        assert peer.trouble == ""
    assert list(await flows.landed(parent)) == [flows.ident(child, 1)]


async def test_a_segment_that_nobody_signed_stops_its_stream_only_and_is_made_anew(
    child: Stand, parent: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FIRST", 0.01)
    monkeypatch.setattr(link, "OFTEN", 2)
    await flows.stock(child, [1])
    async with flows.moves(child, parent) as moves:
        await first(child, moves)
        async with child.database.connection() as conn:
            wrong = "update segment set manifest = overlay(manifest placing $1 from length(manifest))"
            await conn.execute(wrong, b"\xff")  # the last byte of the signature, which is 16 at most (RFC 8032, 5.1.6)
        with pytest.raises(Damaged, match="sign"):
            await moves.push(CLUSTERS)
        await libraries_told(child)
        assert await moves.push(NOTICES) is Outcome.MOVED
    async with flows.exchanging(child, parent):
        await flows.settled(child, parent)
    assert list(await flows.landed(parent)) == [flows.ident(child, 1)]


async def test_a_policy_that_makes_no_sense_is_named_to_the_child(child: Stand, parent: Stand) -> None:
    async with parent.database.connection() as conn:
        await conn.execute("update peer set policy = $1", {"level": "everything"})
    await flows.stock(child, [1])
    async with flows.moves(child, parent) as moves:
        for move in (moves.push, moves.pull):
            with pytest.raises(Retry, match="no level 'everything'"):
                await move(CLUSTERS)
