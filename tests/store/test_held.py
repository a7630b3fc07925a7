"""Loads that wait for a person: what holds them, what is told of them, and how they go on. Over a real database."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest

from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState
from config.settings import Limits
from exchange import landing
from tests import builders
from tests.pipeline import Catalogue
from tests.store.test_loads import TITLES, raw


@pytest.mark.parametrize("limits", [Limits(delete_share=0.02), Limits(delete_share=1.0, delete_records=2)])
async def test_a_full_load_that_deletes_too_much_waits_for_a_person(database: Database, limits: Limits) -> None:
    catalogue = await Catalogue(database, limits).open()
    records = [raw(n) for n in range(12)]
    await catalogue.give("a", b"".join(records), mode="full")
    before, head = await catalogue.standing(), await catalogue.head()
    fewer = b"".join([*records[3:], raw(13)])
    load = await catalogue.give("a", fewer, mode="full")
    assert load.state is LoadState.HELD and "absent" in load.reason
    assert await catalogue.standing() == before and await catalogue.head() == head
    again = await catalogue.give("a", fewer, mode="full", assured=True)
    assert (again.load, again.state, again.deleted, again.added) == (load.load, LoadState.DONE, 3, 1)


def garbled(number: int) -> bytes:
    """UTF-8 read as Latin-1 and written as UTF-8 again."""
    title = TITLES[number % len(TITLES)] + TITLES[(number + 3) % len(TITLES)]
    return raw(number, title=title.encode().decode("latin-1"))


async def test_mojibake_holds_a_load_and_a_better_file_replaces_it(database: Database) -> None:
    catalogue = await Catalogue(database, Limits()).open()
    await catalogue.give("a", b"".join(raw(n) for n in range(3)))
    before, head = await catalogue.standing(), await catalogue.head()
    held = await catalogue.give("a", b"".join(garbled(n) for n in range(3, 28)))
    assert held.state is LoadState.HELD and "mojibake" in held.reason
    assert await catalogue.standing() == before and await catalogue.head() == head
    better = await catalogue.give("a", b"".join(raw(n) for n in range(3, 28)))
    assert (better.state, better.added) == (LoadState.DONE, 25)
    assert (await catalogue.again(held.load)).state is LoadState.FAILED


async def test_unreadable_records_beyond_the_limit_hold_a_load(database: Database) -> None:
    catalogue = await Catalogue(database, Limits()).open()
    data = b"".join(b"00047xxx this is no record \x1d" + raw(n) for n in range(22))
    held = await catalogue.give("a", data)
    assert held.state is LoadState.HELD and "came back" in held.reason
    assert (held.records, held.unreadable, held.added) == (44, 22, 0), "what was judged is told"
    assert (await catalogue.standing())["records"] == [] and await catalogue.head() == 0
    done = await catalogue.give("a", data, assured=True)
    assert (done.load, done.state, done.added, done.unreadable) == (held.load, LoadState.DONE, 22, 22)
    assert done.records == 44


async def test_what_landing_counted_is_counted_once_when_a_held_load_is_let_pass(
    database: Database, tmp_path: Path
) -> None:
    catalogue = await Catalogue(database, Limits()).open()
    source = await catalogue.source("a")
    path = tmp_path / "records.mrc.gz"
    path.write_bytes(gzip.compress(b"".join(garbled(n) for n in range(25)))[:-9])

    async def give(assured: bool) -> Load:
        with contextlib.ExitStack() as stack:
            inputs = landing.open_inputs(stack, [str(path)])
            load = await landing.open_load(database, source, inputs, mode="changes", encoding="auto", assured=assured)
            await landing.land(database, catalogue.queue, source, load, inputs, lambda *_: None, habits=b"")
        await catalogue.settle()
        return await catalogue.again(load.load)

    held, done = await give(False), await give(True)
    assert (held.load, held.state, done.state) == (done.load, LoadState.HELD, LoadState.DONE)
    assert (held.records, held.unreadable) == (done.records, done.unreadable) == (26, 1)
    assert (held.added, done.added) == (0, 25)


async def test_titles_that_change_by_the_dozen_hold_a_load(database: Database) -> None:
    catalogue = await Catalogue(database, Limits()).open()
    await catalogue.give("a", b"".join(raw(n) for n in range(30)))
    before, head = await catalogue.standing(), await catalogue.head()
    held = await catalogue.give("a", b"".join(raw(n, title=TITLES[(n + 5) % 25] + "别本") for n in range(30)))
    assert held.state is LoadState.HELD and "titles that changed" in held.reason
    assert await catalogue.standing() == before and await catalogue.head() == head


async def test_the_same_file_read_in_another_encoding_replaces_the_held_load(database: Database) -> None:
    catalogue = await Catalogue(database, Limits()).open()
    titles = [TITLES[n] + TITLES[(n + 3) % 25] for n in range(25)]
    data = b"".join(
        builders.iso2709(builders.a_cnmarc(title=title, local_id=f"n{n}"), encoding="gb18030")
        for n, title in enumerate(titles)
    )
    held = await catalogue.give("a", data, encoding="latin-1")
    assert held.state is LoadState.HELD
    done = await catalogue.give("a", data, encoding="gb18030")
    assert (done.state, done.added) == (LoadState.DONE, 25)


@pytest.mark.parametrize(("written", "told"), [("gb18030", "big5"), ("utf-8", "gb18030"), ("gb18030", "latin-1")])
async def test_a_file_in_another_encoding_than_was_told_waits_however_small(
    database: Database, written: str, told: str
) -> None:
    catalogue = await Catalogue(database, Limits()).open()
    titles = ["山海经校注", "梦溪笔谈校证", "天工开物导读", "农政全书校注", "水经注疏"]
    records = [
        builders.a_cnmarc(title=title, isbn=builders.isbn13(500 + n), local_id=f"n{n}")
        for n, title in enumerate(titles)
    ]
    data = builders.iso2709(*records, encoding=written)
    held = await catalogue.give("a", data, encoding=told)
    assert held.state is LoadState.HELD and "wrong encoding" in held.reason
    right = await catalogue.give("a", data, encoding=written)
    assert (right.state, right.added) == (LoadState.DONE, 5)
