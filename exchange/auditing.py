"""The end of this node's audit log, told to its parents each minute, and what a parent makes of it. The parent tells
its own end in the answer, so that the log of the centre is known elsewhere too.

A log is chained, so its end stands for all of it. Whoever shortens a log, or makes it anew from some entry on, can't
make it fit what was told before: the parent is shown the last end that it heard, at its place in the log of now. It
keeps the alarm until somebody has accepted it (`tianlu audit accept`): a restored backup looks the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from catalog import audit, heads
from catalog.acts import Entry
from catalog.audit import KEPT_DAYS
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.heads import Heard
from config.errors import NotFound, Retry, TianluError
from exchange import greeting
from exchange.moving import PROMPT, Wire

log = logging.getLogger(__name__)

PATH = "/x/audit"
EVERY = 60.0  # seconds between two tellings
AGAIN = 10.0  # seconds after one that failed
DROPPED_EVERY = 6 * 3600.0  # seconds between looks for entries that are too old
LATE = timedelta(seconds=60)  # for which a signed message lives: so much later than it was written may it come
QUIET = timedelta(minutes=5)  # without a word of its log, while all else goes on, after which a node is silent about it

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
Number = Annotated[int, Meta(ge=0, lt=1 << 62)]
Moment = Annotated[datetime, Meta(tz=True)]


class Told(Struct, frozen=True, kw_only=True):
    """POST /x/audit: the log's end."""

    no: Number
    digest: Digest
    at: Moment  # when it was read, by the sender's clock
    start: Number = 0  # the last entry that was dropped
    past: Annotated[Mapping[Number, Digest], Meta(max_length=10)] = {}  # digests that were asked for, by number
    ask: Annotated[tuple[Number, ...], Meta(max_length=10)] = ()  # entries of the other whose digests are wanted


class Compared(Struct, frozen=True, kw_only=True):
    """The answer: what was heard before, and how the end that was told now fits that."""

    no: int = 0
    digest: bytes = b""  # empty = nothing was
    alarm: str = ""  # why it doesn't fit
    ask: tuple[int, ...] = ()  # entries whose digests are to be told besides
    own: Told | None = None  # the end of the answering node's own log


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An end compared with the one before. With none of the three it fits."""

    alarm: str = ""
    ask: int | None = None
    late: bool = False  # overtaken by a later message: it says nothing


def judge(last: Heard | None, told: Told, now: datetime) -> Judged:
    """Whether a log with this end can be the one that had the last one (pure)."""
    if last is None:
        return Judged()
    if told.no < last.no:
        if timedelta(0) < last.at - told.at < LATE:
            return Judged(late=True)
        return Judged(alarm=f"the log ends at entry {told.no}; it had entry {last.no}")
    if told.start > last.no:
        if now - last.heard_at >= timedelta(days=KEPT_DAYS):
            return Judged()
        return Judged(alarm=f"entry {last.no} was dropped before its time")
    shown = told.digest if told.no == last.no else told.past.get(last.no)
    if shown is None:
        return Judged(ask=last.no)
    return Judged() if shown == last.digest else Judged(alarm=f"entry {last.no} is not the one that was there")


async def heard(conn: Connection, symbol: str, told: Told, now: datetime) -> Compared:
    """The parent's part, in a transaction: what a child told, compared, and this node's own end."""
    own = await end(conn, told.ask)
    return structs.replace(await compare(conn, symbol, told, now), own=own)


async def end(conn: Connection, asked: Iterable[int]) -> Told:
    """The log's end, with the digests that the other node asks for."""
    head = await audit.head(conn)
    past = {no: digest for no in asked if (digest := await audit.digest_of(conn, no)) is not None}
    return Told(no=head.no, digest=head.digest, at=head.at, start=head.start, past=past)


async def compare(conn: Connection, symbol: str, told: Told, now: datetime) -> Compared:
    """Keep the end that another node told if it fits those before, else raise the alarm."""
    last = await heads.last(conn, symbol)
    before = Compared(no=last.no, digest=last.digest) if last else Compared()
    if standing := await heads.alarm(conn, symbol):
        return Compared(no=before.no, digest=before.digest, alarm=standing.reason)
    judged = judge(last, told, now)
    if judged.alarm:
        await heads.raise_alarm(conn, symbol, judged.alarm)
        log.error("audit log of %s: %s", symbol, judged.alarm)
        detail = {"reason": judged.alarm, "told": told.no, "digest": told.digest.hex(), "heard": before.no}
        await audit.append(
            conn, Entry(actor=f"node:{symbol}", act="audit.alarm", object=symbol, outcome="failed", detail=detail)
        )
    elif judged.ask is None and not judged.late:
        await heads.hear(conn, symbol, told.no, told.digest, told.at)
    asked = () if judged.ask is None else (judged.ask,)
    return Compared(no=before.no, digest=before.digest, alarm=judged.alarm, ask=asked)


async def tell(database: Database, wire: Wire, symbol: str) -> Compared:
    """The child's part: tell the parent `symbol` the end, and show what it asks for; its last answer."""
    asked: tuple[int, ...] = ()
    while True:
        async with database.transaction() as conn:
            last = await heads.last(conn, symbol)
        async with database.snapshot() as conn:
            told = structs.replace(await end(conn, asked), ask=(last.no,) if last else ())
        answer = await wire.send("POST", PATH, greeting.encode(told), patience=PROMPT)
        if answer.status != 200:
            raise wire.refusal(answer)
        compared = greeting.decode(answer.body, Compared)
        if compared.own:
            async with database.transaction() as conn:
                await compare(conn, symbol, compared.own, datetime.now(UTC))
        if not compared.ask or asked:
            return compared
        asked = compared.ask[:10]


async def fault(conn: Connection, compared: Compared) -> str:
    """What a parent heard that isn't in this node's log, "" if all of it is."""
    if not compared.digest:
        return ""
    head = await audit.head(conn)
    if compared.no > head.no:
        return f"it was told of entry {compared.no}; the log ends at {head.no}"
    digest = await audit.digest_of(conn, compared.no)
    if digest is None and compared.no < head.start:
        return ""  # dropped, after half a year without a word
    return "" if digest == compared.digest else f"it was told of another entry {compared.no}"


def silent(last: Heard | None, seen: datetime | None, now: datetime) -> str:
    """Why a node's log is in doubt though nothing was heard that doesn't fit: it says nothing of it while all else
    goes on."""
    if seen is None or now - seen > QUIET:
        return ""  # it says nothing at all
    if last is None:
        return "it has told nothing of its log yet"
    if now - last.heard_at <= QUIET:
        return ""
    return f"it has told nothing of its log since {last.heard_at:%Y-%m-%d %H:%M} UTC"


@dataclass(kw_only=True)
class Keeper:
    """What the exchange does for the audit log: tells its end, and drops what is older than it must be kept."""

    database: Database
    days: int
    _due: dict[int, float] = field(default_factory=dict)  # by peer, when it is told next
    _alarms: dict[int, str] = field(default_factory=dict)  # what each said last
    _drop: float = 0.0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def look(self, wires: Mapping[int, tuple[str, Wire]]) -> None:
        """Begin what is due; `wires` by peer, with its symbol."""
        now = asyncio.get_running_loop().time()
        self._due = {no: due for no, due in self._due.items() if no in wires}
        for no, (symbol, wire) in wires.items():
            if self._due.get(no, now) <= now:
                self._due[no] = now + EVERY
                self._begin(self._tell(no, symbol, wire))
        if self._drop <= now:
            self._drop = now + DROPPED_EVERY
            self._begin(self._forget())

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, no: int, symbol: str, wire: Wire) -> None:
        try:
            compared = await tell(self.database, wire, symbol)
        except NotFound:
            log.debug("%s does not hear of audit logs yet", symbol)
        except TianluError as error:
            self._due[no] = asyncio.get_running_loop().time() + AGAIN
            log.info("%s was not told of the audit log: %s", symbol, error)
        except Exception:
            log.exception("%s was not told of the audit log, a fault of ours", symbol)
        else:
            if compared.alarm and compared.alarm != self._alarms.get(no):
                log.error("%s says of this node's audit log: %s", symbol, compared.alarm)
            self._alarms[no] = compared.alarm

    async def _forget(self) -> None:
        try:
            async with self.database.transaction() as conn:
                count = await audit.drop(conn, self.days)
        except Retry as error:
            log.warning("old entries of the audit log stay for now: %s", error)
            return
        if count:
            log.info("%d entries of the audit log are older than %d days and were dropped", count, self.days)
