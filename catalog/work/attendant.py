"""Keep a worker at the queue: through restarts of the database, with retries, parking and pruning.

pgqueuer's own `run()` ends with the first lost connection, retries nothing by itself and lets its log grow for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Context, Job
from pgqueuer.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from catalog.connection import Connection
from catalog.database import faults
from config.errors import Retry

log = logging.getLogger(__name__)

CONNECTIONS = 5  # listener, dequeue, heartbeats, acks, probes
POLL = timedelta(seconds=2)  # finds what a lost notification didn't tell
FIRST_PAUSE = 0.2  # seconds before the queue is tried again after the database was lost
LONGEST_PAUSE = 3.0
RETRY_FIRST = 0.25  # seconds; doubles with each attempt
RETRY_LONGEST = 4.0  # a passing fault: moving again soon after what it waits for is back
FAILURE_LONGEST = 60.0  # an error that isn't expected to pass
FAILED = "failed: "  # begins the reason of an attempt that failed, as against one that asked for a retry
PRUNE_EVERY = 600.0  # seconds

# Failures since the job was put, or put again by an operator: those entries have no traceback.
FAILURES = """
select count(*) from pgqueuer_log
where job_id = $1 and status = 'queued' and traceback ->> 'exception_message' like $2 || '%'
  and id > coalesce((select max(id) from pgqueuer_log where job_id = $1 and status = 'queued' and traceback is null), 0)
"""
PRUNE = """
delete from pgqueuer_log l where aggregated and created < now() - interval '1 day'
  and not exists (select from pgqueuer q where q.id = l.job_id)
"""
PRUNE_STATISTICS = "delete from pgqueuer_statistics where created < now() - interval '30 days'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How one worker works."""

    heartbeat: float  # seconds without a sign of life after which a job is taken over
    attempts: int  # failures after which a job is parked
    concurrency: int  # handlers at once


class Attempt(AbstractEntrypointExecutor):
    """One run of a handler, and what becomes of its error."""

    def __init__(
        self, handler: Callable[[bytes], Awaitable[None]], pool: asyncpg.Pool, room: asyncio.Semaphore, attempts: int
    ) -> None:
        super().__init__(EntrypointExecutorParameters(concurrency_limit=0, func=self._unused, on_failure="hold"))
        self._handler = handler
        self._pool = pool
        self._room = room
        self._attempts = attempts

    async def execute(self, job: Job, context: Context) -> None:
        """Run the handler; an error that asks pgqueuer to let the job wait again, or one that parks it."""
        try:
            async with self._room:
                await self._handler(job.payload or b"")
        except Retry as error:
            log.info("job %s %d waits and tries again: %s", job.entrypoint, job.id, error)
            raise RetryRequested(_delay(job.attempts, RETRY_LONGEST), str(error)) from error
        except Exception as error:
            before = await self._pool.fetchval(FAILURES, job.id, FAILED)
            if before + 1 >= self._attempts:
                log.error("job %s %d has failed %d times and is parked", job.entrypoint, job.id, before + 1)
                raise
            log.exception("job %s %d has failed and is tried again", job.entrypoint, job.id)
            reason = f"{FAILED}{type(error).__name__}: {error}"
            raise RetryRequested(_delay(job.attempts, FAILURE_LONGEST), reason) from error

    async def _unused(self, job: Job) -> None:
        raise AssertionError("execute() runs the handler itself")


async def attend(
    dsn: str, handlers: Mapping[str, Callable[[bytes], Awaitable[None]]], stop: asyncio.Event, habits: Habits
) -> None:
    """Work until `stop` is set, coming back with growing pauses when the database was lost."""
    pause = FIRST_PAUSE
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await _attend_once(dsn, handlers, stop, habits)
        except Exception as error:
            if not _lost(error):
                raise
            if asyncio.get_running_loop().time() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            log.warning(
                "the work queue has lost the database (%s); again in %.1f s", str(error) or type(error).__name__, pause
            )
            await _either(stop, pause)
            pause = min(pause * 2, LONGEST_PAUSE)


async def _attend_once(
    dsn: str, handlers: Mapping[str, Callable[[bytes], Awaitable[None]]], stop: asyncio.Event, habits: Habits
) -> None:
    pool = await asyncpg.create_pool(dsn, min_size=0, max_size=CONNECTIONS, server_settings={"jit": "off"})
    try:
        manager = QueueManager(Queries.from_asyncpg_pool(pool))
        room = asyncio.Semaphore(habits.concurrency)
        for kind, handler in handlers.items():
            manager.register_executor(kind, Attempt(handler, pool, room, habits.attempts))
        # Its first probe of the listener may be sent before the listener is there, and takes 10 s to be given up.
        await manager.queries.driver.add_listener(manager.channel, _nothing)
        async with _beside(_pass_on(stop, manager.shutdown)), _beside(_prune(pool)):
            await manager.run(
                dequeue_timeout=POLL,
                # It claims by batches of at most half of what it may hold.
                batch_size=max(1, habits.concurrency // 2),
                max_concurrent_tasks=max(2, habits.concurrency),
                heartbeat_timeout=timedelta(seconds=habits.heartbeat),
                shutdown_on_listener_failure=True,
            )
    finally:
        pool.terminate()  # close() would wait for the listener, which a lost database keeps


def _nothing(told: str | bytes | bytearray) -> None:
    """Heard, and left to the manager's own listener."""


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()


async def _prune(pool: asyncpg.Pool) -> None:
    while True:
        try:
            await pool.execute(PRUNE)
            await pool.execute(PRUNE_STATISTICS)
        except Exception as error:
            if not _lost(error):
                raise
            log.info("the queue's log was not pruned: %s", error)
        await asyncio.sleep(PRUNE_EVERY)


@contextlib.asynccontextmanager
async def _beside(work: Awaitable[None]) -> AsyncIterator[None]:
    """Something that goes on while the block lasts."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            log.error("%s", error, exc_info=error)


async def _either(stop: asyncio.Event, pause: float) -> None:
    """Wait for the pause to pass, or for the stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), pause)


def _lost(error: Exception) -> bool:
    # Handlers' own errors don't come here.
    return faults.passes_connecting(error) or isinstance(error, FailingListenerError)


def _delay(attempts: int, longest: float) -> timedelta:
    return timedelta(seconds=min(RETRY_FIRST * 2 ** min(attempts, 16), longest))


async def install(conn: Connection) -> None:
    """Make or upgrade pgqueuer's tables."""
    queries = Queries.from_asyncpg_connection(conn)
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        async with conn.transaction():
            await queries.install()
