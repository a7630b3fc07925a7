"""A node whose database is put back to an older state by a copy of its files: mended without an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench import feeding
from catalog.model import cluster_id
from catalog.payload import CLUSTERS
from tests import postgres
from tests.chaos import force, nodes
from tests.chaos.nodes import Couple, Node

RECORDS = 1_000
SOON = 60.0  # seconds on a busy machine


@pytest_asyncio.fixture
async def couple() -> AsyncIterator[Couple]:
    """Both run, and the parent has placed what it was told."""
    async with nodes.couple(RECORDS) as opened:
        opened.parent.start()
        opened.child.start()
        await _settled(opened)
        yield opened


async def _settled(couple: Couple) -> None:
    await postgres.eventually(couple.landed, SOON)
    await postgres.eventually(couple.placed, SOON)
    await postgres.eventually(couple.landed, SOON)


async def _backup(node: Node, folder: Path) -> None:
    await node.stop()
    node.keep(folder)
    node.start()


async def _restored(node: Node, folder: Path) -> None:
    await node.stop()
    node.restore(folder)
    node.start()


async def _epoch(node: Node) -> int:
    return int(await node.value("select epoch from feed where name = 'clusters'"))


async def _received(node: Node) -> int:
    return int(await node.value("select count(*) from received where payload <> ''"))


async def _proved(couple: Couple, alive: set[int]) -> None:
    """Both ends say the same, and the parent keeps just what stands at the child."""
    await force.equal(couple)
    told, keeps = await couple.kept()
    assert keeps == told
    assert set(told) == {cluster_id(couple.child.end.symbol, cluster) for cluster in alive}


@pytest.mark.chaos
@pytest.mark.parametrize("further", [False, True], ids=["behind its head", "beyond its former head"])
async def test_a_restored_child_is_believed_in_what_it_has_now(couple: Couple, tmp_path: Path, further: bool) -> None:
    child, alive = couple.child, set(couple.clusters)
    await _backup(child, tmp_path / "backup")
    lost = await child.fill(200)
    first, second, third = couple.clusters[:3]
    await child.publish([feeding.version(first, 7), feeding.gone(second)])
    await _settled(couple)
    await _proved(couple, (alive | set(lost)) - {second})

    before = await _epoch(child)
    await _restored(child, tmp_path / "backup")
    if further:  # than it ever was before anybody asks
        alive |= set(await child.fill(300))
    await child.publish([feeding.version(third, 9)])
    await _settled(couple)
    assert await _epoch(child) > before
    await _proved(couple, alive)


@pytest.mark.chaos
async def test_a_restored_parent_is_told_what_it_lost(couple: Couple, tmp_path: Path) -> None:
    child, parent, alive = couple.child, couple.parent, set(couple.clusters)
    await _backup(parent, tmp_path / "backup")
    alive |= set(await child.fill(200))
    first, second = couple.clusters[:2]
    await child.publish([feeding.version(first, 7), feeding.gone(second)])
    alive -= {second}
    await _settled(couple)
    received = await _received(child)

    async def all_again() -> bool:
        return await _received(child) == received

    before = await _epoch(parent)

    async def renewed() -> bool:
        return await _epoch(parent) > before

    await _restored(parent, tmp_path / "backup")
    await postgres.eventually(renewed, SOON)  # what it once told the child is known to the child alone
    await _settled(couple)
    await _proved(couple, alive)
    await postgres.eventually(all_again, SOON)
    assert not await child.value("select count(*) from outgoing where channel = $1 and held_up <> ''", CLUSTERS)
