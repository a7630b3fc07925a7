"""The network page and its twin for programs: who the peers are, what flows, how far behind, and what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from lxml import html

from catalog import peers
from catalog.peers import PeerNo
from node.web import schemas
from tests import network
from tests.network import Stand
from tests.postgres import Postgres
from tests.schema import fits

TROUBLE = "the line is cut <b>somewhere</b>"


@pytest_asyncio.fixture
async def domain(server: Postgres) -> AsyncIterator[Stand]:
    """A domain between a centre and a library's node. Nothing flows by itself."""
    async with (
        network.standing(server, "CN-C", tier="central", name="国家中心") as centre,
        network.standing(server, "CN-GD", tier="domain", name="岭南文献中心") as middle,
        network.standing(server, "CN-SZL", name="深圳图书馆") as leaf,
    ):
        await network.joined(middle, centre)
        await network.joined(leaf, middle)
        async with middle.database.connection() as conn:
            await conn.execute("insert into library (symbol, name) values ('CN-SZU', '深圳大学图书馆')")
        yield middle


async def read(stand: Stand, path: str) -> html.HtmlElement:
    async with stand.session.get(stand.address + path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200
        return html.fromstring(await answer.text())


def rows(page: html.HtmlElement, heading: str) -> list[list[str]]:
    found = page.xpath(f"//table[@aria-labelledby='{heading}']/tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in found]


async def asked(stand: Stand) -> Any:
    async with stand.session.get(f"{stand.address}api/network") as answer:
        told = await answer.json()
    fits(told, schemas.NETWORK)
    return told


async def peer(stand: Stand, symbol: str) -> PeerNo:
    async with stand.database.connection() as conn:
        return (await peers.get(conn, symbol)).no


async def test_page_names_nodes_libraries_and_streams(domain: Stand) -> None:
    page = await read(domain, "network?lang=zh")
    assert [each[:3] for each in rows(page, "nodes")] == [
        ["岭南文献中心 CN-GD", "本节点", "深圳大学图书馆"],
        ["国家中心 CN-C", "上级", ""],
        ["深圳图书馆 CN-SZL", "下级", ""],
    ]  # fmt: skip
    streams = [each[0] for each in rows(page, "streams")]
    assert streams[0] == "岭南文献中心 → 国家中心"
    assert set(streams) == {
        "岭南文献中心 → 国家中心", "国家中心 → 岭南文献中心", "深圳图书馆 → 岭南文献中心", "岭南文献中心 → 深圳图书馆",
    }  # fmt: skip
    english = await read(domain, "network?lang=en")
    assert [each[1] for each in rows(english, "nodes")] == ["This node", "Parent", "Child"]


async def test_trouble_silence_and_suspension_are_shown(domain: Stand) -> None:
    async with domain.database.transaction() as conn:
        await peers.failed(conn, await peer(domain, "CN-C"), TROUBLE)
        await conn.execute("update peer set seen_at = now() - interval '2 hours' where symbol = 'CN-SZL'")
    told = await asked(domain)
    states = {(each["from"], each["to"]): each["state"] for each in told["streams"] if each["channel"] == "clusters"}
    assert states == {
        ("CN-GD", "CN-C"): "trouble", ("CN-C", "CN-GD"): "trouble",
        ("CN-SZL", "CN-GD"): "silent", ("CN-GD", "CN-SZL"): "silent",
    }  # fmt: skip
    page = await read(domain, "network?lang=en")
    nodes = rows(page, "nodes")
    assert nodes[1][-1] == "In trouble the last exchange failed; tianlu peer list says why"
    for path in ("network", "api/network"):  # everybody reads them, and the words may be another node's
        async with domain.session.get(domain.address + path) as answer:
            assert "the line is cut" not in await answer.text()
    assert nodes[2][3] == "2 h ago"

    await domain.set_state("CN-SZL", "suspended")
    told = await asked(domain)
    assert "CN-SZL" not in {each["from"] for each in told["streams"]}
    assert rows(await read(domain, "network?lang=en"), "nodes")[2][-1] == "Suspended"


async def test_what_is_published_is_behind_until_it_is_told(domain: Stand) -> None:
    async with domain.database.transaction() as conn:
        await conn.execute("update feed set last = last + 7 where name = 'clusters'")
    streams = {(each["from"], each["to"], each["channel"]): each for each in (await asked(domain))["streams"]}
    upward = streams["CN-GD", "CN-C", "clusters"]
    assert (upward["records"], upward["behind"], upward["state"]) == (0, 7, "flowing")
    assert streams["CN-C", "CN-GD", "clusters"]["behind"] is None


async def test_page_refreshes_itself_only_when_asked(domain: Stand) -> None:
    still = await read(domain, "network?lang=en")
    assert not still.xpath("//meta[@http-equiv]")
    live = await read(domain, still.xpath("//p[@class='refresh']/a/@href")[0].lstrip("/"))
    assert live.xpath("//meta[@http-equiv='refresh']/@content") == ["5"]
    assert live.xpath("//p[@class='refresh']/a/@href") == ["/network"]
    for wrong in ("0", "-1", "x", "99999", "٣", "9" * 5000):
        async with domain.session.get(domain.address + "network", params={"every": wrong}) as answer:
            assert answer.status == 400, wrong


async def test_node_without_peers_says_how_to_get_some(server: Postgres) -> None:
    async with network.standing(server, "CN-TJU") as alone:
        page = await read(alone, "network?lang=en")
        assert "tianlu join" in page.text_content()
        assert (await asked(alone))["streams"] == []
