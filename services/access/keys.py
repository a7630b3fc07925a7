"""API keys of accounts (store): `tlk_<prefix>_<secret>`, of which only the prefix and a SHA-256 are kept.

The secret has 130 random bits, so a plain digest is enough: there is nothing to guess from. A key may what its scopes
say and its account may at that moment, whichever is less (`policy.Actor`). It is looked up at each request, so that
one that is disabled, or whose account is, counts for nothing from then on.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from catalog.connection import Connection
from config.errors import NotFound, Refused
from config.secret import Secret
from services.access import accounts
from services.access.accounts import Account
from services.access.policy import ALL, Actor, Permission, Reach, Scope

PREFIX_LENGTH, SECRET_LENGTH = 8, 26  # characters of 5 bits
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 that are not taken for each other
SHAPE = re.compile(rf"tlk_([{_ALPHABET}]{{{PREFIX_LENGTH}}})_([{_ALPHABET}]{{{SECRET_LENGTH}}})")
LONGEST = timedelta(days=365)
USUAL = timedelta(days=90)
RATE, FASTEST = 60, 6000  # requests a minute: unless said, and at most
MOST_SCOPES = 20
LONGEST_TITLE = 80  # characters
# A key never looks after accounts or keys: one that leaked could make itself a successor.
_NOT_FOR_KEYS = (Permission.OWN, Permission.READERS, Permission.ACCOUNTS, Permission.EXCHANGE)
FOR_KEYS = tuple(each for each in Permission if each not in _NOT_FOR_KEYS)
COLUMNS = (
    "k.key, a.name as account, k.library, k.title, k.prefix, k.scopes, k.rate, k.made_at, k.made_by, k.until,"
    " k.disabled_at, k.disabled_by, k.used_at"
)


class Unfit(Refused):
    """A key can't be made so; `why` is a key of `REASONS`."""

    def __init__(self, why: str) -> None:
        super().__init__(REASONS[why])
        self.why = why


REASONS = {
    "title": f"a key needs a title of 1 to {LONGEST_TITLE} characters: what it is for",
    "scopes": f"a key needs 1 to {MOST_SCOPES} scopes, each PERMISSION or PERMISSION@LIBRARY with a permission of "
    + ", ".join(FOR_KEYS),
    "beyond": "a scope reaches further than the account itself",
    "until": f"a key holds from 1 to {LONGEST.days} days",
    "rate": f"the rate is from 1 to {FASTEST} requests a minute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What may be shown of a key."""

    key: int
    account: str  # name of its account
    library: str  # where that is at home
    title: str
    prefix: str
    scopes: tuple[Scope, ...]
    rate: int  # requests a minute
    made_at: datetime
    made_by: str
    until: datetime
    disabled_at: datetime | None
    disabled_by: str
    used_at: datetime | None

    def state(self, now: datetime) -> str:
        """active, disabled or expired."""
        if self.disabled_at is not None:
            return "disabled"
        return "active" if now < self.until else "expired"

    def shown(self, now: datetime) -> dict[str, object]:
        """As lists of the command line and of /api/keys show it."""
        return {
            "key": self.key,
            "account": self.account,
            "library": self.library,
            "title": self.title,
            "prefix": self.prefix,
            "scopes": [written(each) for each in self.scopes],
            "rate": self.rate,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "made_by": self.made_by,
            "until": self.until.isoformat(timespec="seconds"),
            "state": self.state(now),
            "used": self.used_at and self.used_at.isoformat(timespec="seconds"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who asks with a key, and how fast it may."""

    key: int
    library: str
    rate: int
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How often a key was used for one operation on one day."""

    day: date
    operation: str
    calls: int
    refused: int


def read_scope(text: str) -> Scope:
    """`permission` or `permission@library`; * or nothing = wherever the account may. Unfit if it is none."""
    name, _, library = text.strip().partition("@")
    if name not in FOR_KEYS or len(library) > 16:
        raise Unfit("scopes")
    return Scope(permission=Permission(name), library=ALL if library == "*" else library)


def written(scope: Scope) -> str:
    """The scope as it is kept and shown."""
    return f"{scope.permission}@{scope.library or '*'}"


async def issue(
    conn: Connection,
    account: Account,
    title: str,
    scopes: Sequence[Scope],
    *,
    days: int,
    rate: int,
    by: str,
    now: datetime,
) -> tuple[Key, Secret]:
    """A new key of the account, and what its user presents, which is nowhere else. Unfit if it can't be made so."""
    if not 0 < len(title.strip()) <= LONGEST_TITLE or not title.isprintable():
        raise Unfit("title")
    if not 0 < len(set(scopes)) <= MOST_SCOPES or any(each.permission not in FOR_KEYS for each in scopes):
        raise Unfit("scopes")
    if not all(_within(account.actor, each) for each in scopes):
        raise Unfit("beyond")
    if not 1 <= days <= LONGEST.days:
        raise Unfit("until")
    if not 1 <= rate <= FASTEST:
        raise Unfit("rate")
    prefix, secret = _random(PREFIX_LENGTH), _random(SECRET_LENGTH)
    number = await conn.fetchval(
        "insert into api_key (account, library, title, prefix, secret, scopes, rate, made_at, made_by, until)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning key",
        account.account, account.library, title.strip(), prefix, _digest(secret),
        sorted({written(each) for each in scopes}), rate, now, by, now + timedelta(days=days),
    )  # fmt: skip
    row = await conn.fetchrow(f"select {COLUMNS} from api_key k join account a using (account) where key = $1", number)
    return _built(row), Secret(f"tlk_{prefix}_{secret}")


async def bearer(conn: Connection, presented: str, now: datetime) -> Bearer | None:
    """Who asks with this key; None if there is none such that can be used."""
    parts = SHAPE.fullmatch(presented)
    if parts is None:
        return None
    row = await conn.fetchrow(
        f"select k.key as number, k.secret, k.scopes as own_scopes, k.rate, k.prefix, {accounts.COLUMNS}"
        " from api_key k join account a using (account)"
        " where k.prefix = $1 and k.disabled_at is null and k.until > $2 and a.state = 'active'",
        parts[1], now,
    )  # fmt: skip
    if row is None or not hmac.compare_digest(row["secret"], _digest(parts[2])):
        return None
    owner = accounts.built(row)
    name = f"key:{owner.name}/{row['prefix']}"
    scopes = _scopes(row["own_scopes"])
    return Bearer(
        key=row["number"], library=owner.library, rate=row["rate"], actor=replace(owner.actor, name=name, scopes=scopes)
    )


async def within(conn: Connection, reach: Reach, account: int | None) -> list[Key]:
    """The keys of this account, and those of accounts at home within the reach; the latest first."""
    rows = await conn.fetch(
        f"select {COLUMNS} from api_key k join account a using (account)"
        " where $1 or k.library = any($2::text[]) or k.account = $3 order by k.key desc",
        reach.everywhere, sorted(reach.libraries), account,
    )  # fmt: skip
    return [_built(row) for row in rows]


async def one(conn: Connection, key: int, reach: Reach, account: int | None) -> Key:
    """A key that `within` lists, or NotFound."""
    row = await conn.fetchrow(
        f"select {COLUMNS} from api_key k join account a using (account)"
        " where k.key = $4 and ($1 or k.library = any($2::text[]) or k.account = $3)",
        reach.everywhere, sorted(reach.libraries), account, key,
    )  # fmt: skip
    if row is None:
        raise NotFound(f"there is no key {key}")
    return _built(row)


async def disable(conn: Connection, key: int, by: str, now: datetime) -> None:
    """It can't be used from now on, for good. Nothing happens if that is so already."""
    await conn.execute(
        "update api_key set disabled_at = $2, disabled_by = $3 where key = $1 and disabled_at is null", key, now, by
    )


async def count(conn: Connection, uses: Mapping[tuple[int, str, date, str], tuple[int, int]], now: datetime) -> None:
    """Add to the meter: (key, library, day, operation) → calls and those of them that were refused."""
    if not uses:
        return
    rows = [(*what, *numbers) for what, numbers in sorted(uses.items())]
    await conn.execute(
        "insert into api_key_use (key, library, day, operation, calls, refused)"
        " select u.* from unnest($1::bigint[], $2::text[], $3::date[], $4::text[], $5::bigint[], $6::bigint[])"
        " as u (key, library, day, operation, calls, refused) join api_key using (key)"
        " on conflict (key, day, operation) do update set calls = api_key_use.calls + excluded.calls,"
        " refused = api_key_use.refused + excluded.refused",
        *map(list, zip(*rows, strict=True)),
    )  # fmt: skip
    await conn.execute(
        "update api_key set used_at = $2 where key = any($1::bigint[])", sorted({row[0] for row in rows}), now
    )


async def usage(conn: Connection, key: int) -> list[Use]:
    """What it was used for, the latest day first."""
    rows = await conn.fetch(
        "select day, operation, calls, refused from api_key_use where key = $1 order by day desc, operation", key
    )
    return [Use(**dict(row)) for row in rows]


def _within(actor: Actor, scope: Scope) -> bool:
    return actor.may(scope.permission, scope.library or None)


def _built(row: object) -> Key:
    values = dict(row)  # type: ignore[call-overload]
    return Key(**(values | {"scopes": _scopes(values["scopes"])}))


def _scopes(texts: Sequence[str]) -> tuple[Scope, ...]:
    known = [each.partition("@") for each in texts]
    return tuple(
        Scope(permission=Permission(name), library=ALL if library == "*" else library)
        for name, _, library in known
        if name in FOR_KEYS  # a later release may have more of them; here they permit nothing
    )


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
