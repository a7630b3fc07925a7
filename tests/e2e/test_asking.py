"""Parents that are slow, dead, hostile or in a circle: the own part is shown in any case, and in time."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer, unused_port

from node.web import asking
from services.discovery import wide
from tests import tiers as cast
from tests.e2e.test_scopes import ask, bar, counts, current, page, titles
from tests.postgres import Postgres
from tests.tiers import LEAF, Running

GOOD: dict[str, Any] = {
    "scope": "province",
    "scopes": [
        {"scope": "province", "kind": "province", "name": "岭南文献中心", "count": 9},
        {"scope": "nation", "kind": "nation", "name": "国家书目中心", "count": 99, "unknown": ["to us"]},
    ],
    "total": 1,
    "hits": [{"id": "CN-GD.000001", "url": "https://gd.example/records/CN-GD.000001", "title": "Far garden"}],
    "facets": {},
}
PATIENCE = 30  # seconds for what takes none
OWN = ["Garden 1", "Garden 2"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest_asyncio.fixture
async def leaf(server: Postgres, tmp_path: Path) -> AsyncIterator[Running]:
    """A library's node without parents."""
    async with cast.node(server, tmp_path, LEAF) as running:
        yield running


@pytest_asyncio.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes nobody late, but where the deadline is what is tested."""
    assert wide.DEADLINE == 2.0
    monkeypatch.setattr(wide, "DEADLINE", PATIENCE)


@contextlib.asynccontextmanager
async def parent(leaf: Running, handler: Handler) -> AsyncIterator[str]:
    """The uplink of the leaf, which answers everything by `handler`."""
    made = web.Application()
    made.router.add_get("/{path:.*}", handler)
    async with TestServer(made) as running:
        address = str(running.make_url("/")).rstrip("/")
        await cast.join(leaf, "CN-GD", "岭南文献中心", address)
        yield address


def says(told: object) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(told)

    return handler


def notice(shown: Any) -> str:
    return " ".join(shown.xpath("string(//p[@class='notice'])").split())


async def test_a_slow_parent_is_said_to_be_late_after_two_seconds(
    leaf: Running, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide, "DEADLINE", 2.0)
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        raise AssertionError

    async with parent(leaf, silent):
        began = time.monotonic()
        shown = await page(session, f"{leaf.address}/search?q=garden&scope=nation&lang=en")
        spent = time.monotonic() - began
        assert asked.is_set() and wide.DEADLINE <= spent < wide.DEADLINE + 5.0
        assert titles(shown) == OWN
        assert notice(shown) == (
            "Nation did not answer in time: these are only the titles that this site holds, not all of that level."
        )
        assert current(shown) == "Nation late"
        assert bar(shown)[0][0] == "Library 深圳图书馆 2 titles"
        await asyncio.wait_for(gone.wait(), PATIENCE)  # the question is taken back
        zh = await page(session, f"{leaf.address}/search?q=garden&scope=province&lang=zh")
        assert titles(zh) == OWN and "没有及时回应：以下只是本站所藏的部分" in notice(zh)
        # Late twice: it rests, and the next page waits for nothing.
        asked.clear()
        told = await ask(session, f"{leaf.address}/api/search?q=garden&scope=province")
        assert not asked.is_set() and not told["complete"] and told["total"] == 2
        assert [each["state"] for each in told["scopes"]] == ["known", "late"]


async def test_a_parent_that_dribbles_is_cut_off_too(
    leaf: Running, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide, "DEADLINE", 0.4)
    begun = asyncio.Event()

    async def dribble(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"scope": "nation", ')
        begun.set()
        await asyncio.Event().wait()
        return response

    async with parent(leaf, dribble):
        told = await ask(session, f"{leaf.address}/api/scopes?q=garden")
        assert begun.is_set() and counts(told) == [("library", 2), ("province", None)]
        assert told["scopes"][1] | {"node": ""} == {
            "scope": "province", "kind": "province", "name": "岭南文献中心", "node": "", "count": None, "state": "late",
        }  # fmt: skip


async def test_a_dead_parent_is_said_to_be_unreachable(leaf: Running, session: ClientSession) -> None:
    await cast.join(leaf, "CN-GD", "岭南文献中心", f"http://127.0.0.1:{unused_port()}")
    shown = await page(session, f"{leaf.address}/search?q=garden&lang=zh")
    assert titles(shown) == OWN
    assert [text for text, _ in bar(shown)] == ["本馆 深圳图书馆 2 种", "本省 岭南文献中心 联系不上"]
    assert notice(shown) == "暂时联系不上，暂无数字：本省。"
    wider = await page(session, leaf.address + bar(shown)[1][1] + "&lang=en")
    assert titles(wider) == OWN and "can't be reached at the moment: these are only the titles" in notice(wider)


@pytest.mark.parametrize(
    "address",
    [
        "http://[",
        "ftp://gd.example",
        "http://exa mple",
        "http:/",
        "gd.example",
        "http://xn--",
        "http://127.0.0.1:99999",
    ],
)
async def test_an_address_that_is_none_is_unreachable(leaf: Running, session: ClientSession, address: str) -> None:
    await cast.join(leaf, "CN-GD", "岭南文献中心", address)
    told = await ask(session, f"{leaf.address}/api/search?q=garden&scope=nation")
    assert not told["complete"] and sorted(each["title"] for each in told["hits"]) == OWN


async def test_a_suspended_parent_is_not_asked(leaf: Running, session: ClientSession) -> None:
    async with parent(leaf, says(GOOD)):
        async with leaf.database.connection() as conn:
            await conn.execute("update peer set state = 'suspended'")
        assert counts(await ask(session, f"{leaf.address}/api/scopes?q=garden")) == [("library", 2)]


async def moved(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("https://elsewhere.example/")


async def packed(_: web.Request) -> web.StreamResponse:
    body = gzip.compress(json.dumps(GOOD).encode())
    return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


def body(told: bytes, status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=told, status=status)

    return handler


BAD = {
    "page": body(b"<!doctype html><title>Welcome</title>"),
    "empty": body(b""),
    "noise": body(bytes(range(256)) * 40),
    "deep": body(b'{"scope":' + b"[" * 100_000),
    "other": says({"scope": "nation"}),
    "wrong types": says(GOOD | {"hits": [{"id": 1, "url": None, "title": []}]}),
    "negative": says(GOOD | {"total": -1}),
    "many hits": says(GOOD | {"hits": GOOD["hits"] * 101}),
    "strange level": says(GOOD | {"scopes": [{"scope": "x" * 100, "kind": "nation"}]}),
    "no such level": says(GOOD | {"scopes": GOOD["scopes"][:1]}),
    "error": body(b"{}", 500),
    "refusal": body(b"{}", 403),
    "redirect": moved,
    "compressed": packed,
}


@pytest.mark.parametrize("handler", BAD.values(), ids=BAD)
async def test_what_is_no_answer_is_not_taken_for_one(leaf: Running, session: ClientSession, handler: Handler) -> None:
    async with parent(leaf, handler):
        told = await ask(session, f"{leaf.address}/api/search?q=garden&scope=nation")
        assert not told["complete"] and sorted(each["title"] for each in told["hits"]) == OWN
        assert {each["state"] for each in told["scopes"] if each["node"]} == {"unreachable"}
        assert titles(await page(session, f"{leaf.address}/search?q=garden")) == OWN


async def test_ten_megabytes_are_not_read(leaf: Running, session: ClientSession) -> None:
    cut = asyncio.get_running_loop().create_future()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        sent = 0
        try:
            for _ in range(1_000):
                await response.write(b" " * 10_000)
                sent += 10_000
        except ConnectionError:
            pass
        finally:
            cut.set_result(sent)
        return response

    async with parent(leaf, endless):
        told = await ask(session, f"{leaf.address}/api/search?q=garden&scope=nation")
        assert not told["complete"] and told["total"] == 2
        assert await asyncio.wait_for(cut, PATIENCE) < 8_000_000  # a few more lie in the sockets' buffers


async def test_a_hostile_parents_addresses_and_texts_stay_texts(leaf: Running, session: ClientSession) -> None:
    hits = [
        {"id": "a", "url": "javascript:alert(1)", "title": "<script>alert(1)</script>"},
        {"id": "b", "url": "https://ok.example/", "title": "Fine", "libraries": ["<b>"], "kind": "<i>"},
    ]
    levels = [{"scope": "nation", "kind": "nation", "name": "<img src=x>", "count": 2}]
    async with parent(leaf, says(GOOD | {"scope": "nation", "hits": hits, "scopes": levels})):
        shown = await page(session, f"{leaf.address}/search?q=garden&scope=nation")
        assert not shown.xpath("//script | //b | //i | //nav//img")
        assert shown.xpath("//ol[@class='hits']//h2/a/@href") == ["https://ok.example/"]
        told = await ask(session, f"{leaf.address}/api/search?q=garden&scope=nation")
        assert [each["url"] for each in told["hits"]] == ["", "https://ok.example/"]


async def test_the_question_says_what_time_and_how_many_nodes_are_left(leaf: Running, session: ClientSession) -> None:
    seen: list[web.Request] = []

    async def noted(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.json_response(GOOD)

    async with parent(leaf, noted):
        address = f"{leaf.address}/api/search?q=garden&scope=nation&kind=map&sort=newest&limit=7"
        await ask(session, address)
        assert seen[0].path == "/api/search" and dict(seen[0].query) == {
            "q": "garden", "field": "any", "kind": "map", "from": "CN-SZL", "scope": "nation", "sort": "newest",
            "page": "1", "limit": "7",
        }  # fmt: skip
        assert seen[0].headers[asking.HOPS] == "1" and 0 < int(seen[0].headers[asking.LEFT]) <= PATIENCE * 1000
        async with session.get(address + "&page=2", headers={asking.HOPS: "2", asking.LEFT: "9000"}) as got:
            assert (await got.json())["complete"]
        assert (
            seen[1].headers[asking.HOPS] == "3" and 0 < int(seen[1].headers[asking.LEFT]) <= 9_000 - wide.MARGIN * 1000
        )
        # Three nodes have passed it on, or there is no time left: it goes no further.
        for headers in ({asking.HOPS: "3"}, {asking.HOPS: "1", asking.LEFT: "50"}):
            async with session.get(address + "&page=3", headers=headers) as got:
                told = await got.json()
            assert not told["complete"] and told["total"] == 0
        assert len(seen) == 2


async def test_nodes_that_are_each_others_parents_answer_all_the_same(leaf: Running, session: ClientSession) -> None:
    """A circle is a mistake of operators; the question goes three nodes far and ends."""
    await cast.join(leaf, "CN-GD", "自己", leaf.address)
    told = await ask(session, f"{leaf.address}/api/search?q=garden&scope=nation")
    assert sorted(each["title"] for each in told["hits"]) == OWN and not told["complete"]
    assert titles(await page(session, f"{leaf.address}/search?q=garden")) == OWN


async def test_equal_questions_share_one_request_and_others_are_limited(leaf: Running, session: ClientSession) -> None:
    opened, full = asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def held(request: web.Request) -> web.StreamResponse:
        asked.append(request.query["q"])
        if len(asked) == asking.MOST_AT_ONCE:
            full.set()
        await opened.wait()
        return web.json_response(GOOD)

    async with parent(leaf, held):
        same = [asyncio.create_task(ask(session, f"{leaf.address}/api/scopes?q=garden")) for _ in range(20)]
        others = [asyncio.create_task(ask(session, f"{leaf.address}/api/scopes?q=garden+{n}")) for n in range(20)]
        await asyncio.wait_for(full.wait(), PATIENCE)
        # What is beyond the limit is answered at once, without the parent's part, while the others wait.
        refused = [await early for early in itertools.islice(asyncio.as_completed([*same, *others]), 12)]
        assert {each["scopes"][-1]["state"] for each in refused} == {"late"}
        assert len(asked) == len(set(asked)) == asking.MOST_AT_ONCE
        opened.set()
        told = await asyncio.gather(*same, *others)
        assert counts(next(each for each in told if each["query"] == asked[0]))[1:] == [("province", 9), ("nation", 99)]
        before = len(asked)
        await ask(session, f"{leaf.address}/api/scopes?q={asked[0].replace(' ', '+')}")
        assert len(asked) == before  # it is kept for some seconds


async def test_whoever_waits_for_a_parent_holds_no_connection(leaf: Running, session: ClientSession) -> None:
    opened, asked = asyncio.Event(), asyncio.Event()

    async def held(_: web.Request) -> web.StreamResponse:
        asked.set()
        await opened.wait()
        return web.json_response(GOOD)

    async with parent(leaf, held):
        crowd = 2 * leaf.database.pool.get_max_size()
        waiting = [asyncio.create_task(ask(session, f"{leaf.address}/api/scopes?q=garden")) for _ in range(crowd)]
        await asyncio.wait_for(asked.wait(), PATIENCE)
        told = await asyncio.wait_for(ask(session, f"{leaf.address}/api/libraries"), PATIENCE / 2)
        assert told["libraries"] and not any(each.done() for each in waiting)
        opened.set()
        assert {tuple(counts(each)) for each in await asyncio.gather(*waiting)} == {
            (("library", 2), ("province", 9), ("nation", 99))
        }


async def test_levels_are_remembered_while_the_parent_is_away(leaf: Running, session: ClientSession) -> None:
    well = True

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(GOOD, status=200 if well else 503)

    async with parent(leaf, handler):
        assert counts(await ask(session, f"{leaf.address}/api/scopes?q=garden"))[1:] == [
            ("province", 9),
            ("nation", 99),
        ]
        well = False
        told = await ask(session, f"{leaf.address}/api/scopes?q=other")
        assert [(each["scope"], each["name"], each["count"], each["state"]) for each in told["scopes"][1:]] == [
            ("province", "岭南文献中心", None, "unreachable"), ("nation", "国家书目中心", None, "unreachable"),
        ]  # fmt: skip


async def test_a_middle_node_says_that_its_parent_is_late(
    leaf: Running, session: ClientSession, server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leaf gets the domain's part in time although the centre never answers."""
    monkeypatch.setattr(wide, "DEADLINE", 2.0)
    monkeypatch.setattr(wide, "MARGIN", 1.0)  # a busy machine makes the domain no later than the centre
    never = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.json_response({})

    made = web.Application()
    made.router.add_get("/{path:.*}", silent)
    async with cast.node(server, tmp_path, cast.DOMAIN) as domain, TestServer(made) as centre:
        await cast.join(domain, "CN-C", "国家书目中心", str(centre.make_url("/")).rstrip("/"))
        await cast.join(leaf, "CN-GD", "岭南文献中心", domain.address)
        shown = await page(session, f"{leaf.address}/search?q=garden&scope=nation&lang=zh")
        assert titles(shown) == [f"Garden {n}" for n in (1, 2, 3, 4)]
        assert notice(shown).startswith("“全国·国家书目中心”没有及时回应：以下只是")
        assert [text for text, _ in bar(shown)] == [
            "本馆 深圳图书馆 2 种", "本市 深圳 3 种", "本省 岭南文献中心 4 种", "全国 国家书目中心 未及时回应",
        ]  # fmt: skip
        never.set()
