"""What is private or suppressed leaves the node by no door: a canary text is found in no output."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from catalog import changes, holdings, records
from catalog.database.pool import Database
from catalog.model import LoadState, Visibility, cluster_id
from catalog.search import document, indexer
from catalog.search.tantivy import TantivyReader
from node.commands import export
from tests import builders, stocked
from tests.pipeline import Catalogue

CANARY = "金丝雀"
SHELF = "CANARY-SHELF"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open(stocked.SYMBOL)


def raw(number: int, *, hidden: bool = False, **given: str) -> bytes:
    """A record; `hidden` says so in 942$n, and its notes and shelf mark are the canary."""
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": f"n{number}"} | given
    if hidden:
        told |= {"f942": "  $n1", "f300": f"  $a{CANARY}", "f905": f"  $aLIB$bC1$dN1$e2$s{SHELF}"}
    return builders.iso2709(builders.a_cnmarc(**told))


async def everything_out(catalogue: Catalogue, home: Path) -> str:
    """All that leaves the node, as one text: feed, exports, index, pages, API, OAI-PMH. Searches for the canary say how
    many records they found.
    """
    database = catalogue.database
    told: list[object] = []
    async with database.transaction() as conn:
        for one in await changes.after(conn, 0, 10_000):
            told += [one, one.body.decode("utf-8", "replace"), document.document(one)]
        sources = [row["source"] for row in await conn.fetch("select source from source")]
        told += [dict(row) async for row in records.placed(conn, sources)]
        told += [dict(row) async for row in holdings.visible(conn, sources)]
        told += [record async for record in export._source_records(conn, sources)]
        told += [record async for record in export._merged(conn)]
        numbers = [row["cluster"] for row in await conn.fetch("select distinct cluster from membership")]
        told += [await holdings.of_cluster(conn, number) for number in numbers]
    await indexer.catch_up(database.pool, home / "index", feed=changes)
    reader = TantivyReader(home / "index")
    async with stocked.serving(database, reader, home) as address, ClientSession() as session:
        for path in (
            "/search?q=园冶注释",
            "/api/search?q=园冶注释",
            "/oai?verb=ListRecords&metadataPrefix=marcxml",
            "/oai?verb=ListRecords&metadataPrefix=oai_dc",
            *(f"/{door}{cluster_id(stocked.SYMBOL, n)}" for n in numbers for door in ("records/", "api/records/")),
        ):
            async with session.get(address + path) as answer:
                told.append(await answer.text())
        for text in (CANARY, SHELF):
            async with session.get(f"{address}/api/search?q={text}") as answer:
                if (await answer.json())["total"]:
                    told.append(f"a search finds {text}")
    return "\n".join(map(str, told))


def canary_free(text: str) -> None:
    assert CANARY not in text and SHELF not in text and "n1'" not in text


async def test_the_canary_sings_where_nothing_hides_it(catalogue: Catalogue, home: Path) -> None:
    """The control: without the mark every door shows it."""
    await catalogue.load("a", [raw(1, hidden=True), raw(2)])
    text = await everything_out(catalogue, home)
    assert CANARY in text and SHELF in text


@pytest.mark.parametrize("how", ["private", "suppressed", "beside a visible one"])
async def test_the_canary_is_in_no_output(catalogue: Catalogue, home: Path, how: str) -> None:
    if how == "private":
        await catalogue.source("p", visibility=Visibility.PRIVATE)
    else:
        await catalogue.source("p", mapping={"suppress": "942$n=1"})
    if how == "beside a visible one":
        await catalogue.load("a", [raw(1, local_id="seen")])
    load = await catalogue.load("p", [raw(1, hidden=True)])
    assert (load.state, load.added) == (LoadState.DONE, 1)
    await catalogue.load("b", [raw(2, local_id="other")])
    text = await everything_out(catalogue, home)
    canary_free(text)
    assert "other" in text, "what is visible is there"
    async with catalogue.database.connection() as conn:
        shown = [one for one in await changes.after(conn, 0, 100) if not one.deleted]
    assert len(shown) == (2 if how == "beside a visible one" else 1)


async def test_a_record_that_becomes_hidden_leaves_a_tombstone(catalogue: Catalogue, home: Path) -> None:
    await catalogue.source("p", mapping={"suppress": "942$n=1"})
    await catalogue.load("p", [raw(1), raw(2)])
    head = await catalogue.head()
    await catalogue.load("p", [raw(1, hidden=True)])
    async with catalogue.database.connection() as conn:
        (news,) = await changes.after(conn, head, 100)
    assert news.deleted and not news.redirect and news.description is None and not news.body
    canary_free(await everything_out(catalogue, home))
    await catalogue.load("p", [raw(1)])
    async with catalogue.database.connection() as conn:
        (back,) = await changes.after(conn, head + 1, 100)
    assert back.cluster == news.cluster and not back.deleted


async def test_holding_libraries_are_those_of_visible_records(catalogue: Catalogue) -> None:
    await catalogue.source("p", library="SECRET", mapping={"suppress": "942$n=1"})
    await catalogue.load("p", [raw(1, hidden=True)])
    await catalogue.load("a", [raw(1, local_id="seen")])
    async with catalogue.database.connection() as conn:
        (one,) = [one for one in await changes.after(conn, 0, 100) if not one.deleted]
    assert one.libraries == ("LIB",)
