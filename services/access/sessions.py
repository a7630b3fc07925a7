"""Sessions of people in a browser (store). The cookie holds 256 random bits, the database only their SHA-256.

A session is looked up at each request together with its account and roles: what is taken away or disabled counts from
the next request on. It ends after a time without requests, and in any case some hours after the password was typed
(OWASP ASVS 5.0, 7.3); typing it again begins a new one.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from catalog.connection import Connection
from config.settings import Access
from services.access import accounts
from services.access.accounts import Account
from services.access.policy import Actor, Permission, Scope

COOKIE = "__Host-tianlu"
BYTES = 32
FRESH = timedelta(minutes=15)  # after the password was typed, for a `Need` that is fresh
SEEN_EVERY = timedelta(minutes=1)  # how exactly a session's last request is noted
DEFAULT = Access()
# All that a session may whose account has something to put in order first.
OWN_ONLY = (Scope(permission=Permission.OWN), Scope(permission=Permission.READ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as a request finds it."""

    id: bytes  # SHA-256 of its token
    account: Account
    made_at: datetime  # when the password was typed
    seen_at: datetime
    fresh: bool  # a short time ago
    todo: str  # what its account must put in order before anything else: password, totp, or nothing

    @property
    def actor(self) -> Actor:
        """Who asks by it, and what it may: only what is its own while there is something to do."""
        found = self.account.actor
        return replace(found, scopes=OWN_ONLY) if self.todo else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A session in the list of its account."""

    id: bytes
    made_at: datetime
    seen_at: datetime
    address: str
    agent: str


async def begin(conn: Connection, account: Account, now: datetime, address: str = "", agent: str = "") -> str:
    """A new session; its token, which is nowhere else."""
    token = base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).rstrip(b"=").decode()
    await conn.execute(
        "insert into session (token, account, library, made_at, seen_at, address, agent)"
        " values ($1, $2, $3, $4, $4, $5, $6)",
        digest(token), account.account, account.library, now, address, agent,
    )  # fmt: skip
    await conn.execute("update account set seen_at = $2 where account = $1", account.account, now)
    return token


async def find(conn: Connection, token: str, now: datetime, access: Access = DEFAULT) -> Session | None:
    """The session with this token, unless it has ended or its account can't be used; it is noted as seen."""
    row = await conn.fetchrow(
        f"select s.made_at as begun, s.seen_at as looked, {accounts.COLUMNS} from session s"
        " join account a using (account)"
        " where s.token = $1 and a.state = 'active' and s.made_at > $2 and s.seen_at > $3",
        digest(token), now - timedelta(hours=access.absolute_hours), now - timedelta(minutes=access.idle_minutes),
    )  # fmt: skip
    if row is None:
        return None
    if now - row["looked"] >= SEEN_EVERY:
        await conn.execute("update session set seen_at = $2 where token = $1", digest(token), now)
    account = accounts.built(row)
    return Session(
        id=digest(token),
        account=account,
        made_at=row["begun"],
        seen_at=row["looked"],
        fresh=now - row["begun"] < FRESH,
        todo=todo(account, access),
    )


async def every(conn: Connection, account: int, now: datetime, access: Access = DEFAULT) -> list[Open]:
    """The account's sessions that haven't ended, the latest first."""
    rows = await conn.fetch(
        "select token as id, made_at, seen_at, address, agent from session"
        " where account = $1 and made_at > $2 and seen_at > $3 order by made_at desc",
        account, now - timedelta(hours=access.absolute_hours), now - timedelta(minutes=access.idle_minutes),
    )  # fmt: skip
    return [Open(**dict(row)) for row in rows]


async def end(conn: Connection, account: int, ident: bytes) -> None:
    """End one session of the account; nothing happens if it has ended."""
    await conn.execute("delete from session where account = $1 and token = $2", account, ident)


async def over(conn: Connection, token: str) -> None:
    """End the session with this token, whoever's it is: another one takes its place in the browser."""
    await conn.execute("delete from session where token = $1", digest(token))


async def end_all(conn: Connection, account: int, keep: bytes = b"") -> None:
    """End the account's sessions, but the one to keep."""
    await conn.execute("delete from session where account = $1 and token <> $2", account, keep)


async def sweep(conn: Connection, now: datetime, access: Access = DEFAULT) -> None:
    """Forget those that have ended by themselves."""
    await conn.execute(
        "delete from session where made_at <= $1 or seen_at <= $2",
        now - timedelta(hours=access.absolute_hours), now - timedelta(minutes=access.idle_minutes),
    )  # fmt: skip


def digest(token: str) -> bytes:
    """What the database knows a token by."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def todo(account: Account, access: Access) -> str:
    """What an account must put in order before anything else: password, totp, or nothing."""
    if account.must_change:
        return "password"
    return "totp" if account.must_have_totp(access.totp) and not account.has_totp else ""
