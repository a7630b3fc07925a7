"""The work queue's tables."""

from __future__ import annotations

from pgqueuer.queries import Queries

from catalog.connection import Connection


async def install(conn: Connection) -> None:
    """Make or upgrade the queue's tables. Not inside a transaction; safe to repeat."""
    queries = Queries.from_asyncpg_connection(conn)
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        async with conn.transaction():
            await queries.install()
