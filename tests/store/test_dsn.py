"""The stores on a PostgreSQL that others run, over TCP: what a grown node uses."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from catalog import libraries
from catalog.database import door, pool, programs
from catalog.model import Library
from config.errors import Misconfigured
from services.access import accounts
from tests import postgres

ROOT = Path(__file__).resolve().parents[2]
SUBSET = ("test_migrate.py", "test_leases.py", "test_workers.py", "test_feed_order.py", "test_queue.py", "test_pool.py")


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def foreign(home: Path) -> Iterator[str]:
    """DSN of a server of the machine's PostgreSQL that nothing of ours has started."""
    try:
        found = programs.find("machine", None)
    except Misconfigured as error:
        pytest.skip(f"no PostgreSQL on this machine: {error}")
    data, password = home / "data", home / "pw"
    data.mkdir()
    password.write_text("quiet please\n")
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody").pw_uid
        os.chown(data, user, -1)
    initdb: list[str | Path] = [
        found.bin / "initdb",
        "-D",
        data,
        "-U",
        "dba",
        "-A",
        "scram-sha-256",
        "--pwfile",
        password,
        "-E",
        "UTF8",
    ]
    subprocess.run([*initdb, "--locale=C", "--no-sync"], check=True, stdout=subprocess.DEVNULL, user=user, cwd="/")
    port = a_port()
    command: list[str | Path] = [
        found.bin / "postgres",
        "-D",
        data,
        "-c",
        "unix_socket_directories=",
        "-c",
        "fsync=off",
    ]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd="/")
    try:
        postgres.until(lambda: b"ready to accept connections" in (home / "log").read_bytes())
        yield f"postgresql://dba:quiet%20please@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        shutil.rmtree(data)


async def test_a_dsn_is_used_instead_of_the_embedded_server(foreign: str, home: Path) -> None:
    async with pool.open(home, foreign) as database, database.connection() as conn:
        assert database.kind == "dsn"
        assert await conn.fetchval("select count(*) from library") == 0
    assert not (home / "pg").exists()


async def test_an_owner_who_may_make_roles_makes_the_doors(foreign: str, home: Path) -> None:
    admin = await asyncpg.connect(foreign)
    for name, options in (("maker", "createrole"), ("plain", "")):
        await admin.execute(f"create role {name} login password 'quiet' {options}")
        await admin.execute(f"create database {name} owner {name} template template0")

    def of(name: str) -> str:
        where = urlsplit(foreign)
        return where._replace(netloc=f"{name}:quiet@{where.netloc.rpartition('@')[2]}", path=f"/{name}").geturl()

    with pytest.raises(Misconfigured, match="`create role tianlu_door nologin; grant tianlu_door to plain;`"):
        async with pool.open(home, of("plain")):
            pass
    async with pool.open(home, of("maker")) as database, database.visit() as conn:
        assert await conn.fetchval("select current_user") == door.ROLE
        assert await conn.fetchval("select count(*) from library") == 0
    with pytest.raises(Misconfigured, match="`grant tianlu_door to plain;`"):
        async with pool.open(home, of("plain")):
            pass
    await admin.execute("grant tianlu_door to plain")
    await admin.close()
    async with pool.open(home, of("plain")) as database, database.visit() as conn:
        assert await conn.fetchval("select current_user") == door.ROLE


async def test_an_ordinary_owners_dump_brings_the_policies_back(foreign: str, home: Path, tmp_path: Path) -> None:
    """Row-level security that held for the owner too would keep all but superusers from dumping."""
    admin = await asyncpg.connect(foreign)
    await admin.execute("create role owner login password 'quiet' createrole")
    for name in ("before", "after"):
        await admin.execute(f"create database {name} owner owner template template0")
    await admin.close()
    where = urlsplit(foreign)
    netloc = f"owner:quiet@{where.netloc.rpartition('@')[2]}"
    before, after = (where._replace(netloc=netloc, path=f"/{name}").geturl() for name in ("before", "after"))
    async with pool.open(home, before) as database, database.transaction() as conn:
        for symbol in ("CN-A", "CN-B"):
            await libraries.add(conn, Library(symbol=symbol, name=symbol, area="天津"))
            await accounts.add(conn, f"post-{symbol}", library=symbol, password="-", by="os:root")
    found, dump = programs.find("machine", None), tmp_path / "dump"
    pg_dump: list[str | Path] = [found.bin / "pg_dump", "-Fc", "-f", dump, before]
    await asyncio.to_thread(subprocess.run, pg_dump, check=True, cwd="/")
    pg_restore: list[str | Path] = [found.bin / "pg_restore", "--no-owner", "-e", "-d", after, dump]
    await asyncio.to_thread(subprocess.run, pg_restore, check=True, cwd="/")
    async with pool.open(home, after) as database:
        async with database.private(None, {"CN-A"}) as conn:
            assert [row["name"] for row in await conn.fetch("select name from account")] == ["post-CN-A"]
        async with database.visit() as conn:
            assert await conn.fetchval("select count(*) from account") == 0
            assert await conn.fetchval("select count(*) from library") == 2


async def test_databases_of_one_server_may_be_opened_at_the_same_moment(foreign: str, home: Path) -> None:
    admin = await asyncpg.connect(foreign)
    names = [f"node_{n}" for n in range(5)]
    for name in names:
        await admin.execute(f"create database {name} template template0")
    assert not await admin.fetchval("select exists (select from pg_roles where rolname = $1)", door.ROLE)
    await admin.close()

    async def look(name: str) -> str:
        dsn = urlsplit(foreign)._replace(path=f"/{name}").geturl()
        async with pool.open(home, dsn) as database, database.visit() as conn:
            return str(await conn.fetchval("select current_database()"))

    assert await asyncio.gather(*map(look, names)) == names


@pytest.mark.full
def test_the_stores_pass_their_tests_through_a_dsn(foreign: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/store/{name}" for name in SUBSET)],
        cwd=ROOT,
        env={**os.environ, "TIANLU_TEST_DSN": foreign},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
