"""An open database: its codecs, its faults, and what it says of a DSN it can't use."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import uvloop

from catalog.database import embedded, pool
from catalog.database.pool import Database
from config.errors import Misconfigured, Retry, Unreachable
from tests.postgres import Postgres


async def test_jsonb_comes_and_goes_as_plain_values(database: Database) -> None:
    value = {"852": ["b", "h"], "注": None, "n": 1.5}
    assert await database.pool.fetchval("select $1::jsonb", value) == value
    assert await database.pool.fetchval("select $1::jsonb ->> '注'", {"注": "馆"}) == "馆"


async def test_a_transaction_commits_as_a_whole_or_not_at_all(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute("insert into library (symbol, name) values ('A', 'a')")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as conn:
            await conn.execute("insert into library (symbol, name) values ('B', 'b')")
            raise ZeroDivisionError
    async with database.connection() as conn:
        assert [row["symbol"] for row in await conn.fetch("select symbol from library")] == ["A"]


async def test_a_lost_connection_is_a_retry_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(Retry):
        async with database.transaction() as conn:
            async with database.connection() as other:
                await other.execute("select pg_terminate_backend($1)", conn.get_server_pid())
            await conn.execute("select 1")
    async with database.transaction() as conn:
        assert await conn.fetchval("select 1") == 1


async def test_a_visitors_statement_that_takes_too_long_is_given_up(
    dsn: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "STATEMENT", 0.1)
    async with pool.open(home, dsn) as database:
        async with database.visit() as conn:
            process = conn.get_server_pid()
        with pytest.raises(Retry, match="too long"):
            async with database.visit() as conn:
                await conn.execute("select pg_sleep(60)")
        async with database.visit() as conn:
            assert conn.get_server_pid() == process  # the same connection, which stays as it was begun
            assert await conn.fetchval("show statement_timeout") == "100ms"
        async with database.connection() as conn:
            assert await conn.fetchval("show statement_timeout") == "0"


async def test_our_own_mistakes_are_no_retry(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.transaction() as conn:
            await conn.execute("select * from nowhere")
    with pytest.raises(asyncpg.DataError):
        async with database.transaction() as conn:
            await conn.execute("select $1::int", "seven")
    with pytest.raises(FileNotFoundError):
        async with database.transaction():
            raise FileNotFoundError(2, "missing", "/no/such/file")
    with pytest.raises(asyncpg.InterfaceError, match="argument"):
        async with database.transaction() as conn:
            await conn.execute("select $1::int", 1, 2)


async def test_a_database_that_stays_away_is_a_retry(used: Path) -> None:
    async with pool.open(used) as database:
        pid = embedded.status(used).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Retry):
            for _ in range(3):  # the first ones may still meet a living child of the server
                async with database.transaction() as conn:
                    await conn.execute("select 1")
                await asyncio.sleep(0.2)


def test_it_runs_on_uvloop(used: Path) -> None:
    async def main() -> object:
        async with pool.open(used) as database, database.transaction() as conn:
            return await conn.fetchval("select count(*) from library")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == 0
    assert not embedded.status(used).running


async def refused(home: Path, dsn: str) -> None:
    async with pool.open(home, dsn):
        pass


async def test_a_dsn_that_cant_be_used_says_why(server: Postgres, home: Path) -> None:
    right = urlsplit(server.owner)
    where = right.netloc.rpartition("@")[2]
    with pytest.raises(Misconfigured, match="refuses"):
        await refused(home, right._replace(netloc=f"{right.username}:guess@{where}").geturl())
    with pytest.raises(Misconfigured, match="refuses"):
        await refused(home, server.dsn("no_such_database"))
    with pytest.raises(Misconfigured, match="can't be read"):
        await refused(home, "mysql://a/b")
    with pytest.raises(Unreachable, match="does not answer"):
        await refused(home, f"postgresql://a:b@/c?host={home}")


async def test_a_database_in_another_encoding_is_refused(server: Postgres, home: Path) -> None:
    admin = await asyncpg.connect(server.admin)
    await admin.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
    try:
        with pytest.raises(Misconfigured, match="UTF8"):
            await refused(home, server.dsn("latin"))
    finally:
        await admin.execute("drop database latin with (force)")
        await admin.close()
