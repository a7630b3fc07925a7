"""The page of corrections: seen by whoever decides and by whoever offers, decided by the one, told to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import libraries
from catalog.database.pool import Database
from catalog.model import Library
from config.settings import Access, Settings
from services.access.policy import Role
from tests import access, forms, stocked
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.stocked import SYMBOL, Shelf
from tests.store.test_batches import NEW, OLD, change, go_on, raw, subjects

NOBODY_ASKS = Settings(access=Access(totp="nobody"))


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    """Two records of one library, for which another has a change."""
    opened = await Catalogue(database).open(SYMBOL)
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        await access.an_account(conn, "wang", Role.CATALOGUER, library="LIB")
        await access.an_account(conn, "li", Role.CATALOGUER, library="OTHER")
        await access.an_account(conn, "looker", Role.SUBMITTER, library="LIB")
    await opened.source("a", "LIB")
    await opened.load("a", [raw(1), raw(2)])
    await change(opened, within=["OTHER"])
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at, forms.client() as client:
        yield Browser(client, at)


async def test_the_owner_decides_and_the_other_side_reads_what_became_of_it(
    catalogue: Catalogue, browser: Browser
) -> None:
    await browser.sign_in("looker", access.PASSWORD)
    assert not (await browser.get("/corrections")).page.xpath("//form[@action='/corrections/decide']")
    browser.cookies.clear()
    await browser.sign_in("wang", access.PASSWORD)
    page = await browser.get("/corrections")
    assert OLD in page.text and NEW in page.text and "offered by OTHER to LIB" in page.text
    first, second = page.page.xpath("//form[@action='/corrections/decide']//input[@name='correction']/@value")
    told = {"accept": first, "refuse": second}
    for verdict, ident in told.items():
        answer = await browser.send("/corrections", correction=ident, do=verdict, why="按本馆词表")
        assert answer.leads_to == f"/corrections?done={verdict}{'ed' if verdict == 'accept' else 'd'}"
    await go_on(catalogue)
    found = sorted([await subjects(catalogue, "n1"), await subjects(catalogue, "n2")])
    assert found == sorted([[NEW], [OLD]])
    browser.cookies.clear()
    await browser.sign_in("li", access.PASSWORD)
    page = await browser.get("/corrections?all=1")
    assert "按本馆词表" in page.text and "account:wang" in page.text and "accepted" in page.text
    assert not page.page.xpath("//form[@action='/corrections/decide']")
    answer = await browser.get("/api/review?all=1")
    assert '"state":"refused"' in answer.body.replace(" ", "") and '"offered_by":"OTHER"' in answer.body.replace(
        " ", ""
    )
