"""Stores of the exchange: feeds, ledgers, streams to and from peers, received versions, what goes outward."""

from __future__ import annotations

import pytest

from catalog import arrivals, feeds, ledgers, notices, outward, received, streams
from catalog.connection import Connection
from catalog.ledgers import Ledger
from catalog.notices import Notice
from catalog.payload import BUCKETS, CLUSTERS, NOTICES, Kind, bucket
from catalog.received import Received
from catalog.streams import START
from config.errors import Conflict
from exchange import reconcile
from exchange.model import Leaf
from tests import builders, stocked
from tests.stocked import Stock


async def a_peer(conn: Connection, symbol: str = "CN-DOM", role: str = "parent") -> int:
    number: int = await conn.fetchval(
        "insert into peer (symbol, role, path, suite, key) values ($1, $2, 'uplink', 'x', '') returning peer",
        symbol,
        role,
    )
    return number


async def test_a_renewed_feed_is_later_than_all_that_was_heard_of(conn: Connection) -> None:
    before, last = await feeds.head(conn, "clusters")
    assert await feeds.renew(conn, "clusters") > before
    future = 1 << 50
    assert await feeds.renew(conn, "clusters", future) == future + 1
    assert await feeds.head(conn, "clusters") == (future + 1, last)


async def test_notices_are_for_one_peer_or_everyone(conn: Connection) -> None:
    one, other = await a_peer(conn, "CN-A"), await a_peer(conn, "CN-B")
    await notices.publish(conn, [Notice(kind=Kind.LIBRARY, id="X", payload=b"1")])
    await notices.publish(
        conn,
        [
            Notice(kind=Kind.CORRECTION, id="c", payload=b"2", peer=one),
            Notice(kind=Kind.LIBRARY, id="X", payload=b"3"),
        ],
    )
    assert [(n.id, n.seq, n.payload) for n in await notices.after(conn, one, 0, 9)] == [("c", 2, b"2"), ("X", 3, b"3")]
    assert [(n.id, n.seq) for n in await notices.after(conn, other, 0, 9)] == [("X", 3)]
    assert await notices.after(conn, other, 3, 9) == []
    assert [n.seq for n in await notices.of(conn, one, [(Kind.CORRECTION, "c"), (Kind.LIBRARY, "Y")])] == [2]
    assert await notices.payloads(conn, Kind.LIBRARY) == {"X": b"3"}
    assert await feeds.head(conn, notices.FEED) == ((await feeds.head(conn, notices.FEED))[0], 3)


@pytest.mark.parametrize("ledger", list(Ledger))
async def test_a_ledger_keeps_the_latest_state_of_a_key(conn: Connection, ledger: Ledger) -> None:
    peer = await a_peer(conn)
    assert await ledgers.top(conn, ledger, peer, CLUSTERS) == (0, 0)
    await ledgers.write(
        conn, ledger, peer, CLUSTERS, [(1, "b", 5, 1, b"B"), (1, "a", 5, 2, b"A"), (2, "a", 5, 3, None)], fresh=True
    )
    await ledgers.write(conn, ledger, peer, CLUSTERS, [(1, "a", 6, 1, None), (1, "c", 6, 2, b"C")])
    assert sorted(await ledgers.of(conn, ledger, peer, CLUSTERS, [(1, "a"), (1, "c"), (1, "zz")])) == [
        (1, "a", 6, 1, None),
        (1, "c", 6, 2, b"C"),
    ]
    assert await ledgers.of(conn, ledger, peer, NOTICES, [(1, "a")]) == []
    assert await ledgers.alive(conn, ledger, peer, CLUSTERS) == 2
    there = [(1, "a"), (1, "b"), (1, "c"), (2, "a")]
    everything = await ledgers.leaves(conn, ledger, peer, CLUSTERS, [bucket(*key) for key in there])
    assert [entry[:2] for entry in everything] == there
    assert [e[:2] for e in await ledgers.leaves(conn, ledger, peer, CLUSTERS, [bucket(1, "b")])] == [(1, "b")]
    await ledgers.forget(conn, ledger, peer, CLUSTERS)
    assert await ledgers.leaves(conn, ledger, peer, CLUSTERS, range(BUCKETS)) == []


async def test_a_stream_keeps_segments_until_they_are_acknowledged(conn: Connection) -> None:
    peer = await a_peer(conn)
    assert await streams.look(conn, peer, CLUSTERS) is None
    begun = await streams.outgoing(conn, peer, CLUSTERS)
    assert (begun.made, begun.known, begun.held_up) == (START, START, "")
    for n in range(3):
        await streams.keep(conn, peer, CLUSTERS, b"L%d" % n, b"M%d" % n, b"C%d" % n)
    await streams.move_made(conn, peer, CLUSTERS, (7, 30, b"L2"))
    waiting = await streams.waiting(conn, peer, CLUSTERS)
    assert [(w.link, w.manifest) for w in waiting] == [(b"L0", b"M0"), (b"L1", b"M1"), (b"L2", b"M2")]
    await streams.move_known(conn, peer, CLUSTERS, (7, 20, b"L1"), waiting[1].number)
    assert [w.link for w in await streams.waiting(conn, peer, CLUSTERS)] == [b"L2"]
    assert await streams.waiting_count(conn, peer, CLUSTERS) == 1
    assert (await streams.segment(conn, peer, CLUSTERS, waiting[2].number)).content == b"C2"
    assert await streams.busy(conn) == {(peer, CLUSTERS)}
    await streams.hold_up(conn, peer, CLUSTERS, "restored")
    stands = await streams.look(conn, peer, CLUSTERS)
    assert stands is not None
    assert (stands.made, stands.known, stands.held_up) == ((7, 30, b"L2"), (7, 20, b"L1"), "restored")
    await streams.discard(conn, peer, CLUSTERS)
    assert await streams.waiting(conn, peer, CLUSTERS) == []
    assert await streams.busy(conn) == {(peer, CLUSTERS)}
    await streams.hold_up(conn, peer, CLUSTERS, "")
    assert await streams.busy(conn) == set()


async def test_a_cursor_moves_only_from_where_it_stands(conn: Connection) -> None:
    peer = await a_peer(conn)
    assert await arrivals.cursor(conn, peer, CLUSTERS) == START
    assert await arrivals.lock(conn, peer, CLUSTERS) == START
    await arrivals.move(conn, peer, CLUSTERS, START, (7, 20, b"L"))
    with pytest.raises(Conflict):
        await arrivals.move(conn, peer, CLUSTERS, START, (7, 30, b"M"))
    assert await arrivals.lock(conn, peer, CLUSTERS) == (7, 20, b"L")


async def test_parts_of_a_segment_are_kept_in_order(conn: Connection) -> None:
    peer = await a_peer(conn)
    await arrivals.add_part(conn, peer, b"L", 0, b"abc")
    with pytest.raises(Conflict):
        await arrivals.add_part(conn, peer, b"L", 2, b"xyz")
    await arrivals.add_part(conn, peer, b"L", 3, b"de")
    assert await arrivals.offset(conn, peer, b"L") == 5
    assert await arrivals.offset(conn, peer, b"M") == 0
    assert await arrivals.parts(conn, peer, b"L") == b"abcde"
    assert await arrivals.waste(conn, peer) == 2 * arrivals.PART, "a small part counts for its row"
    await arrivals.sweep(conn, 24)
    assert await arrivals.offset(conn, peer, b"L") == 5
    await conn.execute("update arriving set at = now() - interval '25 hours'")
    await arrivals.sweep(conn, 24)
    assert await arrivals.waste(conn, peer) == 0


async def test_received_versions_follow_the_parents_clusters(conn: Connection) -> None:
    peer = await a_peer(conn)
    await received.put(
        conn,
        peer,
        [
            Received(id="CN-DOM.000001", payload=b"one", libraries=("A", "B"), clusters=(4, 5)),
            Received(id="CN-DOM.000002", payload=b"two", clusters=(4,)),
        ],
    )
    await received.put(
        conn,
        peer,
        [
            Received(id="CN-DOM.000001", payload=b"new", libraries=("A",), clusters=(5,)),
            Received(id="CN-DOM.000002", redirect="CN-DOM.000001"),
        ],
    )
    assert await received.of_cluster(conn, 4) == []
    ((symbol, version),) = await received.of_cluster(conn, 5)
    assert (symbol, version.id, version.payload, version.libraries) == ("CN-DOM", "CN-DOM.000001", b"new", ("A",))
    assert await received.kept(conn, peer, "CN-DOM.000001", 9) == [("CN-DOM.000002", "CN-DOM.000001", b"")]


async def test_holdings_leave_with_the_origin_of_the_record_they_were_mapped_from(conn: Connection) -> None:
    await stocked.open_house(conn)
    copies = (builders.a_holding(call_number="N1"), builders.a_holding(call_number="N2"))
    await stocked.stock(conn, [Stock(record=builders.a_marc21(), holdings=copies)])
    await conn.execute("update holding set origin = 'CN-X/s/r#0' where n = 1")
    rows = await outward.holdings(conn, [1])
    name = builders.TJU.symbol.lower()
    assert sorted(row["origin"] for row in rows) == [f"{builders.TJU.symbol}/{name}/r1#0", "CN-X/s/r#0"]
    await conn.execute("update record set visibility = 2")
    assert await outward.holdings(conn, [1]) == []
    assert await outward.with_sources(conn, [1], [name]) == set()


async def test_records_of_a_source_are_found_by_cluster(conn: Connection) -> None:
    await stocked.open_house(conn)
    entries = [Stock(record=builders.a_marc21(), holdings=(builders.a_holding(),)), Stock(record=builders.a_cnmarc())]
    await stocked.stock(conn, entries)
    source = await conn.fetchval("select source from source where library = $1", builders.TJU.symbol)
    assert await outward.of_source(conn, [1, 2], source) == {1: ["r1"]}
    assert await outward.with_sources(conn, [1, 2], [builders.TJU.symbol.lower()]) == {1}
    states = await outward.after(conn, 0, 10)
    assert [state.cluster for state in states] == [1, 2]
    assert await outward.of(conn, [2]) == states[1:]


async def test_sums_of_a_ledger_are_the_cores_summary(conn: Connection) -> None:
    peer = await a_peer(conn)
    entries = [(1, f"CN-A.{n:06}", 5, n, None if n % 7 == 0 else n.to_bytes(16, "big")) for n in range(9000)]
    await ledgers.write(conn, Ledger.TOLD, peer, CLUSTERS, entries, fresh=True)
    lines = [Leaf(*entry) for entry in entries]
    assert reconcile.pack(await ledgers.sums(conn, Ledger.TOLD, peer, CLUSTERS)) == reconcile.summary(lines)
    assert await ledgers.top(conn, Ledger.TOLD, peer, CLUSTERS) == reconcile.top(lines) == (5, 8999)
    assert await ledgers.top(conn, Ledger.HEARD, peer, CLUSTERS) == (0, 0)
    assert await ledgers.highest(conn, Ledger.TOLD, peer, CLUSTERS, 1) == "CN-A.008999"
    assert await ledgers.highest(conn, Ledger.TOLD, peer, CLUSTERS, 2) == ""
    await ledgers.write(conn, Ledger.TOLD, peer, CLUSTERS, [(1, "CN-A.1000000", 4, 1, None)])
    assert await ledgers.highest(conn, Ledger.TOLD, peer, CLUSTERS, 1) == "CN-A.1000000"
    assert await ledgers.top(conn, Ledger.TOLD, peer, CLUSTERS) == (5, 8999)
    await ledgers.correct(conn, Ledger.TOLD, peer, CLUSTERS, [(1, "CN-A.000001", 0, 0, None)])
    assert await ledgers.of(conn, Ledger.TOLD, peer, CLUSTERS, [(1, "CN-A.000001")]) == [(1, "CN-A.000001", 5, 1, None)]


async def test_lags_say_how_far_each_stream_is_behind(conn: Connection) -> None:
    await conn.execute("insert into node (symbol) values ('CN-TJU')")
    up, down = await a_peer(conn, "CN-A"), await a_peer(conn, "CN-B", "child")
    await conn.execute(
        "insert into peer (symbol, role, path, suite, key, state) values ('X','child','uplink','','','revoked')"
    )
    await feeds.take(conn, "clusters", 40)
    await streams.outgoing(conn, up, CLUSTERS)
    await streams.move_made(conn, up, CLUSTERS, (1, 30, b"L"))
    await streams.keep(conn, up, CLUSTERS, b"L", b"M", b"C")
    await streams.hold_up(conn, up, CLUSTERS, "restored")
    await arrivals.lock(conn, down, CLUSTERS)
    await arrivals.move(conn, down, CLUSTERS, START, (7, 20, b"L"))
    first, second = await streams.lags(conn, {CLUSTERS: "clusters"})
    assert (first.peer, first.told, first.last, first.waiting, first.behind) == ("CN-A", 30, 40, 1, 40), (
        "nothing is acknowledged"
    )
    assert (first.held_up, first.heard, first.heard_ago) == ("restored", 0, None)
    assert (second.peer, second.role, second.heard, second.behind) == ("CN-B", "child", 20, 40)
    assert second.heard_ago is not None
