"""Pages of what came back: a library's staff see why, look at a fix, and have it made; nobody else's are there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import audit, libraries, loads, profiles
from catalog.audit import Wanted
from catalog.database.pool import Database
from catalog.model import Library, LoadState
from config.settings import Access, Settings
from node.web import returns_routes
from services.access.policy import Role
from tests import access, builders, forms, stocked
from tests.e2e.test_deciding_api import ask, post
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.schema import fits
from tests.stocked import Shelf

RULE = "isbn-qualifier"
NOBODY_ASKS = Settings(access=Access(totp="nobody"))


def raw(number: int, *, wrong: bool = False) -> bytes:
    isbn = builders.isbn13(500 + number) + ("(精装)" if wrong else "")
    return builders.iso2709(builders.a_cnmarc(title=f"园冶注释第{number}种", isbn=isbn, local_id=f"n{number}"))


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    opened = await Catalogue(database).open()
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        made = await profiles.add(conn, "LIB", {RULE: "error"}, [], who="test", why="strict about numbers")
        await profiles.activate(conn, made.profile)
        await access.an_account(conn, "admin", Role.ADMIN, library="LIB")
        await access.an_account(conn, "copyist", Role.SUBMITTER, library="LIB")
        await access.an_account(conn, "stranger", Role.ADMIN, library="OTHER")
    nothing = b"00047=1+1 this is no record \x1d"
    await opened.load("a", [raw(1), raw(2, wrong=True), nothing, raw(3, wrong=True)], assured=True)
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at, forms.client() as client:
        yield Browser(client, at)


async def test_a_library_sees_why_looks_at_the_fix_and_has_it_made(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    page = await browser.get("/returns")
    assert "a qualifier stands beside the ISBN" in page.text and "can be mended (2 of 2 tried pass)" in page.text
    assert "not-a-record" in page.body
    (link,) = page.page.xpath(f"//a[contains(@href, '{RULE}')]/@href")
    group = await browser.get(link)
    assert group.page.xpath("//del") and group.page.xpath("//ins") and "passes then" in group.text
    assert "精装" in group.page.xpath("//del")[0].text
    (case,) = group.page.xpath("//a[contains(., 'n2')]/@href")
    one = await browser.get(case)
    assert one.page.xpath("//tr[@class='wrong']/th/text()") == ["010"] and "园冶注释第2种" in one.text
    answer = await browser.send(link, do="fix")
    assert "done=begun" in answer.leads_to
    await catalogue.settle()
    after = await browser.get("/returns")
    assert RULE not in after.body and "not-a-record" in after.body
    async with catalogue.database.connection() as conn:
        (newest, *_) = await loads.recent(conn)
        kept = (await audit.page(conn, Wanted(act="quarantine.fix")))[0]
    assert (newest.state, newest.added, newest.mended) == (LoadState.DONE, 2, 2)
    assert (kept.actor, kept.object, kept.library) == ("account:admin", "a", "LIB")


async def test_a_program_sees_why_looks_at_the_fix_and_has_it_made(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    told = await ask(browser, "/api/returns?lang=en")
    fits(told, returns_routes.GROUPS)
    counts = {each["rule"]: (each["count"], each["fix"]) for each in told["groups"]}
    assert counts == {RULE: (2, {"tried": 2, "passing": 2}), "not-a-record": (1, None)}
    first = await ask(browser, "/api/returns/a?limit=2&lang=zh")
    rest = await ask(browser, f"/api/returns/a?limit=2&before={first['next']}")
    fits(first, returns_routes.CASES)
    assert len(first["cases"]) == 2 and len(rest["cases"]) == 1 and rest["next"] is None
    (case,) = [each for each in first["cases"] + rest["cases"] if each["local_id"] == "n3"]
    assert case["ordinal"] == 4 and case["place"].startswith("第 4 条") and "ISBN" in case["reason"]
    seen = await ask(browser, f"/api/returns/a/preview?rule={RULE}&limit=1")
    fits(seen, returns_routes.PREVIEW)
    assert (seen["tried"], seen["passing"]) == (1, 1)
    assert "精装" in seen["records"][0]["receipts"][0]["before"]
    await ask(browser, "/api/returns/a/preview?rule=not-a-record", 404)
    await post(browser, "/api/returns/a/do", {"do": "fix", "rule": "not-a-record"}, 400)
    await post(browser, "/api/returns/a/do", {"do": "burn", "rule": RULE}, 400)
    done = await post(browser, "/api/returns/a/do", {"do": "fix", "rule": RULE})
    fits(done, returns_routes.DONE)
    await catalogue.settle()
    assert [each["rule"] for each in (await ask(browser, "/api/returns"))["groups"]] == ["not-a-record"]
    load = await ask(browser, f"/api/loads/{done['loads'][0]}")
    assert (load["state"], load["added"], load["mended"]) == ("done", 2, 2)
    assert (await post(browser, "/api/returns/a/do", {"do": "drop", "rule": "not-a-record"}))["dropped"] == 1
    assert await ask(browser, "/api/returns") == {"groups": []}
    async with catalogue.database.connection() as conn:
        acts = [each.act for each in await audit.page(conn, Wanted())][:2]
    assert acts == ["quarantine.drop", "quarantine.fix"]
    documented = await ask(browser, "/api/openapi.json")
    assert {"/api/returns", "/api/returns/{source}/do"} <= set(documented["paths"])


async def test_a_program_of_another_library_finds_nothing(browser: Browser) -> None:
    await browser.sign_in("stranger", access.PASSWORD)
    assert await ask(browser, "/api/returns") == {"groups": []}
    await ask(browser, "/api/returns/a", 404)
    await ask(browser, f"/api/returns/a/preview?rule={RULE}", 404)
    await post(browser, "/api/returns/a/do", {"do": "drop", "rule": RULE}, 404)


async def test_a_fix_that_does_not_help_is_not_offered(catalogue: Catalogue, browser: Browser) -> None:
    bare = builders.a_cnmarc(title="长物志", isbn=builders.isbn13(509) + "(精装)", local_id="n9", f101=None)
    await catalogue.load("b", [builders.iso2709(bare)], assured=True)
    async with catalogue.database.transaction() as conn:
        levels = {RULE: "error", "field-missing": "error"}
        made = await profiles.add(conn, "LIB", levels, [], who="test", why="stricter")
        await profiles.activate(conn, made.profile)
    await browser.sign_in("admin", access.PASSWORD)
    page = await browser.get("/returns")
    (row,) = page.page.xpath("//tr[td='b']")
    assert "to be corrected" in row.text_content() and "can be mended (2 of 2" in page.text
    group = await browser.get(f"/returns/b?rule={RULE}")
    assert "comes back still" in group.text and "of 1 records tried all come back still" in group.text
    assert not group.page.xpath("//button[@value='fix']") and group.page.xpath("//button[@value='rerun']")


async def test_unreadable_bytes_are_shown_and_can_be_forgotten(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    group = await browser.get("/returns/a?rule=not-a-record")
    assert "no fix" in group.text
    (case,) = group.page.xpath("//th/a/@href")
    assert "this is no record" in (await browser.get(case)).text
    answer = await browser.send("/returns/a?rule=not-a-record", do="drop")
    assert "done=dropped" in answer.leads_to
    assert (await browser.get("/returns/a?rule=not-a-record")).status == 404


async def test_files_for_the_library(browser: Browser) -> None:
    await browser.sign_in("copyist", access.PASSWORD)
    group = await browser.get(f"/returns/a?rule={RULE}")
    assert not group.page.xpath("//button[@value='fix']")  # who may look may not load
    assert (await browser.ask("POST", "/returns/a/do", {"do": "fix", "rule": RULE})).status == 403
    found = [await browser.get(at) for at in group.page.xpath("//a[contains(@href, '/file?')]/@href")]
    assert [each.headers["Content-Type"].partition(";")[0] for each in found] == [
        "application/octet-stream",
        "application/marc",
        "text/csv",
    ]
    assert all("园冶注释第3种" in each.body for each in found)
    whole = await browser.get("/returns/a/file?to=csv")
    assert "'=1+1" not in whole.body and "00047=1+1" in whole.body


async def test_another_librarys_returns_are_not_there(browser: Browser) -> None:
    await browser.sign_in("stranger", access.PASSWORD)
    assert "Nothing came back" in (await browser.get("/returns")).text
    for path in (f"/returns/a?rule={RULE}", "/returns/a/file", "/returns/a/records/1"):
        assert (await browser.get(path)).status == 404
    answer = await browser.ask("POST", "/returns/a/do", {"do": "drop", "rule": RULE, "csrf": "x"})
    assert answer.status in (403, 404)
