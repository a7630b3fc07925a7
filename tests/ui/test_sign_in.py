"""Signing in, in a real browser without scripts: its cookie is taken on this machine, and no page sticks out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from config.settings import Access, Settings
from services.access.policy import DUTIES
from tests import access, browser, stocked
from tests.browser import Tab
from tests.stocked import Shelf

pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]
NEW = "江枫渔火对愁眠，姑苏城外寒山寺"


@pytest_asyncio.fixture
async def address(database: Database, home: Path) -> AsyncIterator[str]:
    async with database.connection() as conn:
        await stocked.open_house(conn)
        await access.an_account(conn, "operator", *DUTIES, must_change=True)
    async with stocked.serving(database, Shelf(), home, Settings(access=Access(totp="nobody"))) as at:
        yield at


@pytest_asyncio.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    async with browser.tab(tmp_path) as found:
        yield found


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_first_day_without_scripts(address: str, tab: Tab, host: str) -> None:
    """From the sign-in page to a colleague's account and out again. Browsers take `__Host-` cookies over http from
    this machine itself, by its name and by its address."""
    at = address.replace("127.0.0.1", host)
    await tab.go(f"{at}/accounts?lang=en")
    assert (await tab.path()).startswith("/sign-in?next=")
    await tab.type("name", "operator")
    await tab.type("password", "wrong")
    await tab.press("form.sheet button")
    assert "is wrong" in await tab.text()
    await tab.type("password", access.PASSWORD)
    await tab.press("form.sheet button")
    assert await tab.path() == "/account" and "Change it first" in await tab.text()
    await tab.type("password", access.PASSWORD)
    await tab.type("new", NEW)
    await tab.type("again", NEW)
    await tab.press("form.sheet button")
    assert await tab.path() == "/account?done=password"
    await tab.press("a[href='/accounts']")
    await tab.type("name", "bianmu-1")
    await tab.press("form.sheet button")
    assert "The first password of bianmu-1" in await tab.text()
    await tab.go(f"{at}/account")
    await tab.press("form[action='/sign-out'] button")
    assert await tab.path() == "/"
    await tab.go(f"{at}/account")
    assert (await tab.path()).startswith("/sign-in")


async def test_no_page_of_accounts_is_wider_than_its_window(address: str, tab: Tab) -> None:
    await tab.go(f"{address}/sign-in")
    await tab.type("name", "operator")
    await tab.type("password", access.PASSWORD)
    await tab.press("form.sheet button")
    await tab.type("password", access.PASSWORD)
    await tab.type("new", NEW)
    await tab.type("again", NEW)
    await tab.press("form.sheet button")
    for path in ("/sign-in", "/reset", "/account", "/accounts", "/accounts/operator", "/keys", "/audit", "/"):
        for lang in ("zh", "en"):
            await tab.go(f"{address}{path}?lang={lang}")
            for width in (320, 1280):
                assert await tab.width(width) <= width, (path, lang)
