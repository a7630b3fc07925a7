"""Authority records on pages and for programs: found apart from titles, and leading to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest_asyncio
from aiohttp import ClientSession, CookieJar

from catalog import changes
from catalog.database.pool import Database
from catalog.model import Visibility
from catalog.search import indexer
from catalog.search.tantivy import TantivyReader
from node.web import schemas
from tests import builders, stocked
from tests.e2e.test_web import Visitor
from tests.pipeline import Catalogue
from tests.schema import fits
from tests.store.test_authority import DICKENS, HISTORY, LU_XUN, TALE, an_authority

MANY = 45


@pytest_asyncio.fixture
async def visitor(database: Database, home: Path) -> AsyncIterator[Visitor]:
    """A visitor of a node with a title by 鲁迅 and authorities of two sources, one of them not shared."""
    catalogue = await Catalogue(database).open(stocked.SYMBOL)
    await catalogue.give("bibs", builders.iso2709(builders.a_cnmarc(local_id="b1", title="呐喊", author="鲁迅")))
    numbered = [an_authority(f"n{n}", ("150", f"  $aGardens$xHistory$y{1900 + n}")) for n in range(MANY)]
    await catalogue.give("auth", builders.iso2709(LU_XUN, DICKENS, TALE, HISTORY, *numbered))
    await catalogue.source("closed", visibility=Visibility.PRIVATE)
    await catalogue.give("closed", builders.iso2709(an_authority("s1", ("100", "1 $aSecret, Dickens"))))
    await indexer.catch_up(database.pool, home / "index", feed=changes)
    async with (
        stocked.serving(database, TantivyReader(home / "index"), home) as address,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as session,
    ):
        yield Visitor(session, address)


async def test_a_reader_finds_a_name_and_its_titles(visitor: Visitor) -> None:
    start = await visitor.get("/authorities?lang=zh")
    assert "49 条规范记录" in start.text
    found = await visitor.get(f"/authorities?q={quote('周樹人')}")
    assert "又称： 周树人, 1881-1936 · Lu, Hsün" in found.text
    (link,) = found.page.xpath("//p[@class='where']/a/@href")
    titles = await visitor.get(link)
    assert "呐喊" in titles.text
    (other,) = found.page.xpath("//p[@class='parallel']/a/@href")
    assert (await visitor.get(other)).status == 200
    english = await visitor.get(f"/authorities?q={quote('鲁迅')}&lang=en")
    assert "Also known as:" in english.text
    assert not english.page.xpath("//script")


async def test_lists_go_on_by_links_and_narrow_by_kind(visitor: Visitor) -> None:
    first = await visitor.get("/authorities?q=gardens&lang=en")
    assert "45 headings" in first.text
    (following,) = first.page.xpath("//a[@rel='next']/@href")
    second = await visitor.get(following)
    assert second.page.xpath("//ol[@class='hits']/@start") == ["21"]
    works = await visitor.get("/authorities?q=dickens&kind=title")
    assert works.page.xpath("//article/h2/text()") == ["Dickens, Charles, 1812-1870. Tale of two cities"]
    assert "No heading fits" in (await visitor.get("/authorities?q=nobody")).text


async def test_titles_and_authorities_are_apart(visitor: Visitor) -> None:
    assert (await visitor.json("/api/search?q=dickens"))["total"] == 0
    assert (await visitor.json(f"/api/authorities?q={quote('呐喊')}"))["total"] == 0


async def test_what_is_not_shared_is_not_shown(visitor: Visitor) -> None:
    assert "Secret" not in (await visitor.get("/authorities?q=dickens")).text
    assert (await visitor.json("/api/authorities?q=secret"))["total"] == 0


async def test_programs_are_answered_as_the_document_says(visitor: Visitor) -> None:
    answer = await visitor.json("/api/authorities?q=dickens&limit=2")
    fits(answer, schemas.AUTHORITIES)
    assert (answer["total"], answer["pages"], len(answer["authorities"])) == (3, 2, 2)
    assert answer["authorities"][0] == {
        "id": "auth/a2",
        "library": "LIB",
        "kind": "person",
        "heading": "Dickens, Charles, 1812-1870",
        "variants": ["Boz"],
        "related": [],
        "identifiers": ["a2"],
    }


async def test_bad_parameters_are_refused(visitor: Visitor) -> None:
    for arguments in ("kind=junk", "page=0", "limit=101", "q=" + "a" * 301, "q=%00", "q=%3F%21"):
        for path in ("/authorities", "/api/authorities"):
            assert (await visitor.get(f"{path}?{arguments}")).status == 400, (path, arguments)
    assert (await visitor.get("/api/authorities")).status == 400
    assert (await visitor.get("/api/authorities?q=a&field=any")).status == 400
    for hostile in ("'", "\\", "a:*|b", "'x':A & !y", "<2>", "((", "红' | '楼", "%", "_", "\u0301", "𠀀"):
        assert (await visitor.get(f"/api/authorities?q=a{quote(hostile)}")).status == 200, hostile
