"""A batch change in a real browser without scripts: seen, made, and no page sticks out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import access, browser, stocked
from tests.e2e.test_batch_web import CHANGE, NOBODY_ASKS, catalogue
from tests.pipeline import Catalogue
from tests.stocked import Shelf
from tests.store.test_batches import NEW, go_on, subjects

__all__ = ["catalogue"]
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]


async def test_a_cataloguer_changes_what_a_query_finds(catalogue: Catalogue, home: Path, tmp_path: Path) -> None:
    shelf = Shelf()
    async with catalogue.database.connection() as conn:
        await shelf.look(conn)
    async with (
        stocked.serving(catalogue.database, shelf, home, NOBODY_ASKS) as at,
        browser.tab(tmp_path) as tab,
    ):
        await tab.go(f"{at}/sign-in?next=/batches")
        await tab.type("name", "wang")
        await tab.type("password", access.PASSWORD)
        await tab.press("form.sheet button")
        await tab.type("which", "天工开物")
        await tab.type("change", CHANGE)
        await tab.press("button[value=preview]")
        assert NEW in await tab.text()
        for lang in ("zh", "en"):
            for width in (320, 1280):
                assert await tab.width(width) <= width, lang
        await tab.type("why", "新词表")
        await tab.press("button[value=make]")
        assert await tab.path() == "/batches/1"
        await go_on(catalogue)
        for path in ("/batches", "/batches/1?state=changed", "/desk"):
            for lang in ("zh", "en"):
                await tab.go(f"{at}{path}{'&' if '?' in path else '?'}lang={lang}")
                for width in (320, 1280):
                    assert await tab.width(width) <= width, (path, lang)
    assert await subjects(catalogue, "n1") == [NEW]
