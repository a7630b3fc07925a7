"""The indexer follows the change feed: batches, epochs, stops and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog.model import Published
from catalog.search import indexer
from catalog.search.port import IndexBusy, Request
from catalog.search.tantivy import TantivyReader, TantivyWriter
from tests.search_cases import CAST, published


class Changes:
    """A change feed in memory: the latest state of each cluster, by seq."""

    def __init__(self) -> None:
        self.epoch = 1
        self.states: dict[int, Published] = {}
        self.read_from: list[int] = []
        self.seen = asyncio.Event()  # set at each look that finds nothing new

    def publish(self, *states: Published) -> None:
        for state in states:
            self.states[state.cluster] = replace(state, seq=self.last + 1)

    @property
    def last(self) -> int:
        return max((state.seq for state in self.states.values()), default=0)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        yield None

    async def head(self, conn: Any, /) -> tuple[int, int]:
        return self.epoch, self.last

    async def after(self, conn: Any, seq: int, limit: int, /) -> list[Published]:
        self.read_from.append(seq)
        found = sorted((state for state in self.states.values() if state.seq > seq), key=lambda state: state.seq)
        if not found:
            self.seen.set()
        return found[:limit]

    async def idle(self) -> None:
        """Until the indexer has looked twice and found nothing."""
        for _ in range(2):
            self.seen.clear()
            await self.seen.wait()


@pytest.fixture
def changes() -> Changes:
    return Changes()


def total(home: Path) -> int:
    return TantivyReader(home).search(Request()).total


async def test_catch_up_indexes_to_the_head(changes: Changes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "BATCH", 7)
    changes.publish(*(published(name) for name in CAST))
    assert await indexer.catch_up(changes, tmp_path, feed=changes) == len(CAST)
    assert total(tmp_path) == len(CAST)
    assert TantivyReader(tmp_path).place() == (1, len(CAST))
    assert len(changes.read_from) == -(-len(CAST) // 7)


async def test_catching_up_again_reads_only_what_is_new(changes: Changes, tmp_path: Path) -> None:
    changes.publish(published("honglou"), published("shiji"))
    await indexer.catch_up(changes, tmp_path, feed=changes)
    changes.read_from.clear()
    await indexer.catch_up(changes, tmp_path, feed=changes)
    assert changes.read_from == []
    changes.publish(published("honglou", deleted=True), published("jia"))
    await indexer.catch_up(changes, tmp_path, feed=changes)
    assert changes.read_from == [2]
    assert total(tmp_path) == 2


async def test_an_empty_feed_makes_an_empty_index(changes: Changes, tmp_path: Path) -> None:
    assert await indexer.catch_up(changes, tmp_path, feed=changes) == 0
    assert total(tmp_path) == 0


async def test_changes_become_visible_while_it_follows(changes: Changes, tmp_path: Path) -> None:
    stop = asyncio.Event()
    changes.publish(published("honglou"))
    task = asyncio.create_task(indexer.follow(changes, tmp_path, stop=stop, feed=changes))
    await changes.idle()
    reader = TantivyReader(tmp_path)
    assert reader.search(Request(text="红楼梦")).total == 1
    began = asyncio.get_running_loop().time()
    changes.publish(published("shiji"))
    await changes.idle()
    reader.reload()
    assert reader.search(Request(text="史记")).total == 1
    assert asyncio.get_running_loop().time() - began < 4.0
    stop.set()
    await task


async def test_a_stop_commits_what_was_applied(
    changes: Changes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "COMMIT_EVERY", 3600.0)
    stop = asyncio.Event()
    changes.publish(published("honglou"))
    apply = TantivyWriter.apply

    def apply_and_stop(self: TantivyWriter, states: list[Published]) -> None:
        apply(self, states)
        stop.set()

    monkeypatch.setattr(TantivyWriter, "apply", apply_and_stop)
    await indexer.follow(changes, tmp_path, stop=stop, feed=changes)
    assert total(tmp_path) == 1


async def test_a_new_epoch_builds_the_index_from_the_beginning(changes: Changes, tmp_path: Path) -> None:
    changes.publish(published("honglou"), published("shiji"))
    await indexer.catch_up(changes, tmp_path, feed=changes)
    restored = Changes()
    restored.epoch = 2
    restored.publish(published("jia"))
    assert await indexer.catch_up(restored, tmp_path, feed=restored) == 1
    assert TantivyReader(tmp_path).place() == (2, 1)
    assert total(tmp_path) == 1


async def test_an_epoch_that_changes_while_it_follows_is_noticed(changes: Changes, tmp_path: Path) -> None:
    stop = asyncio.Event()
    changes.publish(published("honglou"), published("shiji"))
    task = asyncio.create_task(indexer.follow(changes, tmp_path, stop=stop, feed=changes))
    await changes.idle()
    changes.epoch = 2
    changes.states = {}
    changes.publish(published("jia"))
    await changes.idle()
    stop.set()
    await task
    assert TantivyReader(tmp_path).place() == (2, 1)
    assert total(tmp_path) == 1


async def test_a_second_indexer_is_refused(changes: Changes, tmp_path: Path) -> None:
    with TantivyWriter(tmp_path), pytest.raises(IndexBusy):
        await indexer.catch_up(changes, tmp_path, feed=changes)
