"""The matcher: judges loads, places what is released, merges what changed. One a node, by lease (shell).

Merging may go on beside placing: the one computes in the pool while the other computes here, and the fence lets one of
them write at a time. But while a big load is on its way merging is put off, so that a cluster which grows with each of
several loads is merged once. Everything it does is found in the tables by a slow poll, so nothing depends on a signal;
`wake` only makes it quick.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from catalog import batches, clusters, decisions, inbox, loads, quality, quarantine, rekeys, sources, submissions
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState
from catalog.work import leases, lives
from config.errors import Conflict, Retry
from config.settings import Limits
from dms import deciding, judge, merging, place, rekeying, resharing
from dms.memory import Memory
from dms.merging import Merge

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE = "matcher"
LEASE_SECONDS = 30
POLL = 0.5  # seconds
UNITS = 4  # units placed in one transaction: about 4,000 records
CLUSTERS = 2000  # clusters merged in one round
LANES = 2  # rounds at once, of different clusters: one is read and published while the other is computed
PATIENCE = 30.0  # seconds that merging is put off at most
FEED_LOADS = 100  # of a source, that are kept to be looked at
TIDY_EVERY = 16  # feed loads, which are of one unit


@dataclass(slots=True)
class Matcher:
    """One holder of the lease. `spent`: seconds by stage, for the benches; stages overlap. `most`: if more clusters
    than that wait to be merged they are left to another process; None = they never are.
    """

    database: Database
    merge: Merge
    limits: Limits
    holder: str
    term: int = 0
    most: int | None = None
    memory: Memory = field(default_factory=Memory)
    spent: dict[str, float] = field(default_factory=dict)
    renewed: float = 0.0  # when the lease was last seen to be ours, by the monotonic clock
    soiled: asyncio.Event = field(default_factory=asyncio.Event)  # something was placed: there is work for merging
    put_off: float = 0.0  # since when merging has been put off, by the monotonic clock; 0 = it isn't

    async def step(self) -> bool:
        """Do the next piece of work; False if there is none."""
        return await self.place_next() or await self.merge_next()

    async def place_next(self) -> bool:
        """Judge the next load that is prepared, or place the next batch; False if there is none."""
        async with self.database.connection() as conn:
            first = await loads.first_open(conn)
            placing = [load for load in first if load.state is LoadState.PLACING]
            preparing = [load for load in first if load.state is LoadState.PREPARING]
            preparing = [load for load in preparing if await inbox.is_prepared(conn, load.load)]
            due = await sources.sharing_due(conn) is not None
            decided = await decisions.next_due(conn) is not None
            moving = await rekeys.next_due(conn) is not None
        if decided:
            await self._timed("decide", self._decide)
            self.soiled.set()
        elif due:
            await self._timed("share", self._share)
            self.soiled.set()
        elif moving:
            await self._timed("rekey", self._rekey)
            self.soiled.set()
        elif preparing:
            await self._timed("judge", lambda: self._judge(preparing[0]))
        elif placing:
            await self._timed("place", lambda: self._place(placing[0]))
            self.soiled.set()
        return bool(decided or due or moving or preparing or placing)

    async def merge_due(self, lane: int) -> bool:
        """Merge some clusters of a lane, unless it is better done later; False if nothing was done."""
        async with self.database.connection() as conn:
            bulk = await loads.any_bulk(conn, UNITS)
            if self.most is not None and not bulk and await clusters.more_dirty_than(conn, self.most):
                return False
        if not bulk:
            self.put_off = 0.0
        elif not self.put_off:
            self.put_off = time.monotonic()
        if bulk and time.monotonic() - self.put_off < PATIENCE:
            return False
        if await self.merge_next(lane, LANES):
            return True
        self.put_off = 0.0
        return False

    async def merge_next(self, lane: int = 0, lanes: int = 1) -> bool:
        """Merge some clusters of a lane that changed; False if there are none."""
        term = self.term  # under which it is read what is merged: what another holder did meanwhile must not be undone

        async def fence(conn: Connection) -> None:
            await leases.fence(conn, LEASE, term)

        return bool(
            await self._timed(
                "merge", lambda: merging.merge_dirty(self.database, self.merge, CLUSTERS, fence, lane, lanes)
            )
        )

    async def _decide(self) -> None:
        async with self.database.transaction() as conn:
            await self._fence(conn)
            await deciding.next_one(conn, self.memory)

    async def _share(self) -> None:
        async with self.database.transaction() as conn:
            await self._fence(conn)
            await resharing.share_next(conn)

    async def _rekey(self) -> None:
        async with self.database.transaction() as conn:
            await self._fence(conn)
            await rekeying.next_steps(conn, self.memory)

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
                await submissions.arrived(conn, load.load)
                if load.undoes is not None:
                    await loads.turn(conn, load.undoes, LoadState.UNDONE, since=(LoadState.DONE,))
                    await quarantine.forget(conn, load.undoes)
                    await quality.out_of_months(conn, load.undoes)
                    await batches.unend(conn, load.undoes)
                    await submissions.undone(conn, load.undoes)
                if load.mode == "feed":
                    await loads.prune(conn, load.source, FEED_LOADS)
        if not units and (load.mode != "feed" or load.load % TIDY_EVERY == 0):
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

    async def placing() -> bool:
        return await _hold(matcher) and await matcher.place_next()

    def merge(lane: int) -> Callable[[], Awaitable[bool]]:
        async def some() -> bool:
            return bool(matcher.term) and await matcher.merge_due(lane)

        return some

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_go_on(matcher, placing, wake, stop))
            for lane in range(LANES):
                tasks.create_task(_go_on(matcher, merge(lane), matcher.soiled, stop))
    finally:
        if matcher.term:
            async with matcher.database.connection() as conn:
                await leases.release(conn, LEASE, matcher.holder, matcher.term)


async def _go_on(
    matcher: Matcher, work: Callable[[], Awaitable[bool]], wake: asyncio.Event, stop: asyncio.Event
) -> None:
    """One piece of work after the other, and pauses where there is none."""
    while not stop.is_set():
        try:
            busy = await work()
        except (Retry, Conflict) as error:
            log.warning("matching pauses: %s", error)
            matcher.term = 0
            busy = False
        if not busy:
            await _pause(wake, stop)


async def _hold(matcher: Matcher) -> bool:
    """Keep the lease, or take it if it is free; False when another process holds it."""
    if matcher.term and time.monotonic() - matcher.renewed < LEASE_SECONDS / 6:
        return True  # and if it were not, the fence would tell
    began = time.monotonic()
    async with matcher.database.connection() as conn:
        if matcher.term and not await leases.renew(conn, LEASE, matcher.holder, matcher.term, LEASE_SECONDS):
            matcher.term = 0
            matcher.memory = Memory()
        if not matcher.term:
            held_by = await leases.holder(conn, LEASE)
            if held_by and lives.ended(held_by):
                await leases.bury(conn, LEASE, held_by)
            matcher.term = await leases.acquire(conn, LEASE, matcher.holder, LEASE_SECONDS) or 0
    matcher.renewed = began
    return bool(matcher.term)


async def _pause(wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Until something is signalled, at most POLL seconds."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wake, stop)]
    await asyncio.wait(waits, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
    wake.clear()
