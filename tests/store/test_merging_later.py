"""Merging is put off while a big load is on its way, but not for ever, and comes to the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from catalog import changes, clusters, inbox, loads
from catalog.database.pool import Database
from catalog.work import leases, units
from dms import matcher
from dms.worker import Preparing
from tests import builders
from tests.pipeline import Catalogue, Inline


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(n: int, **given: Any) -> bytes:
    told = {"title": f"园冶注释 {n}", "isbn": builders.isbn13(500 + n), "local_id": f"r{n}"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def prepare(catalogue: Catalogue, load: int) -> None:
    preparing = Preparing(catalogue.database, Inline(), asyncio.Event())
    async with catalogue.database.connection() as conn:
        numbers = await inbox.unprepared(conn, load)
    for number in numbers:
        await preparing.handle(units.encode(load, number))


async def placed(catalogue: Catalogue, name: str, many: range) -> None:
    """A load of one unit, placed and not merged."""
    load = await catalogue.load(name, [raw(n) for n in many], place=False)
    await prepare(catalogue, load.load)
    while await catalogue.matcher.place_next():
        pass


async def merge_what_is_due(catalogue: Catalogue) -> int:
    """How many rounds were done."""
    rounds = [await catalogue.matcher.merge_due(lane) for lane in range(matcher.LANES)]
    return sum(rounds)


async def dirty(catalogue: Catalogue) -> int:
    async with catalogue.database.connection() as conn:
        return await clusters.dirty_count(conn)


async def test_lanes_share_the_work_and_leave_nothing(catalogue: Catalogue) -> None:
    await placed(catalogue, "a", range(9))
    assert await merge_what_is_due(catalogue) == matcher.LANES
    assert await dirty(catalogue) == 0
    async with catalogue.database.connection() as conn:
        assert len(await changes.after(conn, 0, 100)) == 9


async def test_what_many_loads_touch_is_merged_once(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    await placed(catalogue, "a", range(3))
    big = await catalogue.load("b", [raw(n) for n in range(3)], unit=1, place=False)
    monkeypatch.setattr(matcher, "UNITS", 2)
    assert await merge_what_is_due(catalogue) == 0
    await placed(catalogue, "c", range(3))
    assert await merge_what_is_due(catalogue) == 0 and await dirty(catalogue) == 3
    await prepare(catalogue, big.load)
    while await catalogue.matcher.place_next():
        assert await merge_what_is_due(catalogue) == 0 or not await open_loads(catalogue)
    await merge_what_is_due(catalogue)
    assert await dirty(catalogue) == 0
    async with catalogue.database.connection() as conn:
        _, last = await changes.head(conn)
    assert last == 3, "each cluster was published once"


async def open_loads(catalogue: Catalogue) -> int:
    async with catalogue.database.connection() as conn:
        return len(await loads.first_open(conn))


async def test_nobody_waits_for_a_long_load_for_ever(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    await placed(catalogue, "a", range(3))
    await catalogue.load("b", [raw(n) for n in range(3)], unit=1, place=False)
    monkeypatch.setattr(matcher, "UNITS", 2)
    assert await merge_what_is_due(catalogue) == 0
    monkeypatch.setattr(matcher, "PATIENCE", 0.0)
    assert await merge_what_is_due(catalogue) == matcher.LANES
    assert await dirty(catalogue) == 0


async def test_a_load_whose_landing_died_puts_nothing_off(catalogue: Catalogue) -> None:
    load = await catalogue.load("a", [raw(n) for n in range(3)], unit=1, place=False)
    async with catalogue.database.transaction() as conn:
        await conn.execute("update load set state = 'landing' where load = $1", load.load)
        assert not await loads.any_bulk(conn, 2)
        lease = f"{loads.LANDING}{load.source}"
        assert await leases.acquire(conn, lease, "x", 60)
        assert await loads.any_bulk(conn, 2) and not await loads.any_bulk(conn, 3)


async def test_more_than_a_command_cares_to_merge_is_left(catalogue: Catalogue) -> None:
    await placed(catalogue, "a", range(5))
    catalogue.matcher.most = 4
    assert await merge_what_is_due(catalogue) == 0
    catalogue.matcher.most = 5
    assert await merge_what_is_due(catalogue) == matcher.LANES
