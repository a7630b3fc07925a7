"""The pages and the JSON interface over a real database and a real index."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest_asyncio
from aiohttp import ClientSession, CookieJar
from lxml import etree, html

from catalog import changes, clusters
from catalog.database.pool import Database
from catalog.model import Description, Format, Holding, cluster_id
from catalog.search import indexer
from catalog.search.tantivy import TantivyReader
from node.web import routes, schemas, texts
from tests import builders, stocked
from tests.builders import HKS, SZL, TJU
from tests.schema import fits
from tests.stocked import Stock

PAGE = {"Accept": "text/html"}
MANY = 45  # titles about walled gardens


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def page(self) -> html.HtmlElement:
        assert self.headers["Content-Type"] == "text/html; charset=utf-8", self.body[:300]
        return html.fromstring(self.body.decode())

    @property
    def text(self) -> str:
        return " ".join(self.page.text_content().split())


class Visitor:
    """A browser without JavaScript: keeps cookies, shows redirects instead of following them."""

    def __init__(self, session: ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    async def get(self, path: str, **headers: str) -> Answer:
        url = urljoin(self.address + "/", path)
        async with self.session.get(url, headers=PAGE | headers, allow_redirects=False) as got:
            return Answer(status=got.status, headers=got.headers, body=await got.read())

    async def json(self, path: str) -> Any:
        async with self.session.get(urljoin(self.address + "/", path)) as got:
            return await got.json(content_type=None)


def entries() -> list[Stock]:
    """红楼梦 in two libraries, then gardens."""
    dream = Stock(
        record=builders.a_cnmarc(title="红楼梦", author="曹雪芹", year="1996", publisher="人民文学出版社"),
        format=Format.CNMARC,
        holdings=(
            builders.a_holding(TJU, "I242.4/1", "T1", location="北洋园", status="在架"),
            builders.a_holding(TJU, "I242.4/1", "T2", location="卫津路", status="借出"),
            builders.a_holding(SZL, "I242.4/88", "S1", location="中心馆", status="在架"),
        ),
    )
    gardens = [
        Stock(
            record=builders.a_marc21(title=f"Walled gardens volume {n}", year=str(1950 + n)),
            holdings=tuple(Holding(library=library.symbol) for library in builders.CAST[: 1 + n % 3]),
        )
        for n in range(MANY)
    ]
    linked = Stock(
        record=builders.a_marc21(),
        holdings=(builders.a_holding(HKS),),
        description=Description(title="Linked", links=("https://example.org/a", "javascript:alert(1)")),
    )
    return [dream, *gardens, linked]


@pytest_asyncio.fixture
async def visitor(database: Database, home: Path) -> AsyncIterator[Visitor]:
    """A visitor of a stocked node."""
    async with database.connection() as conn:
        await stocked.open_house(conn)
        await stocked.stock(conn, entries())
    await indexer.catch_up(database.pool, home / "index", feed=changes)
    async with (
        stocked.serving(database, TantivyReader(home / "index"), home) as address,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as session,
    ):
        yield Visitor(session, address)


def ident(number: int) -> str:
    return cluster_id(stocked.SYMBOL, number)


async def test_a_reader_finds_a_book_and_the_shelves_it_stands_on(visitor: Visitor) -> None:
    home = await visitor.get("/?lang=zh")
    form = home.page.forms[0]
    assert form.action == "/search" and form.method == "GET" and "q" in form.inputs
    for words in ("红楼梦", "紅樓夢", "hongloumeng", "hlm", "曹雪芹"):
        results = await visitor.get(f"/search?q={words}")
        links = [link for _, _, link, _ in results.page.iterlinks() if link.startswith("/records/")]
        assert links == [f"/records/{ident(1)}"], words
    record = await visitor.get(links[0])
    assert record.page.find(".//h1").text_content() == "红楼梦"
    rows = [" ".join(" ".join(row.xpath(".//text()")).split()) for row in record.page.xpath("//table//tbody/tr")]
    assert rows == [
        "天津大学图书馆 天津 2 册 I242.4/1 北洋园 在架 T1",
        "I242.4/1 卫津路 借出 T2",
        "深圳图书馆 广东深圳 I242.4/88 中心馆 在架 S1",
    ]


async def test_results_narrow_sort_and_page_by_links_alone(visitor: Visitor) -> None:
    results = await visitor.get("/search?q=gardens&lang=en")
    assert f"{MANY} titles · 1–20 shown" in results.text
    facet = results.page.xpath("//section[h3='Library']//a")
    assert [" ".join(each.text_content().split()) for each in facet] == [
        "Tianjin University Library 45", "Shenzhen Library 30", "Lingnan Academy Library 15",
    ]  # fmt: skip
    narrowed = await visitor.get(facet[2].get("href"))
    assert "15 titles" in narrowed.text
    removed = narrowed.page.xpath("//div[@class='applied']//a")[0].get("href")
    assert removed == "/search?q=gardens"
    newest = results.page.xpath("//nav[@class='sorts']//a[.='Newest']")[0].get("href")
    sorted_ = await visitor.get(newest)
    assert "volume 44" in sorted_.page.xpath("//article//h2")[0].text_content()
    second = await visitor.get(sorted_.page.xpath("//a[@rel='next']")[0].get("href"))
    assert "21–40 shown" in second.text and "volume 24" in second.page.xpath("//article//h2")[0].text_content()
    assert second.page.xpath("//form//input[@name='sort']/@value") == ["newest"]


async def test_an_empty_result_helps(visitor: Visitor) -> None:
    results = await visitor.get("/search?q=nothinglikeit&kind=map&lang=zh")
    assert results.status == 200 and "没有找到“nothinglikeit”" in results.text
    assert results.page.xpath("//div[@class='empty']//a/@href") == ["/search?q=nothinglikeit"]


async def test_a_visitor_reads_in_one_language_until_another_is_chosen(visitor: Visitor) -> None:
    async def lang(path: str, **headers: str) -> str:
        return str((await visitor.get(path, **headers)).page.get("lang"))

    assert await lang("/about", **{"Accept-Language": "en-GB,zh;q=0.5"}) == "en"
    assert await lang("/about", **{"Accept-Language": "fr,zh-TW;q=0.5,en;q=0.4"}) == "zh-Hans"
    english = (await visitor.get("/about?lang=zh")).page.xpath("//a[@class='language']/@href")[0]
    assert english == "/about?lang=en"
    assert await lang(english) == "en"
    assert await lang("/libraries", **{"Accept-Language": "zh"}) == "en"  # the cookie remembers


async def test_every_download_is_the_record(visitor: Visitor) -> None:
    record = await visitor.get(f"/records/{ident(1)}")
    links = record.page.xpath("//div[@class='downloads']//a/@href")
    kinds = {}
    for link in [*links, *(f"/records/{ident(1)}/{form}" for form in ("dc", "marc", "text"))]:
        got = await visitor.get(link)
        assert got.status == 200 and "attachment" in got.headers["Content-Disposition"]
        assert "红楼梦".encode() in got.body and ident(1).encode() in got.body
        kinds[link.rpartition("/")[2]] = got.headers["Content-Type"]
    assert kinds["marcxml"] == "application/marcxml+xml" and kinds["iso2709"] == "application/marc"
    assert (await visitor.get(f"/records/{ident(1)}/exe")).status == 400


async def test_the_marc_view_is_a_link_away(visitor: Visitor) -> None:
    record = await visitor.get(f"/records/{ident(1)}?lang=en")
    link = record.page.xpath("//nav[@class='views']//a[.='MARC']/@href")[0]
    marc = await visitor.get(link)
    rows = {
        row.find("th").text: row.findall("td")[1].text_content()
        for row in marc.page.xpath("//table[@class='marc']/tbody/tr")
    }
    assert rows["001"] == ident(1) and rows["200"].startswith("‡a 红楼梦")


async def test_old_numbers_lead_on_and_deleted_ones_say_so(visitor: Visitor, database: Database) -> None:
    async with database.connection() as conn:
        await clusters.redirect(conn, {2: 3})
        await stocked.publish(conn, [stocked.version(2, None, redirect=3), stocked.version(4, None)])
    for path in (f"/records/{ident(2)}", f"/api/records/{ident(2)}", f"/records/{ident(2)}/marcxml"):
        moved = await visitor.get(path)
        assert (moved.status, moved.headers["Location"]) == (301, path.replace(ident(2), ident(3)))
    for path in (f"/records/{ident(4)}", f"/api/records/{ident(4)}", f"/records/{ident(4)}/marcxml"):
        assert (await visitor.get(path)).status == 410
    assert ident(4) not in (await visitor.get("/search?q=gardens")).body.decode()


async def test_only_web_links_are_links(visitor: Visitor) -> None:
    record = await visitor.get(f"/records/{ident(MANY + 2)}")
    assert record.page.xpath("//dd/a/@href") == ["https://example.org/a"]
    assert "javascript:alert(1)" in record.text


async def test_bad_parameters_are_refused_with_the_reason(visitor: Visitor) -> None:
    too_many = "&".join(f"kind={n}" for n in range(21))
    wrong = (
        "page=0", "page=x", "page=501", "page=-1", "page=1e3", "page=%D9%A1", "sort=junk", "field=junk", "limit=0",
        "limit=101", "q=" + "a" * 501, "q=%00", "kind=" + "a" * 201, "library=%1b", "year=x", too_many,
    )  # fmt: skip
    for arguments in wrong:
        for path in ("/search", "/api/search"):
            refused = await visitor.get(f"{path}?{arguments}")
            assert refused.status == 400, (path, arguments)
    problem = await visitor.json("/api/search?page=x")
    assert problem["status"] == 400 and problem["detail"].startswith("page must be a whole number")
    assert "no parameter 'junk'" in (await visitor.json("/api/search?junk=1"))["detail"]
    assert (await visitor.get("/search?utm_source=mail")).status == 200


async def test_errors_are_pages_for_people_and_problems_for_programs(visitor: Visitor) -> None:
    page = await visitor.get("/records/CN-NODE.zzzzzz?lang=en")
    assert page.status == 404 and "There is no record CN-NODE.zzzzzz here." in page.text
    assert page.headers["X-Request-Id"] in page.text
    for path in ("/nowhere", "/static/../app.py", "/static/app.py"):
        assert (await visitor.get(path)).status == 404, path
    problem = await visitor.json("/api/nowhere")
    assert problem["status"] == 404 and problem["instance"].startswith("urn:tianlu:request:")
    async with visitor.session.post(visitor.address + "/search") as refused:
        assert refused.status == 405 and refused.headers["Allow"] == "GET,HEAD"


async def test_every_answer_carries_the_security_headers(visitor: Visitor) -> None:
    for path in ("/", "/search", "/nowhere", "/api/search", "/oai", "/static/tianlu.css", "/health"):
        headers = (await visitor.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"


async def test_pages_have_what_assistive_programs_need(visitor: Visitor) -> None:
    for lang in texts.LANGUAGES:
        for path in ("/", "/search?q=gardens", f"/records/{ident(1)}", f"/records/{ident(1)}?view=marc", "/libraries",
                     "/network", "/about", "/api", "/nowhere"):  # fmt: skip
            page = (await visitor.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")).page
            where = f"{path} {lang}"
            assert page.get("lang") == {"zh": "zh-Hans", "en": "en"}[lang], where
            assert len(page.findall(".//h1")) == len(page.findall(".//main")) == 1, where
            assert page.findtext(".//title"), where
            ids = page.xpath("//@id")
            assert len(ids) == len(set(ids)), where
            for control in page.xpath("//input[not(@type='hidden')] | //select"):
                assert page.xpath(f"//label[@for='{control.get('id')}']"), where
            assert not page.xpath("//img[not(@alt)]") and not page.xpath("//a[not(@href)]"), where
            assert not page.xpath("//script | //style | //@style | //@*[starts-with(name(), 'on')]"), where
            assert page.xpath("//body/a[1]/@href") == ["#main"], where


async def test_the_interface_answers_as_its_document_says(visitor: Visitor) -> None:
    document = await visitor.json("/api/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {route.path for route in routes.ROUTES if route.answer}
    fits(await visitor.json("/api/search?q=gardens&library=CN-HKS&limit=5"), schemas.RESULTS)
    fits(await visitor.json("/api/scopes?q=gardens&library=CN-HKS"), schemas.SCOPES)
    fits(await visitor.json(f"/api/records/{ident(1)}"), schemas.RECORD)
    has = await visitor.json(f"/api/records/{ident(1)}/held?year=1999&issue=3")
    fits(has, schemas.HELD)
    assert has["id"] == ident(1) and has["libraries"]
    fits(await visitor.json("/api/libraries"), schemas.LIBRARIES)
    fits(await visitor.json("/api/network"), schemas.NETWORK)
    fits(await visitor.json("/health"), schemas.HEALTH)
    found = await visitor.json("/api/search?q=gardens&library=CN-HKS&limit=5")
    assert (found["total"], found["pages"], len(found["hits"])) == (15, 3, 5)
    held = (await visitor.json(f"/api/records/{ident(1)}"))["holdings"]
    assert [(each["library"], each["item"], each["source"]) for each in held] == [
        ("CN-SZL", "S1", "cn-szl"), ("CN-TJU", "T1", "cn-tju"), ("CN-TJU", "T2", "cn-tju"),
    ]  # fmt: skip


def test_both_languages_say_the_same_things() -> None:
    for key, said in texts.TEXTS.items():
        assert set(said) == set(texts.LANGUAGES) and all(said.values()), key
        slots = {tuple(sorted(re.findall(r"{(\w+)}", text))) for text in said.values()}
        assert len(slots) == 1, key


def test_every_template_escapes() -> None:
    templates = Path(routes.__file__).parent / "templates"
    assert not [path.name for path in templates.iterdir() if re.search(r"\|\s*safe|autoescape", path.read_text())]
    assert etree.parse(templates.parent / "static" / "seal.svg").getroot() is not None
