"""Cut short anywhere, the pipeline leaves nothing half done; done twice, it has one effect; too late, it has none."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from catalog import changes, clusters, holdings, inbox, loads, quarantine, records, signatures
from catalog.changes import Version
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Format, LoadState
from catalog.work import leases, units
from config.errors import Conflict
from dms import graph, merge, merging
from dms.matcher import LEASE, Matcher
from dms.merge_base import Member
from dms.worker import Preparing
from tests import builders
from tests.pipeline import GENEROUS, Catalogue, Inline, merge_here


class Cut(Exception):
    """In the place of a power cut."""


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(number: int, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": f"n{number}"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def prepare(catalogue: Catalogue, load: int) -> None:
    """PREPARE alone: nothing is judged or placed."""
    preparing = Preparing(catalogue.database, Inline(), asyncio.Event())
    async with catalogue.database.connection() as conn:
        numbers = await inbox.unprepared(conn, load)
    for number in numbers:
        await preparing.handle(units.encode(load, number))


POINTS = [
    (records, "remember"),
    (graph, "take"),
    (records, "put"),
    (holdings, "replace"),
    (records, "delete"),
    (quarantine, "add_findings"),
    (graph, "settle"),
    (signatures, "put_edges"),
    (clusters, "move_members"),
    (clusters, "soil"),
    (inbox, "discard"),
    (loads, "count"),
    (loads, "turn"),
    (merging, "_news"),
    (changes, "publish"),
]


async def test_a_cut_at_any_point_leaves_nothing_half_done(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [raw(n) for n in range(6)]
    gone = raw(3)[:5] + b"d" + raw(3)[6:]
    news = [raw(0, publisher="中华书局"), raw(1, title="另一种书"), gone, raw(7), raw(8, local_id="")]
    await catalogue.load("b", [raw(n, local_id=f"b{n}") for n in (0, 1, 7)])
    await catalogue.load("a", before)
    for n, (module, name) in enumerate(POINTS):
        load = await catalogue.load("a", news, unit=2, place=False)
        await prepare(catalogue, load.load)
        cuts = await stepwise(catalogue, monkeypatch, module, name)
        assert cuts, f"{name} is on the way"
        done = await catalogue.again(load.load)
        assert (done.state, done.added, done.updated, done.deleted) == (LoadState.DONE, 2, 2, 1), name
        after = await catalogue.standing()
        if n == 0:
            want = after["partition"]
        assert after["partition"] == want, name
        await catalogue.undo(load.load)


async def stepwise(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> int:
    """Run the matcher to the end, cut off once after every second call of a function; how often it was cut."""
    real = getattr(module, name)
    calls = cuts = 0

    async def cut(*given: Any, **named: Any) -> Any:
        nonlocal calls, cuts
        calls += 1
        found = await real(*given, **named)
        if calls % 2:
            cuts += 1
            raise Cut(name)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(module, name, cut)
        while True:
            before = await whole(catalogue)
            try:
                if not await catalogue.matcher.step():
                    return cuts
            except Cut:
                assert await whole(catalogue) == before, f"{name} left something behind"


TABLES = (
    "load", "inbox", "record", "record_before", "finding", "quarantine", "holding", "signature", "match_key", "edge",
    "membership", "identifier_use", "redirect", "dirty", "merged", "feed",
)  # fmt: skip


async def whole(catalogue: Catalogue) -> list[tuple[Any, ...]]:
    """Every row of every table that the pipeline writes."""
    async with catalogue.database.connection() as conn:
        return [
            (table, sorted(str(tuple(row)) for row in await conn.fetch(f"select * from {table}"))) for table in TABLES
        ]


async def test_a_unit_prepared_by_two_workers_has_one_effect(catalogue: Catalogue) -> None:
    rubbish = b"00047xxx this is no record \x1d"
    load = await catalogue.load("a", [raw(1), rubbish, raw(2)], place=False)
    workers = [Preparing(catalogue.database, Inline(), asyncio.Event()) for _ in range(4)]
    await asyncio.gather(*(worker.handle(units.encode(load.load, 0)) for worker in workers))
    await catalogue.settle()
    done = await catalogue.again(load.load)
    assert (done.state, done.records, done.added, done.unreadable) == (LoadState.DONE, 3, 2, 1)
    async with catalogue.database.connection() as conn:
        assert len(await quarantine.listing(conn, source=None, rule=None, limit=10)) == 1


async def test_a_matcher_that_lost_its_lease_changes_nothing(catalogue: Catalogue) -> None:
    load = await catalogue.load("a", [raw(1), raw(2)], place=False)
    await prepare(catalogue, load.load)
    holder = catalogue.matcher
    for stage in ("judge", "place", "close the load", "merge"):
        async with catalogue.database.transaction() as conn:
            await leases.bury(conn, LEASE, holder.holder)
            term = await leases.acquire(conn, LEASE, stage, 3600)
        assert term
        database = catalogue.database
        heir = Matcher(database=database, merge=merge_here, limits=GENEROUS, holder=stage, term=term)
        before = await whole(catalogue)
        with pytest.raises(Conflict, match="lease"):
            await holder.step()
        assert await whole(catalogue) == before, stage
        assert await heir.step()
        assert await whole(catalogue) != before, stage
        holder = heir
    assert not await holder.step()
    assert (await catalogue.again(load.load)).state is LoadState.DONE
    assert len(await catalogue.partition()) == 2


async def test_a_merge_begun_under_an_earlier_term_publishes_nothing(catalogue: Catalogue) -> None:
    load = await catalogue.load("a", [raw(1), raw(2)], place=False)
    await prepare(catalogue, load.load)
    matcher = catalogue.matcher
    while await matcher.place_next():
        pass

    async def overtaken(*given: Any) -> Any:
        async with catalogue.database.transaction() as conn:
            matcher.term = await leases.acquire(conn, LEASE, matcher.holder, 3600) or 0
        return await merge_here(*given)

    matcher.merge = overtaken
    with pytest.raises(Conflict, match="lease"):
        await matcher.merge_next()
    assert await catalogue.head() == 0
    matcher.merge = merge_here
    await catalogue.settle()
    assert len(await catalogue.partition()) == 2


async def test_readers_of_the_feed_lose_nothing_while_many_publish(database: Database) -> None:
    """Through `changes.publish` and `changes.after`; the failing control is in test_feed_order."""
    writers, rounds = 8, 25
    async with database.connection() as conn:
        await conn.execute("insert into node (symbol) values ('CN-TST')")
    finished = asyncio.Event()

    def version(cluster: int) -> Version:
        return Version(
            cluster=cluster,
            deleted=True,
            redirect=None,
            format=Format.MARC21,
            fingerprint=b"",
            libraries=(),
            dictionary=0,
            content=b"",
        )

    async def write(writer: int) -> None:
        chance = random.Random(writer)
        for n in range(rounds):
            async with database.transaction() as conn:
                await work(conn, chance)
                first = (writer * rounds + n) * 3
                await changes.publish(conn, [version(first + i + 1) for i in range(3)])

    async def work(conn: Connection, chance: random.Random) -> None:
        await conn.execute("select pg_sleep($1)", chance.random() * 0.01)

    async def read() -> list[int]:
        seen: list[int] = []
        last = 0
        while True:
            over = finished.is_set()
            async with database.connection() as conn:
                page = await changes.after(conn, last, 50)
            for one in page:
                assert one.seq > last
                last = one.seq
                seen.append(one.cluster)
            if over and not page:
                return seen

    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(read()) for _ in range(2)]
        await asyncio.gather(*(write(n) for n in range(writers)))
        finished.set()
    for task in reading:
        assert sorted(task.result()) == list(range(1, writers * rounds * 3 + 1))


async def test_a_cluster_that_cannot_be_merged_keeps_no_other_from_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = await Catalogue(database).open()
    sound = merge.merge

    def failing(members: Sequence[Member], policy: None = None) -> merge.Merged:
        if any("poison" in member.key for member in members):
            raise ValueError("planted")
        return sound(members, policy)

    monkeypatch.setattr(merge, "merge", failing)
    raws = [
        builders.iso2709(builders.a_cnmarc(local_id=name, title=title, isbn=builders.isbn13(number)))
        for number, (name, title) in enumerate([("poison", "有毒的书"), ("sound", "无毒的书")], 1)
    ]
    await catalogue.load("s", raws)
    async with database.connection() as conn:
        titles = [one.description.title for one in await changes.after(conn, 0, 10) if one.description]
        assert titles == ["无毒的书"]
        assert await clusters.dirty_count(conn) == 0
    assert "planted" in caplog.text
