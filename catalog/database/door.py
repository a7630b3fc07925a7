"""The role as which the web door asks the database: it reads what pages show, and of private tables only what is told.

The role owns nothing and can't sign in: the node's own role becomes it on each connection of a pool of its own
(`pool.Database.visit`). Row-level security then holds for it, whatever a query forgets (catalog/schema/0009). One
server may hold the databases of several nodes; they share the role, which has rights in each of them apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import asyncpg

from catalog.connection import Connection
from config.errors import Misconfigured

ROLE = "tianlu_door"
EVERYWHERE = "*"  # instead of the symbols of libraries
TRIES = 40  # databases of one server may be opened at the same moment, and roles belong to the server
PAUSE = 0.05  # seconds

# SET alone lets a role become another (PostgreSQL 16 and later); before, any member could.
_MAY = """
    select coalesce((
        select pg_has_role(coalesce($2::name, current_user), oid,
                           case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)
        from pg_roles where rolname = $1), false)"""
_EXISTS = "select exists (select from pg_roles where rolname = $1)"
# A role's name can't be a parameter; the server quotes it.
_MAKE = "select format('create role %I nologin', $1::text)"
_GRANT = "select format('grant %I to %I', $1::text, coalesce($2::name, current_user))"
_MEANWHILE = (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError)


async def provide(conn: Connection, member: str | None = None) -> None:
    """Make the role if it isn't there, and let `member` become it: whoever asks, unless said. Misconfigured, with what
    an administrator has to run, where that isn't permitted."""
    for _ in range(TRIES):
        if await conn.fetchval(_MAY, ROLE, member):
            return
        try:
            if not await conn.fetchval(_EXISTS, ROLE):
                await conn.execute(await conn.fetchval(_MAKE, ROLE))
            if not await conn.fetchval(_MAY, ROLE, member):
                await conn.execute(await conn.fetchval(_GRANT, ROLE, member))
        except asyncpg.InsufficientPrivilegeError as error:
            raise Misconfigured(await _todo(conn)) from error
        except _MEANWHILE:
            await asyncio.sleep(PAUSE)  # the same is being done for another database
    raise Misconfigured(await _todo(conn))


async def tell(conn: Connection, account: int | None, libraries: Collection[str] | None) -> None:
    """Whose private things the door may read until the transaction ends: an account's own, and those of libraries, None
    = of all."""
    assert conn.is_in_transaction(), "what is told of one visitor must not be left to the next one"
    reach = EVERYWHERE if libraries is None else ",".join(sorted(libraries))
    await conn.execute(
        "select set_config('tianlu.account', $1, true), set_config('tianlu.libraries', $2, true)",
        "" if account is None else str(account), reach,
    )  # fmt: skip


async def _todo(conn: Connection) -> str:
    steps = [] if await conn.fetchval(_EXISTS, ROLE) else [await conn.fetchval(_MAKE, ROLE)]
    steps.append(await conn.fetchval(_GRANT, ROLE, None))
    return (
        f"database.dsn: the web door needs a role of its own, {ROLE}, which the node's role may not make or become: "
        f"let an administrator of the server run `{'; '.join(steps)};`"
    )
