"""What a link's actions are: greeting a parent, pushing and pulling one segment, mending a stream (shell)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from catalog import arrivals, peers
from catalog.database.pool import Database
from catalog.peers import PeerNo
from catalog.work.queue import Queue
from config.errors import Refused, Retry, TianluError, Unreachable
from exchange import feed, giving, greeting, manifest, mending, parcels, receiving, reconciling
from exchange.ends import KNOWN, Me, Peer
from exchange.giving import HeldUp, Parcel
from exchange.greeting import Greeted, Hello, NoCommonProtocol
from exchange.lanes import Lane, Outcome
from exchange.model import START, Cursor, Damaged, Incompatible, Untrusted
from exchange.parcels import OFFSET, Pace, Stands
from exchange.peer import PATIENCE, Answer, Barred

log = logging.getLogger(__name__)

PROMPT = 20.0  # seconds for a part or a hello: longer than an idle connection is kept, so a dead line costs one of them
SLACK = 5.0  # seconds beyond its wait that a request for news may take
T = TypeVar("T")


class Wire(Protocol):
    """Signed requests to one node (`exchange.peer.Client`)."""

    @property
    def skew(self) -> float:
        """Seconds that its clock is ahead of ours."""

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        patience: float = 60.0,
    ) -> Answer:
        """The verified answer, whatever its status."""

    def refusal(self, answer: Answer) -> TianluError:
        """What an answer that isn't a success means."""


@dataclass(slots=True)
class _Partly:
    """A segment of which the beginning is here."""

    base: Cursor
    etag: str
    data: bytearray


@dataclass(kw_only=True)
class Moves:
    """One parent."""

    database: Database
    queue: Queue
    me: Me
    peer: Peer
    wire: Wire
    wait: float = parcels.WAIT
    heard: dict[str, Cursor] = field(default_factory=dict)  # by channel, how far the parent has applied us
    pace: Pace = field(default_factory=Pace)
    broken: set[bytes] = field(default_factory=set)  # links of segments whose sending broke off
    partly: dict[str, _Partly] = field(default_factory=dict)  # by channel

    async def hello(self) -> Outcome:
        """Greet, and learn how far the parent has heard us."""
        proto = await self._greet()
        async with self.database.connection() as conn:
            await peers.seen(conn, PeerNo(self.peer.no), proto=proto, skew=self.wire.skew)
        return Outcome.MOVED

    async def _greet(self) -> int:
        async with self.database.connection() as conn:
            heard = await peers.heard(conn, PeerNo(self.peer.no))
        before = dict(self.heard)
        told = Hello(cursors={channel: Cursor(*place) for channel, place in heard.items()})
        greeted = await self._call("/x/hello", told, Greeted, patience=PROMPT)
        for channel in KNOWN:
            if self.heard.get(channel) == before.get(channel):  # else a push has a later answer than this one
                self.heard[channel] = Cursor(*greeted.cursors.get(channel, START))
        return greeting.agree((greeted.proto, greeted.proto), self.peer.symbol)

    async def cut(self, channel: str) -> int:
        """Cut what is new; how many segments."""
        return await feed.cut(self.database, self.me, self.peer, channel)

    async def push(self, channel: str) -> Outcome:
        """Send the segment that follows on what the parent has; cut one if none waits."""
        parcel = await self._following(channel)
        if parcel is None and await self.cut(channel):
            parcel = await self._following(channel)
        if parcel is not None and parcel.link in self.broken:
            await self._greet()  # only the answer may have been lost
            parcel = await self._following(channel)
        if parcel is None:
            return Outcome.QUIET
        told = await self._sent(parcel)
        if told.cursor is None:
            raise Retry(f"{self.peer.symbol} does not say where the stream {channel} stands: {told.reason}")
        refused = told.cursor == self.heard[channel]
        self.heard[channel] = told.cursor
        if refused:
            raise Retry(f"{self.peer.symbol} does not take a segment of {channel}: {told.reason}")
        return Outcome.MOVED

    async def _following(self, channel: str) -> Parcel | None:
        if channel not in self.heard:
            await self._greet()
        return await giving.following(self.database, self.peer, channel, self.heard[channel])

    async def _sent(self, parcel: Parcel) -> Stands:
        """Send a segment, from where an earlier attempt broke off."""
        whole = manifest.join(parcel.manifest, parcel.content)
        path = parcels.up(parcel.link)
        start = await self._offset(path) if parcel.link in self.broken else 0
        self.broken.add(parcel.link)
        while True:
            part = whole[start : start + self.pace.size]
            try:
                answer = await self.wire.send("PATCH", path, part, headers={OFFSET: str(start)}, patience=PROMPT)
            except Unreachable:
                self.pace.broke()
                raise
            told = self._stands(answer)
            if told.cursor is not None:
                self.broken.discard(parcel.link)
                return told
            self.pace.held()
            if told.offset == start and answer.status == 409:
                raise Retry(f"{self.peer.symbol} takes no part of a segment at {start}")
            start = told.offset

    async def _offset(self, path: str) -> int:
        answer = await self.wire.send("HEAD", path, patience=PROMPT)
        if answer.status != 200:
            raise self.wire.refusal(answer)
        return int(answer.headers.get(OFFSET.lower(), "0"))

    def _stands(self, answer: Answer) -> Stands:
        if answer.status == 422:
            reason = greeting.decode(answer.body, Stands).reason
            raise Damaged(f"{self.peer.symbol} can't take a segment as it arrived: {reason}")
        if answer.status not in (200, 409):
            raise self.wire.refusal(answer)
        told = greeting.decode(answer.body, Stands)
        if told.code == HeldUp.code:
            raise HeldUp(told.reason)
        return told

    async def pull(self, channel: str) -> Outcome:
        """Ask for the segment that follows on what is applied here, and apply it."""
        async with self.database.connection() as conn:
            cursor = Cursor(*await arrivals.cursor(conn, self.peer.no, channel))
        segment = await self._fetched(channel, cursor)
        if segment is None:
            return Outcome.QUIET
        signed, content = manifest.split(segment)
        await receiving.take(self.database, self.queue, self.me, self.peer, channel, signed, content)
        return Outcome.MOVED

    async def _fetched(self, channel: str, cursor: Cursor) -> bytes | None:
        """The next segment, in parts if it must be; what broke off is gone on with."""
        partly = self.partly.pop(channel, None)
        if partly is None or partly.base != cursor:
            partly = _Partly(cursor, "", bytearray())
        path = parcels.down(channel, cursor, self.wait)
        while True:
            start = len(partly.data)
            headers = {"Range": f"bytes={start}-{start + self.pace.size - 1}"}
            try:
                answer = await self.wire.send("GET", path, headers=headers, patience=self.wait + SLACK)
            except Unreachable:
                self.pace.broke()
                self.partly[channel] = partly
                raise
            if answer.status == 204:
                return None
            if answer.status == 409 and greeting.decode(answer.body, Stands).code == HeldUp.code:
                raise HeldUp(greeting.decode(answer.body, Stands).reason)
            if answer.status not in (200, 206):
                raise self.wire.refusal(answer)
            self.pace.held()
            etag = answer.headers.get("etag", "")
            if start and etag != partly.etag:  # another segment follows here now
                partly = _Partly(cursor, "", bytearray())
                continue
            partly.etag = etag
            partly.data += answer.body
            size = parcels.total(answer.headers.get("content-range", ""))
            if size is None or len(partly.data) >= size:
                return bytes(partly.data)

    async def mend(self, lane: Lane, *, deep: bool = False, reason: str = "the two ends did not fit") -> mending.Report:
        """Reconcile a stream."""
        report = await mending.mend(self.database, self.me, self.peer, lane, self.ask, reason, deep=deep)
        self.heard.clear()  # where the parent stands is asked before the next push
        log.info(
            "reconciled %s %s with %s: %d of %d keys are told anew",
            lane.channel, lane.way.value, self.peer.symbol, report.keys, report.told,
        )  # fmt: skip
        return report

    async def look(self, lane: Lane, *, deep: bool = False) -> mending.Report:
        """Compare the two ends of a stream."""
        return await mending.look(self.database, self.peer, lane, self.ask, deep=deep)

    async def ask(self, lane: Lane, asked: reconciling.Up | reconciling.Down, kind: type[Any]) -> Any:
        """Ask the parent for its part of a reconcile."""
        return await self._call(parcels.reconcile(lane), asked, kind)

    async def _call(self, path: str, told: object, kind: type[T], patience: float = PATIENCE) -> T:
        answer = await self.wire.send("POST", path, greeting.encode(told), patience=patience)
        if answer.status != 200:
            raise self.wire.refusal(answer)
        return greeting.decode(answer.body, kind)


def outcome(error: TianluError) -> Outcome:
    """What an error means to the link."""
    match error:
        case Barred():
            return Outcome.SUSPENDED
        case HeldUp():
            return Outcome.HELD_UP
        case Damaged() | Untrusted() | Incompatible():  # one segment: the other streams go on
            return Outcome.DAMAGED
        case NoCommonProtocol() | Refused():
            return Outcome.REFUSED
        case Unreachable():
            return Outcome.SILENT
    return Outcome.FAILED
