"""Copying by the page and by programs: targets are asked, the record is seen as it would be, saved, and undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from bench.pair import free_port
from catalog import libraries, loads, targets
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import Library
from config.settings import Access, Settings, Web
from node.web import copy_api, copy_asking
from protocols import target as profiles
from services.access.policy import Role
from tests import access, builders, forms, stocked
from tests import targets as servers
from tests.e2e.test_deciding_api import ask, post
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.schema import fits
from tests.stocked import SYMBOL, Shelf

NOBODY_ASKS = Settings(access=Access(totp="nobody"))
ISBN = builders.isbn13(5)
FULL = builders.a_cnmarc(title="园冶注解", isbn=ISBN, local_id="7", f905="  \x1faNLC\x1fsTU-098")
BARE = builders.a_cnmarc(title="园冶注解", isbn=ISBN, local_id="8", author="", publisher="", f606=None, f690=None)


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    """A node for libraries LIB and OTHER."""
    opened = await Catalogue(database).open(SYMBOL)
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        await access.an_account(conn, "wang", Role.COPYIST, library="LIB")
        await access.an_account(conn, "reader", Role.READER, library="LIB")
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    """A browser, and two targets: nlc, which has two records of a book, and dead."""
    records = [builders.iso2709(each) for each in (BARE, FULL)]
    async with servers.serving(servers.speaking(servers.library(records))) as port:
        async with catalogue.database.transaction() as conn:
            for name, at in (("nlc", port), ("dead", free_port())):
                profile = profiles.Profile(host="127.0.0.1", port=at, negotiates=False)
                await targets.add(conn, name, profile, by="os:root")
        async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as web, forms.client() as client:
            yield Browser(client, web)


@pytest.fixture
def settling(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks how far a load is finds it done."""

    async def done(conn: Connection, load: int) -> Load:
        await catalogue.settle()
        return await loads.get(conn, load)

    monkeypatch.setattr(copy_asking, "loads", SimpleNamespace(get=done))


async def saved(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select s.name, s.library, r.local_id from record r join source s using (source)")
        return [tuple(row) for row in rows]


@pytest.mark.usefixtures("settling")
async def test_a_cataloguer_looks_compares_and_saves(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    assert "/copy" in [each.get("href") for each in (await browser.get("/")).page.xpath("//nav//a")]
    empty = await browser.get("/copy")
    assert [each.get("value") for each in empty.page.xpath("//input[@name='from']")] == ["dead", "nlc"]
    found = await browser.get(f"/copy?q={ISBN}&from=nlc&from=dead")
    assert "doesn't answer" in found.text
    assert "无应答" in (await browser.get(f"/copy?q={ISBN}&from=dead&lang=zh")).text
    await browser.get("/copy?lang=en")
    first, second = found.page.xpath("//section[@class='pair']")
    assert "nlc 7" in first.text_content()
    assert "nlc 8" in second.text_content()
    assert "Other libraries' fields left out: 905" in first.text_content()
    marc = first.xpath(".//table[@class='marc']")[0].text_content()
    assert "园冶注解" in marc
    assert "NLC" not in marc
    assert await saved(catalogue) == []
    (form, _) = [each for each in found.page.forms if each.action == "/copy/save"]
    done = await browser.ask("POST", "/copy/save", dict(form.form_values()))
    assert "Saved as copied-LIB/nlc-7" in done.text
    assert await saved(catalogue) == [("copied-LIB", "LIB", "nlc-7")]
    async with catalogue.database.connection() as conn:
        entries = await conn.fetch(
            "select act, object, library, outcome from audit where act = 'record.copy' order by 1"
        )
    assert {(row["object"], row["library"]) for row in entries} == {("nlc-7", "LIB")}
    assert {row["outcome"] for row in entries} == {"begun", "done"}


@pytest.mark.usefixtures("settling")
async def test_programs_do_the_same(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    seen = await ask(browser, f"/api/copy?q={ISBN}&from=nlc")
    fits(seen, copy_api.FOUND)
    assert [each["number"] for each in seen["candidates"]] == ["7", "8"]
    assert "园冶注解" in seen["candidates"][0]["record"]
    told = {"query": ISBN, "target": "nlc", "number": "8"}
    made = await post(browser, "/api/copy/save", told)
    fits(made, copy_api.SAVED)
    assert (made["id"], made["state"], made["library"]) == ("copied-LIB/nlc-8", "done", "LIB")
    await post(browser, "/api/copy/save", told | {"number": "nobody"}, 404)
    await post(browser, "/api/copy/save", told | {"target": "nobody"}, 404)
    await post(browser, "/api/copy/save", told | {"query": "@attr"}, 400)
    assert len(await saved(catalogue)) == 1


async def test_nothing_is_copied_for_a_library_that_is_not_ones_own(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    told = {"query": ISBN, "target": "nlc", "number": "7", "library": "OTHER"}
    await post(browser, "/api/copy/save", told, 404)
    assert (await browser.get(f"/copy?q={ISBN}&library=OTHER")).status == 404
    assert await saved(catalogue) == []


async def test_what_is_no_query_is_told_on_the_page(browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    for wrong in ("%40attr+1%3Dx", "9787302511114", "%40"):
        page = await browser.get(f"/copy?q={wrong}")
        assert page.status == 400
        assert "This can't be looked for" in page.text


async def test_the_page_says_it_when_a_load_takes_its_time(
    catalogue: Catalogue, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_asking, "PATIENCE", 0.0)
    await browser.sign_in("wang", access.PASSWORD)
    found = await browser.get(f"/copy?q={ISBN}&from=nlc&lang=zh")
    (form, _) = [each for each in found.page.forms if each.action == "/copy/save"]
    done = await browser.ask("POST", "/copy/save", dict(form.form_values()))
    assert "正在存为 copied-LIB/nlc-7" in done.text
    await catalogue.settle()
    assert await saved(catalogue) == [("copied-LIB", "LIB", "nlc-7")]


async def test_readers_copy_nothing(browser: Browser) -> None:
    await browser.sign_in("reader", access.PASSWORD)
    assert (await browser.get("/copy")).status == 403


async def test_whoever_waits_for_a_target_keeps_nobody_from_searching(catalogue: Catalogue, home: Path) -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        await asyncio.Event().wait()

    narrow = Settings(access=Access(totp="nobody"), web=Web(at_work=1, waiting=0))
    async with (
        servers.serving(silent) as port,
        stocked.serving(catalogue.database, Shelf(), home, narrow) as at,
        forms.client() as client,
    ):
        async with catalogue.database.transaction() as conn:
            await targets.add(conn, "silent", profiles.Profile(host="127.0.0.1", port=port), by="os:root")
        browser = Browser(client, at)
        await browser.sign_in("wang", access.PASSWORD)
        waiting = asyncio.create_task(browser.get(f"/copy?q={ISBN}"))
        await asyncio.wait_for(asked.wait(), 30)
        assert (await Browser(client, at).get("/about")).status == 200
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
