"""Tries to prove who one is, counted in the database by account and by address, so over all processes (store).

A try counts before it is looked at: many at once gain nothing. At the tenth the account or address is locked, each
further one doubles the pause. A count falls by one in some minutes without tries. So there are at most ten tries in any
90 seconds, and in the long run one in a quarter of an hour. Names are kept as digests, because passwords are typed in
the wrong field. Visitors who can't be told apart (behind a proxy that nobody named) share a wider count.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from catalog.connection import Connection
from services.access.accounts import typed

MOST = 10
MOST_UNKNOWN = 100  # from addresses that aren't known, all of them together
PAUSE = timedelta(seconds=90)  # at the tenth, then twice as long each time
LONGEST = timedelta(minutes=15)
FALL = timedelta(minutes=5)  # without tries, that take one from the count
UNKNOWN = "address:"
FORGOTTEN = timedelta(days=1)
NETWORK_OF_ONE = 64  # bits of an IPv6 address that one subscriber has


def of_account(name: str) -> str:
    """What tries with this name are counted by, whether there is such an account or not."""
    return f"account:{hashlib.sha256(typed(name).lower().encode(errors='replace')).hexdigest()[:32]}"


def of_address(address: str) -> str:
    """What tries from this address are counted by: IPv4 as it is, IPv6 by its network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"address:{address[:64]}"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((found, NETWORK_OF_ONE), strict=False)}"
        found = found.ipv4_mapped
    return f"address:{found}"


async def take(conn: Connection, counted: Sequence[str], now: datetime) -> datetime | None:
    """Count a try by all of these; None if it may be made, else up to when one of them is locked, and then nothing is
    counted. Commit before looking at the password, whatever it turns out to be.
    """
    names = sorted(set(counted))  # in one order, so that two never wait for each other
    await conn.execute(
        "insert into attempt (what, failures, since) select what, 0, $2 from unnest($1::text[]) as what"
        " order by what on conflict do nothing",
        names, now,
    )  # fmt: skip
    rows = await conn.fetch(
        "select what, failures, since, until from attempt where what = any($1::text[]) order by what for update", names
    )
    ends: list[datetime] = [row["until"] for row in rows if row["until"] is not None and row["until"] > now]
    if ends:
        return max(ends)
    for row in rows:
        count = counted_now(row["failures"], max(row["since"], row["until"] or row["since"]), now) + 1
        await conn.execute(
            "update attempt set failures = $2, since = $3, until = $4 where what = $1",
            row["what"], count, now, now + pause(over) if (over := count - most(row["what"])) >= 0 else None,
        )  # fmt: skip
    return None


async def forgive(conn: Connection, counted: Sequence[str], now: datetime) -> None:
    """The try was right: an account's count is gone, an address has back this one try."""
    await conn.execute("delete from attempt where what = any($1::text[]) and what like 'account:%'", counted)
    await conn.execute(
        "update attempt set failures = greatest(failures - 1, 0),"
        " until = case when failures > case what when $2 then $3::int else $4::int end then until end"
        " where what = any($1::text[])",
        counted, UNKNOWN, MOST_UNKNOWN, MOST,
    )  # fmt: skip
    await conn.execute("delete from attempt where since < $1 and (until is null or until < $1)", now - FORGOTTEN)


async def unlock(conn: Connection, name: str) -> None:
    """Whoever looks after accounts lets it try again."""
    await conn.execute("delete from attempt where what = $1", of_account(name))


async def locked(conn: Connection, names: Sequence[str], now: datetime) -> dict[str, datetime]:
    """Which of these accounts are locked at the moment, and until when."""
    keys = {of_account(each): each for each in names}
    rows = await conn.fetch(
        "select what, until from attempt where what = any($1::text[]) and until > $2", list(keys), now
    )
    return {keys[row["what"]]: row["until"] for row in rows}


def counted_now(failures: int, last: datetime, now: datetime) -> int:
    """What is left of a count."""
    return max(0, failures - max(0, (now - last) // FALL))


def most(what: str) -> int:
    """The try that locks."""
    return MOST_UNKNOWN if what == UNKNOWN else MOST


def pause(over: int) -> timedelta:
    """How long the try that locks does so, and each later one."""
    return min(LONGEST, PAUSE * (1 << min(over, 10)))
