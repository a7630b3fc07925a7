"""Segments from one node's feed into another's inbox, and back as received versions. Two real databases, no wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import arrivals, bodies, directory, inbox, libraries, outward, packing, payload, received
from catalog.connection import Connection
from catalog.model import cluster_id
from catalog.payload import CLUSTERS, Bib, Change, Kind, Level
from exchange import arriving, ends, feed, manifest
from exchange.arriving import Crowded, WrongOffset
from exchange.giving import HeldUp, Parcel
from exchange.model import START, Cursor, Damaged, Draft, Untrusted
from exchange.receiving import Misplaced
from tests import builders, exchanging, stocked
from tests.exchanging import Node, a_title, ident, landed, pass_on, stock, units
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def pair(server: Postgres, home: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with exchanging.pair(server, home) as nodes:
        yield nodes


async def heard(node: Node, channel: str = CLUSTERS) -> dict[str, tuple[int, int, bytes | None]]:
    async with node.database.connection() as conn:
        rows = await conn.fetch("select id, epoch, seq, digest from heard where channel = $1", channel)
    return {row["id"]: (row["epoch"], row["seq"], row["digest"]) for row in rows}


async def test_a_childs_merged_records_land_with_all_their_holdings(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    copies = (builders.a_holding(item="B1"), builders.a_holding(builders.SZL, item="S1"))
    async with child.database.connection() as conn:
        await stocked.stock(conn, [a_title(1, holdings=copies), a_title(2)])
        await conn.execute("update holding set origin = 'CN-X/s/r#4' where item = 'S1'")
    (sent,) = await pass_on(child, parent)
    (unit,) = await units(parent)
    assert [change.id for change in unit] == [ident(1), ident(2)]
    bib = payload.bib(unit[0].payload)
    assert packing.unpack(bib.body).first("200") == a_title(1).record.first("200")
    tju = builders.TJU.symbol.lower()
    assert [(held.origin, held.library, held.item) for held in bib.holdings] == [
        (f"{builders.TJU.symbol}/{tju}/r1#0", builders.TJU.symbol, "B1"),
        ("CN-X/s/r#4", builders.SZL.symbol, "S1"),
    ]
    assert (bib.description, bib.yours, bib.level) == (b"", (), Level.ALL)
    assert (await parent.cursor()).link == sent.link
    async with parent.database.connection() as conn:
        jobs = await parent.queue.waiting(conn)
    assert jobs == {"prepare": 1}


async def test_an_origin_that_came_by_two_paths_leaves_once(pair: tuple[Node, Node]) -> None:
    child, _ = pair
    copies = (builders.a_holding(item="B1"), builders.a_holding(builders.SZL, item="S1"))
    async with child.database.connection() as conn:
        await stocked.stock(conn, [a_title(1, holdings=copies)])
        await conn.execute("update holding set origin = 'CN-X/s/r#4'")
        rows = await feed.current(conn, child.me, child.peer, CLUSTERS, [(Kind.BIB, ident(1))])
    assert [held.origin for held in payload.bib(rows[0].payload).holdings] == ["CN-X/s/r#4"]


async def test_what_was_told_is_not_told_again(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 3)
    assert len(await pass_on(child, parent)) == 1
    async with child.database.connection() as conn:  # the feed moves, and says what it said before
        await stocked.publish(conn, [stocked.version(2, a_title(2))])
    assert await pass_on(child, parent) == []
    async with child.database.connection() as conn:
        stands = await feed.outgoing(conn, child.peer, CLUSTERS)
    assert stands.made.seq == 4
    assert (await child.next(await parent.cursor())) is None


async def test_a_tombstone_travels_with_its_redirect(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 2)
    await pass_on(child, parent)
    async with child.database.connection() as conn:
        await stocked.publish(conn, [stocked.version(1, None, redirect=2), stocked.version(9, None, redirect=2)])
    await pass_on(child, parent)
    last = (await units(parent))[-1]
    assert [(change.id, change.payload, change.redirect) for change in last] == [(ident(1), b"", ident(2))]


async def test_what_is_no_longer_shared_is_taken_back(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 2)
    await pass_on(child, parent)
    async with child.database.connection() as conn:
        await stocked.publish(conn, [stocked.version(2, a_title(2)), stocked.version(3, a_title(3))])
        await conn.execute("update merged set outward = '' where cluster in (2, 3)")
    await pass_on(child, parent)
    assert [(change.id, change.payload) for change in (await units(parent))[-1]] == [(ident(2), b"")]


async def test_the_outward_form_of_a_record_is_what_leaves(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 1)
    reduced = packing.pack(builders.a_cnmarc(title="外", local_id=""))
    async with child.database.connection() as conn:
        await conn.execute("update merged set outward = $1", bodies.shrink(packing.pack_content(reduced, b"d")))
    await pass_on(child, parent)
    assert payload.bib((await landed(parent))[ident(1)].payload).body == reduced


async def open_cast(conn: Connection) -> None:
    for library in builders.CAST:
        await libraries.add(conn, library)
        await conn.execute("insert into source (name, library) values (lower($1), $1)", library.symbol)


async def test_a_parents_versions_come_down_for_what_the_child_holds(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    async with parent.database.connection() as conn:
        await open_cast(conn)
        await stocked.stock(conn, [a_title(1), a_title(2)])
        mine = parent.peer.source
        await conn.execute(
            """insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility,
                   dictionary, digest, stamp, title_hash, body)
               values ($1, $2, $3, 2, 1, 2, 4, 'utf-8', 0, 0, '', '', 0, '')""",
            mine, ident(77), child.symbol,
        )  # fmt: skip
    await pass_on(parent, child)
    async with child.database.connection() as conn:
        ((symbol, version),) = await received.of_cluster(conn, 77)
    bib = payload.bib(bodies.grow(version.payload))
    assert (symbol, version.id) == (parent.symbol, cluster_id(parent.symbol, 2))
    assert version.libraries == (builders.TJU.symbol,)
    assert bib.yours == (ident(77),)
    assert packing.unpack_description(bib.description).title.startswith("梦溪笔谈校证之2")
    assert await units(child) == []
    async with parent.database.connection() as conn:  # the child's record leaves the cluster
        await conn.execute("delete from record where source = $1", mine)
        await stocked.publish(conn, [stocked.version(2, a_title(2))])
    await pass_on(parent, child)
    async with child.database.connection() as conn:
        assert await received.of_cluster(conn, 77) == []


async def test_a_segment_is_applied_whole_or_not_at_all(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    child, parent = pair
    await stock(child, 2)
    await child.cut()
    parcel = await child.next(START)
    assert parcel is not None

    async def cut_short(*args: object, **more: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "move", cut_short)  # the last statement before the commit
        with pytest.raises(RuntimeError):
            await parent.take(parcel)
    assert (await parent.cursor(), await units(parent), await heard(parent)) == (START, [], {})
    await parent.take(parcel)
    assert len(await units(parent)) == 1


async def test_the_same_segment_twice_at_once_lands_once(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 2)
    await child.cut()
    parcel = await child.next(START)
    assert parcel is not None
    cursors = await asyncio.gather(*(parent.take(parcel) for _ in range(4)))
    assert len(set(cursors)) == 1
    assert len(await units(parent)) == 1


async def test_a_segment_that_does_not_follow_changes_nothing(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 1)
    (first,) = await pass_on(child, parent)
    await stock(child, 1, first=2)
    await child.cut()
    second = await child.next(await parent.cursor())
    assert second is not None
    at = await parent.take(second)
    with pytest.raises(Misplaced) as stale:
        await parent.take(first)
    assert stale.value.cursor == at
    await stock(child, 1, first=3)
    await child.cut()
    async with parent.database.connection() as conn:
        await conn.execute("update incoming set link = '', epoch = 0, seq = 0")
    third = await child.next(at)
    assert third is not None
    with pytest.raises(Misplaced) as gap:
        await parent.take(third)
    assert gap.value.cursor == START


async def test_older_versions_never_come_back(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 2)
    await pass_on(child, parent)
    async with parent.database.connection() as conn:
        await conn.execute("update heard set epoch = epoch + 1000 where id = $1", ident(1))
    async with child.database.connection() as conn:
        await stocked.publish(conn, [stocked.version(1, a_title(11)), stocked.version(2, a_title(12))])
    await pass_on(child, parent)
    assert [change.id for change in (await units(parent))[-1]] == [ident(2)]


async def test_poison_is_set_apart_and_the_stream_goes_on(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    feed_epoch = 1 << 41
    good = Change(Kind.BIB, ident(1), feed_epoch, 1, payload.encode(Bib(2, 0, b"x")))
    changes = (good, Change(Kind.BIB, ident(2), feed_epoch, 2, b"\xc1"), Change(Kind.LIBRARY, "L", feed_epoch, 3, b"x"))
    draft = Draft(epoch=feed_epoch, seq=3, changes=changes)
    segment = manifest.pack(draft, feed.label(child.me, child.peer, CLUSTERS), b"", child.me.signer)
    await parent.take(Parcel(link=segment.link, manifest=segment.manifest, content=segment.content))
    assert list(await landed(parent)) == [ident(1)]
    assert set(await heard(parent)) == {ident(1), ident(2), "L"}
    async with parent.database.connection() as conn:
        cases = await conn.fetch("select local_id, rule, body, source from quarantine order by local_id")
    assert [(case["local_id"], case["rule"]) for case in cases] == [(ident(2), "poison"), ("L", "poison")]
    assert bodies.grow(cases[0]["body"]) == b"\xc1"
    assert cases[0]["source"] == parent.peer.source
    # The same the other way, where the parent has no source here until it is needed.
    back = manifest.pack(draft, feed.label(parent.me, parent.peer, CLUSTERS), b"", parent.me.signer)
    for _ in range(2):
        await child.take(Parcel(link=back.link, manifest=back.manifest, content=back.content))
    async with child.database.connection() as conn:
        named = await conn.fetch("select s.name, q.local_id from quarantine q join source s using (source) order by 2")
        hosted = await directory.entries(conn)
    assert [tuple(row) for row in named] == [(parent.symbol, ident(2)), (parent.symbol, "L")]
    assert parent.symbol not in hosted


async def test_damaged_and_foreign_segments_are_refused(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 1)
    await child.cut()
    parcel = await child.next(START)
    assert parcel is not None
    flipped = bytes([parcel.content[0] ^ 1]) + parcel.content[1:]
    with pytest.raises(Damaged):
        await parent.take(replace(parcel, content=flipped))
    draft = Draft(epoch=1, seq=1, changes=())
    stranger = exchanging.a_key(9)
    other = manifest.pack(draft, feed.label(child.me, child.peer, CLUSTERS), b"", ends.me("X", lambda: stranger).signer)
    with pytest.raises(Untrusted):
        await parent.take(Parcel(link=other.link, manifest=other.manifest, content=other.content))
    assert (await parent.cursor(), await units(parent)) == (START, [])


async def test_a_peer_is_told_ahead_but_not_without_end(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    child, parent = pair
    monkeypatch.setattr(feed, "ROWS", 2)
    monkeypatch.setattr(feed, "AHEAD", 3)
    await stock(child, 9)
    assert await child.cut() == 3
    assert await child.cut() == 0
    await pass_on(child, parent)
    assert [len(unit) for unit in await units(parent)] == [2, 2, 2, 2, 1]
    async with child.database.connection() as conn:
        stands = await feed.outgoing(conn, child.peer, CLUSTERS)
        assert await feed.waiting(conn, child.peer, CLUSTERS) == []
    assert stands.made == stands.known == await parent.cursor()


async def test_two_who_cut_at_once_tell_everything_once(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    child, parent = pair
    monkeypatch.setattr(feed, "ROWS", 2)
    await stock(child, 12)
    await asyncio.gather(child.cut(), child.cut(), child.cut())
    await pass_on(child, parent)
    sent = [change.id for unit in await units(parent) for change in unit]
    assert sorted(sent) == sorted(set(sent)) == [ident(n) for n in range(1, 13)]


async def test_a_place_that_nobody_knows_gives_nothing_and_changes_nothing(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 1)
    await child.cut()
    for _ in range(2):
        with pytest.raises(HeldUp):
            await child.next(Cursor(5, 5, b"elsewhere"))
    async with child.database.connection() as conn:
        stands = await feed.outgoing(conn, child.peer, CLUSTERS)
    assert (stands.held_up, stands.known) == ("", START)
    await stock(child, 1, first=2)
    assert len(await pass_on(child, parent)) == 2, "an old request, sent again by whoever heard it, stops nothing"


async def test_a_segment_in_parts_goes_on_from_its_offset(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 30)
    await child.cut()
    parcel = await child.next(START)
    assert parcel is not None
    whole = manifest.join(parcel.manifest, parcel.content)
    middle = len(whole) // 2

    async def send(start: int, data: bytes) -> arriving.Arrived:
        return await arriving.part(parent.database, parent.queue, parent.me, parent.peer, parcel.link, start, data)

    assert await arriving.offset(parent.database, parent.peer, parcel.link) == 0
    assert await send(0, whole[:middle]) == arriving.Arrived(offset=middle, cursor=None)
    with pytest.raises(WrongOffset) as wrong:
        await send(0, whole[:middle])
    assert wrong.value.offset == middle == await arriving.offset(parent.database, parent.peer, parcel.link)
    done = await send(middle, whole[middle:])
    assert done.cursor == await parent.cursor() != START
    assert len(await landed(parent)) == 30
    assert await arriving.offset(parent.database, parent.peer, parcel.link) == 0


@pytest.mark.parametrize("places", [5, 15], ids=["by the feed", "by its records"])
async def test_a_child_hears_of_what_it_has_and_of_what_it_had(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch, places: int
) -> None:
    """Most of a parent's feed doesn't concern a child, and none of it is read but its places."""
    child, parent = pair
    monkeypatch.setattr(feed, "ROWS", 2)
    monkeypatch.setattr(feed, "PLACES", places)
    read: list[int] = []
    of = outward.of

    async def reading(conn: Connection, numbers: Collection[int]) -> list[outward.State]:
        read.extend(numbers)
        return await of(conn, numbers)

    monkeypatch.setattr(outward, "of", reading)
    async with parent.database.connection() as conn:
        await open_cast(conn)
    await stock(parent, 40)
    theirs = [3, 4, 5, 6, 18, 40]
    async with parent.database.connection() as conn:
        await conn.execute(
            """insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility,
                   dictionary, digest, stamp, title_hash, body)
               select $1, 'c' || n, $2, n, 1, 2, 4, 'utf-8', 0, 0, '', '', 0, '' from unnest($3::int[]) n""",
            parent.peer.source, child.symbol, theirs,
        )  # fmt: skip
    await pass_on(parent, child)
    told = cluster_ids(parent, theirs)
    assert await versions(child) == dict.fromkeys(told, True)
    assert sorted(read) == theirs
    read.clear()
    async with parent.database.connection() as conn:
        await conn.execute("delete from record where local_id = 'c4'")
        await stocked.publish(conn, [stocked.version(n, a_title(100 + n)) for n in range(1, 41)])
    await pass_on(parent, child)
    assert sorted(read) == theirs, "also what is the child's no more"
    assert await versions(child) == {ident: ident != cluster_ids(parent, [4])[0] for ident in told}


def cluster_ids(node: Node, numbers: Collection[int]) -> list[str]:
    return [cluster_id(node.symbol, number) for number in numbers]


async def versions(node: Node) -> dict[str, bool]:
    """Does each received version stand?"""
    async with node.database.connection() as conn:
        return {row["id"]: row["payload"] != b"" for row in await conn.fetch("select id, payload from received")}


async def test_a_peer_fills_no_disk_with_beginnings_of_segments(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    child, parent = pair
    await stock(child, 30)
    await child.cut()
    parcel = await child.next(START)
    assert parcel is not None
    whole = manifest.join(parcel.manifest, parcel.content)
    monkeypatch.setattr(arriving, "QUOTA", 3 * 16 * 1024)

    async def send(link: bytes, start: int, end: int) -> arriving.Arrived:
        data = whole[start:end]
        return await arriving.part(parent.database, parent.queue, parent.me, parent.peer, link, start, data)

    begun = len(parcel.manifest) + 10  # bytes
    for n in range(3):
        await send(bytes([n]), 0, begun)
    for start, end in ((0, begun), (begun, begun + 1)):
        with pytest.raises(Crowded):
            await send(bytes([0 if start else 3]), start, end)
    async with parent.database.connection() as conn:
        await arrivals.sweep(conn, 0)
    assert (await send(parcel.link, 0, len(whole))).cursor == await parent.cursor() != START


async def test_a_child_that_is_quicker_than_its_parent_waits(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    child, parent = pair
    monkeypatch.setattr(feed, "ROWS", 5)
    monkeypatch.setattr(arriving, "MOST_WAITING", 2)
    await stock(child, 15)

    async def send() -> arriving.Arrived:
        await child.cut()
        parcel = await child.next(await parent.cursor())
        assert parcel is not None
        whole = manifest.join(parcel.manifest, parcel.content)
        return await arriving.part(parent.database, parent.queue, parent.me, parent.peer, parcel.link, 0, whole)

    await send()
    await send()
    with pytest.raises(Crowded):
        await send()
    async with parent.database.transaction() as conn:
        (load, *_) = await conn.fetchrow("select min(load) from inbox")
        await inbox.discard(conn, load)
    await send()
    assert len(await landed(parent)) == 10  # and the five that were worked off
    monkeypatch.setattr(arriving, "MOST_WAITING", 100)
    monkeypatch.setattr(arriving, "MOST_BYTES", 1)
    await stock(child, 1, first=20)
    with pytest.raises(Crowded):
        await send()


async def test_parts_that_are_damaged_are_dropped(pair: tuple[Node, Node]) -> None:
    child, parent = pair
    await stock(child, 30)
    await child.cut()
    parcel = await child.next(START)
    assert parcel is not None
    whole = bytearray(manifest.join(parcel.manifest, parcel.content))
    whole[-1] ^= 1
    args = (parent.database, parent.queue, parent.me, parent.peer, parcel.link)
    await arriving.part(*args, 0, bytes(whole[:-5]))
    with pytest.raises(Damaged):
        await arriving.part(*args, len(whole) - 5, bytes(whole[-5:]))
    assert await arriving.offset(parent.database, parent.peer, parcel.link) == 0
    assert await parent.cursor() == START
