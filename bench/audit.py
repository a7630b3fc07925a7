"""The audit log: acts a second by one writer and by eight, each in a transaction of its own on a durable disk, and what
reading the whole chain costs."""

from __future__ import annotations

import asyncio
import resource
import time

from bench import cpu, node
from bench.options import Options
from bench.report import Report, Row
from catalog import audit
from catalog.acts import Entry
from catalog.audit import Wanted
from catalog.database import pool
from catalog.database.pool import Database

SIZE = 1_000_000
ACTS = 2_000  # of each group of writers
WRITERS = 8
BATCH = 1_000  # entries of a transaction while the log is filled
PAGES = 50


def run(options: Options) -> Report:
    """Fill a log, then measure."""
    count = options.size or SIZE
    with node.fresh() as fresh:
        return asyncio.run(_measured(fresh, count))


async def _measured(fresh: node.Node, count: int) -> Report:
    async with pool.open(fresh.home, size=WRITERS + 2) as database:
        filling = await _filled(database, count)
        rows = [Row(name="entries in one transaction", value=count / filling, unit="entries/s")]
        for writers in (1, WRITERS):
            with cpu.spent(fresh.home) as taken:
                await _written(database, writers)
            rows += [
                Row(name=f"acts of {writers} at once", value=ACTS / taken.wall, unit="acts/s"),
                Row(name=f"an act of {writers} at once", value=taken.cpu / ACTS * 1e6, unit="µs of CPU"),
            ]
        with cpu.spent(fresh.home) as taken:
            async with database.snapshot() as conn:
                checked = await audit.verify(conn)
        assert not checked.faults
        rows += [
            Row(name="verify", value=checked.entries / taken.cpu, unit="entries/cpu-s"),
            Row(name="verify, of that this process", value=taken.own / taken.cpu * 100, unit="%"),
            Row(
                name="memory of this process at its peak",
                value=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                unit="MB",
            ),
        ]
        for name, wanted in (
            ("newest page", Wanted()),
            ("page of one actor", Wanted(actor="account:a7")),
            ("page of an act that is rare", Wanted(act="peer.revoke")),
        ):
            rows.append(Row(name=name, value=await _median(database, wanted) * 1000, unit="ms"))
        async with database.connection() as conn:
            size = await conn.fetchval("select pg_total_relation_size('audit')")
        rows.append(Row(name="storage with indexes", value=size / checked.entries, unit="bytes an entry"))
    return Report(bench="audit", size=count, rows=tuple(rows))


def _entry(n: int) -> Entry:
    act = "peer.revoke" if n % 100_000 == 0 else "account.role" if n % 3 else "session.begin"
    detail = {"role": "cataloguer-copy", "within": f"CN-L{n % 200}"}
    return Entry(
        actor=f"account:a{n % 50}", act=act, object=f"bianmu-{n % 1000}", library=f"CN-L{n % 200}", detail=detail,
        address="198.51.100.7", request=f"{n:012x}",
    )  # fmt: skip


async def _filled(database: Database, count: int) -> float:
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        async with database.transaction() as conn:
            await audit.append(conn, *map(_entry, range(start, min(start + BATCH, count))))
    async with database.connection() as conn:
        await conn.execute("vacuum analyze audit")
    return time.perf_counter() - began


async def _written(database: Database, writers: int) -> None:
    async def one(start: int) -> None:
        for n in range(start, ACTS, writers):
            async with database.transaction() as conn:
                await audit.append(conn, _entry(n))

    await asyncio.gather(*map(one, range(writers)))


async def _median(database: Database, wanted: Wanted) -> float:
    taken = []
    for _ in range(PAGES):
        began = time.perf_counter()
        async with database.connection() as conn:
            await audit.page(conn, wanted)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[PAGES // 2]
