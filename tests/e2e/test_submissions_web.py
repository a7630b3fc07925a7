"""Submissions and reservations by pages and by programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from catalog import libraries, submissions
from catalog.database.pool import Database
from catalog.model import Library
from config.settings import Access, Settings
from node.web import submission_schemas
from protocols import writing
from services.access.policy import Role
from tests import access, builders, forms, stocked
from tests.e2e.test_deciding_api import ask, post
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.schema import fits
from tests.stocked import SYMBOL, Shelf

NOBODY_ASKS = Settings(access=Access(totp="nobody"))
ISBN = builders.isbn13(501)


def mrk(**given: str) -> str:
    told = {"title": "园冶注释", "isbn": ISBN, "local_id": "T1"} | given
    return writing.write(builders.a_cnmarc(**told), "mrk").data.decode()


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    opened = await Catalogue(database).open(SYMBOL)
    async with database.transaction() as conn:
        for symbol in ("LIB", "OTHER"):
            await libraries.add(conn, Library(symbol=symbol, name=f"{symbol} library", area="天津"))
        await access.an_account(conn, "wang", Role.SUBMITTER, library="LIB")
        await access.an_account(conn, "li", Role.CATALOGUER, library="LIB")
        await access.an_account(conn, "stranger", Role.CATALOGUER, library="OTHER")
    yield opened


@pytest_asyncio.fixture
async def browser(catalogue: Catalogue, home: Path) -> AsyncIterator[Browser]:
    async with stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at, forms.client() as client:
        yield Browser(client, at)


NEW = {"action": "insert", "of": "", "note": "", "library": "LIB"}


async def states(catalogue: Catalogue) -> list[str]:
    async with catalogue.database.connection() as conn:
        return [each.state for each in await submissions.listing(conn, submissions.STATES, 10)]


async def test_a_cataloguer_looks_hands_in_and_a_reviewer_decides(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    page = await browser.send("/submissions", **NEW, record=mrk(), do="look")
    assert "held for review" in page.text
    assert page.page.xpath("//textarea[@name='record']")[0].text.strip() == mrk().strip()
    assert await states(catalogue) == []
    page = await browser.send("/submissions", **NEW, record="nothing of the kind", do="submit")
    assert "can't be read" in page.text
    assert await states(catalogue) == []
    page = await browser.send("/submissions", **NEW, record=mrk(), do="submit")
    number = page.leads_to.rpartition("/")[2]
    page = await browser.get(page.leads_to)
    assert "waits for review" in page.text
    assert not page.page.xpath("//button[@value='accept']")
    stranger = Browser(browser.client, browser.address)
    await stranger.sign_in("stranger", access.PASSWORD)
    assert (await stranger.get(f"/submissions/{number}")).status == 404
    assert "园冶注释" not in (await stranger.get("/submissions")).text
    li = Browser(browser.client, browser.address)
    await li.sign_in("li", access.PASSWORD)
    back = await li.send(f"/submissions/{number}", submission=number, do="return", why="")
    assert "say what is to be put right" in back.text
    await li.send(f"/submissions/{number}", submission=number, do="return", why="缺责任者")
    assert "缺责任者" in (await li.get(f"/submissions/{number}")).text
    mended = mrk(title="园冶图说")
    page = await li.send(f"/submissions/{number}", submission=number, do="submit", record=mended)
    page = await li.get(page.leads_to)
    assert "on its way" in page.text
    assert page.headers["Refresh"]
    await catalogue.settle()
    page = await li.get(f"/submissions/{number}")
    assert "园冶图说" in page.text
    assert "merged" in page.text
    assert (await states(catalogue))[0] == "merged"


async def test_pages_refuse_in_the_language_of_the_visitor(browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    page = await browser.get("/submissions/99?lang=zh")
    assert (page.status, "没有提交 99" in page.text) == (404, True)
    page = await browser.send("/submissions?lang=zh", **NEW, record="nothing of the kind", do="submit")
    assert "记录无法读取" in page.text


async def test_programs_look_hand_in_decide_and_reserve(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    seen = await post(browser, "/api/submission/make", {"do": "look", "record": mrk()})
    fits(seen, submission_schemas.DONE)
    assert (seen["submission"], seen["outcome"], seen["held"]) == (None, "held", ["review"])
    made = await post(browser, "/api/submission/make", {"do": "draft", "record": mrk(), "note": "新"})
    number = made["submission"]
    assert made["can"] == ["edit", "submit", "withdraw"]
    await post(browser, f"/api/submissions/{number}/step", {"do": "edit", "record": mrk(title="园冶图说")})
    handed = await post(browser, f"/api/submissions/{number}/step", {"do": "submit"})
    assert (handed["state"], handed["title"]) == ("submitted", "园冶图说")
    await post(browser, f"/api/submissions/{number}/decide", {"do": "accept"}, 403)
    li = Browser(browser.client, browser.address)
    await li.sign_in("li", access.PASSWORD)
    listed = await ask(li, "/api/submissions")
    fits(listed, submission_schemas.LIST)
    assert [each["submission"] for each in listed["submissions"]] == [number]
    done = await post(li, f"/api/submissions/{number}/decide", {"do": "accept"})
    assert done["state"] == "accepted"
    await catalogue.settle()
    one = await ask(li, f"/api/submissions/{number}")
    fits(one, submission_schemas.WHOLE)
    assert (one["state"], one["outcome"]) == ("merged", "new")
    await post(li, f"/api/submissions/{number}/decide", {"do": "accept"}, 409)
    stranger = Browser(browser.client, browser.address)
    await stranger.sign_in("stranger", access.PASSWORD)
    await post(stranger, f"/api/submissions/{number}/decide", {"do": "accept"}, 404)
    held = await post(stranger, "/api/reservation", {"what": "长物志"})
    fits(held, submission_schemas.RESERVATION)
    assert held["library"] == "OTHER"
    fits(await ask(li, "/api/reservations"), submission_schemas.RESERVATIONS)
    await post(li, "/api/reservation", {"what": "长物志"}, 409)
    await post(li, "/api/reservation", {"what": "!!"}, 400)
    await post(li, "/api/reservation", {"what": "长物志", "library": "OTHER"}, 404)
    assert "长物志" in (await li.get("/submissions")).text
    await post(stranger, "/api/reservation", {"what": "長物志", "end": True})
    assert (await ask(li, "/api/reservations"))["reservations"] == []
