"""The work queue: jobs of a kind with a small payload, each run by one worker at a time, at least once.

What a job means is the business of its handler; what holds for every handler:

- A job says *that* there is work (a load, a stretch, a range of clusters), never one job per record: a put notifies.
- It may run twice, also at the same time: a worker that was thought dead may wake up. Effects and the mark that they
  are done go into one transaction, fenced by a lease's term where only one may write (`catalog.work.leases`).
- A put with the `dedupe` of a job that waits *or runs* is dropped. So a handler goes on until its cursor finds nothing
  more, and whoever owns the work puts it again from a periodic sweep, which finds what slipped between the two.
- It must not keep the event loop busy (a process pool is for that), or its heartbeat stops and another worker takes it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from catalog.connection import Connection

Handler: TypeAlias = Callable[[bytes], Awaitable[None]]

# pgqueuer keeps the jobs. It takes a fifth of a second to import and a node puts jobs far more often than it works on
# them, so only those who work, or make its tables, import it: `attendant`.
TABLES = "pgqueuer 1.6.0"  # whose tables we use, noted as a comment on the first of them
INSERT = """
with job as (
    insert into pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
    select priority, kind, payload, now(), dedupe, 'queued'
    from unnest($1::int[], $2::text[], $3::bytea[], $4::text[]) given (priority, kind, payload, dedupe)
    on conflict (dedupe_key) where status in ('queued', 'picked') and dedupe_key is not null do nothing
    returning id, entrypoint, priority
)
insert into pgqueuer_log (job_id, status, entrypoint, priority) select id, 'queued', entrypoint, priority from job
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A job that failed too often and waits for an operator."""

    job: int
    kind: str
    payload: bytes
    since: datetime  # UTC
    reason: str  # of the last failure


class Queue(Protocol):
    """What the rest of the program asks of a queue."""

    async def put(
        self, conn: Connection, kind: str, payload: bytes, *, dedupe: str | None = None, priority: int = 0
    ) -> None:
        """Add a job with the caller's transaction. Higher `priority` first, then the older one."""

    async def put_many(
        self, conn: Connection, kind: str, payloads: Sequence[bytes], dedupes: Sequence[str | None] | None = None
    ) -> None:
        """Add jobs of one kind in one statement."""

    async def run(self, handlers: Mapping[str, Handler], *, stop: asyncio.Event, concurrency: int) -> None:
        """Work on jobs of these kinds until `stop` is set, then let the running ones finish.

        A handler that raises `Retry` runs again soon, as often as it takes; another error is logged and tried again a
        few times, then the job is parked.
        """

    async def waiting(self, conn: Connection) -> dict[str, int]:
        """Jobs that wait or run, by kind. Parked ones don't count."""

    async def parked(self, conn: Connection) -> list[Parked]:
        """Jobs that were given up, oldest first."""

    async def again(self, conn: Connection, jobs: Sequence[int]) -> int:
        """Let parked jobs wait again; how many there were."""


class PgQueue:
    """The queue in the node's own database, on pgqueuer."""

    def __init__(self, dsn: str, *, heartbeat: float = 10.0, attempts: int = 5) -> None:
        """`heartbeat`: seconds without a sign of life after which a job is another worker's; `attempts`: failures after
        which it is parked.
        """
        self._dsn = dsn
        self._heartbeat = heartbeat
        self._attempts = attempts

    async def put(
        self, conn: Connection, kind: str, payload: bytes, *, dedupe: str | None = None, priority: int = 0
    ) -> None:
        """See `Queue`."""
        await conn.execute(INSERT, [priority], [kind], [payload], [dedupe])

    async def put_many(
        self, conn: Connection, kind: str, payloads: Sequence[bytes], dedupes: Sequence[str | None] | None = None
    ) -> None:
        """See `Queue`."""
        n = len(payloads)
        keys = list(dedupes) if dedupes is not None else [None] * n
        if len(keys) != n:
            raise ValueError(f"{n} payloads, but {len(keys)} dedupe keys")
        await conn.execute(INSERT, [0] * n, [kind] * n, list(payloads), keys)

    async def run(self, handlers: Mapping[str, Handler], *, stop: asyncio.Event, concurrency: int) -> None:
        """See `Queue`. Opens connections of its own: heartbeats must not wait for those that handlers hold."""
        attendant = _attendant()
        habits = attendant.Habits(heartbeat=self._heartbeat, attempts=self._attempts, concurrency=concurrency)
        await attendant.attend(self._dsn, handlers, stop, habits)

    async def waiting(self, conn: Connection) -> dict[str, int]:
        """See `Queue`."""
        rows = await conn.fetch(
            "select entrypoint, count(*) as n from pgqueuer where status in ('queued', 'picked')"
            " group by entrypoint order by entrypoint"
        )
        return {row["entrypoint"]: row["n"] for row in rows}

    async def parked(self, conn: Connection) -> list[Parked]:
        """See `Queue`."""
        rows = await conn.fetch(
            "select q.id, q.entrypoint, q.payload, q.updated, (select l.traceback ->> 'exception_message'"
            " from pgqueuer_log l where l.job_id = q.id and l.status = 'failed' order by l.id desc limit 1) as reason"
            " from pgqueuer q where q.status = 'failed' order by q.id"
        )
        return [
            Parked(
                job=row["id"],
                kind=row["entrypoint"],
                payload=row["payload"] or b"",
                since=row["updated"],
                reason=row["reason"] or "",
            )
            for row in rows
        ]

    async def again(self, conn: Connection, jobs: Sequence[int]) -> int:
        """See `Queue`. A parked job whose dedupe key has been put again meanwhile is dropped: the newer one does it."""
        async with conn.transaction():
            gone = await conn.fetch(
                "delete from pgqueuer p using pgqueuer live where p.id = any($1::bigint[]) and p.status = 'failed'"
                " and live.dedupe_key = p.dedupe_key and live.status in ('queued', 'picked') returning p.id",
                list(jobs),
            )
            # Of several parked ones with one key only the newest can wait.
            doubles = await conn.fetch(
                "delete from pgqueuer p using pgqueuer newer where p.id = any($1::bigint[]) and p.status = 'failed'"
                " and newer.id = any($1::bigint[]) and newer.status = 'failed' and newer.dedupe_key = p.dedupe_key"
                " and newer.id > p.id returning p.id",
                list(jobs),
            )
            back = await conn.fetch(
                "update pgqueuer set status = 'queued', execute_after = now(), updated = now(), attempts = 0,"
                " queue_manager_id = null where id = any($1::bigint[]) and status = 'failed'"
                " returning id, entrypoint, priority",
                list(jobs),
            )
            # Without a traceback: failures are counted from here (attendant.FAILURES).
            await conn.execute(
                "insert into pgqueuer_log (job_id, status, entrypoint, priority)"
                " select * from unnest($1::bigint[], array_fill('queued'::pgqueuer_status, array[$4::int]),"
                " $2::text[], $3::int[])",
                [row["id"] for row in back],
                [row["entrypoint"] for row in back],
                [row["priority"] for row in back],
                len(back),
            )
        return len(gone) + len(doubles) + len(back)


async def install(conn: Connection) -> None:
    """Make or upgrade the queue's tables where they are not those of `TABLES`. Not inside a transaction; safe to
    repeat.
    """
    if await conn.fetchval("select obj_description(to_regclass('pgqueuer'), 'pg_class')") != TABLES:
        await _attendant().install(conn)
        await conn.execute(f"comment on table pgqueuer is '{TABLES}'")


def _attendant() -> Any:
    return importlib.import_module("catalog.work.attendant")
