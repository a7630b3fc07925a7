"""How far a reader looks: the scope bar over three nodes, each with its database, index and socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, CookieJar
from lxml import html

from catalog import received
from catalog.model import cluster_id
from catalog.received import Received
from node.web import schemas
from services.discovery import wide
from tests import terminal
from tests import tiers as cast
from tests.postgres import Postgres
from tests.schema import fits
from tests.tiers import Running


@pytest_asyncio.fixture
async def tiers(server: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Running, Running, Running]]:
    async with cast.up(server, tmp_path) as nodes:
        yield nodes


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes nobody late."""
    monkeypatch.setattr(wide, "DEADLINE", 30.0)


@pytest_asyncio.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as opened:
        yield opened


async def page(session: ClientSession, address: str) -> html.HtmlElement:
    async with session.get(address, headers={"Accept": "text/html"}) as got:
        assert got.status == 200, await got.text()
        return html.fromstring(await got.text())


async def ask(session: ClientSession, address: str, status: int = 200) -> Any:
    async with session.get(address) as got:
        assert got.status == status, await got.text()
        return await got.json(content_type=None)


def bar(shown: html.HtmlElement) -> list[tuple[str, str]]:
    """(text, address) of each level."""
    links = shown.xpath("//nav[@class='scopes']//a")
    return [(" ".join(each.text_content().split()), each.get("href")) for each in links]


def current(shown: html.HtmlElement) -> str:
    return " ".join(shown.xpath("string(//nav[@class='scopes']//a[@aria-current])").split())


def titles(shown: html.HtmlElement) -> list[str]:
    return sorted(each.text_content()[:8] for each in shown.xpath("//ol[@class='hits']//h2/a"))


def counts(told: Any) -> list[tuple[str, int | None]]:
    return [(each["scope"], each["count"]) for each in told["scopes"]]


Tiers = tuple[Running, Running, Running]


async def test_a_librarys_node_shows_every_level_and_each_leads_to_as_many_titles(
    tiers: Tiers, session: ClientSession
) -> None:
    leaf, _, _ = tiers
    shown = await page(session, f"{leaf.address}/search?q=garden&lang=zh")
    levels = bar(shown)
    assert [text for text, _ in levels] == [
        "本馆 深圳图书馆 2 种", "本市 深圳 3 种", "本省 岭南文献中心 4 种", "全国 国家书目中心 5 种",
    ]  # fmt: skip
    assert current(shown) == levels[0][0]
    for (text, link), wanted in zip(levels, ([1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]), strict=True):
        there = await page(session, leaf.address + link)
        assert current(there) == text and [text for text, _ in bar(there)] == [text for text, _ in levels]
        assert titles(there) == [f"Garden {n}" for n in wanted]
        assert f"共 {len(wanted)} 种" in there.text_content()
        assert not there.xpath("//p[@class='notice']")


async def test_a_parents_titles_lead_to_its_pages_and_say_what_this_library_holds(
    tiers: Tiers, session: ClientSession
) -> None:
    leaf, domain, centre = tiers
    for scope, parent in (("city", domain), ("province", domain), ("nation", centre)):
        shown = await page(session, f"{leaf.address}/search?q=garden&scope={scope}&sort=title&lang=en")
        marked = {
            each.xpath("string(.//h2/a)"): bool(each.xpath(".//span[contains(@class, 'held')]"))
            for each in shown.xpath("//ol[@class='hits']//article")
        }
        assert {title for title, held in marked.items() if held} == {"Garden 1", "Garden 2"}
        said = shown.xpath("string(//p[@class='origin'])")
        assert said.startswith(f"These titles are of the catalogue of “{parent.who.name}”")
        link = shown.xpath("//ol[@class='hits']//h2/a[.='Garden 3']/@href")[0]
        assert link == f"{parent.address}/records/{cluster_id(parent.who.symbol, parent.numbers[3])}"
        assert "Garden 3" in (await page(session, link)).xpath("string(//h1)")


async def test_programs_get_the_same_levels_with_the_search_and_alone(tiers: Tiers, session: ClientSession) -> None:
    leaf, _, centre = tiers
    wanted = [("library", 2), ("city", 3), ("province", 4), ("nation", 5)]
    told = await ask(session, f"{leaf.address}/api/scopes?q=garden")
    fits(told, schemas.SCOPES)
    assert counts(told) == wanted and (told["scope"], told["from"]) == ("library", "CN-SZL")
    assert [each["node"] for each in told["scopes"]] == ["", "CN-GD", "CN-GD", "CN-GD"]
    for scope, count in wanted:
        told = await ask(session, f"{leaf.address}/api/search?q=garden&scope={scope}")
        fits(told, schemas.RESULTS)
        assert counts(told) == wanted
        assert (told["scope"], told["total"], len(told["hits"]), told["complete"]) == (scope, count, count, True)
    assert {each["url"].partition("/records/")[0] for each in told["hits"]} == {centre.address}
    assert sorted(each["title"] for each in told["hits"] if each["held"]) == ["Garden 1", "Garden 2"]
    assert {"value": "CN-TJU", "label": "天津大学图书馆", "count": 2} in told["facets"]["library"]


def searches(leaf: Running, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`tianlu search` at the node, in another process."""
    secret = home / "dsn"
    secret.write_text(leaf.database.dsn, encoding="utf-8")
    told = (("symbol", leaf.who.symbol), ("tier", leaf.who.tier), ("name", leaf.who.name))
    lines = ["[node]", *(f'{name} = "{value}"' for name, value in told), "[database]", f'dsn_file = "{secret}"']
    (home / "tianlu.toml").write_text("\n".join(lines), encoding="utf-8")
    return terminal.says("--home", str(home), "search", "garden", *words)


async def test_the_command_line_searches_every_level_too(tiers: Tiers, tmp_path: Path) -> None:
    leaf, domain, _ = tiers
    home = tmp_path / leaf.who.symbol
    for scope, count in (("library", 2), ("nation", 5)):
        done = await asyncio.to_thread(searches, leaf, home, "--scope", scope, "--json")
        assert done.returncode == 0, done.stderr
        assert len({json.loads(line)["title"] for line in done.stdout.splitlines()}) == count
        assert "city 深圳 3 > province 岭南文献中心 4 > nation 国家书目中心 5" in done.stderr
    done = await asyncio.to_thread(searches, leaf, home, "--scope", "nowhere")
    assert (done.returncode, "nowhere" in done.stderr) == (1, True)
    async with leaf.database.connection() as conn:
        await conn.execute("update peer set address = 'http://127.0.0.1:9/'")
    done = await asyncio.to_thread(searches, leaf, home, "--scope", "province", "--lang", "en")
    assert done.returncode == 4 and "Garden 1" in done.stdout
    assert domain.who.name in done.stderr and "can't be reached at the moment" in done.stderr


async def test_counts_follow_the_filters_and_paging_goes_through_a_parents_titles(
    tiers: Tiers, session: ClientSession
) -> None:
    leaf, _, _ = tiers
    told = await ask(
        session, f"{leaf.address}/api/search?q=garden&scope=nation&year=1992-1995&limit=1&page=2&sort=title"
    )
    assert counts(told) == [("library", 1), ("city", 2), ("province", 3), ("nation", 4)]
    assert (told["total"], told["pages"], [each["title"] for each in told["hits"]]) == (4, 4, ["Garden 3"])
    narrowed = await page(session, f"{leaf.address}/search?q=garden&scope=nation&lang=en")
    facet = narrowed.xpath("//section[h3='Library']//a[contains(., '天津')]/@href")[0]
    inside = await page(session, leaf.address + facet)
    assert titles(inside) == ["Garden 2", "Garden 5"] and "2 titles" in current(inside)
    assert inside.xpath("//ol[@class='hits']//span[contains(@class, 'held')]")  # still seen from our library
    form = dict(inside.forms[0].form_values())
    assert (form["scope"], form["from"], form["library"]) == ("nation", "CN-SZL", "CN-TJU")


async def test_a_domain_widens_from_the_library_that_is_chosen(tiers: Tiers, session: ClientSession) -> None:
    _, domain, _ = tiers
    told = await ask(session, f"{domain.address}/api/scopes?q=garden")
    assert counts(told) == [("province", 4), ("nation", 5)] and told["from"] == ""
    chosen = await page(session, f"{domain.address}/search?q=garden&library=CN-SZU&lang=en")
    levels = bar(chosen)
    assert [text for text, _ in levels] == [
        "Library 深圳大学图书馆 2 titles",
        "City 深圳市 3 titles",
        "Province 岭南文献中心 4 titles",
        "Nation 国家书目中心 5 titles",
    ]
    assert current(chosen) == levels[0][0]
    for text, link in levels:
        there = await page(session, domain.address + link)
        assert current(there) == text and [each for each, _ in bar(there)] == [each for each, _ in levels]
    # A library beside a scope is where one looks from; with `from` it is a filter.
    for address, total in (("scope=city&library=CN-SZU", 3), ("scope=city&from=CN-SZU&library=CN-SZL", 2)):
        assert (await ask(session, f"{domain.address}/api/search?q=garden&{address}"))["total"] == total


async def test_levels_without_other_libraries_are_left_out(tiers: Tiers, session: ClientSession) -> None:
    leaf, domain, centre = tiers
    told = await ask(session, f"{domain.address}/api/scopes?q=garden&library=CN-GZL")
    assert counts(told) == [("library", 1), ("province", 4), ("nation", 5)]  # the only one of its city
    told = await ask(session, f"{centre.address}/api/scopes?q=garden&library=CN-SZU")
    assert counts(told) == [("library", 2), ("city", 3), ("province", 4), ("nation", 5)]  # a province by area
    told = await ask(session, f"{centre.address}/api/scopes?q=garden&library=CN-TJU")
    assert counts(told) == [("library", 2), ("nation", 5)]
    assert bar(await page(session, f"{centre.address}/search?q=garden")) == []  # nothing to choose
    refused = await ask(session, f"{leaf.address}/api/search?q=garden&scope=CN-NONE", 404)
    assert "There is no scope 'CN-NONE' here" in refused["detail"]
    await ask(session, f"{leaf.address}/api/search?q=garden&scope=a/b", 400)


async def test_an_alliance_is_a_level_of_its_own(
    tiers: Tiers, session: ClientSession, server: Postgres, tmp_path: Path
) -> None:
    leaf, _, _ = tiers
    club = cast.Who(symbol="CN-MED", tier="domain", name="医学联盟", has=("CN-SZL", "CN-TJU"))
    async with cast.node(server, tmp_path, club) as alliance:
        await cast.join(leaf, "CN-MED", club.name, alliance.address, "membership")
        shown = await page(session, f"{leaf.address}/search?q=garden&lang=zh")
        assert [text for text, _ in bar(shown)][2:] == [
            "本省 岭南文献中心 4 种", "联盟 医学联盟 3 种", "全国 国家书目中心 5 种",
        ]  # fmt: skip
        there = await page(session, leaf.address + {text[:2]: link for text, link in bar(shown)}["联盟"])
        assert titles(there) == ["Garden 1", "Garden 2", "Garden 5"] and current(there).startswith("联盟")
        assert there.xpath("//h2/a[starts-with(., 'Garden 5')]/@href")[0].startswith(alliance.address)


async def test_a_record_says_who_else_holds_it_by_the_parents_account(tiers: Tiers, session: ClientSession) -> None:
    leaf, domain, _ = tiers
    ours, theirs = leaf.numbers[2], cluster_id("CN-GD", domain.numbers[2])
    async with leaf.database.connection() as conn:
        peer = await conn.fetchval("select peer from peer")
        held = ("CN-SZL", "CN-SZU", "CN-TJU")
        version = Received(id=theirs, payload=b"x", libraries=held, clusters=(ours,))
        await received.put(conn, peer, [version])
    ident = cluster_id("CN-SZL", ours)
    shown = await page(session, f"{leaf.address}/records/{ident}?lang=zh")
    part = shown.xpath("//div[@class='elsewhere']")[0]
    assert part.xpath("string(h3)") == "岭南文献中心：另有 2 馆收藏"
    assert part.xpath("string(p[1])") == "深圳大学图书馆 · 天津大学图书馆"
    assert part.xpath(".//a/@href") == [f"{domain.address}/records/{theirs}"]
    told = await ask(session, f"{leaf.address}/api/records/{ident}")
    fits(told, schemas.RECORD)
    assert told["elsewhere"][0]["libraries"] == ["CN-SZU", "CN-TJU"]
    other = await page(session, f"{leaf.address}/records/{cluster_id('CN-SZL', leaf.numbers[1])}")
    assert not other.xpath("//div[@class='elsewhere']")


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_bar_is_a_list_of_plain_links_with_a_name(tiers: Tiers, session: ClientSession, lang: str) -> None:
    leaf, _, _ = tiers
    shown = await page(session, f"{leaf.address}/search?q=garden&lang={lang}")
    nav = shown.xpath("//nav[@class='scopes']")[0]
    assert nav.get("aria-label") == {"zh": "检索范围", "en": "Search within"}[lang]
    assert len(nav.xpath("./ul/li/a[@href]")) == 4 and len(nav.xpath(".//a[@aria-current='true']")) == 1
