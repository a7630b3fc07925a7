"""The matcher: judges loads, places what is released, merges what changed. One a node, by lease (shell).

Everything it does is found in the tables by a slow poll, so nothing depends on a signal; `wake` only makes it quick.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from catalog import inbox, loads, quarantine, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState
from catalog.work import leases, lives
from config.errors import Conflict, Retry
from config.settings import Limits
from dms import judge, merging, place
from dms.memory import Memory
from dms.merging import Merge

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE = "matcher"
LEASE_SECONDS = 30
POLL = 0.5  # seconds
UNITS = 4  # units placed in one transaction: about 4,000 records
CLUSTERS = 2000  # clusters merged in one round
MERGE_AT_LEAST = 20.0  # seconds between rounds of merging while a long load is being placed


@dataclass(slots=True)
class Matcher:
    """One holder of the lease. `spent`: seconds by stage, for the benches."""

    database: Database
    merge: Merge
    limits: Limits
    holder: str
    term: int = 0
    memory: Memory = field(default_factory=Memory)
    spent: dict[str, float] = field(default_factory=dict)
    merged_at: float = 0.0

    async def step(self) -> bool:
        """Do the next piece of work; False if there is none."""
        async with self.database.connection() as conn:
            preparing = await loads.in_state(conn, LoadState.PREPARING)
            placing = await loads.in_state(conn, LoadState.PLACING)
            preparing = [load for load in preparing if await inbox.is_prepared(conn, load.load)]
        if preparing:
            await self._timed("judge", lambda: self._judge(preparing[0]))
            return True
        late = time.monotonic() - self.merged_at > MERGE_AT_LEAST
        if placing and not late:
            await self._timed("place", lambda: self._place(placing[0]))
            return True
        merged = await self._timed(
            "merge", lambda: merging.merge_dirty(self.database, self.merge, CLUSTERS, self._fence)
        )
        self.merged_at = time.monotonic()
        return bool(merged or placing)

    async def _judge(self, load: Load) -> None:
        async with self.database.transaction() as conn:
            await self._fence(conn)
            await judge.judge(conn, load, self.limits)

    async def _place(self, load: Load) -> None:
        async with self.database.transaction() as conn:
            await self._fence(conn)
            units = await inbox.ready(conn, load.load, UNITS)
            if units:
                source = await sources.by_number(conn, load.source)
                await place.place(conn, load, source, units, self.memory)
            else:
                await loads.turn(conn, load.load, LoadState.DONE, since=(LoadState.PLACING,))
                if load.undoes is not None:
                    await loads.turn(conn, load.undoes, LoadState.UNDONE, since=(LoadState.DONE,))
                    await quarantine.forget(conn, load.undoes)
        if not units:
            async with self.database.connection() as conn:
                await inbox.tidy(conn)

    async def _fence(self, conn: Connection) -> None:
        await leases.fence(conn, LEASE, self.term)

    async def _timed(self, stage: str, work: Callable[[], Awaitable[T]]) -> T:
        started = time.perf_counter()
        try:
            return await work()
        finally:
            self.spent[stage] = self.spent.get(stage, 0.0) + time.perf_counter() - started


async def run(matcher: Matcher, *, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Hold the lease when it is free, and work until `stop`."""
    try:
        while not stop.is_set():
            try:
                busy = await _round(matcher)
            except (Retry, Conflict) as error:
                log.warning("matching pauses: %s", error)
                matcher.term = 0
                busy = False
            if not busy:
                await _pause(wake, stop)
    finally:
        if matcher.term:
            async with matcher.database.connection() as conn:
                await leases.release(conn, LEASE, matcher.holder, matcher.term)


async def _round(matcher: Matcher) -> bool:
    """Keep the lease and do one step; False when there is nothing to do, or another process holds the lease."""
    async with matcher.database.connection() as conn:
        if matcher.term and not await leases.renew(conn, LEASE, matcher.holder, matcher.term, LEASE_SECONDS):
            matcher.term = 0
            matcher.memory = Memory()
        if not matcher.term:
            held_by = await leases.holder(conn, LEASE)
            if held_by and lives.ended(held_by):
                await leases.bury(conn, LEASE, held_by)
            matcher.term = await leases.acquire(conn, LEASE, matcher.holder, LEASE_SECONDS) or 0
    return await matcher.step() if matcher.term else False


async def _pause(wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Until something is signalled, at most POLL seconds."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wake, stop)]
    await asyncio.wait(waits, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
    wake.clear()
