"""Signing in and accounts over real sockets, as a browser without JavaScript does it."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database import pool
from catalog.database.pool import Database
from config.settings import Access, Settings, Web
from services.access import accounts, csrf, sessions, totp
from services.access.accounts import Account
from services.access.policy import DUTIES, Grant, Role
from tests import access, forms, stocked
from tests.forms import Browser
from tests.stocked import Shelf

NEW = "江枫渔火对愁眠，姑苏城外寒山寺"
NOBODY_ASKS = Settings(access=Access(totp="nobody"))


@pytest_asyncio.fixture
async def people(database: Database) -> dict[str, Account]:
    """An operator with all duties, a library's administrator and cataloguer, and a cataloguer of another library."""
    async with database.connection() as conn:
        await stocked.open_house(conn)
        return {
            "operator": await access.an_account(conn, "operator", *DUTIES, library="CN-SZL"),
            "admin": await access.an_account(conn, "admin", Role.ADMIN),
            "bianmu-1": await access.an_account(conn, "bianmu-1", Role.CATALOGUER),
            "elsewhere": await access.an_account(conn, "elsewhere", Role.CATALOGUER, library="CN-SZL"),
        }


@pytest_asyncio.fixture
async def address(database: Database, home: Path, people: dict[str, Account]) -> AsyncIterator[str]:
    async with stocked.serving(database, Shelf(), home, NOBODY_ASKS) as at:
        yield at


@pytest_asyncio.fixture
async def browser(address: str) -> AsyncIterator[Browser]:
    async with forms.client() as client:
        yield Browser(client, address)


@pytest_asyncio.fixture
async def signed_in(browser: Browser) -> Browser:
    assert (await browser.sign_in("bianmu-1", access.PASSWORD)).leads_to == "/"
    return browser


async def test_signing_in_leads_where_one_wanted_to_go_and_out_again(browser: Browser) -> None:
    wanted = (await browser.get("/account")).leads_to
    assert wanted == "/sign-in?next=/account"
    done = await browser.sign_in("Bianmu-1", access.PASSWORD, path=wanted)
    assert done.leads_to == "/account"
    (cookie,) = (each for each in done.cookies if each.startswith(sessions.COOKIE))
    assert set(cookie.partition("; ")[2].split("; ")) == {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}
    assert len(browser.cookies[sessions.COOKIE]) == 43
    shown = await browser.get("/account")
    assert "bianmu-1" in shown.text and shown.headers["Cache-Control"] == "no-store"
    assert "bianmu-1" in (await browser.get("/")).text  # every page says who is signed in

    held = dict(browser.cookies)
    assert (await browser.send("/account", 0, csrf=_token(browser))).status in (303, 400)
    assert (await browser.ask("POST", "/sign-out", {"csrf": _token(browser)})).leads_to == "/"
    assert sessions.COOKIE not in browser.cookies
    browser.cookies = held  # as if somebody had kept it
    assert (await browser.get("/account")).leads_to == "/sign-in?next=/account"
    assert (await browser.get("/sign-in")).status == 200 and sessions.COOKIE not in browser.cookies


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(browser: Browser) -> None:
    answers = [
        await browser.sign_in("bianmu-1", "wrong"),
        await browser.sign_in("nobody-here", "wrong"),
        await browser.sign_in("bianmu-1", "wrong", "123456"),
    ]
    assert {each.status for each in answers} == {403}
    same = {re.sub(r"bianmu-1|nobody-here", "NAME", each.body) for each in answers}
    assert len(same) == 1 and "is wrong" in answers[0].text
    assert sessions.COOKIE not in browser.cookies
    assert all("wrong" not in str(each.headers) for each in answers)


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "x", "/ok\u2028"]
)
async def test_nobody_is_sent_elsewhere(browser: Browser, target: str) -> None:
    fields = {"name": "bianmu-1", "password": access.PASSWORD, "next": target}
    done = await browser.ask("POST", "/sign-in", fields)
    assert done.leads_to == "/"
    browser.cookies.clear()
    assert (await browser.ask("POST", "/sign-in", {**fields, "next": f"/ok\r\nX-Evil: {target}"})).status == 400
    assert sessions.COOKIE not in browser.cookies


async def test_ten_tries_lock_over_all_processes(database: Database, dsn: str, home: Path, browser: Browser) -> None:
    """Another web door of the node, on connections of its own, knows of the tries at the first."""
    async with pool.open(home, dsn) as other, stocked.serving(other, Shelf(), home, NOBODY_ASKS) as at:
        there = Browser(browser.client, at)

        async def attempt(n: int) -> int:
            fields = {"name": "bianmu-1", "password": f"wrong {n}"}
            return (await (browser if n % 2 else there).ask("POST", "/sign-in", fields)).status

        found = [await attempt(n) for n in range(6)]
        found += await asyncio.gather(*(attempt(n) for n in range(12)))
        assert found.count(403) == 10
        assert found.count(429) == 8
        locked = await there.sign_in("bianmu-1", access.PASSWORD)
        assert locked.status == 429
        assert 1 <= int(locked.headers["Retry-After"]) <= 90 and "2 min" in locked.text
        assert (await browser.sign_in("admin", access.PASSWORD)).leads_to == "/"  # others aren't
    async with database.connection() as conn:  # the clock goes on
        await conn.execute("update attempt set until = until - interval '91 s', since = since - interval '91 s'")
    assert (await browser.sign_in("bianmu-1", access.PASSWORD)).leads_to == "/"


async def test_a_form_of_another_site_or_of_nobody_changes_nothing(signed_in: Browser) -> None:
    held = signed_in.cookies[sessions.COOKIE]
    right = {"csrf": _token(signed_in), "do": "end", "session": "others"}
    for fields in ({**right, "csrf": ""}, {**right, "csrf": csrf.token("another")}, {"do": "end", "session": "others"}):
        assert (await signed_in.ask("POST", "/account", fields)).status == 403
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert (await signed_in.ask("POST", "/account", right, **headers)).status == 403
        assert (await signed_in.ask("POST", "/sign-out", right, **headers)).status == 403
        fresh = Browser(signed_in.client, signed_in.address)
        fields = {"name": "admin", "password": access.PASSWORD}
        assert (await fresh.ask("POST", "/sign-in", fields, **headers)).status == 403  # nor signs anybody in
    assert signed_in.cookies[sessions.COOKIE] == held and (await signed_in.get("/account")).status == 200
    same = {"Sec-Fetch-Site": "same-origin", "Origin": signed_in.address}
    assert (await signed_in.ask("POST", "/account", right, **same)).status == 303


@pytest.mark.parametrize(
    ("column", "ago", "over"),
    [
        ("seen_at", "29 min", False),
        ("seen_at", "31 min", True),
        ("made_at", "11 h 59 min", False),
        ("made_at", "12 h", True),
    ],
)
async def test_a_session_ends_by_the_clock(
    database: Database, signed_in: Browser, column: str, ago: str, over: bool
) -> None:
    """The clock is set forward by setting the session back."""
    async with database.connection() as conn:
        statement = {
            "seen_at": "update session set seen_at = now() - $1::text::interval",
            "made_at": "update session set made_at = now() - $1::text::interval",
        }[column]
        await conn.execute(statement, ago)
    assert (await signed_in.get("/account")).status == (303 if over else 200)


async def test_another_password_ends_the_other_sessions(signed_in: Browser) -> None:
    other = Browser(signed_in.client, signed_in.address)
    await other.sign_in("bianmu-1", access.PASSWORD)
    before = signed_in.cookies[sessions.COOKIE]
    for new, again, old, said in (
        (NEW, f"{NEW}x", access.PASSWORD, "not the same"),
        ("short", "short", access.PASSWORD, "too short"),
        ("bianmu-1 bianmu-1", "bianmu-1 bianmu-1", access.PASSWORD, "tried first"),
        (access.PASSWORD, access.PASSWORD, access.PASSWORD, "is the present one"),
        (NEW, NEW, "wrong", "present password is wrong"),
    ):
        refused = await signed_in.send("/account", password=old, new=new, again=again)
        assert refused.status in (400, 403) and said in refused.text
    done = await signed_in.send("/account", password=access.PASSWORD, new=NEW, again=NEW)
    assert done.leads_to == "/account?done=password"
    assert signed_in.cookies[sessions.COOKIE] != before
    assert "is changed" in (await signed_in.get(done.leads_to)).text
    assert (await other.get("/account")).status == 303
    assert (await other.sign_in("bianmu-1", access.PASSWORD)).status == 403
    assert (await other.sign_in("bianmu-1", NEW)).leads_to == "/"


async def test_another_account_in_the_same_browser_ends_the_session_before(
    signed_in: Browser, people: dict[str, Account], database: Database
) -> None:
    fields = {"name": "admin", "password": access.PASSWORD, "csrf": _token(signed_in)}
    assert (await signed_in.ask("POST", "/sign-in", fields)).leads_to == "/"
    async with database.connection() as conn:
        assert await conn.fetchval("select array_agg(account) from session") == [people["admin"].account]


async def test_a_session_can_be_ended_from_another(signed_in: Browser) -> None:
    other = Browser(signed_in.client, signed_in.address, headers={"User-Agent": "Other/1.0"})
    await other.sign_in("bianmu-1", access.PASSWORD)
    shown = await signed_in.get("/account")
    assert "Other/1.0" in shown.text
    (button,) = (
        each for each in shown.page.iter("button") if each.get("name") == "session" and each.get("value") != "others"
    )
    await signed_in.ask("POST", "/account", {"csrf": _token(signed_in), "do": "end", "session": button.get("value")})
    assert (await other.get("/account")).status == 303
    assert (await signed_in.get("/account")).status == 200


async def test_what_is_taken_away_is_refused_at_the_next_request(
    database: Database, browser: Browser, people: dict[str, Account]
) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    assert (await browser.get("/accounts")).status == 200
    async with database.connection() as conn:
        await accounts.take(conn, people["admin"].account, Grant(role=Role.ADMIN, library="CN-TJU"))
    assert (await browser.get("/accounts")).status == 403
    async with database.connection() as conn:
        await accounts.set_state(conn, people["admin"].account, "disabled")
    assert (await browser.get("/accounts")).status == 303


async def test_a_password_of_somebody_else_is_changed_before_anything(
    database: Database, browser: Browser, people: dict[str, Account]
) -> None:
    async with database.connection() as conn:
        await accounts.set_password(conn, people["operator"].account, access.kept(), must_change=True)
    assert (await browser.sign_in("operator", access.PASSWORD, path="/sign-in?next=/accounts")).leads_to == "/account"
    assert "Change it first" in (await browser.get("/account")).text
    assert (await browser.get("/accounts")).leads_to == "/account"
    await browser.send("/account", password=access.PASSWORD, new=NEW, again=NEW)
    assert (await browser.get("/accounts")).status == 200


async def test_a_duty_takes_one_time_codes(database: Database, home: Path, people: dict[str, Account]) -> None:
    async with stocked.serving(database, Shelf(), home) as at, forms.client() as client:
        browser = Browser(client, at)
        assert (await browser.sign_in("operator", access.PASSWORD)).leads_to == "/account"
        assert (await browser.get("/accounts")).leads_to == "/account"
        shown = await browser.get("/account")
        (text,) = (each.text for each in shown.page.iter("code") if each.get("class") == "secret")
        secret = _decoded(text)
        picture = await browser.get("/account/codes.svg")
        assert picture.body.startswith("<svg") and picture.headers["Cache-Control"] == "no-store"
        assert (await browser.send("/account", code="000000")).status == 403
        now = totp.step(datetime.now(UTC))
        assert (await browser.send("/account", code=totp.code(secret, now))).leads_to == "/account?done=codes"
        assert text not in (await browser.get("/account")).body
        assert (await browser.get("/account/codes.svg")).status == 404
        assert (await browser.get("/accounts")).status == 200

        again = Browser(client, at)
        assert (await again.sign_in("operator", access.PASSWORD)).status == 403
        assert (await again.sign_in("operator", access.PASSWORD, totp.code(secret, now))).status == 403  # used up
        assert (await again.sign_in("operator", access.PASSWORD, totp.code(secret, now + 1))).leads_to == "/"


async def test_a_reset_code_sets_a_password(browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    shown = await browser.ask("POST", "/accounts/bianmu-1", {"csrf": _token(browser), "do": "reset"})
    (code,) = (each.text for each in shown.page.iter("code") if each.get("class") == "secret")
    assert code not in (await browser.get("/accounts/bianmu-1")).body  # shown once
    other = Browser(browser.client, browser.address)
    assert (await other.send("/reset", code="x" * 25, new=NEW, again=NEW)).status == 403
    assert (await other.send("/reset", code=code, new="short", again="short")).status == 400
    assert (await other.send("/reset", code=code, new=NEW, again=NEW)).leads_to == "/sign-in?done=reset"
    assert (await other.send("/reset", code=code, new=NEW, again=NEW)).status == 403
    assert (await other.sign_in("bianmu-1", NEW)).leads_to == "/"


async def test_a_library_admin_has_the_accounts_of_the_library(browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    shown = await browser.get("/accounts")
    assert "bianmu-1" in shown.text and "elsewhere" not in shown.text and "operator" not in shown.text.lower().split()
    for name in ("elsewhere", "operator", "no-such"):
        assert (await browser.get(f"/accounts/{name}")).status == 404
        fields = {"csrf": _token(browser), "do": "disable"}
        assert (await browser.ask("POST", f"/accounts/{name}", fields)).status == 404
    made = await browser.send("/accounts", name="bianmu-2", title="编目二组", library="CN-TJU", role="cataloguer-copy")
    (password,) = (each.text for each in made.page.iter("code") if each.get("class") == "secret")
    assert (
        made.headers["Cache-Control"] == "no-store" and password not in (await browser.get("/accounts/bianmu-2")).body
    )
    other = Browser(browser.client, browser.address)
    assert (await other.sign_in("bianmu-2", password)).leads_to == "/account"
    token = {"csrf": _token(browser)}
    for role, library, status in (
        ("cataloguer-change", "", 303), ("cataloguer-copy", "CN-SZL", 403), ("operator", "", 403),
        ("security", "CN-SZL", 403), ("reader", "", 403), ("emperor", "", 400),
    ):  # fmt: skip
        fields = {**token, "do": "give", "role": role, "library": library}
        assert (await browser.ask("POST", "/accounts/bianmu-2", fields)).status == status, role
    for act in ("disable", "reset", "codes", "unlock"):
        assert (await browser.ask("POST", "/accounts/admin", {**token, "do": act})).status == 403  # one's own
    assert (await browser.ask("POST", "/accounts/bianmu-2", {**token, "do": "disable"})).status == 303
    assert (await other.get("/account")).status == 303
    for name in ("x@example.org", "x", "bianmu-1"):
        refused = await browser.send("/accounts", name=name, library="CN-TJU", role="cataloguer-copy")
        assert refused.status in (403, 409)
    fields = {**token, "name": "spy", "library": "CN-SZL", "role": "cataloguer-copy"}
    assert (await browser.ask("POST", "/accounts", fields)).status == 403


async def test_acts_on_accounts_take_a_password_that_was_just_typed(database: Database, browser: Browser) -> None:
    await browser.sign_in("admin", access.PASSWORD)
    async with database.connection() as conn:
        await conn.execute("update session set made_at = now() - interval '16 min'")
    assert "Confirm your password first" in (await browser.get("/accounts")).text
    refused = await browser.ask("POST", "/accounts/bianmu-1", {"csrf": _token(browser), "do": "disable"})
    assert refused.leads_to == "/sign-in?next=/accounts/bianmu-1"
    before = browser.cookies[sessions.COOKIE]
    shown = await browser.get(refused.leads_to)
    assert "admin" in shown.text and "Confirm your password" in shown.text
    done = await browser.send(refused.leads_to, password=access.PASSWORD)
    assert done.leads_to == "/accounts/bianmu-1" and browser.cookies[sessions.COOKIE] != before
    fields = {"csrf": _token(browser), "do": "disable"}
    assert (await browser.ask("POST", "/accounts/bianmu-1", fields)).status == 303
    async with database.connection() as conn:
        assert await conn.fetchval("select count(*) from session") == 1  # the one before has ended


@pytest.mark.parametrize(
    ("told", "headers", "works"),
    [
        ("", {}, True),
        ("", {"Host": "localhost:8080"}, True),
        ("", {"Host": "10.0.0.7:8080"}, False),
        ("", {"Host": "catalogue.example.org"}, False),
        ("https://catalogue.example.org/", {"Host": "catalogue.example.org"}, True),
        ("https://catalogue.example.org/", {"Host": "10.0.0.7:8080"}, False),
        ("https://catalogue.example.org/", {"Host": "10.0.0.7:8080", "X-Forwarded-Proto": "https"}, True),
        ("http://catalogue.example.org/", {"Host": "catalogue.example.org"}, False),
    ],
)
async def test_no_password_is_asked_for_where_it_would_travel_in_the_clear(
    database: Database, home: Path, people: dict[str, Account], told: str, headers: dict[str, str], works: bool
) -> None:
    settings = Settings(web=Web(base_url=told), access=Access(totp="nobody"))
    async with stocked.serving(database, Shelf(), home, settings) as at, forms.client() as client:
        browser = Browser(client, at, headers=headers)
        for path in ("/sign-in", "/reset"):
            shown = (await browser.get(path)).body
            assert ('type="password"' in shown) is works
            assert ("https://catalogue.example.org" + path in shown) is (not works and told.startswith("https"))
        fields = {"name": "bianmu-1", "password": access.PASSWORD}
        assert (await browser.ask("POST", "/sign-in", fields)).status == (303 if works else 403)
        assert (sessions.COOKIE in browser.cookies) is works


async def test_a_form_is_no_way_to_send_files_or_what_nobody_types(browser: Browser) -> None:
    for odd in ("x" * 2000, "bianmu-1\x00", "a\nb"):
        for name in ("name", "password", "code"):
            fields = {"name": "bianmu-1", "password": access.PASSWORD, "code": ""} | {name: odd}
            assert (await browser.ask("POST", "/sign-in", fields)).status == 400
    body = '--b\r\nContent-Disposition: form-data; name="name"; filename="x"\r\n\r\nx\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with browser.client.post(f"{browser.address}/sign-in", data=body, headers=headers) as got:
        assert got.status == 400
    for raw in ("name=%ff&password=%ed%a0%80", "name=bianmu-1&password=%c3%28&code=%d9%a0%d9%a0"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with browser.client.post(f"{browser.address}/sign-in", data=raw, headers=headers) as got:
            assert got.status in (400, 403)


async def test_passwords_and_tokens_are_nowhere_in_the_database(database: Database, signed_in: Browser) -> None:
    await signed_in.sign_in("admin", "canary-password-1234")
    await signed_in.ask("POST", "/sign-in", {"name": "canary-password-1234", "password": "x"})
    canaries = [access.PASSWORD, "canary-password-1234", signed_in.cookies[sessions.COOKIE], _token(signed_in)]
    async with database.connection() as conn:
        tables = [row[0] for row in await conn.fetch("select tablename from pg_tables where schemaname = 'public'")]
        for table in ("account", "session", "attempt", "reset_code", "audit"):
            assert table in tables
        found = {
            "account": await conn.fetch("select t::text from account t"),
            "session": await conn.fetch("select t::text from session t"),
            "attempt": await conn.fetch("select t::text from attempt t"),
            "audit": await conn.fetch("select t::text from audit t"),
        }
    text = str(found)
    assert "bianmu-1" in text
    assert not [each for each in canaries if each in text]


def _token(browser: Browser) -> str:
    return csrf.token(browser.cookies.get(sessions.COOKIE, ""))


def _decoded(text: str) -> bytes:
    return base64.b32decode(text.replace(" ", ""))
