"""All connections of Z39.50 clients: room for them, and a watch over the slow and the idle.

A connection waits for a request, or hears part of one, or is worked for, or is left by a client that doesn't take its
answer. Once a second all are looked at and those are cut that took too long. When there are too many, the one that has
been idle longest makes room for a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from node.web import address
from node.z3950.connection import Answers, Connection
from protocols.z3950.apdu.close import CloseReason

log = logging.getLogger(__name__)

FIRST = 10.0  # seconds for the first request of a connection
WHOLE = 10.0  # seconds for the rest of a request that has begun
STALLED = 30.0  # seconds in which a client must take something of its answer
MOST_UNSENT = 256 << 20  # octets that all clients together have yet to take
YOUNG = 1.0  # seconds in which a connection is not cut for room
LOOK = 1.0  # seconds
TELL = 60.0  # seconds between lines of the log


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


class Listens(Protocol):
    """What takes connections: a server of the loop, or `handshakes.Handshakes`."""

    def close(self) -> None:
        """Take no more."""
        ...


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
        self._told = self._looked = clock()
        self._late = False  # we ourselves were, at the look before

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
        """Cut what took too long, unless we ourselves were late: then nobody can be blamed for it."""
        now = self.clock()
        self._late = now - self._looked > 3 * LOOK and not self._late
        self._looked = now
        for each in () if self._late else self.every():
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
async def listening(guard: Guard, serve: Callable[[Guard], Awaitable[Listens]]) -> AsyncIterator[Listens]:
    """Takes connections for the length of the block."""
    server = await serve(guard)
    looking = asyncio.create_task(guard.keep_looking())
    try:
        yield server
    finally:
        server.close()
        looking.cancel()
        guard.end()
