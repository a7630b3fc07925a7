"""Connections of Z39.50 clients: bytes to APDUs and back, one request at a time; a watch over the slow and the idle.

A connection waits for a request, or hears part of one, or is worked for, or is left by a client that doesn't take its
answer. Once a second all are looked at and those are cut that took too long. While a request is worked on nothing more
is read than came with it, so nobody fills our memory. When there are too many, the one that has been idle longest
makes room for a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, cast

from node.web import address
from node.z3950.tasks import Send, Step
from protocols.z3950 import apdu
from protocols.z3950.apdu.close import CloseReason
from protocols.z3950.ber import Frames, Malformed

log = logging.getLogger(__name__)

FIRST = 10.0  # seconds for the first request of a connection
WHOLE = 10.0  # seconds for the rest of a request that has begun
STALLED = 30.0  # seconds in which a client must take something of its answer
LINGER = 2.0  # seconds in which something of a last word must be taken
IN_A_ROW, ROW = 16, 0.005  # requests of one client, and seconds after which none of them begins
MOST_UNSENT = 256 << 20  # octets that all clients together have yet to take
YOUNG = 1.0  # seconds in which a connection is not cut for room
LOOK = 1.0  # seconds
TELL = 60.0  # seconds between lines of the log


class Answers(Protocol):
    """What a connection asks: a session with its desk."""

    def begin(self, request: apdu.Apdu) -> Step | None:
        """What is to be done for a request, after all that takes no waiting was done; None: ask `answer`."""
        ...

    async def answer(self, request: apdu.Apdu, step: Step | None) -> Send:
        """The rest of it."""
        ...

    def refuse(self, reason: CloseReason, why: str) -> apdu.Apdu:
        """The last word to a client that can't be understood."""
        ...

    def over(self) -> None:
        """The client has gone."""
        ...


class Connection(asyncio.Protocol):
    """One client."""

    __slots__ = (
        "_frames",
        "_full",
        "_guard",
        "_paused",
        "_resting",
        "_session",
        "_task",
        "_whole",
        "_wire",
        "address",
        "closing",
        "left",
        "left_since",
        "since",
        "used",
    )

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._wire: asyncio.Transport | None = None
        self._session: Answers | None = None
        self._frames = Frames()
        self._whole: list[bytes] = []  # requests that wait
        self._task: asyncio.Task[None] | None = None
        self._paused = False  # we read no further
        self._full = False  # the client doesn't take what we write
        self._resting = False  # it has more requests, and others come first
        self.address = ""  # "" = can't be told apart
        self.since = 0.0  # when it began to do what it does
        self.used = False  # a request was answered
        self.closing = False
        self.left, self.left_since = 0, 0.0  # bytes of an answer that wait to be taken, and since when

    @property
    def at_work(self) -> bool:
        """A request is worked on."""
        return self._task is not None

    @property
    def heard(self) -> bool:
        """Part of a request is there."""
        return len(self._frames) > 0

    @property
    def unsent(self) -> int:
        """Bytes that the client has yet to take."""
        return self._wire.get_write_buffer_size() if self._wire else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Taken in, or turned away: before Init there is no APDU to say it by."""
        self._wire = cast(asyncio.Transport, transport)
        peer = address.of_peer(transport)
        self.address = "" if peer is None or peer.is_loopback else str(peer)
        if not self._guard.take_in(self):
            self.closing = True
            self._wire.abort()
            return
        self._session = self._guard.session(self)

    def data_received(self, data: bytes) -> None:
        """Octets of requests."""
        if self.closing:
            return
        if not self.heard and not self.at_work:
            self.since = self._guard.clock()
        try:
            self._whole += self._frames.feed(data)
        except Malformed as error:
            self._malformed(error)
            return
        self._next()
        self._flow()

    def pause_writing(self) -> None:
        """The client doesn't take its answers: no more are made."""
        self._full = True

    def resume_writing(self) -> None:
        """It does again."""
        self._full = False
        self._next()
        self._flow()

    def eof_received(self) -> bool:
        """The client says no more; what it has asked for is still answered."""
        if self.at_work:
            self.closing = True
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone, whoever ended it: what is done for it ends."""
        self._wire = None
        self.closing = True
        self._guard.lost(self)
        if self._task:
            self._task.cancel()
        if self._session:
            self._session.over()

    def end(self) -> None:
        """End it at once."""
        self.closing = True
        if self._wire:
            self._wire.abort()

    def last_word(self, reason: CloseReason, why: str) -> None:
        """Say why, and end it."""
        if self._wire and self._session and not self.closing:
            self._wire.write(apdu.encode(self._session.refuse(reason, why)))
            self._finish()

    def _next(self) -> None:
        """Begin with the next whole requests, as long as it is their turn: one that takes time ends it, and so do many
        in a row, because others want to be heard too."""
        began = self._guard.clock()
        for _ in range(IN_A_ROW):
            if self.closing or self.at_work or self._full or not self._whole:
                return
            self.since = self._guard.clock()
            try:
                request = apdu.decode(self._whole.pop(0))
            except Malformed as error:
                self._malformed(error)
                return
            self._begin(request)
            if self._guard.clock() - began > ROW:
                break
        if self._whole and not self.at_work:
            self._resting = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        self._next()
        self._flow()

    def _begin(self, request: apdu.Apdu) -> None:
        assert self._session
        try:
            step = self._session.begin(request)
        except Exception:
            self._failed()
            return
        if isinstance(step, Send):
            self._answered(step)
        else:
            self._task = asyncio.get_running_loop().create_task(self._work(request, step))
            self._guard.works(self)

    def _flow(self) -> None:
        """Read on only when what was read is done and taken: nobody fills our memory with requests."""
        busy = self.at_work or self._full or self._resting
        if self._wire and not self.closing and busy != self._paused:
            self._paused = busy
            if busy:
                self._wire.pause_reading()
            else:
                self._wire.resume_reading()

    def _malformed(self, error: Malformed) -> None:
        log.debug("%s sends what is no APDU: %s", self.address or "a client", error)
        self._guard.cuts["malformed"] += 1
        self.last_word(CloseReason.PROTOCOL_ERROR, "this is no APDU")

    async def _work(self, request: apdu.Apdu, step: Step | None) -> None:
        assert self._session
        try:
            done = await self._session.answer(request, step)
        except Exception:
            self._task = None
            self._failed()
            return
        self._task = None
        self.since = self._guard.clock()
        self._answered(done)
        self._guard.rests(self)
        self._next()
        self._flow()

    def _failed(self) -> None:
        log.exception("a request failed")
        self.last_word(CloseReason.SYSTEM_PROBLEM, "an unexpected error; see the log of the node")

    def _answered(self, done: Send) -> None:
        self.used = True
        if self._wire is None:
            return
        self._wire.write(b"".join([apdu.encode(each) for each in done.replies]))
        if done.last or self.closing:
            self._finish()

    def _finish(self) -> None:
        """Close when the client has taken what was written, or takes nothing more of it."""
        self.closing = True
        if self._wire:
            self._wire.close()
            self._linger(self.unsent)

    def _linger(self, unsent: int) -> None:
        asyncio.get_running_loop().call_later(LINGER, self._lingered, unsent)

    def _lingered(self, before: int) -> None:
        if self._wire and 0 < self.unsent < before:
            self._linger(self.unsent)
        else:
            self.end()


def fault(connection: Connection, now: float, idle: float) -> str:
    """Why a connection is to be cut, "" if it isn't."""
    waited = now - connection.since
    if unsent := connection.unsent:
        if unsent != connection.left:
            connection.left, connection.left_since = unsent, now
        return "answer not taken" if now - connection.left_since > STALLED else ""
    connection.left = 0
    if connection.at_work:
        return ""
    if connection.heard:
        return "request too slow" if waited > WHOLE else ""
    if not connection.used:
        return "no request" if waited > FIRST else ""
    return "idle" if waited > idle else ""


class Guard:
    """All connections of the door; also what makes them."""

    def __init__(
        self,
        session: Callable[[Connection], Answers],
        *,
        most: int,
        each: int,
        idle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most` connections at once, `each` of them of one address; those of this machine can't be told apart."""
        self.session, self.most, self.each, self.idle, self.clock = session, most, each, idle, clock
        self.cuts: Counter[str] = Counter()  # by reason
        self._told_cuts: Counter[str] = Counter()  # those that the log has
        self._all: dict[Connection, None] = {}
        self._waiting: dict[Connection, None] = {}  # not at work, longest first
        self._of: Counter[str] = Counter()  # by address
        self._told = clock()

    def __call__(self) -> Connection:
        """A new connection, for the server's socket."""
        return Connection(self)

    def __len__(self) -> int:
        return len(self._all)

    def every(self) -> list[Connection]:
        """Those that are open."""
        return list(self._all)

    def take_in(self, new: Connection) -> bool:
        """Whether there is room for it, or could be made."""
        host = address.host(new.address) if new.address else ""
        if host and self._of[host] >= self.each:
            its = (one for one in self._waiting if one.address and address.host(one.address) == host)
            if not self._make_room(next(its, None)):
                return False
        if len(self._all) >= self.most and not self._make_room(next(iter(self._waiting), None)):
            return False
        new.since = self.clock()
        self._all[new] = self._waiting[new] = None
        self._of[host] += 1
        return True

    def works(self, connection: Connection) -> None:
        """A whole request is there."""
        self._waiting.pop(connection, None)

    def rests(self, connection: Connection) -> None:
        """A request was answered."""
        if connection in self._all:
            self._waiting[connection] = None

    def lost(self, connection: Connection) -> None:
        """It counts no longer."""
        self._waiting.pop(connection, None)
        if self._all.pop(connection, connection) is None:
            host = address.host(connection.address) if connection.address else ""
            self._of[host] -= 1
            if self._of[host] <= 0:
                del self._of[host]

    def look(self) -> None:
        """Cut what took too long."""
        now = self.clock()
        for each in self.every():
            if reason := fault(each, now, self.idle):
                self._cut(each, reason)
        self._relieve()
        if now - self._told >= TELL and (new := self.cuts - self._told_cuts):
            reasons = ", ".join(f"{reason}: {count}" for reason, count in new.most_common())
            log.warning("Z39.50 connections were cut (%s); %d are open", reasons, len(self._all))
            self._told, self._told_cuts = now, self.cuts.copy()

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            self.look()

    def end(self) -> None:
        """The node stops: everybody is told, and gone."""
        for each in self.every():
            each.last_word(CloseReason.SHUTDOWN, "the node stops")

    def _relieve(self) -> None:
        """Answers that wait to be taken are memory: where they are too much, the largest go."""
        unsent = {each: each.unsent for each in self._all}
        beyond = sum(unsent.values()) - MOST_UNSENT
        while beyond > 0:
            largest = max(unsent, key=unsent.__getitem__)
            beyond -= unsent.pop(largest)
            self._cut(largest, "too much not taken")

    def _make_room(self, victim: Connection | None) -> bool:
        if victim is None or self.clock() - victim.since < YOUNG:
            self.cuts["refused"] += 1
            return False
        self._cut(victim, "no room")
        return True

    def _cut(self, connection: Connection, reason: str) -> None:
        self.cuts[reason] += 1
        self.lost(connection)
        if reason == "idle":
            connection.last_word(CloseReason.LACK_OF_ACTIVITY, "no request for a long time")
        else:
            connection.end()


@contextlib.asynccontextmanager
async def listening(guard: Guard, serve: Callable[[Guard], Awaitable[asyncio.Server]]) -> AsyncIterator[asyncio.Server]:
    """Takes connections for the length of the block."""
    server = await serve(guard)
    looking = asyncio.create_task(guard.keep_looking())
    try:
        yield server
    finally:
        server.close()
        looking.cancel()
        guard.end()
