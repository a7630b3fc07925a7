"""Keeps the index in step with the change feed: reads states from the catalogue, hands them to the writer.

One indexer a home and host. What it does can be cut short anywhere: the place in the feed is committed with the
documents, so the next one goes on from there. When the feed's epoch changes (restore, failover), an index is built
aside from the beginning while readers keep the old one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from catalog.model import Published
from catalog.search.port import Writer
from catalog.search.tantivy import TantivyWriter

BATCH = 2_000  # states read and tokenized at once
COMMIT_EVERY = 1.0  # seconds between commits while changes keep coming
POLL_EVERY = 0.5  # seconds between looks at a feed that had nothing new

log = logging.getLogger(__name__)


class Feed(Protocol):
    """The change feed (`catalog.changes`)."""

    async def head(self, conn: Any, /) -> tuple[int, int]:
        """Epoch and last seq."""
        ...

    async def after(self, conn: Any, seq: int, limit: int, /) -> list[Published]:
        """States behind a place, in order of seq; [] at the end."""
        ...


class Pool(Protocol):
    """Connections to the catalogue's database."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """One connection for a while."""
        ...


async def follow(pool: Pool, home: Path, *, stop: asyncio.Event, feed: Feed) -> None:
    """Index what changes until `stop`. Raises IndexBusy when another process writes the index.

    A change is visible within `POLL_EVERY` + `COMMIT_EVERY` and the commit itself. What was applied is committed
    before it returns; a task that is cancelled instead loses no more than it would do again.
    """
    writer = await asyncio.to_thread(TantivyWriter, home)
    try:
        await _Follower(pool, writer, feed).run(stop)
    finally:
        await asyncio.to_thread(writer.close)


async def catch_up(pool: Pool, home: Path, *, feed: Feed) -> int:
    """Index up to the head seen at the start and return its seq. Raises IndexBusy."""
    writer = await asyncio.to_thread(TantivyWriter, home)
    try:
        return await _Follower(pool, writer, feed).catch_up()
    finally:
        await asyncio.to_thread(writer.close)


class _Follower:
    """Where a writer is in the feed, and what it holds that is not committed."""

    def __init__(self, pool: Pool, writer: Writer, feed: Feed, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._writer = writer
        self._feed = feed
        self._clock = clock
        self._epoch = 0
        self._seq = 0
        self._pending = False  # applied, not committed
        self._building = False  # aside, for a new epoch
        self._committed_at = clock()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`, then commit."""
        await self._start()
        while not stop.is_set():
            epoch, states = await self._look(BATCH)
            if epoch != self._epoch:
                await self._restart(epoch)
                continue
            if states:
                await self._apply(states)
                if self._clock() - self._committed_at < COMMIT_EVERY:
                    continue
            await self._commit()
            if not states:
                await self._publish()
                await _wait(stop, POLL_EVERY)
        await self._commit()

    async def catch_up(self) -> int:
        """Follow to the present head."""
        await self._start()
        async with self._pool.acquire() as conn:
            epoch, last = await self._feed.head(conn)
        if epoch != self._epoch:
            await self._restart(epoch)
        while self._seq < last:
            epoch, states = await self._look(BATCH)
            if epoch != self._epoch:
                await self._restart(epoch)
                continue
            if not states:
                break  # the head's own cluster has moved on to a later place that is not committed yet
            await self._apply(states)
            if self._clock() - self._committed_at >= COMMIT_EVERY:
                await self._commit()
        await self._commit()
        await self._publish()
        return last

    async def _start(self) -> None:
        self._epoch, self._seq = await asyncio.to_thread(self._writer.cursor)

    async def _look(self, limit: int) -> tuple[int, list[Published]]:
        async with self._pool.acquire() as conn:
            epoch, _ = await self._feed.head(conn)
            return epoch, await self._feed.after(conn, self._seq, limit)

    async def _restart(self, epoch: int) -> None:
        """Begin the index of an epoch, or go on with it; an index that has no epoch yet is shown from the start."""
        log.info("the search index is made again: epoch %s follows %s", epoch, self._epoch)
        first = self._epoch == 0
        self._pending = False
        await asyncio.to_thread(self._writer.restart, epoch)
        _, self._seq = await asyncio.to_thread(self._writer.cursor)
        self._epoch = epoch
        self._building = True
        if first:
            await asyncio.to_thread(self._writer.commit, epoch, self._seq)
            await self._publish()

    async def _apply(self, states: Sequence[Published]) -> None:
        """Off the event loop: tokenizing takes tenths of a second."""
        await asyncio.to_thread(self._writer.apply, states)
        self._seq = states[-1].seq
        self._pending = True

    async def _commit(self) -> None:
        if self._pending:
            await asyncio.to_thread(self._writer.commit, self._epoch, self._seq)
            self._pending = False
        self._committed_at = self._clock()

    async def _publish(self) -> None:
        if self._building:
            await asyncio.to_thread(self._writer.publish)
            self._building = False


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Until `stop`, at most so long."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        pass
