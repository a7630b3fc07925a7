"""Where a node's own requests go: to its parents wherever they are, by its proxy if it has one, and to no metadata."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from catalog.parents import Parent
from config import settings
from config.errors import Unreachable
from node import outgoing
from node.web import asking
from protocols.http.guard import Rules
from services.discovery import ask
from tests import network
from tests.doors import PRIVATE, leads, serving, watching
from tests.network import Stand
from tests.postgres import Postgres

GOOD = {
    "scope": "nation",
    "scopes": [{"scope": "nation", "kind": "nation", "name": "国家中心", "count": 9}],
    "total": 9,
}
PATIENCE = 30.0  # seconds for what takes none


@pytest_asyncio.fixture
async def local(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "TJU") as stand:
        yield stand


@pytest_asyncio.fixture
async def centre(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "CENTRE", tier="central") as stand:
        yield stand


async def put(rules: Rules, address: str) -> ask.Told:
    """A reader's question to a parent at an address."""
    parent = Parent(symbol="CENTRE", name="国家中心", uplink=True, address=address)
    until = asyncio.get_running_loop().time() + PATIENCE
    async with asking.making(rules) as asker:
        return await asker.put(parent, "api/scopes", (("q", "garden"),), until=until, hops=1)


async def test_readers_questions_go_by_the_proxy_too(tmp_path: Path) -> None:
    seen: list[str] = []

    async def passed(request: web.Request) -> web.StreamResponse:
        seen.append(f"{request.url.host}:{request.url.port}{request.path}")
        return web.Response(body=json.dumps(GOOD).encode())

    async with serving({"/{path:.*}": passed}, PRIVATE) as proxy:
        told = settings.load(tmp_path, {"TIANLU_EXCHANGE__PROXY": proxy, "TIANLU_HTTP__ALLOW": "10.9.0.0/16 opac"})
        rules = outgoing.rules(told)
        assert rules.allow.names("opac", 80) and rules.allow.networks
        assert (await put(rules, "http://10.1.2.3:8081/")).scopes
    assert seen == ["10.1.2.3:8081/api/scopes"]


async def test_a_parent_that_redirects_into_its_network_is_unreachable() -> None:
    async with (
        watching() as there,
        serving({"/{path:.*}": leads(f"http://{PRIVATE}:{there.port}/")}, PRIVATE) as parent,
    ):
        with pytest.raises(ask.Unreachable):
            await put(Rules(), parent)
        assert await there.strangers() == 0


@pytest.mark.parametrize("address", ["http://169.254.169.254/", "http://2130706433/", "http://[fe80::1]/"])
async def test_a_code_for_a_hostile_address_joins_nobody(centre: Stand, local: Stand, address: str) -> None:
    code = await centre.invite("TJU")
    with pytest.raises(Unreachable, match=r"CENTRE can't be asked: .* is refused"):
        await local.join(dataclasses.replace(code, address=address))
    await local.join(code)  # it was not used up
