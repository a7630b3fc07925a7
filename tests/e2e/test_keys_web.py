"""Keys for programs over real sockets: made by people or programs, used with their pace, metered, ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from config.settings import Access, Settings
from services.access import accounts, csrf, keys, sessions
from services.access.policy import DUTIES, Permission, Role, Scope
from tests import access, forms, stocked
from tests.forms import Browser
from tests.stocked import Shelf

USUAL = {"title": "夜间同步", "may-read": "1", "library": "", "days": "90", "rate": "60"}
NOBODY_ASKS = Settings(access=Access(totp="nobody"))


@pytest_asyncio.fixture
async def address(database: Database, home: Path) -> AsyncIterator[str]:
    async with database.connection() as conn:
        await stocked.open_house(conn)
        await access.an_account(conn, "security", DUTIES[1], library="CN-SZL")
        await access.an_account(conn, "admin", Role.ADMIN)
        await access.an_account(conn, "bianmu-1", Role.CATALOGUER)
        await access.an_account(conn, "elsewhere", Role.ADMIN, library="CN-SZL")
    async with stocked.serving(database, Shelf(), home, NOBODY_ASKS) as at:
        yield at


@pytest_asyncio.fixture
async def browser(address: str) -> AsyncIterator[Browser]:
    async with forms.client() as client:
        yield Browser(client, address)


async def _sign_in(browser: Browser, name: str) -> None:
    browser.cookies.clear()
    assert (await browser.sign_in(name, access.PASSWORD)).leads_to == "/"


async def _make(browser: Browser, **fields: str) -> str:
    """A key made on the page; its secret."""
    page = await browser.send("/keys", **(USUAL | fields))
    assert page.status == 200, page.text
    return str(page.page.xpath("string(//code[@class='secret'])"))


def _cookie(browser: Browser) -> str:
    return f"{sessions.COOKIE}={browser.cookies[sessions.COOKIE]}"


def _token(browser: Browser) -> str:
    return csrf.token(browser.cookies[sessions.COOKIE])


async def _ask(browser: Browser, path: str, secret: str, method: str = "GET") -> tuple[int, dict[str, str], object]:
    headers = {"Authorization": f"Bearer {secret}"}
    async with browser.client.request(method, browser.address + path, headers=headers, allow_redirects=False) as got:
        return got.status, dict(got.headers), await got.json(content_type=None) if got.status != 204 else None


async def test_a_key_is_made_shown_once_used_and_ended(browser: Browser) -> None:
    await _sign_in(browser, "bianmu-1")
    secret = await _make(browser)
    assert keys.SHAPE.fullmatch(secret)
    assert secret not in (await browser.get("/keys")).body
    status, headers, told = await _ask(browser, "/api/search?q=", secret)
    assert status == 200
    assert headers["RateLimit-Policy"] == '"key";q=60;w=60'
    assert headers["Cache-Control"] == "no-store"
    assert isinstance(told, dict) and "hits" in told
    page = await browser.get("/keys/1")
    assert "夜间同步" in page.text
    assert (await browser.send("/keys/1")).leads_to == "/keys/1"
    status, headers, _ = await _ask(browser, "/api/search?q=", secret)
    assert status == 401
    assert headers["WWW-Authenticate"] == 'Bearer realm="tianlu", error="invalid_token"'
    assert "Disabled" in (await browser.get("/keys/1")).text


async def test_a_key_never_makes_keys_and_does_not_reach_pages_of_people(browser: Browser) -> None:
    await _sign_in(browser, "admin")
    secret = await _make(browser, **{"may-look": "1", "may-load": "1", "may-library": "1"})
    for path in ("/keys", "/account", "/accounts", "/api/keys", "/api/keys/1"):
        assert (await _ask(browser, path, secret))[0] == 403, path
    assert (await _ask(browser, "/api/keys/1", secret, "DELETE"))[0] == 403


async def test_an_address_that_everybody_reads_is_closed_to_a_key_without_that_scope(browser: Browser) -> None:
    await _sign_in(browser, "bianmu-1")
    secret = await _make(browser, **{"may-read": "", "may-look": "1"})
    assert (await _ask(browser, "/api/search?q=", secret))[0] == 403


async def test_a_fast_program_is_told_to_wait_and_so_metered(
    address: str, browser: Browser, database: Database
) -> None:
    await _sign_in(browser, "bianmu-1")
    made = await browser.client.post(
        address + "/api/keys",
        json={"title": "fast", "scopes": ["read"], "rate": 2},
        headers={"Cookie": _cookie(browser), "X-Tianlu-Form": _token(browser)},
    )
    assert made.status == 201
    told = await made.json()
    assert [(await _ask(browser, "/api/libraries", told["secret"]))[0] for _ in range(2)] == [200, 429]
    _, headers, _ = await _ask(browser, "/api/libraries", told["secret"])
    assert 1 <= int(headers["Retry-After"]) <= 31
    for _ in range(100):  # written each second
        page = await browser.get(f"/keys/{told['key']}")
        if "/api/libraries" in page.text:
            break
        await asyncio.sleep(0.1)
    [row] = page.page.xpath("//table[@class='cards']/tbody/tr")
    today = datetime.now(UTC).date()
    assert [cell.text_content() for cell in row] == [str(today), "/api/libraries", "3", "2"]


async def test_a_cookie_alone_makes_no_key(address: str, browser: Browser) -> None:
    await _sign_in(browser, "bianmu-1")
    for headers in ({}, {"X-Tianlu-Form": "wrong"}, {"X-Tianlu-Form": _token(browser), "Origin": "https://a.example"}):
        made = await browser.client.post(
            address + "/api/keys",
            json={"title": "t", "scopes": ["read"]},
            headers={"Cookie": _cookie(browser), **headers},
        )
        assert made.status == 403, headers
    page = await browser.ask("POST", "/keys", {"title": "t", "may-read": "1", "days": "90", "rate": "60"})
    assert page.status == 403


async def test_a_password_typed_long_ago_makes_no_key(address: str, browser: Browser, database: Database) -> None:
    await _sign_in(browser, "bianmu-1")
    async with database.connection() as conn:
        await conn.execute("update session set made_at = now() - interval '16 min'")
    headers = {"Cookie": _cookie(browser), "X-Tianlu-Form": _token(browser)}
    body = {"title": "t", "scopes": ["read"]}
    made = await browser.client.post(address + "/api/keys", json=body, headers=headers)
    assert made.status == 403 and "typed too long ago" in (await made.json())["detail"]
    page = await browser.ask("POST", "/keys", USUAL | {"csrf": _token(browser)})
    assert page.leads_to.startswith("/sign-in")


async def test_nobody_sees_keys_of_another_library_but_those_who_look_after_accounts(browser: Browser) -> None:
    await _sign_in(browser, "bianmu-1")
    await _make(browser)
    for name, status in (("elsewhere", 404), ("admin", 200), ("security", 200), ("bianmu-1", 200)):
        await _sign_in(browser, name)
        assert (await browser.get("/keys/1")).status == status, name
        assert ("夜间同步" in (await browser.get("/keys")).text) is (status == 200), name
    await _sign_in(browser, "elsewhere")
    assert (await browser.ask("POST", "/keys/1", {"csrf": _token(browser)})).status == 404
    browser.cookies.clear()
    assert (await browser.get("/keys/1")).leads_to.startswith("/sign-in")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"title": ""}, "Say what the key is for"),
        ({"may-read": ""}, "Choose at least one"),
        ({"may-operate": "1"}, "further than your own rights"),
        ({"may-look": "1", "library": "CN-SZL"}, "further than your own rights"),
        ({"days": "0"}, "1 to 365 days"),
        ({"days": "x"}, "1 to 365 days"),
        ({"rate": "99999"}, "1 to 6000"),
    ],
)
async def test_what_can_not_be_made_is_said_why(browser: Browser, fields: dict[str, str], text: str) -> None:
    await _sign_in(browser, "bianmu-1")
    page = await browser.ask("POST", "/keys", USUAL | fields | {"csrf": _token(browser)})
    assert page.status == 400
    assert text in page.text


async def test_bodies_that_make_no_key(address: str, browser: Browser) -> None:
    await _sign_in(browser, "bianmu-1")
    headers = {"Cookie": _cookie(browser), "X-Tianlu-Form": _token(browser), "Content-Type": "application/json"}
    for body in (
        "",
        "[]",
        "{",
        "[" * 50_000,
        '{"title": "t"}',
        '{"title": 1, "scopes": []}',
        '{"title": "t", "scopes": [1]}',
        '{"title": "t", "scopes": ["read"], "days": true}',
        '{"title": "t", "scopes": ["read"], "more": 1}',
    ):
        made = await browser.client.post(address + "/api/keys", data=body, headers=headers)
        assert made.status == 400, body[:60]
    made = await browser.client.post(address + "/api/keys", data='{"title": "t", "scopes": ["own"]}', headers=headers)
    assert made.status == 400
    made = await browser.client.post(
        address + "/api/keys", data='{"title": "t", "scopes": ["operate"]}', headers=headers
    )
    assert made.status == 403


async def test_a_key_ends_with_its_time(address: str, browser: Browser, database: Database) -> None:
    async with database.transaction() as conn:
        account = await accounts.get(conn, "bianmu-1")
        _, secret = await keys.issue(
            conn, account, "old", [Scope(permission=Permission.READ)], days=1, rate=60, by="test",
            now=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    assert (await _ask(browser, "/api/libraries", secret.reveal()))[0] == 401


async def test_an_account_that_has_something_to_put_in_order_makes_no_key(browser: Browser, database: Database) -> None:
    """A key would be a way around the password's change and the one-time codes."""
    async with database.connection() as conn:
        await access.an_account(conn, "auditor", Role.AUDITOR, must_change=True)
    assert (await browser.sign_in("auditor", access.PASSWORD)).leads_to == "/account"
    assert (await browser.get("/keys")).leads_to == "/account"
    fields = USUAL | {"may-audit": "1", "csrf": _token(browser)}
    assert (await browser.ask("POST", "/keys", fields)).leads_to == "/account"
    headers = {"Cookie": _cookie(browser), "X-Tianlu-Form": _token(browser)}
    body = {"title": "x", "scopes": ["audit"]}
    async with browser.client.post(browser.address + "/api/keys", json=body, headers=headers) as got:
        assert got.status == 403
    async with database.connection() as conn:
        assert await conn.fetchval("select count(*) from api_key") == 0
    assert (await browser.get("/account")).status == 200
