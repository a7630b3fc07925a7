"""Acts by requests in the audit log, and the log's pages, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import audit, heads
from catalog.acts import Entry
from catalog.audit import Kept, Wanted
from catalog.database.pool import Database
from config.settings import Access, Settings
from node.web import auditing
from services.access import sessions
from services.access.policy import DUTIES, Role
from tests import access, forms, stocked
from tests.forms import Browser
from tests.stocked import Shelf

NOBODY_ASKS = Settings(access=Access(totp="nobody"))


@pytest_asyncio.fixture
async def address(database: Database, home: Path) -> AsyncIterator[str]:
    """An operator with all duties, a library's administrator, and an auditor of another library's acts only."""
    async with database.connection() as conn:
        await stocked.open_house(conn)
        await access.an_account(conn, "operator", *DUTIES, library="CN-SZL")
        await access.an_account(conn, "admin", Role.ADMIN)
        await access.an_account(conn, "narrow", Role.AUDITOR, where="CN-SZL")
    async with stocked.serving(database, Shelf(), home, NOBODY_ASKS) as at:
        yield at


@pytest_asyncio.fixture
async def browser(address: str) -> AsyncIterator[Browser]:
    async with forms.client() as client:
        yield Browser(client, address)


async def entries(database: Database, **wanted: str) -> list[Kept]:
    """The log, the oldest first."""
    async with database.connection() as conn:
        found = await audit.page(conn, Wanted(**wanted))  # type: ignore[arg-type]
    return found[::-1]


def brief(kept: Kept) -> tuple[str, str, str, str, str]:
    return kept.actor, kept.act, kept.object, kept.library, kept.outcome


async def test_signing_in_and_out_is_kept_and_what_is_no_name_is_not(database: Database, browser: Browser) -> None:
    assert (await browser.sign_in("admin", "wrong, all of it")).status == 403
    assert (await browser.sign_in("hunter2-typed-in-the-wrong-field", "x")).status == 403
    assert (await browser.sign_in("Admin", access.PASSWORD)).status == 303
    await browser.get("/account")
    await browser.send("/account", do="end")
    found = await entries(database)
    assert [brief(each) for each in found[:3]] == [
        ("nobody", "session.begin", "admin", "CN-TJU", "refused"),
        ("nobody", "session.begin", "", "", "refused"),
        ("account:admin", "session.begin", "admin", "CN-TJU", "done"),
    ]
    assert [brief(each)[:2] for each in found[3:]] == [("account:admin", "session.end")]
    assert all(len(each.request) == 12 for each in found)
    assert not any("hunter2" in str(each) or access.PASSWORD in str(each) for each in found)


async def test_many_wrong_tries_are_few_entries(database: Database, browser: Browser) -> None:
    statuses = [(await browser.sign_in("admin", "wrong, all of it")).status for _ in range(30)]
    locked = statuses.count(429)
    assert locked > 10
    found = await entries(database)
    assert len(found) == len(statuses) - locked + 1


async def test_an_act_is_kept_with_its_detail_and_commits_with_it(database: Database, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    made = await browser.send("/accounts", name="bianmu-9", library="CN-TJU", role="cataloguer-copy")
    assert made.status == 200
    await browser.send("/accounts/bianmu-9", do="disable")
    await browser.send("/accounts/bianmu-9", do="reset")
    found = await entries(database, act="account")
    assert [brief(each) for each in found] == [
        ("account:admin", "account.add", "bianmu-9", "CN-TJU", "done"),
        ("account:admin", "account.disable", "bianmu-9", "CN-TJU", "done"),
        ("account:admin", "account.reset", "bianmu-9", "CN-TJU", "done"),
    ]
    assert json.loads(found[0].detail) == {"role": "cataloguer-copy"}


async def test_what_was_refused_is_kept_as_that(database: Database, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    token = (await browser.get("/accounts")).page.xpath("//input[@name='csrf']/@value")[0]
    taken = await browser.ask(
        "POST", "/accounts", {"csrf": token, "name": "operator", "library": "CN-TJU", "role": "cataloguer-copy"}
    )
    assert taken.status == 409
    beyond = await browser.ask(
        "POST", "/accounts", {"csrf": token, "name": "other", "library": "CN-SZL", "role": "cataloguer-copy"}
    )
    assert beyond.status == 403
    forged = await browser.ask("POST", "/accounts", {"csrf": "x", "name": "other"})
    assert forged.status == 403
    found = await entries(database, act="account.add")
    assert [each.outcome for each in found] == ["refused"] * 3


async def test_reading_is_not_kept_and_strangers_leave_no_trace(database: Database, browser: Browser) -> None:
    for path in ("/", "/search?q=x", "/account", "/accounts", "/audit", "/audit/export", "/api/audit", "/nowhere"):
        await browser.get(path)
    await browser.ask("POST", "/accounts", {"name": "x"})
    await browser.ask("POST", "/sign-out", {})
    assert await entries(database) == []


async def test_a_refused_key_is_kept_once_a_minute(database: Database, browser: Browser) -> None:
    for _ in range(5):
        got = await browser.ask("GET", "/api/audit", Authorization="Bearer tlk_aaaaaaaa_" + "b" * 26)
        assert got.status == 401
    (found,) = await entries(database)
    assert brief(found) == ("nobody", auditing.KEY_REFUSED, "", "", "refused")


async def test_no_session_without_its_entry(
    database: Database, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(audit, "append", broken)
    answer = await browser.sign_in("admin", access.PASSWORD)
    assert answer.status == 500
    assert sessions.COOKIE not in browser.cookies


async def test_auditors_see_the_log_within_their_reach(database: Database, browser: Browser) -> None:
    async with database.transaction() as conn:
        for library in ("CN-TJU", "CN-SZL", ""):
            act = Entry(actor="os:root", act="library.rename", object=f"=x {library}", library=library)
            await audit.append(conn, act)
        await heads.raise_alarm(conn, "CN-CHILD", "the log ends at entry 4; it had entry 6")
    await browser.sign_in("operator", access.PASSWORD)
    page = await browser.get("/audit?act=library")
    assert [row.xpath("string(th)") for row in page.page.xpath("//tbody/tr")] == ["3", "2", "1"]
    assert "CN-CHILD" in page.text and "it had entry 6" in page.text
    whole = await browser.get("/audit?verify=1")
    assert "the chain is whole" in whole.text
    assert "CN-TJU" in (await browser.get("/audit?library=CN-TJU&lang=zh")).text
    assert (await browser.get("/audit?since=yesterday")).status == 400
    assert (await browser.get("/audit?outcome=x")).status == 400

    told = json.loads((await browser.get("/api/audit?act=library&before=3")).body)
    assert [each["no"] for each in told["entries"]] == [2, 1]
    assert told["next"] is None

    file = await browser.get("/audit/export?act=library")
    lines = file.body.removeprefix("\ufeff").splitlines()
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(lines) == 4
    assert "'=x CN-TJU" in file.body, "no spreadsheet takes it for a formula"
    (taken,) = await entries(database, act="audit.export")
    assert brief(taken)[:2] == ("account:operator", "audit.export")
    assert json.loads(taken.detail) == {"with_act": "library"}


async def test_an_auditor_of_one_library_sees_its_acts_alone(database: Database, browser: Browser) -> None:
    async with database.transaction() as conn:
        for library in ("CN-TJU", "CN-SZL", ""):
            await audit.append(conn, Entry(actor="os:root", act="library.rename", object=library, library=library))
        await heads.raise_alarm(conn, "CN-CHILD", "the log ends at entry 4; it had entry 6")
    await browser.sign_in("narrow", access.PASSWORD)
    page = await browser.get("/audit?act=library&verify=1")
    assert [row.xpath("string(th)") for row in page.page.xpath("//tbody/tr")] == ["2"]
    assert "CN-CHILD" not in page.text and "digest" not in page.text
    assert [each["no"] for each in json.loads((await browser.get("/api/audit?act=library")).body)["entries"]] == [2]
    assert len((await browser.get("/audit/export?act=library")).body.splitlines()) == 2
    await browser.ask("POST", "/sign-out", {"csrf": page.page.xpath("string(//input[@name='csrf']/@value)")})


async def test_others_may_not_see_it_and_that_they_tried_is_kept(database: Database, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    for path in ("/audit", "/audit/export", "/api/audit", "/audit", "/audit?x=1"):
        assert (await browser.get(path)).status == 403
    found = [brief(each) for each in (await entries(database))[1:]]
    assert found == [
        ("account:admin", auditing.ACCESS_REFUSED, "/audit", "", "refused"),
        ("account:admin", "audit.export", "", "", "refused"),
        ("account:admin", auditing.ACCESS_REFUSED, "/api/audit", "", "refused"),
    ]
