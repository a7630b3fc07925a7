"""Pins: a person's word on two records outlives every load, and taken back leaves no trace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database import pool
from catalog.database.pool import Database
from dms import pinning
from tests import builders, pins
from tests.pipeline import Catalogue
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(local_id: str, number: int = 1, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": local_id} | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def pin(catalogue: Catalogue, a: str, b: str, verdict: str) -> int:
    """Pin two records (source/local id)."""
    async with catalogue.database.transaction() as conn:
        one, other = [((await catalogue.source(n.split("/")[0])).no, n.split("/")[1]) for n in (a, b)]
        memory = catalogue.matcher.memory
        number = await pins.pin(conn, one, other, verdict, memory)
    await catalogue.settle()
    return number


async def unpin(catalogue: Catalogue, number: int) -> None:
    async with catalogue.database.transaction() as conn:
        await pins.unpin(conn, number, catalogue.matcher.memory)
    await catalogue.settle()


async def groups(catalogue: Catalogue) -> list[str]:
    """Clusters as "a/x b/y", in order."""
    return sorted(" ".join(sorted(names)) for names in await catalogue.partition())


@pytest.mark.parametrize("publisher", ["上海古籍出版社", "上海古籍"], ids=["byte-identical", "alike"])
async def test_a_cannot_splits_and_unpinning_folds_back(catalogue: Catalogue, publisher: str) -> None:
    await catalogue.load("a", [raw("x")])
    await catalogue.load("b", [raw("x", publisher=publisher)])
    await catalogue.load("c", [raw("z", number=9)])
    before = await catalogue.standing()
    assert await groups(catalogue) == ["a/x b/x", "c/z"]
    number = await pin(catalogue, "a/x", "b/x", "cannot")
    assert await groups(catalogue) == ["a/x", "b/x", "c/z"]
    await unpin(catalogue, number)
    assert await catalogue.standing() == before


async def test_a_cannot_survives_everything_that_loads_do(catalogue: Catalogue, server: Postgres, home: Path) -> None:
    a, b = [raw("x"), raw("y", 2)], [raw("x"), raw("y", 2)]
    await catalogue.load("a", a)
    await catalogue.load("b", b)
    await pin(catalogue, "a/x", "b/x", "cannot")
    apart = ["a/x", "a/y b/y", "b/x"]
    assert await groups(catalogue) == apart
    await catalogue.load("b", b)
    await catalogue.load("b", [raw("x", pages="413")])
    assert await groups(catalogue) == apart
    await catalogue.load("b", b)
    assert await groups(catalogue) == apart
    gone = b[0][:5] + b"d" + b[0][6:]
    await catalogue.load("b", [gone])
    assert await groups(catalogue) == ["a/x", "a/y b/y"]
    await catalogue.load("b", b)
    assert await groups(catalogue) == apart
    want = await catalogue.partition()
    # A rebuild in which the pin is there before the records.
    async with server.fresh() as dsn, pool.open(home, dsn) as database:
        rebuilt = await Catalogue(database).open()
        await pin(rebuilt, "a/x", "b/x", "cannot")
        await rebuilt.load("b", b)
        await rebuilt.load("a", a)
        assert await rebuilt.partition() == want


async def test_a_must_joins_what_rules_keep_apart_and_unpinning_parts_it(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x", 1), raw("other", 5)])
    await catalogue.load("b", [raw("y", 2, volume="第二册")])
    before = await catalogue.standing()
    assert await groups(catalogue) == ["a/other", "a/x", "b/y"]
    number = await pin(catalogue, "a/x", "b/y", "must")
    assert await groups(catalogue) == ["a/other", "a/x b/y"]
    await catalogue.load("a", [raw("x", 1, pages="3")])
    assert await groups(catalogue) == ["a/other", "a/x b/y"]
    await catalogue.load("a", [raw("x", 1)])
    await unpin(catalogue, number)
    after = await catalogue.standing()
    assert after["partition"] == before["partition"] and await groups(catalogue) == ["a/other", "a/x", "b/y"]


async def test_a_must_between_records_yet_to_come_is_honoured(catalogue: Catalogue) -> None:
    await pin(catalogue, "a/x", "b/y", "must")
    await catalogue.load("a", [raw("x", 1)])
    assert await groups(catalogue) == ["a/x"]
    await catalogue.load("b", [raw("y", 2)])
    assert await groups(catalogue) == ["a/x b/y"]


async def test_a_must_ends_with_the_record_it_names(catalogue: Catalogue) -> None:
    """a/x and its twin c/x share a signature; the pin's hold on it goes with a/x."""
    await catalogue.load("a", [raw("x", 1)])
    await catalogue.load("c", [raw("x", 1)])
    await catalogue.load("b", [raw("y", 2)])
    await pin(catalogue, "a/x", "b/y", "must")
    assert await groups(catalogue) == ["a/x b/y c/x"]
    one = raw("x", 1)
    await catalogue.load("a", [one[:5] + b"d" + one[6:]])
    assert await groups(catalogue) == ["b/y", "c/x"]
    await catalogue.load("a", [one])
    assert await groups(catalogue) == ["a/x b/y c/x"]
    await catalogue.load("a", [raw("x", 7)])
    assert await groups(catalogue) == ["a/x b/y", "c/x"]


async def test_a_cannot_beats_a_must(catalogue: Catalogue) -> None:
    for source, n in (("a", 1), ("b", 2), ("c", 3)):
        await catalogue.load(source, [raw("x", n)])
    await pin(catalogue, "a/x", "b/x", "must")
    await pin(catalogue, "b/x", "c/x", "must")
    assert await groups(catalogue) == ["a/x b/x c/x"]
    number = await pin(catalogue, "a/x", "c/x", "cannot")
    found = await groups(catalogue)
    assert not any("a/x" in group and "c/x" in group for group in found)
    await unpin(catalogue, number)
    assert await groups(catalogue) == ["a/x b/x c/x"]


async def test_loads_between_pinned_records_give_the_same_in_any_order(
    catalogue: Catalogue, server: Postgres, home: Path
) -> None:
    records = {"a": raw("x"), "b": raw("x"), "c": raw("x"), "d": raw("x", 4)}
    await pin(catalogue, "a/x", "b/x", "cannot")
    await pin(catalogue, "c/x", "d/x", "must")
    for source in "abcd":
        await catalogue.load(source, [records[source]])
    want = await catalogue.partition()
    for order in ("dcba", "bdac"):
        async with server.fresh() as dsn, pool.open(home, dsn) as database:
            other = await Catalogue(database).open()
            for source in order[:2]:
                await other.load(source, [records[source]])
            await pin(other, "c/x", "d/x", "must")
            await pin(other, "a/x", "b/x", "cannot")
            for source in order[2:]:
                await other.load(source, [records[source]])
            assert await other.partition() == want


async def test_many_records_are_followed_with_as_many_questions_as_few(catalogue: Catalogue) -> None:
    for source in ("a", "b"):
        await catalogue.load(source, [raw(f"n{n}", n) for n in range(1, 13)])
    numbers = [(await catalogue.source(each)).no for each in ("a", "b")]
    asked = []
    for count in (1, 12):
        some = [((numbers[0], f"n{n}"), (numbers[1], f"n{n}")) for n in range(1, count + 1)]
        async with catalogue.database.transaction() as conn:
            for one, other in some:
                await conn.execute(
                    """insert into pin (source_a, local_id_a, source_b, local_id_b, verdict, who, why)
                       values ($1, $2, $3, $4, 'cannot', 't', 't')""",
                    *one,
                    *other,
                )
            statements: list[str] = []
            with conn.query_logger(lambda record, into=statements: into.append(record.query)):
                await pinning.follow(conn, [name for pair in some for name in pair], catalogue.matcher.memory)
        await catalogue.settle()
        asked.append(len(statements))
    assert len(await groups(catalogue)) == 24
    assert asked[1] <= asked[0] + 5, asked
