"""One-time codes with which somebody sets a new password for an account (store). Only their SHA-256 are kept.

Those who look after accounts hand them over; nothing is sent by mail, because accounts belong to posts.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from catalog.connection import Connection
from config.secret import Secret
from services.access import accounts
from services.access.accounts import Account

HOLDS = timedelta(hours=24)
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
SIZE, GROUP = 25, 5  # letters: 123 bits


async def issue(conn: Connection, account: Account, by: str, now: datetime) -> Secret:
    """A new code; the account's earlier ones are worth nothing any more."""
    text = "".join(secrets.choice(LETTERS) for _ in range(SIZE))
    await conn.execute("delete from reset_code where account = $1 or until <= $2", account.account, now)
    await conn.execute(
        "insert into reset_code (code, account, library, until, made_by) values ($1, $2, $3, $4, $5)",
        digest(text), account.account, account.library, now + HOLDS, by,
    )  # fmt: skip
    return Secret("-".join(text[n : n + GROUP] for n in range(0, SIZE, GROUP)))


async def owner(conn: Connection, code: str, now: datetime) -> Account | None:
    """Whose code this is, if it can still be used. Locked until the caller's transaction ends; setting the password
    makes it worth nothing (`accounts.set_password`)."""
    row = await conn.fetchrow(
        f"select {accounts.COLUMNS} from reset_code c join account a using (account)"
        " where c.code = $1 and c.until > $2 and c.used_at is null and a.state = 'active' for update of c",
        digest(code), now,
    )  # fmt: skip
    return accounts.built(row) if row else None


def digest(code: str) -> bytes:
    """What the database knows a code by, however it was typed."""
    return hashlib.sha256("".join(filter(str.isalnum, code)).lower().encode(errors="replace")).digest()
