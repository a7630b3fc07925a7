"""The worker: prepares units that the queue hands out, in a process pool, and runs the matcher when its lease is free.

Any number of workers may run against one database; each prepares, one matches. A worker that dies loses nothing: its
units go back to the queue, and another takes the lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from catalog import batches, bodies, dictionaries, inbox, loads, quarantine, records, sources, submissions
from catalog.database.pool import Database
from catalog.inbox import Unit
from catalog.loads import Load
from catalog.model import LoadState
from catalog.quarantine import Case
from catalog.work import lives, units, workers
from catalog.work.queue import Queue
from catalog.work.workers import Worker
from config.errors import Misconfigured, Retry
from config.settings import Limits
from dms import batching, matcher, merge_many, pipeline, prepare, quality_scope
from dms.batch_edits import Standing
from dms.batching import Batching
from dms.crew import GARBAGE, LIGHT_BYTES, LIGHT_CLUSTERS, Crew, Runs
from dms.matcher import Matcher
from dms.merge_many import Job, Made
from dms.outcome import Outcome
from dms.pipeline import Back, Habits

log = logging.getLogger(__name__)

BEAT = 3.0  # seconds between signs of life
FORGET = 600.0  # seconds after which a worker that was killed is no longer listed
SWEEP = 5.0  # seconds between looks for units that no job stands for
VERSION = "0.1.0"


@dataclass(slots=True)
class Preparing:
    """Handles the queue's jobs."""

    database: Database
    crew: Runs
    wake: asyncio.Event

    async def handle(self, payload: bytes) -> None:
        """Prepare one unit: result and mark in one transaction; a unit that is done already is left alone."""
        job = units.decode(payload)
        async with self.database.connection() as conn:
            unit = await inbox.landed_unit(conn, job.load, job.unit)
            if unit is None:
                return
            load = await loads.get(conn, job.load)
            if load.state not in (LoadState.LANDING, LoadState.PREPARING):
                return
            source = await sources.by_number(conn, load.source)
            known_dictionaries = await dictionaries.newest(conn)
            tables = await dictionaries.of(conn, {source.characters})
            profile = await quality_scope.of_library(conn, source.library)
            # What a node tells is new by its word, and what stands is not asked for.
            fresh = load.mode == "feed" or not await records.any_of_source(conn, load.source)
            changed = load.mode != "feed" and await batches.any_of_source(conn, load.source)
        encoding = load.encoding if load.encoding != "auto" else source.encoding
        habits = Habits(
            source=source,
            carrier=load.carrier,
            encoding=encoding,
            dictionaries=known_dictionaries,
            characters=tables.get(source.characters, b""),
            profile=profile,
            mends=frozenset(load.mends),
            recheck=load.mode in ("recheck", "batch"),
        )
        data = bodies.grow(unit.payload)
        try:
            light = len(data) < LIGHT_BYTES
            ids = [] if fresh and not changed else await self.crew.run(prepare.recognise, data, habits, light=light)
            known = {} if fresh else await self._known(ids, habits)
            edits = await self._edits(ids, source.no) if changed else {}
            outcome = await self.crew.run(
                prepare.prepare, data, unit.position, unit.ordinal, habits, known, edits, light=light
            )
        except Misconfigured as error:  # the source's habits are wrong: no unit can be prepared, now or later
            await self._give_up(load, str(error))
        else:
            await self._keep(load, unit, outcome)
        self.wake.set()

    async def _give_up(self, load: Load, why: str) -> None:
        async with self.database.transaction() as conn:
            since = (LoadState.LANDING, LoadState.PREPARING)
            if await loads.turn(conn, load.load, LoadState.FAILED, since=since, reason=why):
                await inbox.discard(conn, load.load)
                await quarantine.forget(conn, load.load)
                await submissions.arrived(conn, load.load)

    async def _edits(self, ids: Sequence[str], source: int) -> dict[str, tuple[Standing, ...]]:
        async with self.database.connection() as conn:
            return batching.standing(await batches.edited(conn, source, ids))

    async def _known(self, ids: Sequence[str], habits: Habits) -> dict[str, tuple[bytes, int]]:
        async with self.database.connection() as conn:
            standing = await records.standing(conn, habits.source.no, ids)
            unjudged = await records.unjudged(conn, habits.source.no, ids) if habits.recheck else set()
        return {
            local_id: (b"" if local_id in unjudged else there.digest, there.title_hash)
            for local_id, there in standing.items()
        }

    async def _keep(self, load: Load, unit: Unit, outcome: Outcome) -> None:
        async with self.database.transaction() as conn:
            if await inbox.keep_prepared(conn, unit.load, unit.unit, outcome.prepared, outcome.tally):
                await quarantine.put(conn, [_case(load, back) for back in outcome.back])
            for fmt, dictionary in outcome.samples.items():
                await dictionaries.add(conn, fmt, dictionary)


def _case(load: Load, back: Back) -> Case:
    return Case(
        source=load.source,
        library=load.library,
        load=load.load,
        position=back.position,
        ordinal=back.ordinal,
        local_id=back.local_id,
        verdict=back.verdict,
        rule=back.rule,
        reason=back.reason,
        carrier=back.carrier,
        digest=pipeline.plain_digest(back.raw),
        body=bodies.shrink(back.raw),
    )


async def sweep(queue: Queue, database: Database) -> None:
    """Find landed units and batches that no job stands for (their worker died, or a signal was lost) and put them
    again.
    """
    async with database.transaction() as conn:
        await batching.sweep(queue, conn)
    async with database.connection() as conn:
        waiting = {
            load.load: await inbox.unprepared(conn, load.load)
            for load in await loads.in_state(conn, LoadState.PREPARING, LoadState.LANDING)
        }
    for load, numbers in waiting.items():
        if numbers:
            async with database.transaction() as conn:
                await units.announce(queue, conn, load, numbers)


async def run(
    database: Database,
    queue: Queue,
    *,
    processes: int,
    limits: Limits,
    stop: asyncio.Event,
    wake: asyncio.Event | None = None,
    spent: dict[str, float] | None = None,
    most: int | None = None,
) -> None:
    """Work until `stop`. `wake` hurries the matcher; `spent` collects seconds by stage; `most` as in `Matcher`."""
    gc.set_threshold(GARBAGE)
    wake = wake or asyncio.Event()
    crew = Crew(processes)
    ident = lives.name()

    async def merge(
        jobs: Sequence[Job], known: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]
    ) -> list[Made]:
        return await crew.run(merge_many.make, jobs, known, newest, light=len(jobs) < LIGHT_CLUSTERS)

    one = Matcher(database=database, merge=merge, limits=limits, holder=ident, most=most)
    if spent is not None:
        one.spent = spent
    preparing = Preparing(database, crew, wake)
    changing = Batching(database, queue, crew, wake)
    try:
        async with living(database, ident), asyncio.TaskGroup() as tasks:
            handlers = {units.KIND: preparing.handle, batching.KIND: changing.handle}
            tasks.create_task(queue.run(handlers, stop=stop, concurrency=processes + 1))
            tasks.create_task(matcher.run(one, stop=stop, wake=wake))
            tasks.create_task(_sweep(queue, database, stop))
    finally:
        crew.close()


async def _sweep(queue: Queue, database: Database, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await sweep(queue, database)
        except Retry as error:
            log.warning("looking for left-over units pauses: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SWEEP)


@contextlib.asynccontextmanager
async def living(database: Database, ident: str) -> AsyncIterator[None]:
    """Show in table `worker` that this one lives."""
    me = Worker(
        id=ident, host=socket.gethostname(), pid=os.getpid(), version=VERSION, roles=("worker",), state="working"
    )

    async def beat() -> None:
        while True:
            try:
                async with database.connection() as conn:
                    await workers.beat(conn, me)
                    await workers.forget(conn, FORGET)
            except Retry as error:
                log.warning("no sign of life for now: %s", error)
            await asyncio.sleep(BEAT)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Retry):
            await task
        with contextlib.suppress(Retry):
            async with database.connection() as conn:
                await workers.remove(conn, ident)
