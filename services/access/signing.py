"""Proving who one is: the steps of signing in, of a password's change and of a reset, each try counted (shell).

The answer to a wrong name, password or code is one and the same, and so is the work: the same statements, the same
hash. While the hash is made no connection is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.database.pool import Database
from config.errors import Conflict, TianluError
from config.settings import Access
from services.access import accounts, attempts, passwords, resets, sessions, totp
from services.access.accounts import Account, Proof
from services.access.sealed import Seal

NO_PROOF = Proof(password="", totp=None, totp_step=0)


class Wrong(TianluError):
    """Name, password or code is wrong, or the account can't be used: it isn't said which."""

    code = "not-signed-in"


class Locked(TianluError):
    """Too many tries."""

    code = "locked"

    def __init__(self, until: datetime) -> None:
        super().__init__(f"too many tries: locked until {until:%H:%M:%S} UTC")
        self.until = until


class Weak(TianluError):
    """A new password is no good; `why` as `passwords.objection` says."""

    code = "weak-password"

    def __init__(self, why: str) -> None:
        super().__init__(f"the new password is no good: {why}")
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who somebody says to be, and where they are. Never kept, never logged."""

    name: str
    password: str
    code: str = ""
    address: str = ""
    agent: str = ""

    def __repr__(self) -> str:
        return f"Claim(name={self.name!r}, address={self.address!r})"


async def prove(database: Database, seal: Seal, claim: Claim, now: datetime) -> Account:
    """The account, if the claim is right. Wrong, Locked, or Retry if too many are at it."""
    counted = attempts.of_account(claim.name), attempts.of_address(claim.address)
    async with database.transaction() as conn:
        until = await attempts.take(conn, counted, now)
    if until is not None:
        raise Locked(until)
    async with database.connection() as conn:
        found = await accounts.find(conn, claim.name)
        kept = await accounts.proof(conn, found.account if found else None) or NO_PROOF
    right = await passwords.right(claim.password, kept.password)
    step = _step(seal, found, kept, claim.code, now)
    if not (found and found.active and right and step is not None):
        raise Wrong("name, password or one-time code is wrong")
    fresh = await passwords.shrouded(claim.password) if passwords.outdated(kept.password) else ""
    async with database.transaction() as conn:
        if step and not await accounts.use_step(conn, found.account, step):
            raise Wrong("name, password or one-time code is wrong")
        await attempts.forgive(conn, counted, now)
        if fresh:
            await accounts.keep_password(conn, found.account, fresh)
    return found


async def sign_in(
    database: Database, seal: Seal, claim: Claim, now: datetime, access: Access, before: str = ""
) -> tuple[str, sessions.Session]:
    """The token of a new session, and what it may. `before`: the token of the session that it takes the place of."""
    found = await prove(database, seal, claim, now)
    async with database.transaction() as conn:
        if not await accounts.unchanged(conn, found):
            raise Wrong("name, password or one-time code is wrong")
        await sessions.sweep(conn, now, access)
        if before:
            await sessions.over(conn, before)
        token = await sessions.begin(conn, found, now, claim.address, claim.agent)
        made = await sessions.find(conn, token, now, access)
    assert made is not None  # it has only begun, and its account is held
    return token, made


async def change_password(database: Database, claim: Claim, new: str, now: datetime, site: tuple[str, ...]) -> Account:
    """Another password for an account that proves itself by the old one; all its sessions end. Weak, Wrong, Locked.

    The one-time code isn't asked again: a session with it does this.
    """
    check(new, claim.name, site)
    counted = attempts.of_account(claim.name), attempts.of_address(claim.address)
    async with database.transaction() as conn:
        until = await attempts.take(conn, counted, now)
    if until is not None:
        raise Locked(until)
    async with database.connection() as conn:
        found = await accounts.get(conn, claim.name)
        kept = await accounts.proof(conn, found.account) or NO_PROOF
    if not await passwords.right(claim.password, kept.password):
        raise Wrong("the present password is wrong")
    if new == claim.password:
        raise Weak("same")
    made = await passwords.shrouded(new)
    async with database.transaction() as conn:
        await attempts.forgive(conn, counted, now)
        await accounts.set_password(conn, found.account, made, must_change=False)
    return found


async def reset(database: Database, code: str, new: str, now: datetime, site: tuple[str, ...], address: str) -> Account:
    """A new password by a one-time code, which is used up; the account's lock is gone. Weak, Wrong, Locked."""
    counted = (attempts.of_address(address),)
    async with database.transaction() as conn:
        until = await attempts.take(conn, counted, now)
    if until is not None:
        raise Locked(until)
    async with database.connection() as conn:
        found = await resets.owner(conn, code, now)
    if found is None:
        raise Wrong("there is no such code, or it can't be used any more")
    if why := passwords.objection(new, (found.name, *site)):
        async with database.transaction() as conn:
            await attempts.forgive(conn, counted, now)
        raise Weak(why)
    made = await passwords.shrouded(new)
    async with database.transaction() as conn:
        if await resets.owner(conn, code, now) is None:
            raise Wrong("there is no such code, or it can't be used any more")
        await accounts.set_password(conn, found.account, made, must_change=False)
        await attempts.forgive(conn, counted, now)
        await attempts.unlock(conn, found.name)
    return found


def check(new: str, name: str, site: tuple[str, ...]) -> None:
    """Weak if it is no good for this account; `site`: the node's names."""
    if why := passwords.objection(new, (name, *site)):
        raise Weak(why)


async def set_up_codes(
    database: Database, seal: Seal, account: Account, secret: bytes, code: str, now: datetime
) -> None:
    """The account signs in with codes of this secret from now on, if the code shows that the phone has it. Wrong."""
    counted = (attempts.of_account(account.name),)
    async with database.transaction() as conn:
        until = await attempts.take(conn, counted, now)
    if until is not None:
        raise Locked(until)
    step = totp.matching(secret, code, now)
    if step is None:
        raise Wrong("the code is wrong: see that the phone's clock is right")
    async with database.transaction() as conn:
        if (await accounts.get(conn, account.name)).has_totp:
            raise Conflict(f"{account.name} has one-time codes already")
        await accounts.set_totp(conn, account.account, seal.close(secret, place(account)), step)
        await attempts.unlock(conn, account.name)


def place(account: Account) -> str:
    """What an account's secret is sealed for."""
    return f"totp:{account.account}"


def _step(seal: Seal, found: Account | None, kept: Proof, code: str, now: datetime) -> int | None:
    """The time step of the code; 0 if none is needed, None if it is wrong."""
    if found is None or kept.totp is None:
        return 0
    return totp.matching(seal.open(kept.totp, place(found)), code, now)
