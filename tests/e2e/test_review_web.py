"""The page of pairs that a person must judge: side by side, decided with a reason, shown as related where they are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import authority_conflicts, decisions, libraries
from catalog.database.pool import Database
from catalog.model import Library, cluster_id
from config.settings import Access, Settings
from node.web import schemas
from protocols import marc
from protocols.marc import Record
from services.access.policy import Role
from services.deciding import deciding
from tests import access, builders, forms, stocked
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.schema import fits
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


def linked(local_id: str, link: str) -> bytes:
    record = builders.a_cnmarc(title="长物志", isbn=builders.isbn13(7), local_id=local_id)
    heading = ("702", marc.field(" 0", [("a", "文震亨"), ("3", link)]))
    return builders.iso2709(Record(record.leader, (*record.fields, heading)))


async def test_who_gave_a_field_and_ids_that_contradict(catalogue: Catalogue, browser: Browser) -> None:
    await catalogue.load("a", [raw("x"), linked("1", "(CAL)A1")])
    await catalogue.load("b", [raw("y", publisher="乙出版社"), linked("1", "(CAL)A2")])
    async with catalogue.database.connection() as conn:
        (clash,) = await authority_conflicts.listing(conn, 9)
    ident = cluster_id(SYMBOL, clash.cluster)
    told = json.loads((await browser.get(f"/api/records/{ident}/contributors")).body)
    fits(told, schemas.CONTRIBUTORS)
    (name,) = [each for each in told["fields"] if each["tag"] == "702"]
    assert (told["base"], name["wording"], name["others"]) == ("a/1", "a/1", ["b/1"])
    page = await browser.get(f"/records/{ident}?view=marc")
    (row,) = page.page.xpath("//table[@class='marc']//tr[th='702']")
    assert row.xpath("string(td[@class='gave'])").split() == ["a/1", "and", "1", "more"]
    assert "b/1" in row.xpath("td[@class='gave']/@title")[0]
    await browser.sign_in("looker", access.PASSWORD)
    shown = await browser.get("/review")
    assert "702 $a 文震亨" in shown.text and not shown.page.xpath("//button[.='Settled']")
    browser.cookies.clear()
    await browser.sign_in("wang", access.PASSWORD)
    await browser.get("/review")
    assert (await browser.send("/review", conflict=str(clash.conflict), why=" ")).status == 400
    answer = await browser.send("/review", conflict=str(clash.conflict), why="A2 went into A1")
    assert answer.leads_to == "/review?done=settle"
    assert "文震亨" not in (await browser.get("/review")).text
    async with catalogue.database.connection() as conn:
        (settled,) = await authority_conflicts.listing(conn, 9, settled=True)
    assert (settled.state, settled.who, settled.why) == ("settled", "account:wang", "A2 went into A1")
