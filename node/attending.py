"""Commands that need work done: they wait for the node's worker, or do the work themselves where none runs."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Awaitable, Callable

from catalog import clusters, decisions, loads, rekeys, sources
from catalog.connection import Connection
from catalog.model import LoadState
from catalog.work import lives, workers
from config.errors import Retry
from node import lifecycle
from node.app import Node

LIVING = 10.0  # seconds since a worker's last sign of life
LOOK = 0.1  # seconds between looks
SOON = 2000  # clusters that are merged in half a second: more are left to whoever wants to see them
AWAY = 60.0  # seconds that the database may be away while we wait


async def attend(
    node: Node, finished: Callable[[Connection], Awaitable[bool]], most: int | None = None
) -> dict[str, float]:
    """Until `finished`; seconds by stage if the work was done here. A worker that dies meanwhile is replaced by us.

    What this process began to place it also merges, so that a search finds it; but if more than `most` clusters wait,
    they are left for now: further loads will change many of them again.
    """
    stop = asyncio.Event()
    spent: dict[str, float] = {}
    living, away = True, 0.0
    own: asyncio.Task[None] | None = None
    # A node that has just started has no worker yet, but will: give it a moment before doing its work.
    patience = time.monotonic() + (LIVING if lifecycle.running(node.home) else 0.0)
    try:
        while True:
            try:
                async with node.database.connection() as conn:
                    if await finished(conn) and (own is None or await clustered(conn, most)):
                        return spent
                    living = await _living(conn)
                away = 0.0
            except Retry:  # the database is being started again by the node, or by those who look after it
                away = away or time.monotonic()
                if time.monotonic() - away > AWAY:
                    raise
            if own is None and not living and time.monotonic() > patience:
                # Imported only here: its tables and libraries take half a second, which most commands can spare.
                worker = importlib.import_module("dms.worker")
                own = asyncio.create_task(
                    worker.run(
                        node.database,
                        node.queue,
                        processes=node.settings.worker.processes,
                        limits=node.settings.limits,
                        stop=stop,
                        spent=spent,
                        most=most,
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


async def _living(conn: Connection) -> bool:
    """Is a worker at work somewhere? One that was killed on this machine is not, however fresh its last beat."""
    return any(seen.age < LIVING and not lives.ended(seen.worker.id) for seen in await workers.every(conn))


async def see_through(node: Node, source: int) -> None:
    """Finish what a process that is gone left half done on a source, if no worker will."""
    async with node.database.connection() as conn:
        there = await loads.open_of_source(conn, source)
        if there is None or there.state not in (LoadState.PREPARING, LoadState.PLACING) or await _living(conn):
            return
    number = there.load

    async def over(conn: Connection) -> bool:
        return (await loads.get(conn, number)).state not in (LoadState.PREPARING, LoadState.PLACING)

    await attend(node, over, SOON)


async def clustered(conn: Connection, most: int | None = None) -> bool:
    """Everything that was released is placed and merged, or, if more than `most` clusters wait to be merged, placed.
    Held and half-landed loads don't count.
    """
    if await loads.in_state(conn, LoadState.PREPARING, LoadState.PLACING) or await sources.sharing_due(conn):
        return False
    if await decisions.next_due(conn) or await rekeys.next_due(conn):
        return False
    if most is not None and await clusters.more_dirty_than(conn, most):
        return True
    return not await clusters.more_dirty_than(conn, 0)


async def leave_nothing(node: Node) -> None:
    """Merge what loads, or a process that is gone, left unmerged, if no worker will."""
    async with node.database.connection() as conn:
        left = not await clustered(conn) and not await _living(conn)
    if left:
        await drain(node)


async def drain(node: Node) -> None:
    """Until everything that was released is placed and merged."""
    await attend(node, clustered)
