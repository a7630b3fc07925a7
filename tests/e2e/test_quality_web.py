"""Pages of quality: a library's staff see their sources by month and rule, and one record; nobody else's are there."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import libraries, profiles
from catalog.database.pool import Database
from catalog.model import Library
from config.settings import Access, Settings
from services.access.policy import Role
from tests import access, builders, forms, stocked
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.stocked import Shelf

WRONG = "9787507600019"  # its check digit should be 8
NOBODY_ASKS = Settings(access=Access(totp="nobody"))


def raw(number: int, isbn: str) -> bytes:
    return builders.iso2709(builders.a_cnmarc(title=f"园冶注释第{number}种", isbn=isbn, local_id=f"n/{number}?"))


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    opened = await Catalogue(database).open()
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        made = await profiles.add(conn, "LIB", {}, ["isbn-label"], who="test", why="")
        await profiles.activate(conn, made.profile)
        await access.an_account(conn, "submitter", Role.SUBMITTER, library="LIB")
        await access.an_account(conn, "stranger", Role.ADMIN, library="OTHER")
    await opened.load("a 一", [raw(1, builders.isbn13(5)), raw(2, WRONG), raw(3, "ISBN 978-7-5076-0001-8")])
    await opened.source("b", "OTHER")
    await opened.load("b", [raw(4, WRONG)])
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at, forms.client() as client:
        yield Browser(client, at)


async def test_a_source_its_rules_and_an_example(browser: Browser) -> None:
    await browser.sign_in("submitter", access.PASSWORD)
    page = await browser.get("/quality")
    assert "LIB library" in page.text and "OTHER" not in page.text
    assert page.page.xpath("//ol[@class='trend']//meter/@value")
    (link,) = page.page.xpath("//tbody//th/a/@href")
    one = await browser.get(link)
    assert "isbn-check-digit" in one.body and "33.3%" in one.text
    (example,) = one.page.xpath("//a[text()='n/2?']/@href")
    record = await browser.get(example)
    assert record.page.xpath("//tr[@class='wrong']/th/text()") == ["010"] and WRONG in record.text
    mended = await browser.get(example.replace("n%2F2", "n%2F3"))
    assert "ISBN" in mended.page.xpath("//del")[0].text and mended.page.xpath("//ins")
    assert "<script" not in page.body + one.body + record.body


async def test_a_table_for_a_spreadsheet(browser: Browser) -> None:
    await browser.sign_in("submitter", access.PASSWORD)
    page = await browser.get("/quality.csv")
    lines = list(csv.reader(io.StringIO(page.body.removeprefix("\ufeff"))))
    assert {line[1] for line in lines[1:]} == {"a 一"} and "isbn-check-digit" in {line[8] for line in lines}
    assert (await browser.get("/quality.csv?source=b")).body.count("\n") == 1, "another library's is not there"


async def test_another_librarys_is_not_there(browser: Browser) -> None:
    await browser.sign_in("stranger", access.PASSWORD)
    assert "LIB library" not in (await browser.get("/quality")).text
    for path in ("/quality/a%20%E4%B8%80", "/quality/a%20%E4%B8%80/record?id=n%2F2%3F", "/quality/none"):
        assert (await browser.get(path)).status == 404
    assert (await browser.get("/quality/b/record?id=none")).status == 404
