"""The same files again: known to change nothing, told with the counts of the long way, and never when in doubt."""

from __future__ import annotations

import contextlib
import gzip
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import loads, quarantine
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState
from dms.pipeline import Habits, habits_key
from exchange import landing
from tests.pipeline import Catalogue
from tests.store.test_loads import chinese, deleted, empty, lines, named, nameless, raw

RIVALS = [raw(1, title="天工开物旧本", stamp="20200101000000.0"), raw(1, stamp="20240101000000.0"), raw(2)]
MIXED = [*named(), raw(0), *nameless(), raw(7), deleted(raw(7, stamp="20300101000000.0")), deleted(raw(8)), *RIVALS]
BROKEN = [raw(1), b"00047xxx this is no record \x1d", empty("n9"), raw(2)]


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "records.mrc"
    path.write_bytes(b"".join(MIXED))
    return path


async def send(
    catalogue: Catalogue, *paths: Path, mode: str = "changes", encoding: str = "auto", quick: bool = True
) -> Load:
    """As `tianlu load` does it; without `quick` always the long way."""
    source = await catalogue.source("a")
    habits = habits_key(Habits(source=source, carrier="", encoding=encoding))
    with contextlib.ExitStack() as stack:
        inputs = landing.open_inputs(stack, [str(path) for path in paths])
        if quick:
            again = await landing.repeat(
                catalogue.database, source, inputs, mode=mode, encoding=encoding, habits=habits
            )
            if again is not None:
                return again
        load = await landing.open_load(catalogue.database, source, inputs, mode=mode, encoding=encoding, assured=False)
        await landing.land(catalogue.database, catalogue.queue, source, load, inputs, lambda *_: None, habits=habits)
    await catalogue.settle()
    return await catalogue.again(load.load)


def told(load: Load) -> dict[str, object]:
    return {"state": load.state, "mode": load.mode, "carrier": load.carrier, "landed": load.landed, **load.counts}


async def cases(catalogue: Catalogue) -> list[tuple[object, ...]]:
    async with catalogue.database.connection() as conn:
        rows = await quarantine.listing(conn, source=None, rule=None, limit=100)
    return sorted((row["position"], row["ordinal"], row["verdict"], row["local_id"]) for row in rows)


@pytest.mark.parametrize("mode", ["changes", "full"])
@pytest.mark.parametrize(
    ("records", "joiner"),
    [(named(), b""), (MIXED, b""), (BROKEN, b""), (chinese(), b""), (lines(), b"\n")],
    ids=["named", "mixed", "broken", "gb18030", "marcjson"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
async def test_the_short_way_tells_and_leaves_what_the_long_way_does(
    catalogue: Catalogue, tmp_path: Path, records: Sequence[bytes], joiner: bytes, mode: str, pack: type[bytes]
) -> None:
    path = tmp_path / "records"
    path.write_bytes(pack(joiner.join(records)))
    first = await send(catalogue, path, mode=mode)
    assert (first.state, first.repeats) == (LoadState.DONE, None)
    standing, head, returned = await catalogue.standing(), await catalogue.head(), await cases(catalogue)
    long = await send(catalogue, path, mode=mode, quick=False)
    assert long.repeats is None
    short = await send(catalogue, path, mode=mode)
    assert short.repeats == long.load
    assert told(short) == told(long)
    assert (await catalogue.standing(), await catalogue.head(), await cases(catalogue)) == (standing, head, returned)
    third = await send(catalogue, path, mode=mode)
    assert (third.repeats, told(third)) == (long.load, told(long))


async def test_a_byte_more_a_byte_less_or_another_order_is_read(catalogue: Catalogue, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"".join(named()[:3]))
    two.write_bytes(b"".join(named()[3:]))
    await send(catalogue, one, two)
    assert (await send(catalogue, one, two)).repeats
    assert not (await send(catalogue, two, one)).repeats
    two.write_bytes(two.read_bytes() + b"\n")
    assert not (await send(catalogue, two, one)).repeats
    two.write_bytes(b"".join([*named()[3:5], raw(5, title="另一种书")]))
    assert (await send(catalogue, two, one)).updated == 1


async def test_after_an_undo_the_file_is_loaded_again(catalogue: Catalogue, file: Path) -> None:
    first = await send(catalogue, file)
    same = await send(catalogue, file)
    assert same.repeats == first.load
    standing = await catalogue.standing()
    await catalogue.undo(same.load)
    assert await catalogue.standing() == standing
    await catalogue.undo(first.load)
    assert (await catalogue.standing())["records"] == []
    again = await send(catalogue, file)
    assert (again.repeats, again.added) == (None, first.added)
    async with catalogue.database.connection() as conn:
        assert not await conn.fetchval("select count(*) from record where load <> $1", again.load)


async def test_after_another_load_of_the_source_the_file_is_read(catalogue: Catalogue, file: Path) -> None:
    await send(catalogue, file)
    await catalogue.load("a", [deleted(raw(2))])
    again = await send(catalogue, file)
    assert (again.repeats, again.added) == (None, 1)
    await catalogue.load("b", [raw(30)])
    assert (await send(catalogue, file)).repeats == again.load, "another source has nothing to do with it"


async def test_another_mode_encoding_or_habit_is_another_load(catalogue: Catalogue, file: Path) -> None:
    await send(catalogue, file)
    assert not (await send(catalogue, file, mode="full")).repeats
    assert not (await send(catalogue, file, mode="full", encoding="utf-8")).repeats
    assert (await send(catalogue, file, mode="full", encoding="utf-8")).repeats
    async with catalogue.database.transaction() as conn:
        await conn.execute("update source set visibility = 2")
    hidden = await send(catalogue, file, mode="full", encoding="utf-8")
    assert not hidden.repeats and hidden.updated


async def test_cases_that_were_dropped_come_back(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"".join(BROKEN))
    first = await send(catalogue, path)
    assert (first.unreadable, first.returned) == (1, 1)
    before = await cases(catalogue)
    async with catalogue.database.transaction() as conn:
        await quarantine.drop(conn, source=None, rule="no-description")
    assert not (await send(catalogue, path)).repeats
    assert await cases(catalogue) == before


async def test_a_damaged_file_is_never_taken_for_known(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "records.gz"
    path.write_bytes(gzip.compress(b"".join(named()))[:-9])
    assert (await send(catalogue, path)).unreadable == 1
    assert not (await send(catalogue, path)).repeats


async def test_a_landing_that_was_taken_up_is_not_taken_for_known(catalogue: Catalogue, file: Path) -> None:
    """What another process landed may have been another file of the same beginning and size."""
    source = await catalogue.source("a")
    with contextlib.ExitStack() as stack:
        inputs = landing.open_inputs(stack, [str(file)])
        load = await landing.open_load(
            catalogue.database, source, inputs, mode="changes", encoding="auto", assured=False
        )
        async with catalogue.database.transaction() as conn:
            await loads.advance(conn, load.load, 0, 1)
    await send(catalogue, file)
    assert not (await send(catalogue, file)).repeats


async def test_what_can_be_read_only_once_is_read(catalogue: Catalogue, file: Path) -> None:
    await send(catalogue, file)
    source = await catalogue.source("a")
    habits = habits_key(Habits(source=source, carrier="", encoding="auto"))
    with contextlib.ExitStack() as stack:
        inputs = landing.open_inputs(stack, [str(file)])
        piped = landing.Inputs(names=("-",), streams=inputs.streams, carrier=inputs.carrier, fingerprint=b"", size=None)
        assert not await landing.repeat(
            catalogue.database, source, piped, mode="changes", encoding="auto", habits=habits
        )


def test_records_are_written_by_loads_alone() -> None:
    """What the short way rests on: whoever else writes them must send the next load the long way."""
    root = Path(landing.__file__).parents[1]
    packages = ("catalog", "dms", "exchange", "services", "node")
    writers = {
        str(path.relative_to(root))
        for package in packages
        for path in (root / package).rglob("*.py")
        if re.search(r"records\.(put|delete)\(|(into|update|delete from) record\b", path.read_text(encoding="utf-8"))
    }
    assert writers == {"catalog/records.py", "catalog/attached.py", "catalog/renaming.py", "dms/place.py"}
