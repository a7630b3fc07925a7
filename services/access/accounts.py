"""Accounts and their roles (store). An account belongs to a post, not to a person's mailbox: people come and go.

A name is compared without regard to case. Passwords are kept as argon2id strings (`passwords`), secrets of one-time
codes sealed (`sealed`); neither is ever part of an `Account`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from catalog.connection import Connection
from config.errors import Conflict, NotFound
from services.access.policy import DUTIES, Actor, Grant, Reach, Role

NAME = re.compile(r"\w[\w.-]{1,39}")
SHAPE = "2 to 40 letters, digits, dots, hyphens and underscores: the name of a post, not a mail address"
LONGEST_TITLE = 80  # characters
COLUMNS = (
    "a.account, a.name, a.title, a.library, a.kind, a.must_change, a.state, a.made_at, a.made_by, a.password_at,"
    " a.seen_at, a.has_totp,"
    " array(select r.role || '@' || r.library from account_role r where r.account = a.account order by 1) as grants"
)
_KNOWN = frozenset(map(str, Role))  # a later release may have more of them; here they permit nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What may be shown of an account to those who look after it."""

    account: int
    name: str
    title: str  # of the post
    library: str  # where it is at home
    kind: str  # staff or reader
    must_change: bool  # the password was set by somebody else
    state: str  # active or disabled
    made_at: datetime
    made_by: str
    password_at: datetime
    seen_at: datetime | None  # signed in last
    has_totp: bool
    grants: tuple[Grant, ...]

    @property
    def active(self) -> bool:
        """Whether it can be used."""
        return self.state == "active"

    @property
    def duties(self) -> tuple[Role, ...]:
        """Which of the three duties it has, anywhere."""
        held = {each.role for each in self.grants}
        return tuple(each for each in DUTIES if each in held)

    @property
    def actor(self) -> Actor:
        """What it may."""
        return Actor(name=f"account:{self.name}", account=self.account, library=self.library, grants=self.grants)

    def must_have_totp(self, rule: str) -> bool:
        """Whether `access.totp` asks for one-time codes. Codes that were set up are asked for in any case."""
        return rule != "nobody" and bool(self.duties or (rule == "staff" and self.kind == "staff"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What an account is proved by."""

    password: str  # argon2id, PHC string
    totp: bytes | None  # sealed
    totp_step: int  # of the last code that was used


def built(row: object) -> Account:
    """An account from a row with the columns of `COLUMNS`."""
    values = dict(row)  # type: ignore[call-overload]
    values["grants"] = _grants(values["grants"])
    return Account(**{name: values[name] for name in Account.__dataclass_fields__})


def _grants(texts: Iterable[str]) -> tuple[Grant, ...]:
    parts = (each.partition("@") for each in texts)
    return tuple(Grant(role=Role(role), library=library) for role, _, library in parts if role in _KNOWN)


async def add(
    conn: Connection,
    name: str,
    *,
    library: str,
    password: str,
    by: str,
    title: str = "",
    kind: str = "staff",
    must_change: bool = True,
) -> Account:
    """A new account without roles; `password` is an argon2id string. Conflict if the name is taken, NotFound if there
    is no such library."""
    if not await conn.fetchval("select exists (select from library where symbol = $1)", library):
        raise NotFound(f"no library has the symbol {library}")
    number = await conn.fetchval(
        "insert into account (name, title, library, kind, password, must_change, made_by)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning account",
        name, title, library, kind, password, must_change, by,
    )  # fmt: skip
    if number is None:
        raise Conflict(f"there is an account named {name} already")
    return await get(conn, name)


def typed(name: str) -> str:
    """A name as it is meant: without spaces around it, full-width letters of an input method as plain ones (NFKC)."""
    return unicodedata.normalize("NFKC", name).strip()


async def find(conn: Connection, name: str) -> Account | None:
    """The account with this name."""
    row = await conn.fetchrow(f"select {COLUMNS} from account a where lower(a.name) = lower($1)", typed(name))
    return built(row) if row else None


async def get(conn: Connection, name: str) -> Account:
    """The account with this name, or NotFound."""
    found = await find(conn, name)
    if found is None:
        raise NotFound(f"there is no account named {name}")
    return found


async def hold(conn: Connection, name: str) -> None:
    """Nobody else changes it until the caller's transaction ends."""
    await conn.execute("select from account where lower(name) = lower($1) for update", typed(name))


async def within(conn: Connection, staff: Reach, readers: Reach) -> list[Account]:
    """The accounts at home within the one reach, and those of readers within the other, by library and name."""
    rows = await conn.fetch(
        f"select {COLUMNS} from account a"
        " where ($1 or a.library = any($2::text[]))"
        " or (a.kind = 'reader' and ($3 or a.library = any($4::text[]))) order by a.library, lower(a.name)",
        staff.everywhere, sorted(staff.libraries), readers.everywhere, sorted(readers.libraries),
    )  # fmt: skip
    return [built(row) for row in rows]


async def proof(conn: Connection, account: int | None) -> Proof | None:
    """What the account is proved by; None for no account, asked all the same."""
    row = await conn.fetchrow("select password, totp, totp_step from account where account = $1", account)
    return Proof(**dict(row)) if row else None


async def unchanged(conn: Connection, seen: Account) -> bool:
    """Whether it can be used with the password that it had when it was seen; it stays so until the caller's transaction
    ends."""
    return bool(
        await conn.fetchval(
            "select true from account where account = $1 and password_at = $2 and state = 'active' for share",
            seen.account, seen.password_at,
        )
    )  # fmt: skip


async def keep_password(conn: Connection, account: int, password: str) -> None:
    """The same password, kept with today's costs; nothing ends."""
    await conn.execute("update account set password = $2 where account = $1", account, password)


async def set_password(conn: Connection, account: int, password: str, *, must_change: bool) -> None:
    """Another password, as an argon2id string. Its sessions end, and codes to reset it are worth nothing any more."""
    await conn.execute(
        "update account set password = $2, must_change = $3, password_at = now() where account = $1",
        account, password, must_change,
    )  # fmt: skip
    await conn.execute("delete from session where account = $1", account)
    await conn.execute("delete from reset_code where account = $1", account)


async def set_state(conn: Connection, account: int, state: str) -> None:
    """active or disabled; the sessions of a disabled account end, and its codes are worth nothing any more."""
    await conn.execute("update account set state = $2 where account = $1", account, state)
    if state != "active":
        await conn.execute("delete from session where account = $1", account)
        await conn.execute("delete from reset_code where account = $1", account)


async def set_totp(conn: Connection, account: int, sealed: bytes | None, step: int = 0) -> None:
    """The secret of its one-time codes, sealed, and the time step of the code that proved it; None = no codes."""
    await conn.execute("update account set totp = $2, totp_step = $3 where account = $1", account, sealed, step)


async def use_step(conn: Connection, account: int, step: int) -> bool:
    """Use up the one-time code of this time step; whether it wasn't used before (RFC 6238, 5.2)."""
    done: str = await conn.execute(
        "update account set totp_step = $2 where account = $1 and totp_step < $2", account, step
    )
    return not done.endswith(" 0")


async def give(conn: Connection, account: int, grant: Grant, by: str) -> None:
    """Give it a role; nothing happens if it has that already. NotFound if there is no such library."""
    if grant.library and not await conn.fetchval(
        "select exists (select from library where symbol = $1)", grant.library
    ):
        raise NotFound(f"no library has the symbol {grant.library}")
    await conn.execute(
        "insert into account_role (account, role, library, given_by) values ($1, $2, $3, $4) on conflict do nothing",
        account, str(grant.role), grant.library, by,
    )  # fmt: skip


async def take(conn: Connection, account: int, grant: Grant) -> None:
    """Take a role away; NotFound if it doesn't have that."""
    done = await conn.execute(
        "delete from account_role where account = $1 and role = $2 and library = $3",
        account, str(grant.role), grant.library,
    )  # fmt: skip
    if done.endswith(" 0"):
        raise NotFound(f"it doesn't have the role {grant.role}{'@' + grant.library if grant.library else ''}")


async def holders(conn: Connection) -> dict[Role, int]:
    """How many usable accounts have each duty for the whole node."""
    rows = await conn.fetch(
        "select r.role, count(*) as held from account_role r join account a using (account)"
        " where a.state = 'active' and r.library = '' and r.role = any($1::text[]) group by r.role",
        list(map(str, DUTIES)),
    )
    found = {row["role"]: row["held"] for row in rows}
    return {each: found.get(str(each), 0) for each in DUTIES}


async def with_several_duties(conn: Connection) -> list[str]:
    """Names of usable accounts that have more than one duty."""
    rows = await conn.fetch(
        "select a.name from account_role r join account a using (account)"
        " where a.state = 'active' and r.role = any($1::text[])"
        " group by a.name having count(distinct r.role) > 1 order by a.name",
        list(map(str, DUTIES)),
    )
    return [row["name"] for row in rows]
