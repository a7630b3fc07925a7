"""A record is handed in with a real browser without scripts, and no page sticks out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import access, browser, stocked
from tests.e2e.test_submissions_web import NOBODY_ASKS, catalogue, mrk
from tests.pipeline import Catalogue
from tests.stocked import Shelf

__all__ = ["catalogue"]
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]


async def test_a_cataloguer_looks_and_hands_in(catalogue: Catalogue, home: Path, tmp_path: Path) -> None:
    async with (
        stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at,
        browser.tab(tmp_path) as tab,
    ):
        await tab.go(f"{at}/sign-in?next=/submissions")
        await tab.type("name", "li")
        await tab.type("password", access.PASSWORD)
        await tab.press("form.sheet button")
        await tab.type("what", "长物志")
        await tab.press("button[value=make]")
        assert "长物志" in await tab.text()
        await tab.type("record", mrk(f330="  $a" + "内容提要" * 40))
        await tab.press("button[value=look]")
        assert "new" in await tab.text()
        for lang in ("zh", "en"):
            for width in (320, 1280):
                assert await tab.width(width) <= width, lang
        await tab.press("button[value=submit]")
        path = await tab.path()
        assert path.startswith("/submissions/")
        await catalogue.settle()
        for each in ("/submissions?all=1", path, "/desk"):
            for lang in ("zh", "en"):
                await tab.go(f"{at}{each}{'&' if '?' in each else '?'}lang={lang}")
                for width in (320, 1280):
                    assert await tab.width(width) <= width, (each, lang)
