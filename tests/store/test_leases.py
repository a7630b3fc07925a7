"""Leases: one holder, a clock that is the database's, and terms that fence."""

from __future__ import annotations

import asyncio

import pytest

from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.work import leases
from config.errors import Conflict


async def run_out(conn: Connection, name: str) -> None:
    await conn.execute("update lease set until = clock_timestamp() - interval '1 second' where name = $1", name)


async def test_only_one_of_two_gets_the_lease(conn: Connection) -> None:
    assert await leases.acquire(conn, "matcher", "a", 30) == 1
    assert await leases.acquire(conn, "matcher", "b", 30) is None
    assert await leases.acquire(conn, "indexer", "b", 30) == 1


async def test_eight_at_once_make_one_holder(database: Database) -> None:
    async def attempt(holder: str) -> int | None:
        async with database.transaction() as conn:
            return await leases.acquire(conn, "matcher", holder, 30)

    terms = await asyncio.gather(*(attempt(f"h{n}") for n in range(8)))
    assert sorted(t for t in terms if t is not None) == [1]


async def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_term(conn: Connection) -> None:
    assert await leases.acquire(conn, "matcher", "a", 30) == 1
    await run_out(conn, "matcher")
    assert await leases.acquire(conn, "matcher", "b", 30) == 2
    assert not await leases.renew(conn, "matcher", "a", 1, 30)
    assert await leases.renew(conn, "matcher", "b", 2, 30)


async def test_a_renewed_lease_is_not_given_away(conn: Connection) -> None:
    assert await leases.acquire(conn, "matcher", "a", 30) == 1
    await run_out(conn, "matcher")
    assert await leases.renew(conn, "matcher", "a", 1, 30)
    assert await leases.acquire(conn, "matcher", "b", 30) is None


async def test_a_released_lease_is_free_and_its_term_is_spent(conn: Connection) -> None:
    assert await leases.acquire(conn, "matcher", "a", 30) == 1
    await leases.release(conn, "matcher", "a", 1)
    assert await leases.acquire(conn, "matcher", "b", 30) == 2
    await leases.release(conn, "matcher", "a", 1)  # a late release takes nothing from the new holder
    assert await leases.acquire(conn, "matcher", "c", 30) is None


async def test_the_fence_stops_a_holder_that_slept(conn: Connection) -> None:
    await leases.acquire(conn, "matcher", "a", 30)
    await leases.fence(conn, "matcher", 1)
    await run_out(conn, "matcher")
    await leases.acquire(conn, "matcher", "b", 30)
    with pytest.raises(Conflict, match="matcher"):
        await leases.fence(conn, "matcher", 1)
    await leases.fence(conn, "matcher", 2)


async def test_a_lease_nobody_ever_took_fences_everybody(conn: Connection) -> None:
    with pytest.raises(Conflict):
        await leases.fence(conn, "matcher", 1)


async def test_nobody_takes_the_lease_between_the_fence_and_the_commit(database: Database) -> None:
    async with database.transaction() as conn:
        await leases.acquire(conn, "matcher", "a", 30)
    async with database.pool.acquire() as writer, database.pool.acquire() as rival:
        transaction = writer.transaction()
        await transaction.start()
        await run_out(rival, "matcher")
        await leases.fence(writer, "matcher", 1)
        taking = asyncio.create_task(leases.acquire(rival, "matcher", "b", 30))
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = $1"
        async with asyncio.timeout(10):
            while not await writer.fetchval(blocked, rival.get_server_pid()):
                assert not taking.done()
        await transaction.commit()
        assert await taking == 2


async def test_transactions_fenced_by_one_lease_write_one_after_the_other(database: Database) -> None:
    async with database.transaction() as conn:
        await leases.acquire(conn, "matcher", "a", 30)
    async with database.pool.acquire() as writer, database.pool.acquire() as other:
        transaction = writer.transaction()
        await transaction.start()
        await leases.fence(writer, "matcher", 1)
        waiting = asyncio.create_task(leases.fence(other, "matcher", 1))
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = $1"
        async with asyncio.timeout(10):
            while not await writer.fetchval(blocked, other.get_server_pid()):
                assert not waiting.done()
        await transaction.commit()
        await waiting
