"""The page of pairs that a person must judge: side by side, decided with a reason, shown as related where they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import decisions, libraries
from catalog.database.pool import Database
from catalog.model import Library
from config.settings import Access, Settings
from services.access.policy import Role
from services.deciding import deciding
from tests import access, builders, forms, stocked
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.stocked import SYMBOL, Shelf

NOBODY_ASKS = Settings(access=Access(totp="nobody"))


def raw(local_id: str, **given: str) -> bytes:
    return builders.iso2709(builders.a_cnmarc(**({"title": "园冶注释", "isbn": "", "local_id": local_id} | given)))


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    """Two records alike in all but the publisher, of two libraries."""
    opened = await Catalogue(database).open(SYMBOL)
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        await access.an_account(conn, "wang", Role.CATALOGUER, library="LIB")
        await access.an_account(conn, "looker", Role.SUBMITTER, library="LIB")
        await access.an_account(conn, "stranger", Role.CATALOGUER, library="OTHER")
    await opened.source("a", "LIB")
    await opened.source("b", "LIB")
    await opened.load("a", [raw("x")])
    await opened.load("b", [raw("y", publisher="乙出版社")])
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at, forms.client() as client:
        yield Browser(client, at)


async def test_a_cataloguer_compares_and_links(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    page = await browser.get("/review")
    assert page.page.xpath("//tr[@class='differs']//th/text()")
    assert "乙出版社" in page.text and "670 points" in page.text
    assert (await browser.send("/review", do="join", why=" ")).status == 400
    answer = await browser.send("/review", do="link", why="two printings")
    assert answer.leads_to == "/review?done=link"
    assert "No pairs wait" in (await browser.get("/review")).text
    await catalogue.settle()
    async with catalogue.database.connection() as conn:
        (made,) = await decisions.recent(conn, 9)
        one, other = await deciding.where(conn, SYMBOL, made)
    assert (made.kind, made.state, made.who, made.why) == ("link", "done", "account:wang", "two printings")
    record = await browser.get(f"/records/{one}")
    assert record.page.xpath(f"//div[@class='related']//a[@href='/records/{other}']")
    assert "linked by a cataloguer" in record.text
    browser.cookies.clear()
    told = await browser.get(f"/api/records/{one}")
    assert f'"id":"{other}"' in told.body.replace(" ", "")


async def test_who_may_look_may_not_decide_and_others_see_none(browser: Browser) -> None:
    await browser.sign_in("looker", access.PASSWORD)
    page = await browser.get("/review")
    assert "乙出版社" in page.text and not page.page.xpath("//button[@name='do']")
    browser.cookies.clear()
    await browser.sign_in("stranger", access.PASSWORD)
    assert "No pairs wait" in (await browser.get("/review")).text
