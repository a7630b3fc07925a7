"""Copying in a real browser without scripts: found, seen, saved, and no page sticks out."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog import targets as kept
from protocols.target import Profile
from tests import access, browser, builders, stocked, targets
from tests.e2e.test_copy_web import BARE, FULL, ISBN, NOBODY_ASKS, catalogue, saved, settling
from tests.pipeline import Catalogue
from tests.stocked import Shelf

__all__ = ["catalogue", "settling"]
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]


@pytest.mark.usefixtures("settling")
async def test_a_cataloguer_copies_a_book(catalogue: Catalogue, home: Path, tmp_path: Path) -> None:
    records = [builders.iso2709(each) for each in (BARE, FULL)]
    async with (
        targets.serving(targets.speaking(targets.library(records))) as port,
        stocked.serving(catalogue.database, Shelf(), home, NOBODY_ASKS) as at,
        browser.tab(tmp_path) as tab,
    ):
        async with catalogue.database.transaction() as conn:
            for name in ("nlc", "a-target-with-a-long-name"):
                await kept.add(conn, name, Profile(host="127.0.0.1", port=port), by="os:root")
        await tab.go(f"{at}/sign-in?next=/copy")
        await tab.type("name", "wang")
        await tab.type("password", access.PASSWORD)
        await tab.press("form.sheet button")
        await tab.type("q", ISBN)
        await tab.press("form.sheet button")
        for lang in ("zh", "en"):
            await tab.go(f"{at}/copy?q={ISBN}&lang={lang}")
            assert "园冶注解" in await tab.text()
            for width in (320, 1280):
                assert await tab.width(width) <= width, lang
        await tab.press("form[action='/copy/save'] button")
        assert "copied-LIB/" in await tab.text()
    assert len(await saved(catalogue)) == 1
