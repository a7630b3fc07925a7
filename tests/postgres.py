"""A real PostgreSQL for tests: one embedded server a run, one migrated template, a fresh database a test.

`TIANLU_TEST_DSN` names a server to use instead; its user must be allowed to create databases.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from catalog.connection import Connection
from catalog.database import embedded, migrate, place, pool, supervisor

# Nothing in a test's database must survive a power cut. Tests of durability start servers of their own.
QUICK = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB",
    "max_wal_size": "128MB",
}  # fmt: skip
DISK, MEMORY = "/tmp", "/dev/shm"
ROOM = 4 << 30  # bytes of memory that are free where a server is kept in it; each takes some 300 MB
TEMPLATE = f"tianlu_template_{os.getpid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server with a migrated template. `admin` may create databases, `owner` owns those of the tests."""

    admin: str
    owner: str
    names: Iterator[int] = field(default_factory=itertools.count)

    def dsn(self, database: str, dsn: str | None = None) -> str:
        """The address of another database on the same server, for the owner unless said otherwise."""
        return urlsplit(dsn or self.owner)._replace(path=f"/{database}").geturl()

    @contextlib.asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """The DSN of a new migrated database, dropped at the end."""
        name = f"tianlu_test_{os.getpid()}_{next(self.names)}"
        # The files as they are: the usual way logs every page, which costs more than all else.
        await self._say(f"create database {name} owner {self._role()} template {TEMPLATE} strategy file_copy")
        try:
            yield self.dsn(name)
        finally:
            await self._say(f"drop database {name} with (force)")

    async def make_template(self) -> None:
        """Migrate once; every test's database is a copy."""
        await self._say(f"create database {TEMPLATE} owner {self._role()} encoding 'UTF8' template template0")
        conn = await asyncpg.connect(self.dsn(TEMPLATE))
        try:
            await migrate.migrate(conn)
        finally:
            await conn.close()

    async def drop_template(self) -> None:
        """Leave nothing on a server that isn't ours."""
        await self._say(f"drop database if exists {TEMPLATE} with (force)")

    def _role(self) -> str:
        return urlsplit(self.owner).username or ""

    async def _say(self, statement: str) -> None:
        conn = await asyncpg.connect(self.admin)
        try:
            await conn.execute(statement)
        finally:
            await conn.close()


@contextlib.contextmanager
def home() -> Iterator[Path]:
    """A folder for a node's home: short, and open enough for the server's user when root runs the tests. Whatever
    server is left in it is ended.
    """
    folder = Path(tempfile.mkdtemp(prefix="tl-", dir=_quickest()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        end(folder)
        shutil.rmtree(folder)


@contextlib.contextmanager
def made() -> Iterator[Path]:
    """A home whose database has been made and migrated, and stopped."""

    async def make(folder: Path) -> None:
        async with pool.open(folder):
            pass

    with home() as folder, asyncio.Runner() as runner:
        runner.run(make(folder))
        yield folder


def copy(made: Path, home: Path) -> Path:
    """Give a home the database of another one, which is not running: spares it a first start."""
    subprocess.run(["cp", "-a", made / "pg", home], check=True)
    return home


def end(folder: Path) -> None:
    """Kill the embedded server of a home, if it has one."""
    if not (folder / "pg").exists():
        return
    where = place.prepare(folder)
    for pid in supervisor.processes(where):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not supervisor.processes(where))
    if where.root != where.locks:
        shutil.rmtree(where.root)
    if where.run.parent == place.SHORT:
        shutil.rmtree(where.run)


def until(condition: Callable[[], object], patience: float = 20.0) -> None:
    """Wait for another process to reach a state that nothing announces; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not so after {patience} s"
        time.sleep(0.02)


async def eventually(condition: Callable[[], Awaitable[object]], patience: float = 20.0) -> None:
    """The same for a state that is asked for, e.g. of the database."""
    async with asyncio.timeout(patience):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


def _quickest() -> str:
    """Where servers are kept: each database is a thousand files, and a kill leaves memory as it leaves a disk."""
    if os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return MEMORY
    return DISK


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """The server of a test run."""
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        if dsn := os.environ.get("TIANLU_TEST_DSN"):
            postgres = Postgres(admin=dsn, owner=dsn)
        else:
            folder = stack.enter_context(home())
            opened = contextlib.AsyncExitStack()
            server = runner.run(opened.enter_async_context(embedded.server(folder, settings=QUICK)))
            stack.callback(lambda: runner.run(opened.aclose()))
            postgres = Postgres(admin=server.keeper, owner=server.dsn)
        runner.run(postgres.make_template())
        stack.callback(lambda: runner.run(postgres.drop_template()))
        yield postgres


@contextlib.asynccontextmanager
async def connection(dsn: str) -> AsyncIterator[Connection]:
    """A connection with the codecs that the program's own have."""
    conn = await asyncpg.connect(dsn)
    try:
        await pool.prepare(conn)
        yield conn
    finally:
        await conn.close()
