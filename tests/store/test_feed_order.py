"""Why the change feed has a counter row: eight writers with transactions of random length, and two readers.

The naive reader is the control that must fail: if it loses nothing, the test proves nothing.
"""

from __future__ import annotations

import asyncio
import random

import asyncpg

from catalog.connection import Connection

WRITERS = 8
TRANSACTIONS = 40  # a writer
BATCH = 5  # rows a transaction
LONGEST = 0.02  # seconds of work in a transaction

NEXT = "select n from change where n > $1 order by n"


async def by_serial(conn: Connection, work: float) -> None:
    """Numbers are drawn when rows are inserted, and become visible in whatever order transactions commit."""
    await conn.execute("insert into change (n) select nextval('change_n') from generate_series(1, $1)", BATCH)
    await asyncio.sleep(work)


async def by_counter(conn: Connection, work: float) -> None:
    """The work first; the number is the last thing before the commit, and its row lock lasts until then."""
    await asyncio.sleep(work)
    last = await conn.fetchval("update feed set last = last + $1 where name = $2 returning last", BATCH, "clusters")
    await conn.execute("insert into change (n) select generate_series($1::bigint, $2::bigint)", last - BATCH + 1, last)


async def lost(dsn: str, write: object) -> int:
    """Rows that a reader with `n > last` never sees."""
    assert callable(write)
    pool = await asyncpg.create_pool(dsn, min_size=WRITERS + 1, max_size=WRITERS + 1)
    done = asyncio.Event()
    read: list[int] = []

    async def writer(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(TRANSACTIONS):
            async with pool.acquire() as conn, conn.transaction():
                await write(conn, chance.random() * LONGEST)

    async def reader() -> None:
        last = 0
        async with pool.acquire() as conn:
            while True:
                finished = done.is_set()  # before the look: what is committed by now must be seen
                for row in await conn.fetch(NEXT, last):
                    last = row["n"]
                    read.append(last)
                if finished:
                    return

    async with pool:
        await pool.execute("create table change (n bigint primary key); create sequence change_n")
        reading = asyncio.create_task(reader())
        await asyncio.gather(*(writer(seed) for seed in range(WRITERS)))
        done.set()
        await reading
        written = await pool.fetchval("select count(*) from change")
    assert written == WRITERS * TRANSACTIONS * BATCH
    assert len(read) == len(set(read))
    return int(written) - len(read)


async def test_a_reader_of_a_serial_loses_rows(dsn: str) -> None:
    assert await lost(dsn, by_serial) > 0


async def test_a_reader_of_the_counter_loses_none(dsn: str) -> None:
    assert await lost(dsn, by_counter) == 0
