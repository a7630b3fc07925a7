"""What somebody is about to catalogue: an ISBN or a title is a library's for a while, and the others see it (store)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from catalog.connection import Connection
from config.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A row of table `reservation`, without who made it."""

    key: str  # isbn:9787020002207 or title:红楼梦, folded
    told: str  # as it was asked for
    library: str
    until: datetime
    made_at: datetime


COLUMNS = ", ".join(Reservation.__dataclass_fields__)


async def make(conn: Connection, key: str, told: str, library: str, *, hours: float, made_by: str) -> Reservation:
    """Reserve it, or go on with one's own. Conflict if it is another library's.

    Of two that come at once one waits for the other: the key is the row's.
    """
    row = await conn.fetchrow(
        f"""insert into reservation (key, told, library, until, made_by)
            values ($1, $2, $3, now() + make_interval(secs => $4), $5)
            on conflict (key) do update
            set told = excluded.told, library = excluded.library, until = excluded.until, made_at = now(),
                made_by = excluded.made_by
            where reservation.library = excluded.library or reservation.until <= now()
            returning {COLUMNS}""",
        key,
        told,
        library,
        hours * 3600,
        made_by,
    )
    if row is None:
        there = await conn.fetchrow(f"select {COLUMNS} from reservation where key = $1", key)
        raise Conflict(f"{told} is reserved by {there['library']} until {there['until']:%Y-%m-%d %H:%M %Z}")
    return Reservation(**dict(row))


async def of_keys(conn: Connection, keys: Collection[str]) -> list[Reservation]:
    """Those that hold now, of these keys."""
    rows = await conn.fetch(
        f"select {COLUMNS} from reservation where key = any($1::text[]) and until > now() order by until", list(keys)
    )
    return [Reservation(**dict(row)) for row in rows]


async def listing(conn: Connection, limit: int, library: str = "") -> list[Reservation]:
    """Those that hold now, the next to end first."""
    rows = await conn.fetch(
        f"""select {COLUMNS} from reservation where until > now() and ($1 = '' or library = $1)
            order by until limit $2""",
        library,
        limit,
    )
    return [Reservation(**dict(row)) for row in rows]


async def end(conn: Connection, keys: Collection[str], library: str) -> int:
    """The library needs these no longer; how many there were."""
    done = await conn.execute(
        "delete from reservation where key = any($1::text[]) and library = $2", list(keys), library
    )
    return int(done.rsplit(" ", 1)[1])


async def give_up(conn: Connection, key: str, within: Collection[str] | None) -> Reservation:
    """End one before its time; NotFound if there is none of these libraries."""
    row = await conn.fetchrow(
        f"""delete from reservation where key = $1 and until > now() and ($2::text[] is null or library = any($2))
            returning {COLUMNS}""",
        key,
        None if within is None else sorted(within),
    )
    if row is None:
        raise NotFound("there is no such reservation of yours (tianlu reservation list)")
    return Reservation(**dict(row))


async def tidy(conn: Connection) -> int:
    """Forget those whose time is over; how many there were."""
    done = await conn.execute("delete from reservation where until <= now()")
    return int(done.rsplit(" ", 1)[1])
