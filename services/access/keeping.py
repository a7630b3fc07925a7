"""What those who look after accounts do with them (store). Each act asks `giving` first; the caller's transaction holds
what was looked at until it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalog.connection import Connection
from config.errors import NotFound, Refused
from config.secret import Secret
from services.access import accounts, attempts, giving, resets, sessions
from services.access.accounts import Account
from services.access.policy import ALL, DUTIES, Actor, Grant, Permission, Role

REASONS = {
    "own": "nobody changes what is his own: ask another one who looks after accounts",
    "beyond": "that reaches further than your own rights",
    "kind": "readers have the role reader and no other, staff has any other",
    "duties": "duties are separate here: an account has at most one of operator, security and auditor",
    "name": f"a name has {accounts.SHAPE}",
    "title": f"a title has at most {accounts.LONGEST_TITLE} characters",
}


class Unfit(Refused):
    """It may not be done; `why` is a key of `REASONS`."""

    def __init__(self, why: str) -> None:
        super().__init__(REASONS[why])
        self.why = why


async def seen(conn: Connection, actor: Actor) -> list[Account]:
    """The accounts that the actor looks after, or could if they had less: by library and name."""
    return await accounts.within(conn, actor.reach(Permission.ACCOUNTS), actor.reach(Permission.READERS))


async def one(conn: Connection, actor: Actor, name: str) -> Account:
    """An account within the actor's reach, held until the transaction ends; NotFound also for one elsewhere."""
    await accounts.hold(conn, name)
    found = await accounts.find(conn, name)
    if found is None or not giving.may_add(actor, found.kind, found.library):
        raise NotFound(f"there is no account named {name}")
    return found


async def add(
    conn: Connection,
    actor: Actor,
    name: str,
    grants: Sequence[Grant],
    *,
    library: str,
    title: str,
    password: str,
    separate: bool,
) -> Account:
    """A new account with these roles. `password`: what is kept of the one that its owner must change first."""
    if not accounts.NAME.fullmatch(name) or accounts.typed(name) != name:  # none that looks like another
        raise Unfit("name")
    if len(title) > accounts.LONGEST_TITLE or not title.isprintable():
        raise Unfit("title")
    kind = "reader" if grants and all(each.role is Role.READER for each in grants) else "staff"
    if not giving.may_add(actor, kind, library):
        raise Unfit("beyond")
    await accounts.add(conn, name, library=library, password=password, by=actor.name, title=title, kind=kind)
    for each in grants:
        await give(conn, actor, name, each, separate=separate)
    return await accounts.get(conn, name)


async def give(conn: Connection, actor: Actor, name: str, grant: Grant, *, separate: bool) -> None:
    """Another role for it."""
    found = await one(conn, actor, name)
    if why := giving.objection(actor, found, grant, separate=separate):
        raise Unfit(why)
    await accounts.give(conn, found.account, grant, actor.name)


async def take(conn: Connection, actor: Actor, name: str, grant: Grant) -> None:
    """A role less."""
    found = await one(conn, actor, name)
    if why := giving.objection(actor, found, grant, separate=False):
        raise Unfit(why)
    await accounts.take(conn, found.account, grant)


async def set_state(conn: Connection, actor: Actor, name: str, state: str) -> None:
    """active or disabled."""
    await accounts.set_state(conn, (await _managed(conn, actor, name)).account, state)


async def set_password(conn: Connection, actor: Actor, name: str, password: str) -> None:
    """Another password, of which this is kept, that its owner must change first."""
    found = await _managed(conn, actor, name)
    await accounts.set_password(conn, found.account, password, must_change=True)
    await attempts.unlock(conn, found.name)


async def issue(conn: Connection, actor: Actor, name: str, now: datetime) -> Secret:
    """A one-time code with which its owner sets a new password."""
    return await resets.issue(conn, await _managed(conn, actor, name), actor.name, now)


async def remove_codes(conn: Connection, actor: Actor, name: str) -> None:
    """It signs in without one-time codes until it has set them up anew: the phone is lost. Its sessions end."""
    found = await _managed(conn, actor, name)
    await accounts.set_totp(conn, found.account, None)
    await sessions.end_all(conn, found.account)


async def unlock(conn: Connection, actor: Actor, name: str) -> None:
    """It may try to sign in again at once."""
    await attempts.unlock(conn, (await _managed(conn, actor, name)).name)


def grant(role: Role, library: str, home: str) -> Grant:
    """The role for a library: a duty counts for the whole node unless one is said, any other at home."""
    return Grant(role=role, library=library or (ALL if role in DUTIES else home))


async def _managed(conn: Connection, actor: Actor, name: str) -> Account:
    found = await one(conn, actor, name)
    if actor.account == found.account:
        raise Unfit("own")
    if not giving.may_manage(actor, found):
        raise Unfit("beyond")
    return found
