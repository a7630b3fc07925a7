"""A source's table of private-use characters: applied at reading, kept bytes untouched, a change reads anew."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from catalog import bodies, changes, dictionaries, original, packing, sources
from catalog.database.pool import Database
from protocols.charsets import private
from protocols.marc import value
from tests import builders
from tests.pipeline import Catalogue

PRIVATE = "\ue123"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raws(encoding: str = "utf-8") -> list[bytes]:
    titles = (f"天工开物图说 / {PRIVATE}先生", "梦溪笔谈校证")
    made = (builders.a_cnmarc(title=title, local_id=f"c{n}") for n, title in enumerate(titles))
    return [builders.iso2709(record, encoding=encoding) for record in made]


async def table(catalogue: Catalogue, text: str) -> int:
    async with catalogue.database.transaction() as conn:
        number = await dictionaries.add_characters(conn, private.body(text))
        await sources.set_characters(conn, (await sources.get(conn, "main")).no, number)
    return number


async def kept(catalogue: Catalogue) -> dict[str, tuple[str, str, bytes]]:
    """By local id: encoding, title, bytes as received."""
    found = {}
    async with catalogue.database.connection() as conn:
        known = await dictionaries.every(conn)
        for row in await conn.fetch("select local_id, carrier, encoding, dictionary, body from record"):
            raw = bodies.open_body(row["body"], row["dictionary"], known)
            record = original.record(raw, row["carrier"], row["encoding"])
            found[row["local_id"]] = (row["encoding"], value(record.first("200") or "", "a"), raw)
    return found


async def test_a_table_is_applied_and_a_change_of_it_reads_anew(catalogue: Catalogue) -> None:
    await catalogue.source("main")
    await catalogue.load("main", raws())
    first = await kept(catalogue)
    assert PRIVATE in first["c0"][1] and first["c0"][0] == "utf-8"

    number = await table(catalogue, "E123\t堃\n")
    again = await catalogue.load("main", raws())
    assert (again.unchanged, again.updated) == (0, 2)
    second = await kept(catalogue)
    assert second["c0"] == (f"utf-8/{number}", first["c0"][1].replace(PRIVATE, "堃"), first["c0"][2])
    assert second["c1"] == first["c1"]
    assert (await catalogue.load("main", raws())).unchanged == 2

    other = await table(catalogue, "E123\t喆\n")
    await catalogue.load("main", raws())
    third = await kept(catalogue)
    assert third["c0"] == (f"utf-8/{other}", first["c0"][1].replace(PRIVATE, "喆"), first["c0"][2])


async def test_the_merged_record_has_the_sources_characters(catalogue: Catalogue) -> None:
    await catalogue.source("main")
    await table(catalogue, "E123\t堃\n")
    await catalogue.load("main", raws("gb18030"))
    async with catalogue.database.connection() as conn:
        page = await changes.after(conn, 0, 100)
    titles = [value(packing.unpack(each.body).first("200") or "", "a") for each in page if each.body]
    assert any("堃先生" in title for title in titles) and not any(PRIVATE in title for title in titles)
