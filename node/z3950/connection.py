"""One connection of a Z39.50 client: bytes to APDUs and back, one request at a time.

While a request is worked on nothing more is read than came with it, so nobody fills our memory. `listener` watches over
all of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol, cast

from node.web import address
from node.z3950.tasks import Send, Step
from protocols.z3950 import apdu
from protocols.z3950.apdu.close import CloseReason
from protocols.z3950.ber import Frames, Malformed

log = logging.getLogger(__name__)

LINGER = 2.0  # seconds in which something of a last word must be taken
IN_A_ROW, ROW = 16, 0.005  # requests of one client, and seconds after which none of them begins


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


class Watch(Protocol):
    """What a connection has above it: `listener.Guard`."""

    session: Callable[[Connection], Answers]
    clock: Callable[[], float]
    cuts: Counter[str]

    def take_in(self, new: Connection) -> bool:
        """Whether there is room for it."""
        ...

    def works(self, connection: Connection) -> None:
        """A whole request is there."""
        ...

    def rests(self, connection: Connection) -> None:
        """A request was answered."""
        ...

    def lost(self, connection: Connection) -> None:
        """It counts no longer."""
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

    def __init__(self, guard: Watch) -> None:
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
