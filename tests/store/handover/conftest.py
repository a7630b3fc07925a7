"""A domain that hosts a library, and the node that it is to have: real databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from exchange import running
from tests import moving
from tests.moving import SZU, Living
from tests.postgres import Postgres


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that look for news more often than real ones, so that nobody waits for them."""
    monkeypatch.setattr(running, "LOOK", 0.05)
    monkeypatch.setattr(running, "PAUSE", 0.05)


@pytest_asyncio.fixture
async def domain(server: Postgres) -> AsyncIterator[Living]:
    async with moving.node(server, "CN-GD", tier="domain") as living:
        await living.host(SZU)
        yield living


@pytest_asyncio.fixture
async def own(server: Postgres) -> AsyncIterator[Living]:
    async with moving.node(server, SZU.symbol) as living:
        yield living
