"""Accounts for tests: made with a password that is kept only once, because keeping one takes long on purpose."""

from __future__ import annotations

import functools

import asyncpg

from catalog.connection import Connection
from services.access import accounts, passwords
from services.access.accounts import Account
from services.access.policy import ALL, DUTIES, Grant, Role

PASSWORD = "correct horse battery staple"


@functools.cache
def kept(password: str = PASSWORD) -> str:
    """What is kept of it."""
    return passwords.shroud(password)


async def an_account(
    conn: Connection, name: str, *roles: Role, library: str = "CN-TJU", must_change: bool = False, where: str = ""
) -> Account:
    """An account that can be used at once. A duty counts for the node, another role in `where`, else at home."""
    kind = "reader" if roles == (Role.READER,) else "staff"
    made = await accounts.add(
        conn, name, library=library, password=kept(), by="os:root", kind=kind, must_change=must_change
    )
    for each in roles:
        grant = Grant(role=each, library=where or (ALL if each in DUTIES else library))
        await accounts.give(conn, made.account, grant, "os:root")
    return await accounts.get(conn, name)


async def settle(dsn: str, *names: str) -> None:
    """These accounts have changed the password that they were made with to what it was."""
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute("update account set must_change = false where name = any($1::text[])", list(names))
    finally:
        await conn.close()
