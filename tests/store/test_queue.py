"""The work queue: with the caller's transaction, through retries, parking, restarts and killed workers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from pgqueuer.qm import QueueManager

from catalog.connection import Connection
from catalog.database import pool, supervisor
from catalog.work import attendant
from catalog.work.queue import PgQueue
from config.errors import Retry
from tests import postgres

ROOT = Path(__file__).resolve().parents[2]
Handlers = Mapping[str, Callable[[bytes], Awaitable[None]]]


async def work(queue: PgQueue, handlers: Handlers, until: asyncio.Event, concurrency: int = 4) -> None:
    """Let one worker work until the event, then see it end."""
    async with asyncio.timeout(30):
        await queue.run(handlers, stop=until, concurrency=concurrency)


async def test_a_job_exists_only_if_its_transaction_commits(conn: Connection, dsn: str) -> None:
    queue = PgQueue(dsn)
    with pytest.raises(ZeroDivisionError):
        async with conn.transaction():
            await queue.put(conn, "prepare", b"1")
            raise ZeroDivisionError
    assert await queue.waiting(conn) == {}
    async with conn.transaction():
        await queue.put(conn, "prepare", b"1")
        await queue.put_many(conn, "merge", [b"2", b"3"])
    assert await queue.waiting(conn) == {"prepare": 1, "merge": 2}


async def test_the_same_work_waits_once(conn: Connection, dsn: str) -> None:
    queue = PgQueue(dsn)
    await queue.put(conn, "prepare", b"7", dedupe="prepare 7")
    await queue.put(conn, "prepare", b"7", dedupe="prepare 7")
    await queue.put_many(conn, "prepare", [b"7", b"8", b"9"], ["prepare 7", "prepare 8", None])
    assert await queue.waiting(conn) == {"prepare": 3}


async def test_every_job_is_run_with_its_payload_and_then_gone(conn: Connection, dsn: str) -> None:
    queue, done, seen = PgQueue(dsn), asyncio.Event(), []

    async def prepare(payload: bytes) -> None:
        seen.append(payload)
        if len(seen) == 50:
            done.set()

    payloads = [str(n).encode() for n in range(50)]
    await queue.put_many(conn, "prepare", payloads)
    await work(queue, {"prepare": prepare}, done)
    assert sorted(seen) == sorted(payloads)
    assert await queue.waiting(conn) == {}


async def test_no_more_handlers_at_once_than_asked(conn: Connection, dsn: str) -> None:
    queue, done, now, most, runs = PgQueue(dsn), asyncio.Event(), 0, 0, 0

    async def prepare(payload: bytes) -> None:
        nonlocal now, most, runs
        now, runs = now + 1, runs + 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        if runs == 6:
            done.set()

    await queue.put_many(conn, "prepare", [b""] * 6)
    await work(queue, {"prepare": prepare}, done, concurrency=1)
    assert most == 1


async def test_a_job_put_while_the_worker_idles_starts_at_once(conn: Connection, dsn: str) -> None:
    queue, done, started = PgQueue(dsn), asyncio.Event(), asyncio.Event()
    began = 0.0

    async def prepare(payload: bytes) -> None:
        nonlocal began
        began = time.monotonic()
        (done if payload == b"second" else started).set()

    working = asyncio.create_task(work(queue, {"prepare": prepare}, done))
    await queue.put(conn, "prepare", b"first")
    await started.wait()
    put = time.monotonic()
    await queue.put(conn, "prepare", b"second")
    await working
    assert began - put < attendant.POLL.total_seconds() / 2  # by notification, not by the slow poll


async def test_retry_runs_again_as_often_as_it_takes(
    conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendant, "RETRY_FIRST", 0.001)
    queue, done, runs = PgQueue(dsn, attempts=2), asyncio.Event(), 0

    async def prepare(payload: bytes) -> None:
        nonlocal runs
        runs += 1
        if runs < 6:
            raise Retry("the peer is away")
        done.set()

    await queue.put(conn, "prepare", b"1", dedupe="prepare 1")
    await work(queue, {"prepare": prepare}, done)
    assert runs == 6
    assert await queue.waiting(conn) == {}
    assert await queue.parked(conn) == []


async def test_a_job_that_keeps_failing_is_parked_and_can_be_put_back(
    conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendant, "RETRY_FIRST", 0.001)
    queue, done, good, runs = PgQueue(dsn, attempts=3), asyncio.Event(), False, 0

    async def prepare(payload: bytes) -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            raise Retry("counts for nothing")
        if not good:
            raise ValueError("bad stretch")
        done.set()

    async def parked() -> bool:
        return bool(await queue.parked(conn))

    await queue.put(conn, "prepare", b"1", dedupe="prepare 1")
    working = asyncio.create_task(work(queue, {"prepare": prepare}, done))
    await postgres.eventually(parked)
    (given_up,) = await queue.parked(conn)
    assert (given_up.kind, given_up.payload, runs) == ("prepare", b"1", 4)
    assert "bad stretch" in given_up.reason
    assert await queue.waiting(conn) == {}
    assert await queue.again(conn, [given_up.job]) == 1
    await postgres.eventually(lambda: asyncio.sleep(0, runs == 7))
    await postgres.eventually(parked)
    assert runs == 7  # failures count from when it was put back
    good = True
    assert await queue.again(conn, [given_up.job]) == 1
    await working
    assert await queue.parked(conn) == []


async def test_a_parked_job_that_was_put_anew_is_not_doubled(conn: Connection, dsn: str) -> None:
    queue = PgQueue(dsn)
    for _ in range(2):
        await queue.put(conn, "prepare", b"1", dedupe="prepare 1")
        await conn.execute("update pgqueuer set status = 'failed'")
    jobs = [p.job for p in await queue.parked(conn)]
    assert await queue.again(conn, jobs) == 2
    assert await queue.waiting(conn) == {"prepare": 1}
    await conn.execute("update pgqueuer set status = 'failed'")
    await queue.put(conn, "prepare", b"1", dedupe="prepare 1")
    assert await queue.again(conn, jobs) == 1
    assert await queue.waiting(conn) == {"prepare": 1}
    assert await queue.parked(conn) == []


async def test_the_log_is_pruned(conn: Connection, dsn: str) -> None:
    queue = PgQueue(dsn)
    await queue.put_many(conn, "prepare", [b"1", b"2"])
    await conn.execute("update pgqueuer_log set aggregated = true, created = created - interval '2 days'")
    await conn.execute("delete from pgqueuer where payload = $1", b"1")
    await conn.execute(attendant.PRUNE)
    assert await conn.fetchval("select count(*) from pgqueuer_log") == 1  # that of the job that still waits


WORKER = """
    import asyncio, os, sys
    from catalog.work.queue import PgQueue

    async def main(dsn, path):
        async def hold(payload):
            with open(path, "a") as file:
                file.write(f"{os.getpid()} {payload.decode()}\\n")
            await asyncio.Event().wait()
        await PgQueue(dsn, heartbeat=2).run({"prepare": hold}, stop=asyncio.Event(), concurrency=4)

    asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_jobs_of_a_killed_worker_are_taken_over(conn: Connection, dsn: str, tmp_path: Path) -> None:
    queue, done, seen = PgQueue(dsn, heartbeat=2), asyncio.Event(), []
    await queue.put_many(conn, "prepare", [b"1", b"2", b"3"])
    notes = tmp_path / "notes"
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(WORKER), dsn, str(notes), cwd=ROOT
    )

    def held() -> list[str]:
        return notes.read_text().splitlines() if notes.exists() else []

    try:
        await asyncio.to_thread(postgres.until, lambda: len(held()) == 3)
    finally:
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
    killed = time.monotonic()

    async def prepare(payload: bytes) -> None:
        seen.append(payload)
        if len(seen) == 3:
            done.set()

    await work(queue, {"prepare": prepare}, done)
    assert sorted(seen) == [b"1", b"2", b"3"]
    # Heartbeat plus a poll, with room for a busy machine.
    assert time.monotonic() - killed < 2 + attendant.POLL.total_seconds() + 4
    assert await queue.waiting(conn) == {}


async def test_work_goes_on_after_the_database_was_killed(used: Path) -> None:
    async with pool.open(used) as database:
        assert database.server is not None
        watching = asyncio.create_task(database.watch())
        queue, done, first, seen = PgQueue(database.dsn, heartbeat=2), asyncio.Event(), asyncio.Event(), []

        async def prepare(payload: bytes) -> None:
            seen.append(payload)
            first.set()
            if payload == b"after":
                done.set()

        working = asyncio.create_task(work(queue, {"prepare": prepare}, done))
        async with database.transaction() as conn:
            await queue.put(conn, "prepare", b"before")
        await first.wait()
        pid = supervisor.postmaster(database.server.place)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while True:
                try:
                    async with database.transaction() as conn:
                        await queue.put(conn, "prepare", b"after", dedupe="after")
                    break
                except Retry:
                    await asyncio.sleep(0.05)
        back = time.monotonic()
        await working
        assert time.monotonic() - back < 5
        assert b"after" in seen
        watching.cancel()
        await asyncio.wait({watching})


async def test_a_listener_that_is_slow_to_come_is_not_taken_for_a_lost_database(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, listen = QueueManager.listener_healthy, asyncpg.Connection.add_listener
    done = asyncio.Event()
    heard: list[object] = []
    listens: list[object] = []

    async def impatient(self: QueueManager, **_: timedelta) -> object:
        try:
            event = await probe(self, timeout=timedelta(seconds=1))
            heard.append(event)
            return event
        finally:
            done.set()

    async def slow(self: object, *given: object) -> None:
        if not listens:
            await asyncio.sleep(0.3)  # of a machine that is busy: the probe needs less
        listens.append(given)
        await listen(self, *given)

    monkeypatch.setattr(QueueManager, "listener_healthy", impatient)
    monkeypatch.setattr(asyncpg.Connection, "add_listener", slow)
    await work(PgQueue(dsn), {}, done)
    assert heard
