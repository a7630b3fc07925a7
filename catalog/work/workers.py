"""Who is at work: one row per process that runs roles, kept fresh by its beat (store)."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process of the node, as it told last."""

    id: str  # one life of one process
    host: str
    pid: int
    version: str  # of the program
    roles: tuple[str, ...]
    state: str  # e.g. running, draining
    load: float = 0.0  # of the machine, one minute's average


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A worker and how long ago it was heard of."""

    worker: Worker
    age: float  # seconds, by the database's clock


async def beat(conn: Connection, worker: Worker) -> None:
    """Tell that this worker lives, and how it is."""
    await conn.execute(
        "insert into worker (id, host, pid, version, roles, state, load, beat_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())"
        " on conflict (id) do update set host = excluded.host, pid = excluded.pid, version = excluded.version,"
        " roles = excluded.roles, state = excluded.state, load = excluded.load, beat_at = excluded.beat_at",
        worker.id,
        worker.host,
        worker.pid,
        worker.version,
        list(worker.roles),
        worker.state,
        worker.load,
    )


async def every(conn: Connection) -> list[Seen]:
    """All workers, by host and id. One that has not beaten for long is dead or cut off."""
    rows = await conn.fetch(
        "select id, host, pid, version, roles, state, load,"
        " extract(epoch from clock_timestamp() - beat_at)::float8 as age from worker order by host, id"
    )
    seen = []
    for row in rows:
        told = dict(row)
        age = told.pop("age")
        seen.append(Seen(worker=Worker(**{**told, "roles": tuple(told["roles"])}), age=age))
    return seen


async def remove(conn: Connection, ident: str) -> None:
    """A worker has ended in order."""
    await conn.execute("delete from worker where id = $1", ident)


async def forget(conn: Connection, age: float) -> int:
    """Remove those that have not been heard of for `age` seconds; how many."""
    gone = await conn.fetch(
        "delete from worker where beat_at < clock_timestamp() - make_interval(secs => $1) returning id", age
    )
    return len(gone)
