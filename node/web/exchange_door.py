"""The door for other nodes: every request under /x/ is verified before its handler sees it, every answer is signed.

    async def handler(request, caller) -> web.Response      Route(…, handler=exchange_door.signed(handler))

In this order: what the signature claims, who that is (looked up at each request, so that suspending works at once),
whether it is genuine, of now, and not a repeat; only then is the body read and compared with its signed digest.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from catalog import nonces, peers
from catalog.peers import Peer
from config import errors
from exchange import arriving, greeting, keys, signing
from exchange.greeting import Fault, Join
from exchange.peer import MOST
from node import identity
from node.web import connections, gate, refusing
from node.web.allowance import Allowance, Spent
from node.web.bell import Bell
from node.web.context import Node
from node.web.middleware import BadInput
from node.web.openapi import Handler
from node.web.trust import Watch, barred
from protocols import suites
from protocols.signatures import digests, fields, message, sign, verify
from protocols.signatures.fields import BadField
from protocols.signatures.message import BadMessage, Request, Response
from protocols.signatures.verify import BadSignature, Claim

log = logging.getLogger(__name__)

STALLED = 20.0  # seconds without a byte of the body, after which a request is given up
REMEMBERED = 120.0  # seconds that a nonce is kept beyond its signature's end, for clocks that are set back
MOST_JOINING = 256 * 1024  # bytes of a request by somebody that we don't know yet

T = TypeVar("T")


class Packed(errors.Refused):
    """The body has a Content-Encoding."""

    code = "packed"


class TooLarge(errors.Refused):
    """The body is larger than a request may have."""

    code = "too-large"


# By consequence, the most particular first.
STATUS: tuple[tuple[type[BaseException], int], ...] = (
    (BadSignature, 401),
    (signing.UnknownKey, 401),
    (suites.UnknownSuite, 401),
    (BadField, 401),
    (BadMessage, 401),
    (TooLarge, 413),
    (Packed, 415),
    (BadInput, 400),
    (errors.BadRecord, 422),
    (digests.BadDigest, 422),
    (errors.Refused, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (arriving.Crowded, 429),
    (Spent, 429),
    (errors.Retry, 503),
    (errors.Misconfigured, 503),
    (errors.Unreachable, 503),
    (TimeoutError, 503),
    (ConnectionError, 503),
)


class Door:
    """What the door keeps for the life of the application."""

    def __init__(self, node: Node, clock: Callable[[], float] = time.time) -> None:
        self.node = node
        self.keyring = identity.keyring(node.home, node.settings)
        self.watch = Watch(node.database, node.symbol)
        self.bell = Bell(node.database)
        self.clock = clock
        told = node.settings.exchange
        self.allowance = Allowance({"requests": told.peer_requests, "bytes": told.peer_megabytes * 1e6})

    def told(self, request: web.Request) -> Request:
        """The request as it was signed: under the address that its sender used, also behind a proxy that ends TLS."""
        outside = urlsplit(self.node.settings.exchange.address)
        scheme = outside.scheme if request.host.lower() == outside.netloc.lower() else request.scheme
        if not request.raw_path.startswith("/"):
            raise BadMessage("the request's target must be a path")
        return Request(
            method=request.method,
            target=f"{scheme}://{request.host}{request.raw_path}",
            headers=message.headers(request.headers.items()),
        )


DOOR = web.AppKey("exchange_door", Door)


def hang(app: web.Application, node: Node) -> None:
    """Give the application its door."""

    async def stop(_app: web.Application) -> None:
        door.watch.stop()

    door = app[DOOR] = Door(node)
    app.on_shutdown.append(stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as verified, and what was sent."""

    peer: Peer
    body: bytes
    skew: float  # seconds that its clock is ahead of ours
    door: Door

    def message(self, kind: type[T]) -> T:
        """The body as a message; BadRecord if it isn't one."""
        return greeting.decode(self.body, kind)

    async def while_trusted(self, work: Awaitable[T]) -> T:
        """For what waits, as a long-poll: its result, or a refusal within a second of the peer's being suspended."""
        return await self.door.watch.during(self.peer, work)


Answering = Callable[[web.Request, Caller], Awaitable[web.Response]]
Admitting = Callable[[web.Request, Join], Awaitable[web.Response]]
Work = Callable[[web.Request, Door, Request, Claim], Awaitable[web.Response]]


def answer(told: msgspec.Struct, status: int = 200) -> web.Response:
    """A message as an answer."""
    return web.Response(body=greeting.encode(told), status=status, content_type=greeting.MEDIA)


def signed(handler: Answering) -> Handler:
    """The handler behind the door, for our children: they open all connections."""

    async def work(request: web.Request, door: Door, told: Request, claim: Claim) -> web.Response:
        peer = await _peer(door, told, claim)
        connections.spare(request)  # `_body` waits as long as it makes sense for a node
        door.allowance.check(peer.no, time.monotonic())
        door.allowance.spend(peer.no, time.monotonic(), requests=1)
        if peer.role != "child":
            raise errors.Refused(f"{peer.symbol} is a parent of {door.node.symbol}, which asks it and not the reverse")
        body = await door.watch.during(peer, _body(request, told, MOST))
        skew = claim.created - door.clock()
        sent = 0
        try:
            response = await handler(request, Caller(peer=peer, body=body, skew=skew, door=door))
            sent = len(response.body) if isinstance(response.body, bytes) else 0
        finally:
            door.allowance.spend(peer.no, time.monotonic(), bytes=len(body) + sent)
        return response

    return _knock(work)


def introduced(handler: Admitting) -> Handler:
    """The handler of those who join: nobody that we know, so the request brings the key that it is signed with.

    Whoever repeats such a request repeats what its sender wanted and nothing else, so nonces aren't kept here, where
    strangers could fill the table.
    """

    async def work(request: web.Request, door: Door, told: Request, claim: Claim) -> web.Response:
        join = greeting.decode(await _body(request, told, MOST_JOINING), Join)
        wanted = signing.key_id(claim.key_id)
        if wanted.symbol != join.symbol or signing.matching(wanted, join.suite, join.key) is None:
            raise signing.UnknownKey("the request isn't signed with the key that it brings")
        verify.genuine(claim, suites.named(join.suite), join.key)
        verify.fresh(claim, door.clock())
        return await handler(request, join)

    return _knock(work)


def _knock(work: Work) -> Handler:
    async def knock(request: web.Request) -> web.StreamResponse:
        door = request.app[DOOR]
        told = claim = None
        try:
            told = door.told(request)
            claim = verify.request(told, signing.tag(door.node.symbol), signing.BOUND_OF_REQUEST)
            response = await work(request, door, told, claim)
        except Exception as error:
            response = _refusal(request, error, door.clock())
        return response if told is None or claim is None else _signed(door, told, claim, response)

    return knock


async def _peer(door: Door, told: Request, claim: Claim) -> Peer:
    """Who signed the request."""
    wanted, me, now = signing.key_id(claim.key_id), door.node.symbol, door.clock()
    async with door.node.database.connection() as conn:
        peer = await peers.find(conn, wanted.symbol)
        if peer is None:
            raise signing.UnknownKey(f"{wanted.symbol} has not joined {me}")
        suite = peer.suite
        key = signing.matching(wanted, suite, peer.key, peer.former)
        if key is None:
            suite, heir = keys.heir(told.headers.get(signing.SUCCESSION, ""), peer.symbol, peer.suite, peer.key)
            key = signing.matching(wanted, suite, heir)
        if key is None:
            raise signing.UnknownKey(f"{me} knows {peer.symbol} by another key: that node must join anew")
        verify.genuine(claim, suites.named(suite), key)
        verify.fresh(claim, now)
        if not await nonces.first(conn, peer.no, claim.nonce, until=claim.expires + REMEMBERED, now=now):
            raise signing.Replayed("this very request came before")
        if reason := barred(peer, peer.state, me):
            raise reason
        if key not in (peer.key, peer.former):
            await peers.set_key(conn, peer, suite, key)
            log.info("%s has changed its key, which its former key confirms", peer.symbol)
    return peer


async def _body(request: web.Request, told: Request, most: int) -> bytes:
    """The body, no larger than `most` bytes and the one whose digest is signed."""
    if gate.encoded(request):
        raise Packed("a body is sent as it is, without a Content-Encoding")
    too_large = TooLarge(f"a request has at most {most:,} bytes: send it in parts")
    if (request.content_length or 0) > most:
        raise too_large
    content = bytearray()
    while chunk := await asyncio.wait_for(request.content.readany(), STALLED):
        content += chunk
        if len(content) > most:
            raise too_large
    body = bytes(content)
    verify.body(told, body)
    return body


def _refusal(request: web.Request, error: Exception, now: float) -> web.Response:
    if isinstance(error, web.HTTPException):
        return answer(Fault(code="failed", reason=error.reason, time=now), error.status)
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    if status == 500:
        log.exception("%s %s failed", request.method, request.path)
    else:
        log.info("%s %s is refused: %s", request.method, request.path, error)
    # Messages of our own errors are safe to show; what went wrong inside is for the log.
    code, reason = (error.code, str(error)) if isinstance(error, errors.TianluError) and status != 500 else ("", "")
    response = answer(Fault(code=code, reason=reason, time=now), status)
    if status in refusing.LATER:
        pause = math.ceil(error.pause) if isinstance(error, Spent) else 0
        response.headers["Retry-After"] = str(pause) if pause else refusing.RETRY_AFTER
    return response


def _signed(door: Door, told: Request, claim: Claim, response: web.Response) -> web.Response:
    """The answer with our signature, which covers the request's."""
    key = door.keyring.key()
    try:
        receiver = signing.key_id(claim.key_id).symbol
    except signing.UnknownKey:
        return response  # it is for nobody
    assert isinstance(response.body, bytes | bytearray | None)  # answers are whole: their digest goes ahead of them
    # What is answered to HEAD arrives without its content (RFC 9110, 9.3.2), so that can't be what is signed.
    body = b"" if told.method == "HEAD" else bytes(response.body or b"")
    if response.status not in (204, 304):
        response.headers.setdefault("Content-Type", greeting.MEDIA)
    if succession := keys.announced(key):
        response.headers[signing.SUCCESSION] = succession
    response.headers[signing.KEY] = f"key={fields.bare(key.public)}"
    bare = Response(status=response.status, request=told, headers=message.headers(response.headers.items()))
    more = [name for name in signing.BOUND_OF_ANSWER if name in bare.headers]
    full = sign.response(
        signing.signer(key, door.node.symbol, receiver),
        bare,
        body,
        now=int(door.clock()),
        answered=claim.label,
        more=more,
    )
    for name in (digests.FIELD, sign.INPUT, sign.SIGNATURE):
        response.headers[name] = full.headers[name]
    return response
