"""Who a client is: nobody, an account by its password, or an account by one of its keys (shell).

A password counts as at the sign-in page: each try by account and address, accounts that have to put something in order
first are not let in, and those with one-time codes give theirs as the group id. A key (`tlk_…`) in the place of the
password needs no code; it can be for less than its account may, and ends. Refusals go to the audit log, as does the
first time that somebody comes in from an address; clients that sign in for every search don't fill it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catalog.acts import Entry, Outcome
from catalog.database.pool import Database
from config.errors import Refused, Retry
from config.settings import Access
from node.deeds import Deed
from node.z3950.operations import ACTS
from services.access import accounts, keys, sealed, signing
from services.access.policy import NOBODY, Actor
from services.access.signing import Claim, Locked, Wrong

log = logging.getLogger(__name__)

SELDOM = 600.0  # seconds for which further entries of a kind are one
MOST = 4096  # kinds that are remembered for that
AGENT = "z39.50"
STALE = 60.0  # seconds after which an account is looked at again: it may have been disabled


class NotAdmitted(Refused):
    """Whoever asks isn't let in; which part was wrong isn't said. Its text is for whoever has the right password."""

    code = "not-admitted"


class Unsettled(Wrong):
    """The password is right, and something has to be put in order at the web pages first."""

    code = "account-to-be-put-in-order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who has a session."""

    actor: Actor = NOBODY
    account: str = ""  # its name
    library: str = ""  # where it is at home
    key: str = field(default="", repr=False)  # what was presented in the place of a password
    seen: float = 0.0  # on the clock, when it was looked at last


class Porter:
    """Lets clients in."""

    def __init__(self, database: Database, home: Path, access: Access) -> None:
        self._database, self._home, self._access = database, home, access
        self._told: dict[tuple[str, ...], float] = {}

    async def admit(self, name: str, password: str, code: str, address: str) -> Visitor:
        """The visitor, if it is who it says. Raises NotAdmitted, Retry if too many are at it."""
        now = datetime.now(UTC)
        try:
            if keys.SHAPE.fullmatch(password):
                found = await self._by_key(name, password, now)
            else:
                found = await self._by_password(
                    Claim(name=name, password=password, code=code, address=address, agent=AGENT), now
                )
        except (Wrong, Locked) as error:
            await self._refused(name, address, error.code)
            raise NotAdmitted(str(error) if isinstance(error, Unsettled) else "") from error
        await self._tell("done", found.actor.name, found.account, found.library, address)
        return found

    def is_known(self, visitor: Visitor) -> bool:
        """It need not be looked at."""
        return not visitor.account or time.monotonic() - visitor.seen < STALE

    async def again(self, visitor: Visitor) -> Visitor:
        """The visitor as its account is now, looked at from time to time. Raises NotAdmitted if it is no more."""
        if self.is_known(visitor):
            return visitor
        try:
            if visitor.key:
                return await self._by_key(visitor.account, visitor.key, datetime.now(UTC))
            async with self._database.connection() as conn:
                found = await accounts.find(conn, visitor.account)
            if not (found and found.active):
                raise Wrong("the account can't be used any more")
        except Wrong as error:
            raise NotAdmitted from error
        return Visitor(actor=found.actor, account=found.name, library=found.library, seen=time.monotonic())

    async def _by_password(self, claim: Claim, now: datetime) -> Visitor:
        found = await signing.prove(self._database, sealed.of(self._home), claim, now)
        if found.must_change or (found.must_have_totp(self._access.totp) and not found.has_totp):
            raise Unsettled("sign in at the web pages first: this account has something to put in order there")
        return Visitor(actor=found.actor, account=found.name, library=found.library, seen=time.monotonic())

    async def _by_key(self, name: str, presented: str, now: datetime) -> Visitor:
        async with self._database.connection() as conn:
            bearer = await keys.bearer(conn, presented, now)
        owner = bearer.actor.name.removeprefix("key:").rpartition("/")[0] if bearer else ""
        if bearer is None or (name and accounts.typed(name).lower() != owner.lower()):
            raise Wrong("there is no such key of this account")
        return Visitor(actor=bearer.actor, account=owner, library=bearer.library, key=presented, seen=time.monotonic())

    async def _refused(self, name: str, address: str, why: str) -> None:
        """What is no account's name is not kept: it may be a password in the wrong field."""
        async with self._database.connection() as conn:
            found = await accounts.find(conn, name)
        known = (found.name, found.library) if found else ("", "")
        await self._tell("refused", "nobody", *known, address, error=why)

    async def _tell(
        self, outcome: Outcome, actor: str, name: str, library: str, address: str, **detail: object
    ) -> None:
        now, what = time.monotonic(), (outcome, name, address)
        if now - self._told.get(what, -SELDOM) < SELDOM:
            return
        if len(self._told) >= MOST:
            self._told.clear()
        entry = Entry(actor=actor, act=ACTS["init"], object=name, library=library, address=address)
        try:
            await Deed(entry=entry).settle(self._database, outcome, **detail)
        except Retry:
            if outcome == "done":
                raise  # nobody is let in whom the log doesn't know of
            log.exception("%s refused, which the audit log could not be told", ACTS["init"])
        self._told[what] = now
