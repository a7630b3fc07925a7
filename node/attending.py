"""Commands that need work done: they wait for the node's worker, or do the work themselves where none runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from catalog import changes, clusters, loads
from catalog.connection import Connection
from catalog.model import LoadState
from catalog.search.port import NotBuilt
from catalog.search.tantivy import TantivyReader
from catalog.work import workers
from dms import worker
from node import indexed, lifecycle
from node.app import Node

LIVING = 10.0  # seconds since a worker's last sign of life
LOOK = 0.1  # seconds between looks


async def attend(node: Node, finished: Callable[[Connection], Awaitable[bool]]) -> dict[str, float]:
    """Until `finished`; seconds by stage if the work was done here. A worker that dies meanwhile is replaced by us."""
    stop = asyncio.Event()
    spent: dict[str, float] = {}
    own: asyncio.Task[None] | None = None
    # A node that has just started has no worker yet, but will: give it a moment before doing its work.
    patience = time.monotonic() + (LIVING if lifecycle.running(node.home) else 0.0)
    try:
        while True:
            async with node.database.connection() as conn:
                if await finished(conn):
                    return spent
                living = any(seen.age < LIVING for seen in await workers.every(conn))
            if own is None and not living and time.monotonic() > patience:
                own = asyncio.create_task(
                    worker.run(
                        node.database,
                        node.queue,
                        processes=node.settings.worker.processes,
                        limits=node.settings.limits,
                        stop=stop,
                        spent=spent,
                    )
                )
            if own is not None and own.done():
                own.result()
                own = None
            await asyncio.sleep(LOOK)
    finally:
        stop.set()
        if own is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await own


async def clustered(conn: Connection) -> bool:
    """Everything that was released is placed and merged. Held and half-landed loads don't count."""
    if await loads.in_state(conn, LoadState.PREPARING, LoadState.PLACING):
        return False
    return not await clusters.dirty_count(conn)


async def drain(node: Node) -> None:
    """Until everything that was released is placed and merged."""
    await attend(node, clustered)


async def index(node: Node) -> None:
    """Until the search index has what is published: by the node's indexer, or by us where none runs."""
    async with node.database.connection() as conn:
        target = await changes.head(conn)
    while place(node) < target:
        await indexed.reader(node)


def place(node: Node) -> tuple[int, int]:
    """(epoch, place in the feed) that a search sees; (0, 0) without an index."""
    try:
        return TantivyReader(node.index_home).place()
    except NotBuilt:
        return 0, 0
