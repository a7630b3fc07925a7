"""Open a node's database: the embedded server of its home, or the one a DSN names; migrated, with a pool."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

import asyncpg
import msgspec

from catalog.connection import Connection
from catalog.database import door, embedded, faults, migrate
from catalog.database.embedded import Server
from catalog.database.programs import OLDEST
from config.errors import Misconfigured, Unreachable

Pool: TypeAlias = asyncpg.Pool

CONNECT_PATIENCE = 20.0  # seconds
STATEMENT = 5.0  # seconds that the database may take for one statement of a visitor's

NO_SUCH: tuple[type[Exception], ...] = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An open database. `kind` is dsn, or the embedded server's: machine, wheel or folder."""

    pool: Pool
    door: Pool  # for the web door: its connections are another role, which reads alone (catalog.database.door)
    dsn: str
    kind: str
    version: str  # PostgreSQL's
    server: Server | None  # the embedded one

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction. Retry when the database is away."""
        async with _taken(self.pool) as conn:
            yield conn

    @contextlib.asynccontextmanager
    async def visit(self) -> AsyncIterator[Connection]:
        """A connection for what everybody may read. Retry when the database is away, or a statement takes longer than
        `STATEMENT`.
        """
        async with _taken(self.door) as conn:
            yield conn

    @contextlib.asynccontextmanager
    async def private(self, account: int | None, libraries: Collection[str] | None) -> AsyncIterator[Connection]:
        """The same in a transaction that reads besides what is private of an account and of libraries (None = all)."""
        async with self.visit() as conn, conn.transaction():
            await door.tell(conn, account, libraries)
            yield conn

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction that commits at the end of the block. Retry when the database is away, which
        leaves open whether the commit was done: what runs here must be safe to repeat.
        """
        async with self.connection() as conn, conn.transaction():
            yield conn

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection whose queries all see one moment; nothing may be written."""
        async with self.connection() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            yield conn

    async def watch(self) -> NoReturn:
        """Keep the embedded server alive until cancelled; nothing to do for one that others run."""
        if self.server is not None:
            await self.server.watch()
        await asyncio.Event().wait()
        raise AssertionError("nothing sets this event")


@contextlib.asynccontextmanager
async def open(home: Path, dsn: str | None = None, programs: str = "auto", size: int = 10) -> AsyncIterator[Database]:
    """Open the database of a home, migrate it, and close it with the block. `size` is the most connections at once."""
    async with contextlib.AsyncExitStack() as stack:
        server = None if dsn else await stack.enter_async_context(embedded.server(home, programs))
        address = dsn or (server.dsn if server else "")
        version, path = await _ready(address)
        # Opened after the migration: a connection's statement cache would keep the old column types.
        pool = await _pool(stack, address, size, {})
        # Said when a connection begins, and what resetting goes back to: no visitor pays for it, none can lose it.
        told = {"role": door.ROLE, "search_path": path, "statement_timeout": str(round(STATEMENT * 1000))}
        doors = await _pool(stack, address, size, told)
        kind = server.kind if server else "dsn"
        yield Database(pool=pool, door=doors, dsn=address, kind=kind, version=version, server=server)


async def _pool(stack: contextlib.AsyncExitStack, address: str, size: int, told: Mapping[str, str]) -> Pool:
    """A pool, as yet without a connection, closed with the stack."""
    told = {"application_name": "tianlu", "timezone": "UTC", "jit": "off", **told}
    pool = await asyncpg.create_pool(address, min_size=0, max_size=size, init=prepare, server_settings=told)
    stack.push_async_callback(_close, pool)
    return pool


@contextlib.asynccontextmanager
async def _taken(pool: Pool) -> AsyncIterator[Connection]:
    with faults.as_retry(faults.passes_connecting):
        conn = await pool.acquire()
    with faults.as_retry():
        try:
            yield conn
        finally:
            await pool.release(conn)


async def prepare(conn: Connection) -> None:
    """Make a new connection speak our types: jsonb to and from plain values."""
    await conn.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),  # the version byte of jsonb's binary form
        decoder=lambda data: msgspec.json.decode(data[1:]),
        schema="pg_catalog",
        format="binary",
    )


async def _ready(address: str) -> tuple[str, str]:
    """Check and migrate; the server's version, and where the tables are: `$user` in a path is another for the door."""
    conn = await _connect(address)
    try:
        number, version, encoding = await conn.fetchrow(
            "select current_setting('server_version_num')::int, current_setting('server_version'),"
            " current_setting('server_encoding')"
        )
        if number < OLDEST * 10000:
            raise Misconfigured(f"database.dsn: PostgreSQL there is {version}; {OLDEST} or later is needed")
        if encoding != "UTF8":
            raise Misconfigured(
                f"database.dsn: the database's encoding is {encoding}: create one with "
                "`create database … encoding 'UTF8' template template0`"
            )
        await migrate.migrate(conn)
        path = await conn.fetchval(
            "select string_agg(quote_ident(name), ', ' order by n)"
            " from unnest(current_schemas(false)) with ordinality s (name, n)"
        )
        return str(version), path
    finally:
        await conn.close()


async def _connect(address: str) -> Connection:
    try:
        return await asyncpg.connect(address, timeout=CONNECT_PATIENCE)
    except NO_SUCH as error:
        raise Misconfigured(f"database.dsn: the server refuses: {error}") from error
    except (ValueError, asyncpg.ClientConfigurationError) as error:
        raise Misconfigured(f"database.dsn can't be read: {error}") from error
    except Exception as error:
        if not faults.passes_connecting(error):
            raise
        raise Unreachable(f"database.dsn: the server does not answer ({error}); start it or correct the DSN") from error


async def _close(pool: Pool) -> None:
    """Give running statements a moment, then cut them off: a stop must not hang on a stuck client."""
    try:
        await asyncio.wait_for(pool.close(), timeout=10)
    except TimeoutError:
        pool.terminate()
