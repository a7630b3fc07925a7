"""Batch changes move with their library: they hold at the new host, can be undone there, and come back as they are."""

from __future__ import annotations

from catalog import batches
from catalog.loads import Load
from exchange import parting
from tests import moving
from tests.moving import SZU, Living
from tests.store import test_batches as changing
from tests.store.test_batches import NEW, OLD

FOUND = ["n1", "n2", "n3"]


def file(*numbers: int, **given: str) -> list[bytes]:
    return [changing.raw(number, f905=f"  $a{SZU.symbol}$dTP{number}", **given) for number in numbers]


async def load(at: Living, records: list[bytes]) -> Load:
    await at.catalogue.source("szu", SZU.symbol)
    return await at.catalogue.load("szu", records)


async def subjects(at: Living) -> list[str]:
    """The first subject of each record of the library."""
    found = []
    async with at.stand.database.connection() as conn:
        rows = await conn.fetch("select source from source where name = 'szu'")
    for local_id in FOUND:
        record, _ = await changing.standing(at.catalogue, rows[0]["source"], local_id)
        found.append((record.first("606") or "")[4:])
    return found


async def moved(domain: Living, own: Living) -> None:
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")


async def test_edits_hold_where_the_library_has_moved_to_and_when_it_is_back(domain: Living, own: Living) -> None:
    await load(domain, file(1, 2, 3))
    async with domain.stand.database.connection() as conn:
        source = await conn.fetchval("select source from source where name = 'szu'")
    first = await changing.change(domain.catalogue, source=source)
    assert await subjects(domain) == [NEW] * 3
    await moved(domain, own)
    assert await subjects(own) == [NEW] * 3
    async with own.stand.database.connection() as conn:
        (batch,) = await batches.recent(conn, 9)
        counts = (await batches.counts(conn, [batch.batch]))[batch.batch]
    assert (batch.state, counts) == ("done", {"changed": 3})
    assert batch.selection == f"{domain.symbol}: batch {first.batch}"
    again = await load(own, file(1, 2, 3))
    assert (again.unchanged, again.updated) == (3, 0)
    await load(own, file(1, pages="7页"))
    await load(own, file(2, f606="0 \x1fa别的"))
    assert await subjects(own) == [NEW, "别的", NEW]
    await changing.undo(own.catalogue, batch)
    assert await subjects(own) == [OLD, "别的", OLD]
    async with own.stand.database.transaction() as conn:
        await parting.give(conn, own.symbol, domain.symbol)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await subjects(domain) == [OLD, "别的", OLD]
    await load(domain, file(1, 3))
    assert await subjects(domain) == [OLD, "别的", OLD], "what was taken back elsewhere is not made again"


async def test_a_library_that_comes_back_has_its_edits_once(domain: Living, own: Living) -> None:
    await load(domain, file(1, 2, 3))
    async with domain.stand.database.connection() as conn:
        source = await conn.fetchval("select source from source where name = 'szu'")
    first = await changing.change(domain.catalogue, source=source)
    await moved(domain, own)
    async with own.stand.database.transaction() as conn:
        await parting.give(conn, own.symbol, domain.symbol)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    async with domain.stand.database.connection() as conn:
        assert [one.batch for one in await batches.recent(conn, 9)] == [first.batch]
    assert (await load(domain, file(1, 2, 3))).unchanged == 3
    await changing.undo(domain.catalogue, first)
    assert await subjects(domain) == [OLD] * 3
