"""One library's record that comes by two paths is one publication, however the two paths describe it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from catalog import changes, holdings
from catalog.database import pool
from catalog.database.pool import Database
from catalog.payload import Change
from tests import fed, pins
from tests.fed import CHILD, OTHER, gone, ident, told
from tests.pipeline import Catalogue
from tests.postgres import Postgres

A, B, C = CHILD, OTHER, "CN-TJU"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open("CN-TOP")


async def groups(catalogue: Catalogue) -> list[str]:
    found = []
    for names in await catalogue.partition():
        split = (name.split("/") for name in names)
        found.append(" ".join(sorted(f"{source}/{local.rpartition('.')[2].lstrip('0')}" for source, local in split)))
    return sorted(found)


def way(number: int, child: str, *origins: int, seq: int = 1, **given: Any) -> Change:
    """A child's cluster with the library's records of these numbers."""
    return told(number, child=child, seq=seq, holdings=[fed.held(n, "CN-LIB") for n in origins], **given)


async def feed(catalogue: Catalogue, child: str, *changes: Change) -> None:
    await fed.feed(catalogue, changes, child=child)


async def test_two_paths_meet_and_count_once(catalogue: Catalogue) -> None:
    """The second domain's catalogue describes another volume: rules alone would keep them apart."""
    await feed(catalogue, A, way(1, A, 7))
    await feed(catalogue, B, way(2, B, 7, title="别的题名", volume="第二册"))
    assert await groups(catalogue) == [f"{B}/2 {A}/1"]
    async with catalogue.database.connection() as conn:
        (one,) = [each for each in await changes.after(conn, 0, 9) if not each.deleted]
        assert len(await holdings.of_cluster(conn, one.cluster)) == 1
        assert one.libraries == ("CN-LIB",)


async def test_the_link_ends_when_the_origins_no_longer_agree(catalogue: Catalogue) -> None:
    await feed(catalogue, A, way(1, A, 7))
    await feed(catalogue, B, way(2, B, 7))
    await feed(catalogue, B, way(2, B, 8, seq=2))
    assert await groups(catalogue) == [f"{B}/2", f"{A}/1"]
    await feed(catalogue, A, way(1, A, 7, 8, seq=2))
    assert await groups(catalogue) == [f"{B}/2 {A}/1"]
    await feed(catalogue, A, gone(1, child=A, seq=3))
    async with catalogue.database.connection() as conn:
        assert await conn.fetchval("select count(*) from pin") == 0
    await feed(catalogue, A, way(1, A, 7, seq=4))
    assert await groups(catalogue) == [f"{B}/2", f"{A}/1"]


async def test_records_of_one_child_are_the_childs_to_join(catalogue: Catalogue) -> None:
    await feed(catalogue, A, way(1, A, 7), way(2, A, 7))
    assert await groups(catalogue) == [f"{A}/1", f"{A}/2"]
    await feed(catalogue, B, way(3, B, 9, title="第三种"))
    async with catalogue.database.connection() as conn:
        assert await conn.fetchval("select count(*) from pin") == 0


@pytest.mark.parametrize("first", ["the person", "the paths"])
async def test_a_persons_cannot_link_wins(catalogue: Catalogue, first: str) -> None:
    async def cannot() -> None:
        async with catalogue.database.transaction() as conn:
            one, other = [((await catalogue.source(c, library=c)).no, ident(n, c)) for c, n in ((A, 1), (B, 2))]
            await pins.pin(conn, one, other, "cannot", catalogue.matcher.memory)
        await catalogue.settle()

    if first == "the person":
        await cannot()
    await feed(catalogue, A, way(1, A, 7))
    await feed(catalogue, B, way(2, B, 7))
    if first == "the paths":
        await cannot()
    assert await groups(catalogue) == [f"{B}/2", f"{A}/1"]
    await feed(catalogue, B, way(2, B, 7, seq=2, title="又一题名"))
    assert await groups(catalogue) == [f"{B}/2", f"{A}/1"]


VERSIONS: dict[str, Sequence[Change]] = {
    A: [way(1, A, 1), way(2, A, 2, 3), way(3, A, 4), way(4, A, 5, title="第五种"), way(5, A, 9)],
    B: [way(6, B, 1, title="题名之六"), way(7, B, 3), way(8, B, 4, 5), way(9, B, 10)],
    C: [way(14, C, 2), way(11, C, 3, title="题名十一"), way(12, C, 9, 10), way(13, C, 20)],
}


async def built(server: Postgres, home: Path, order: random.Random, *, churn: bool) -> dict[frozenset[str], str]:
    async with server.fresh() as dsn, pool.open(home, dsn) as database:
        catalogue = await Catalogue(database).open("CN-TOP")
        if churn:
            for child, versions in VERSIONS.items():
                mixed = [way(n, child, order.randint(1, 12), seq=1) for n in range(1, 15)]
                await feed(catalogue, child, *mixed)
                stay = {change.id for change in versions}
                await feed(
                    catalogue, child, *(gone(n, child=child) for n in range(1, 15) if ident(n, child) not in stay)
                )
        todo = [(child, change) for child, versions in VERSIONS.items() for change in versions]
        order.shuffle(todo)
        while todo:
            child = todo[0][0]
            batch = [change for c, change in todo[: order.randint(1, 5)] if c == child]
            todo = [each for each in todo if each[1] not in batch]
            await feed(catalogue, child, *batch)
        return await catalogue.partition()


async def test_the_partition_is_the_same_in_any_order_and_after_churn(server: Postgres, home: Path) -> None:
    want = await built(server, home, random.Random(1), churn=False)
    names = {frozenset(f"{n.split('/')[0]}/{n.rpartition('.')[2].lstrip('0')}" for n in group) for group in want}
    assert frozenset({f"{A}/2", f"{B}/7", f"{C}/e", f"{C}/b"}) in names, "a chain of paths"
    for seed in (2, 3):
        assert await built(server, home, random.Random(seed), churn=False) == want
    for seed in (4, 5):
        assert await built(server, home, random.Random(seed), churn=True) == want
