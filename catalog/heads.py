"""Ends of other nodes' audit logs as they told them, and the alarms when one is not what it was (store)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.audit import KEPT_DAYS
from catalog.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An end that was told."""

    no: int
    digest: bytes
    at: datetime  # by the other's clock
    heard_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Why another node's log is not what it was."""

    reason: str
    at: datetime


async def last(conn: Connection, symbol: str) -> Heard | None:
    """The last end that a node told, whatever it tells from now on waits until this transaction is over."""
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('audit ' || $1, 0))", symbol)
    row = await conn.fetchrow(
        "select no, digest, at, heard_at from audit_heard where symbol = $1 order by no desc limit 1", symbol
    )
    return Heard(**dict(row)) if row else None


async def hear(conn: Connection, symbol: str, no: int, digest: bytes, at: datetime) -> None:
    """Keep an end that fits those before: it is the last one. Of earlier ones the first of each hour stays."""
    await conn.execute(
        """delete from audit_heard o where symbol = $1 and no < $2
             and (heard_at < now() - make_interval(days => $3)
                  or no = (select max(no) from audit_heard where symbol = $1 and no < $2)
                     and exists (select from audit_heard b where b.symbol = $1 and b.no < o.no
                                 and date_trunc('hour', b.heard_at) = date_trunc('hour', o.heard_at)))""",
        symbol, no, KEPT_DAYS,
    )  # fmt: skip
    await conn.execute(
        "insert into audit_heard (symbol, no, digest, at) values ($1, $2, $3, $4)"
        " on conflict (symbol, no) do update set at = excluded.at, heard_at = now()",
        symbol, no, digest, at,
    )  # fmt: skip


async def raise_alarm(conn: Connection, symbol: str, reason: str) -> bool:
    """The log of this node is not what it was; whether that is news."""
    done: str = await conn.execute(
        "insert into audit_alarm (symbol, reason) values ($1, $2) on conflict do nothing", symbol, reason
    )
    return done.endswith(" 1")


async def alarm(conn: Connection, symbol: str) -> Alarm | None:
    """The alarm that stands against a node."""
    row = await conn.fetchrow("select reason, at from audit_alarm where symbol = $1", symbol)
    return Alarm(**dict(row)) if row else None


async def alarms(conn: Connection) -> dict[str, Alarm]:
    """All that stand, by symbol."""
    rows = await conn.fetch("select symbol, reason, at from audit_alarm")
    return {row["symbol"]: Alarm(reason=row["reason"], at=row["at"]) for row in rows}


async def accept(conn: Connection, symbol: str) -> Alarm | None:
    """End an alarm: what the node tells next is believed, and compared with from then on."""
    found = await alarm(conn, symbol)
    if found is not None:
        await conn.execute("delete from audit_alarm where symbol = $1", symbol)
        await conn.execute("delete from audit_heard where symbol = $1", symbol)
    return found
