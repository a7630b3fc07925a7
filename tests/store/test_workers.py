"""The table of workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from catalog.connection import Connection
from catalog.database import pool
from catalog.work import workers
from catalog.work.workers import Worker
from dms import worker
from tests import postgres

WORKER = Worker(id="w1", host="h", pid=7, version="0.1", roles=("web", "worker"), state="running", load=0.5)


async def test_a_worker_is_listed_as_it_told_last(conn: Connection) -> None:
    await workers.beat(conn, WORKER)
    await workers.beat(conn, replace(WORKER, state="draining"))
    (seen,) = await workers.every(conn)
    assert seen.worker == replace(WORKER, state="draining")
    assert 0 <= seen.age < 10


async def test_a_worker_that_ends_is_gone_and_a_silent_one_is_forgotten(conn: Connection) -> None:
    for ident in ("w1", "w2", "w3"):
        await workers.beat(conn, replace(WORKER, id=ident))
    await workers.remove(conn, "w1")
    await conn.execute("update worker set beat_at = beat_at - interval '1 hour' where id = 'w2'")
    assert await workers.forget(conn, 600) == 1
    assert [seen.worker.id for seen in await workers.every(conn)] == ["w3"]


async def test_a_worker_at_work_forgets_those_that_were_killed(conn: Connection, dsn: str, home: Path) -> None:
    for ident in ("killed", "late"):
        await workers.beat(conn, replace(WORKER, id=ident))
    await conn.execute("update worker set beat_at = beat_at - interval '1 hour' where id = 'killed'")

    async def listed() -> bool:
        return [seen.worker.id for seen in await workers.every(conn)] == ["late", "me"]

    async with pool.open(home, dsn) as database, worker.living(database, "me"):
        await postgres.eventually(listed)
