"""Watches over connections: aiohttp waits for ever for a header, a body, the next request or a slow reader.

A connection waits for a header, or is at work, or is kept for the next request. Twice a second all are looked at, and
those are cut that took too long (`fault`). When there are too many, the one that has waited longest makes room: a
visitor sends a whole header at once, so those who wait longest are the idle and the slow. What is at work, or has just
come, is never cut for room; where that is all there is, the new one is told to come back.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

from aiohttp import StreamReader, web
from aiohttp.web_protocol import RequestHandler

from node.web import address, refusing

log = logging.getLogger(__name__)

HEADER = 5.0  # seconds for a request's header
IDLE = 75.0  # seconds that a connection is kept without a request
GRACE = 10.0  # seconds of a body that nobody counts …
FLOOR = 1_000  # … then it must have come at so many bytes a second
STALLED = 60.0  # seconds in which a reader must take as much of an answer as at that speed
LINGER = 3.0  # seconds that the rest of a refused body is listened to
MOST_HEADER = 32 * 1024  # bytes
MOST_FIELDS = 64  # in a header
LOOK = 0.5  # seconds
YOUNG = 1.0  # seconds in which a connection is not cut for room: we may not have come to read it yet
MOST_CUTS = 300  # at one look: thousands at once would hold up everybody else
TELL = 60.0  # seconds between lines of the log
SPARE_FILES = 200  # open files that are left to the database, the index and other nodes
BACKLOG = 1024  # connections that the system keeps until we take them


class Connection(RequestHandler):
    """One client. aiohttp's handler, which tells the guard how far it is."""

    __slots__ = (
        "_guard",
        "_wire",
        "address",
        "answers",
        "body",
        "gone",
        "heard",
        "left",
        "left_since",
        "rest",
        "shed",
        "since",
        "watched",
    )

    def __init__(self, manager: web.Server, guard: Guard, **options: Any) -> None:
        super().__init__(manager, **options)
        self._guard = guard
        self._wire: asyncio.Transport | None = None
        self.address = ""
        self.answers = 0  # requests that are answered
        self.body: StreamReader | None = None  # of the request at work, unless its handler watches it
        self.gone: asyncio.Future[None] | None = None  # done when the client leaves, if somebody wants to know
        self.heard = 0  # bytes of the header that isn't whole yet
        self.rest: StreamReader | None = None  # of a body that nobody wanted, which aiohttp passes over
        self.left, self.left_since = 0, 0.0  # bytes of an answer that wait to be taken, and since when
        self.shed = False  # a request was refused unread
        self.since = 0.0  # when the connection began to do what it does
        self.watched = False

    @property
    def at_work(self) -> bool:
        """A request was read and isn't answered yet."""
        return self._request_count > self.answers

    @property
    def unsent(self) -> int:
        """Bytes that the client has yet to take."""
        return self._wire.get_write_buffer_size() if self._wire else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Taken in, or told to come back."""
        self._wire = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        peer = address.of_peer(transport)
        self.address = "" if peer is None or self._guard.shared(peer) else address.host(str(peer))
        if self._guard.take_in(self):
            super().connection_made(transport)
        else:
            self._wire.write(self._guard.refusal)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        if not self.watched:
            return
        before, working = self._request_count, self.at_work
        fresh = not working and not self.heard and self.rest is None
        if fresh and self._wire and (refusal := self._guard.shed(data)):
            self._wire.write(refusal)
            self.shed = True
            self._guard.hears(self)
            return
        if not working and self.rest is None and self.heard + _header_in(data) > MOST_HEADER:
            self._guard.cut(self, "header too large")
            return
        super().data_received(data)
        if self._request_count > before:
            self.heard = 0
            if not working:
                self._guard.works(self)
        elif not working and data:
            if self.rest is not None:
                self.rest = None if self.rest.is_eof() else self.rest
                return
            if not self.heard:
                self._guard.hears(self)
            self.heard += len(data)
            if self.heard > MOST_HEADER:
                self._guard.cut(self, "header too large")

    async def finish_response(self, request: Any, resp: web.StreamResponse, start_time: float | None) -> Any:
        """The answer of one request was written."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self.answers += 1
            self.rest = None if request.content.is_eof() else request.content
            self._guard.rests(self)

    def handle_error(
        self,
        request: Any,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What can't be read as HTTP is answered like any other refusal, and needs no trace in the log."""
        if status >= 500:
            log.error("a request failed", exc_info=exc)
        else:
            log.debug("what came is no HTTP: %s", message)
        if request.writer.output_size > 0:
            raise ConnectionError("part of the answer is sent already")
        response = refusing.answer(status, close=True)
        response.headers.update(self._guard.headers)
        return response

    def connection_lost(self, exc: BaseException | None) -> None:
        """Gone, whoever ended it."""
        self._wire = None
        if self.gone and not self.gone.done():
            self.gone.set_result(None)
        if self.watched:
            self._guard.lost(self)
            super().connection_lost(exc)

    def abort(self) -> None:
        """End it at once; what the client hasn't taken is thrown away."""
        if self._wire:
            self._wire.abort()


def _header_in(data: bytes) -> int:
    """Bytes before the end of a header; 0 if it doesn't end here, or where its end is cut in two (then what ends it is
    not to be told from an empty line of the body)."""
    return 0 if data[:1] in (b"\r", b"\n") else max(0, data.find(b"\r\n\r\n"))


def begun(request: web.Request) -> None:
    """A handler is to have the request: from now on its body is waited for."""
    if isinstance(request.protocol, Connection) and request.can_read_body:
        request.protocol.body = request.content


def gone(request: web.Request) -> asyncio.Future[None]:
    """Done when the visitor has left."""
    found = request.protocol.gone if isinstance(request.protocol, Connection) else None
    if found is None:
        found = asyncio.get_running_loop().create_future()
        if isinstance(request.protocol, Connection):
            request.protocol.gone = found
    return found


def spare(request: web.Request) -> None:
    """The handler knows the sender and watches over the body itself."""
    if isinstance(request.protocol, Connection):
        request.protocol.body = None


def fault(connection: Connection, now: float) -> str:
    """Why a connection is to be cut, "" if it isn't (pure but for what it notes of the answer)."""
    waited = now - connection.since
    if unsent := connection.unsent:
        if not connection.left:
            connection.left, connection.left_since = unsent, now
        elif now - connection.left_since > STALLED:
            if unsent > connection.left - FLOOR * STALLED:
                return "answer not taken"
            connection.left, connection.left_since = unsent, now
    else:
        connection.left = 0
    if connection.at_work:
        body = connection.body
        slow = body is not None and not body.is_eof() and body.total_bytes < FLOOR * (waited - GRACE)
        return "body too slow" if slow else ""
    if connection.heard or not (connection.answers or connection.shed):
        return "header too slow" if waited > HEADER else ""
    return "idle" if waited > IDLE else ""


class Guard:
    """All connections of a server; also what makes them."""

    def __init__(
        self,
        server: web.Server,
        *,
        most: int,
        each: int,
        shared: Callable[[address.Address], bool],
        headers: Mapping[str, str],
        shed: Callable[[bytes], bytes] = lambda _data: b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most` connections at once, `each` of them of one address, unless many visitors have it (`shared`). `shed`
        gives the refusal of bytes that need not be read, b"" for others."""
        self.most, self.each, self.shared, self.headers, self.clock = most, each, shared, headers, clock
        self.shed = shed
        self.refusal = refusing.raw(503, headers)
        self.cuts: Counter[str] = Counter()  # by reason
        self._told_cuts: Counter[str] = Counter()  # those that the log has
        self._server = server
        self._all: dict[Connection, None] = {}
        self._waiting: dict[Connection, None] = {}  # not at work, longest first
        self._of: dict[str, dict[Connection, None]] = {}  # by address
        self._told = self._looked = clock()
        self._late = False  # we ourselves were, at the look before

    def __call__(self) -> Connection:
        """A new connection, for the server's socket."""
        return Connection(
            self._server,
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,
            lingering_time=LINGER,
            max_headers=MOST_FIELDS,
            auto_decompress=False,
        )

    def __len__(self) -> int:
        return len(self._all)

    def take_in(self, new: Connection) -> bool:
        """Whether there is room for it, or could be made."""
        its = self._of.get(new.address, {}) if new.address else {}
        if len(its) >= self.each and not self._make_room(next((one for one in its if not one.at_work), None)):
            return False
        if len(self._all) >= self.most and not self._make_room(next(iter(self._waiting), None)):
            return False
        new.watched, new.since = True, self.clock()
        self._all[new] = self._waiting[new] = None
        if new.address:
            self._of.setdefault(new.address, {})[new] = None
        return True

    def _make_room(self, victim: Connection | None) -> bool:
        if victim is None or self.clock() - victim.since < YOUNG:
            self.cuts["refused"] += 1
            return False
        self.cut(victim, "no room")
        return True

    def hears(self, connection: Connection) -> None:
        """The first bytes of a header."""
        self._wait(connection)

    def works(self, connection: Connection) -> None:
        """A whole header is there."""
        connection.since = self.clock()
        self._waiting.pop(connection, None)

    def rests(self, connection: Connection) -> None:
        """A request was answered; others may have come behind it."""
        connection.body, connection.left = None, 0
        if connection.at_work:
            connection.since = self.clock()
        else:
            self._wait(connection)

    def _wait(self, connection: Connection) -> None:
        connection.since = self.clock()
        self._waiting.pop(connection, None)
        if connection in self._all:
            self._waiting[connection] = None

    def cut(self, connection: Connection, reason: str) -> None:
        """End it now."""
        self.cuts[reason] += 1
        self.lost(connection)
        connection.abort()

    def lost(self, connection: Connection) -> None:
        """It counts no longer."""
        self._all.pop(connection, None)
        self._waiting.pop(connection, None)
        its = self._of.get(connection.address, {})
        its.pop(connection, None)
        if not its:
            self._of.pop(connection.address, None)

    def look(self) -> None:
        """Cut what took too long, unless we ourselves were late: then nobody can be blamed for it."""
        now = self.clock()
        self._late = now - self._looked > 3 * LOOK and not self._late
        self._looked = now
        if not self._late:
            slow = ((each, why) for each in self._all if (why := fault(each, now)))
            for connection, reason in list(itertools.islice(slow, MOST_CUTS)):
                self.cut(connection, reason)
        if now - self._told >= TELL and (new := self.cuts - self._told_cuts):
            reasons = ", ".join(f"{reason}: {count}" for reason, count in new.most_common())
            log.warning("connections were cut (%s); %d are open", reasons, len(self._all))
            self._told, self._told_cuts = now, self.cuts.copy()

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            self.look()


def room(wanted: int) -> int:
    """How many connections there are files for, after asking the system for as many as are wanted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(ValueError, OSError):  # then it stays as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, soft - SPARE_FILES), 16)


@contextlib.asynccontextmanager
async def listening(guard: Guard, host: str, port: int) -> AsyncIterator[asyncio.Server]:
    """Takes connections for the length of the block; OSError if the port can't be had."""
    server = await asyncio.get_running_loop().create_server(guard, host, port, backlog=BACKLOG, reuse_address=True)
    looking = asyncio.create_task(guard.keep_looking())
    try:
        yield server
    finally:
        server.close()
        looking.cancel()
