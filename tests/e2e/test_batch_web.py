"""Batch changes by pages and by programs: seen, made, followed, taken back; and nothing of other libraries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import libraries
from catalog.database.pool import Database
from catalog.model import Library
from config.settings import Access, Settings
from node.web import batch_schemas
from services.access.policy import Role
from tests import access, forms, stocked
from tests.e2e.test_deciding_api import ask, post
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.schema import fits
from tests.stocked import SYMBOL, Shelf
from tests.store.test_batches import NEW, OLD, go_on, raw, subjects

NOBODY_ASKS = Settings(access=Access(totp="nobody"))
CHANGE = f"606$a {OLD} -> {NEW}"
FORM = {"way": "source", "which": "a", "rule": "", "change": CHANGE}


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    """Source a of library LIB and b of OTHER, two records each, and c of OTHER that is not shared."""
    opened = await Catalogue(database).open(SYMBOL)
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        await access.an_account(conn, "wang", Role.CATALOGUER, library="LIB")
        await access.an_account(conn, "looker", Role.SUBMITTER, library="LIB")
        await access.an_account(conn, "stranger", Role.CATALOGUER, library="OTHER")
    for name, library, first in (("a", "LIB", 1), ("b", "OTHER", 3), ("c", "OTHER", 5)):
        await opened.source(name, library)
        if name == "c":
            async with database.transaction() as conn:
                await conn.execute("""update source set sharing = '{"records": false}' where name = 'c'""")
        await opened.load(name, [raw(first), raw(first + 1)])
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at, forms.client() as client:
        yield Browser(client, at)


async def test_a_cataloguer_looks_makes_follows_and_undoes(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    page = await browser.send("/batches", **FORM, do="preview")
    assert "2 looked at: 2 change" in page.text
    assert [each.text for each in page.page.xpath("//dl//del")] == [f"0 $a{OLD}"] * 2
    assert page.page.xpath("//textarea[@name='change']")[0].text == CHANGE
    assert await subjects(catalogue, "n1") == [OLD]
    (form,) = [each for each in page.page.forms if each.action == "/batch/new"]
    values = dict(form.form_values()) | {"do": "make"}
    assert (await browser.ask("POST", "/batch/new", values | {"why": " "})).status == 400
    made = await browser.ask("POST", "/batch/new", values | {"why": "新词表"})
    assert made.leads_to == "/batches/1"
    running = await browser.get("/batches/1")
    assert "Under way, 2 records to go" in running.text and running.headers["Refresh"]
    await go_on(catalogue)
    done = await browser.get("/batches/1?state=changed")
    assert "2 changed" in done.text and NEW in done.text and "Refresh" not in done.headers
    assert await subjects(catalogue, "n1") == [NEW]
    assert "新词表" in (await browser.get("/batches")).text
    assert (await browser.send("/batches/1", why="误")).leads_to == "/batches/1"
    await go_on(catalogue)
    assert "taken back" in (await browser.get("/batches/1")).text
    assert await subjects(catalogue, "n1") == [OLD]


async def test_what_cannot_be_read_is_told_and_changes_nothing(browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    for wrong in ({"change": "606 nonsense"}, {"rule": "no-such-rule"}, {"change": "606$a /(/ -> x"}, {"which": " "}):
        page = await browser.send("/batches", **(FORM | wrong), do="preview")
        assert page.status == 400 and page.page.xpath("//p[@role='alert']"), wrong
        assert page.page.xpath("//textarea[@name='change']")[0].text == (FORM | wrong)["change"], "what was typed stays"
    assert "no operation" in (await browser.send("/batches", **(FORM | {"change": "606 nonsense"}), do="make")).text
    assert "There is none yet" in (await browser.get("/batches")).text


async def test_programs_do_the_same(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    wanted = {"ids": ["a/n1", "b/n3"], "change": [CHANGE]}
    seen = await post(browser, "/api/batch/preview", wanted)
    fits(seen, batch_schemas.PREVIEW)
    assert (seen["looked"], seen["changed"], seen["offered"]) == (2, 1, 1)
    await post(browser, "/api/batch/preview", wanted | {"source": "a"}, 400)
    await post(browser, "/api/batch/make", wanted, 400)
    made = await post(browser, "/api/batch/make", wanted | {"why": "list of 2026"})
    fits(made, batch_schemas.BATCH)
    await go_on(catalogue)
    told = await ask(browser, f"/api/batches/{made['batch']}")
    fits(told, batch_schemas.WHOLE)
    assert {each["record"]: each["state"] for each in told["records"]} == {"a/n1": "changed"}
    assert (told["state"], told["changed"], told["change"]) == ("done", 1, [CHANGE])
    listed = await ask(browser, "/api/batches")
    fits(listed, batch_schemas.BATCHES)
    assert [each["why"] for each in listed["batches"]] == ["list of 2026"]
    await post(browser, f"/api/batches/{made['batch']}/undo", {"why": "no"})
    await go_on(catalogue)
    assert (await ask(browser, f"/api/batches/{made['batch']}"))["undone"] == 1


async def test_other_libraries_are_out_of_reach(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    for which in ({"source": "b"}, {"source": "none"}, {"ids": ["c/n5"]}, {"ids": ["c/none"]}):
        await post(browser, "/api/batch/preview", which | {"change": [CHANGE]}, 404)
    made = await post(browser, "/api/batch/make", {"source": "a", "change": [CHANGE], "why": "ours"})
    await go_on(catalogue)
    browser.cookies.clear()
    await browser.sign_in("stranger", access.PASSWORD)
    assert (await ask(browser, "/api/batches"))["batches"] == []
    await ask(browser, f"/api/batches/{made['batch']}", 404)
    await post(browser, f"/api/batches/{made['batch']}/undo", {"why": "not mine"}, 404)
    assert (await browser.get(f"/batches/{made['batch']}")).status == 404
    browser.cookies.clear()
    await browser.sign_in("looker", access.PASSWORD)
    page = await browser.get("/batches")
    assert "ours" in page.text and not page.page.xpath("//form[@action='/batch/new']")
    await post(browser, "/api/batch/preview", {"source": "a", "change": [CHANGE]}, 403)
