"""What every request passes before anything of it is worked on: is it well formed, and is there room for it (shell).

Three lanes, so that none starves another: addresses that tell whether the node is well and carry its style sheet; other
nodes, whose long-polls wait for minutes in all and whose shares are counted by peer (`exchange_door`); everybody else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from aiohttp import web
from aiohttp.http import HttpVersion11

from config import settings
from node.web import address, connections, headers, refusing
from node.web.admission import Limits, Queue, Ticket, Verdict
from node.web.openapi import Handler
from node.web.turns import Turns

PATIENCE = 3.0  # seconds that a request may wait for its turn
LONGEST = 60.0  # seconds that it may be worked on
LIGHT = ("/health", "/static/", "/robots.txt")
NODES = "/x/"
OF_LIGHT = Limits(at_work=16, waiting=256, share_at_work=8, share_waiting=64)
OF_NODES = Limits(at_work=4096, waiting=0, share_at_work=512, share_waiting=0)

# Requests that are read however full it is: those of the other lanes.
FIRST = tuple(b"GET " + each.encode() for each in (*LIGHT, NODES))
SHORT = 8192  # bytes
_NOT_PLAIN = re.compile(rb"(?i)\n\n|\ncontent-length|\ntransfer-encoding|\nupgrade|\nexpect|\nconnection: *close")

# What a path may hold (RFC 3986, 3.3); of queries old browsers know no such rule.
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/%-]*")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN = re.compile(r"%(?:2[fF]|5[cC]|[01][0-9A-Fa-f]|7[fF])")  # a slash, a backslash, a control character
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Gate:
    """What the gate keeps for the life of the application."""

    def __init__(self, told: settings.Web) -> None:
        everywhere = headers.of(told.base_url)
        self._crowded = {page: refusing.raw(503, everywhere, page=page, close=False) for page in (False, True)}
        half = max(1, told.at_work // 2)
        crowd = Limits(
            at_work=told.at_work,
            waiting=told.waiting,
            share_at_work=half,
            share_waiting=max(1, told.waiting // 2),
            rate=told.rate,
        )
        self._light, self._nodes, self.crowd = Queue(OF_LIGHT), Queue(OF_NODES), Queue(crowd)
        self.turns = Turns()

    def lane(self, path: str) -> Queue:
        """The queue for an address."""
        if path.startswith(NODES):
            return self._nodes
        return self._light if path.startswith(LIGHT) else self.crowd

    def shed(self, data: bytes) -> bytes:
        """The answer to bytes that are one whole request without a body and without a chance; else none.

        Reading a request only to refuse it costs a good part of what answering it does, and at ten times the load that
        would be most of the work.
        """
        if not self.crowd.full or not data.startswith(b"GET /") or data.startswith(FIRST) or len(data) > SHORT:
            return b""
        if data.find(b"\r\n\r\n") != len(data) - 4 or _NOT_PLAIN.search(data):
            return b""
        return self._crowded[b"text/html" in data]

    @asynccontextmanager
    async def turn(self, queue: Queue, client: str, request: web.Request) -> AsyncIterator[Verdict]:
        """Waits for a turn: GO, or why there is none. Whoever leaves waits no longer."""
        ticket = Ticket(client)
        verdict = await self.turns.come(queue, ticket, PATIENCE, connections.gone(request))
        place = request[_PLACE] = _Place(turns=self.turns, queue=queue, ticket=ticket, held=verdict is Verdict.GO)
        try:
            yield verdict
        finally:
            place.leave()


@dataclass(slots=True)
class _Place:
    """A request's place among those that are worked on."""

    turns: Turns
    queue: Queue
    ticket: Ticket
    held: bool

    def leave(self) -> None:
        """Give it to the next one, once."""
        if self.held:
            self.held = False
            self.turns.done(self.queue, self.ticket)


GATE = web.AppKey("gate", Gate)
_PLACE = web.RequestKey("place", _Place)


def step_aside(request: web.Request) -> None:
    """From here on the request mostly waits for another node: who waits needs no place, and others do. What is left to
    do for it after that is little."""
    request[_PLACE].leave()


def shedding(application: web.Application) -> Callable[[bytes], bytes]:
    """`Gate.shed` of the application's gate; without one nobody is refused unread."""
    return application[GATE].shed if GATE in application else lambda _data: b""


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware."""
    connections.begun(request)
    page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith(("/api/", NODES))
    status, detail = fault(request)
    if status:
        refusal = refusing.answer(status, detail, page=page, close=True)
        if status == 415:
            refusal.headers["Accept-Encoding"] = "identity"  # RFC 9110, 15.5.16
        return refusal
    gate = request.app[GATE]
    queue = gate.lane(request.path)
    async with gate.turn(queue, address.block(address.of(request)), request) as verdict:
        match verdict:
            case Verdict.GREEDY:
                return refusing.answer(429, page=page)
            case Verdict.CROWDED | Verdict.WAIT:
                return refusing.answer(503, page=page)
        if request.path.startswith(NODES):
            return await handler(request)  # each has limits of its own
        try:
            async with asyncio.timeout(LONGEST):
                return await handler(request)
        except TimeoutError:
            return refusing.answer(503, page=page)


def fault(request: web.Request) -> tuple[int, str]:
    """(status, why) if a request isn't one that we take, (0, "") if it is."""
    path, _, asked = request.raw_path.partition("?")
    if why := "A query has no blanks and no control characters." if _BLANK.search(asked) else _fault_of(path):
        return 400, why
    hosts = request.headers.getall("Host", ())
    if len(hosts) > 1 or (not hosts and request.version >= HttpVersion11) or not all(map(_HOST.fullmatch, hosts)):
        return 400, "One Host header is wanted, with a host's name or address."
    if encoded(request) and not path.startswith(NODES):  # there refusals are signed
        return 415, "A request's body is taken as it is, without a Content-Encoding."
    return 0, ""


@lru_cache(maxsize=1024)
def _fault_of(path: str) -> str:
    """What is wrong with a path as it was sent, or ""."""
    if not _PATH.fullmatch(path) or _ESCAPE.search(path):
        return "The address has characters that no address may have as they are."
    if _HIDDEN.search(path):
        return "The path hides a slash, a backslash or a control character."
    try:
        plain = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return "The path is not written in UTF-8."
    return "The path goes up, or round about." if {".", ".."} & set(plain.split("/")) else ""


def encoded(request: web.Request) -> bool:
    """Is the body packed? None is unpacked, by us or by aiohttp: a small one could become any size."""
    return any(each.strip().lower() != "identity" for each in request.headers.getall("Content-Encoding", ()))
