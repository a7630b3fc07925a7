"""A library moves to its own node and back, as operators see it: real processes, one of them killed on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests import builders, moving, postgres
from tests.e2e.test_exchange_cli import Operator
from tests.postgres import Postgres
from tests.terminal import free_port

COUNT = 300
PATIENCE = 120.0  # seconds for a move


@pytest_asyncio.fixture
async def operators(server: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Operator, Operator]]:
    """Of a domain that hosts a library and its records, and of the library's node to be; nothing runs."""
    async with server.fresh() as first, server.fresh() as second:
        with postgres.home() as above, postgres.home() as below:
            domain, own = Operator(above, first), Operator(below, second)
            for each, tier, symbol in ((domain, "domain", "CN-GD"), (own, "local", "SZU")):
                secret = tmp_path / symbol
                secret.write_text(each.dsn, encoding="utf-8")
                words = ("--tier", tier, "--symbol", symbol, "--port", str(free_port()), "--dsn-file", str(secret))
                each.asks("init", *words)
            domain.asks("library", "add", "SZU", "--name", "深圳大学图书馆", "--area", "广东/深圳")
            load(domain, tmp_path / "hosted.mrc", 1, COUNT)
            yield domain, own


def load(operator: Operator, file: Path, first: int, count: int, code: int = 0) -> None:
    file.write_bytes(b"".join(builders.iso2709(each) for each in moving.titles(first, count)))
    operator.asks("load", str(file), "--source", "szu", "--library", "SZU", code=code)


def held(operator: Operator) -> list[str]:
    """Call numbers of the library's copies."""
    return sorted(row["call_number"] for row in operator.asks("export", "--holdings") if row["library"] == "SZU")


async def until(operator: Operator, *states: str) -> None:
    async def there() -> bool:
        return operator.asks("handover", "list")[-1]["state"] in states

    await postgres.eventually(there, PATIENCE)


@pytest.mark.full
async def test_a_library_moves_to_its_own_node_and_back(operators: tuple[Operator, Operator], tmp_path: Path) -> None:
    domain, own = operators
    before = held(domain)
    assert len(before) == COUNT
    (invited,) = domain.asks("invite", "--symbol", "SZU")
    with domain.runs():
        (joined,) = own.asks("join", invited["code"])
        assert joined["handover"]
        with own.runs(killed=True):
            await until(own, "moving", "landing", "rising")
        with own.runs():
            own.asks("status", "--wait")
            assert own.asks("handover", "list")[-1]["state"] == "done"
            assert held(own) == held(domain) == before
            load(domain, tmp_path / "refused.mrc", 900, 1, code=5)
            load(own, tmp_path / "new.mrc", COUNT + 1, 1)
            (hosted,) = [row for row in domain.asks("library", "list") if row["symbol"] == "SZU"]
            assert hosted["name"]
            own.asks("status", "--wait")
            own.asks("handover", "give", "--to", "CN-GD")
            await until(own, "done")
            assert [row["state"] for row in domain.asks("handover", "list")] == ["done", "done"]
        assert len(held(domain)) == COUNT + 1
        load(own, tmp_path / "refused.mrc", 900, 1, code=5)
        load(domain, tmp_path / "again.mrc", 901, 1)
        assert len(held(domain)) == COUNT + 2
