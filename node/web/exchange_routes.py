"""What children do at this node's door: push segments, pull segments with a long-poll, reconcile streams, and tell the
end of their audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from aiohttp import web

from catalog.work.queue import PgQueue
from config.errors import BadRecord, NotFound
from exchange import arriving, auditing, ends, giving, greeting, manifest, parcels, receiving, reconciling
from exchange.arriving import WrongOffset
from exchange.auditing import Told
from exchange.ends import KNOWN, Me, Peer
from exchange.giving import HeldUp, Parcel
from exchange.model import Cursor, Damaged, Incompatible, Untrusted
from exchange.parcels import OFFSET, Stands
from node.web.exchange_door import Caller, answer
from node.web.middleware import BadInput
from services.access.policy import OF_NODES, Need

# What the streams and the two ways of a reconcile take; those that aren't here are not there.
CHANNELS: Mapping[str, Need] = dict.fromkeys(KNOWN, OF_NODES)
WAYS: Mapping[str, Need] = {"up": OF_NODES, "down": OF_NODES}
SEGMENT = "application/octet-stream"
DIGITS = 64  # of a link


async def up(request: web.Request, caller: Caller) -> web.Response:
    """HEAD: how much of a segment is here. PATCH: the next part of it; with the last one it is applied."""
    database = caller.door.node.database
    link, peer = _link(request), ends.peer(caller.peer)
    if request.method == "HEAD":
        there = await arriving.offset(database, peer, link)
        return web.Response(headers={OFFSET: str(there), "Cache-Control": "no-store"})
    start = request.headers.get(OFFSET, "")
    if not start.isdecimal():
        raise BadInput(f"{OFFSET} says at which byte of the segment the part begins.")
    queue = PgQueue(database.dsn)
    try:
        arrived = await arriving.part(database, queue, _me(caller), peer, link, int(start), caller.body)
    except WrongOffset as error:
        return answer(Stands(code=error.code, reason=str(error), offset=error.offset), 409)
    except receiving.Misplaced as error:
        return answer(Stands(code=error.code, reason=str(error), cursor=error.cursor), 409)
    except (Damaged, Untrusted, Incompatible) as error:
        return answer(Stands(code=error.code, reason=str(error)), 422)
    return answer(Stands(cursor=arrived.cursor, offset=arrived.offset))


async def down(request: web.Request, caller: Caller) -> web.Response:
    """The segment that follows on a place, or 204 when none comes while the child waits; 409 where none can."""
    channel, peer = _channel(request), ends.peer(caller.peer)
    query = request.query
    cursor = parcels.place(query.get("epoch", ""), query.get("seq", ""), query.get("link", ""))
    try:
        wait = min(max(float(query.get("wait") or 0), 0.0), parcels.WAIT)
    except ValueError as error:
        raise BadInput("wait is a number of seconds.") from error
    try:
        parcel = await caller.while_trusted(_following(caller, peer, channel, cursor, wait))
    except HeldUp as error:
        return answer(Stands(code=error.code, reason=str(error)), 409)
    return web.Response(status=204) if parcel is None else _part(request, parcel)


async def _following(caller: Caller, peer: Peer, channel: str, cursor: Cursor, wait: float) -> Parcel | None:
    database = caller.door.node.database
    parcel = await giving.following(database, peer, channel, cursor)
    # What was acknowledged is gone by now, so whatever waits is news.
    if parcel is None and wait and await caller.door.bell.wait(peer.no, channel, wait):
        parcel = await giving.following(database, peer, channel, cursor)
    return parcel


def _part(request: web.Request, parcel: Parcel) -> web.Response:
    """The segment, or the range of it that was asked for (RFC 9110, 14)."""
    whole = manifest.join(parcel.manifest, parcel.content)
    headers = {"ETag": f'"{parcel.link.hex()}"', "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if "Range" not in request.headers:
        return web.Response(body=whole, headers=headers, content_type=SEGMENT)
    start, end = parcels.wanted(request.headers["Range"], len(whole))
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(whole)}"
    return web.Response(status=206, body=whole[start:end], headers=headers, content_type=SEGMENT)


async def reconcile(request: web.Request, caller: Caller) -> web.Response:
    """This node's part of a reconcile, whichever end of the stream it is."""
    channel, peer = _channel(request), ends.peer(caller.peer)
    kinds = {"up": reconciling.Up, "down": reconciling.Down}
    way = request.match_info["way"]
    kind = kinds.get(way)
    if kind is None or WAYS.get(way) != OF_NODES:
        raise NotFound("a stream goes up or down")
    try:
        asked = msgspec.msgpack.decode(caller.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"the body asks for nothing of a reconcile: {error}") from error
    told = await reconciling.answer(caller.door.node.database, _me(caller), peer, channel, asked)
    return web.Response(body=greeting.encode(told), content_type=greeting.MEDIA)


async def audit(_request: web.Request, caller: Caller) -> web.Response:
    """The end of a child's audit log, compared with what it told before."""
    told = caller.message(Told)
    async with caller.door.node.database.transaction() as conn:
        compared = await auditing.heard(conn, caller.peer.symbol, told, datetime.now(UTC))
    return answer(compared)


def _me(caller: Caller) -> Me:
    return ends.me(caller.door.node.symbol, caller.door.keyring.key)


def _channel(request: web.Request) -> str:
    channel = request.match_info["channel"]
    if CHANNELS.get(channel) != OF_NODES:
        raise NotFound(f"there is no channel {channel!r} here")
    return channel


def _link(request: web.Request) -> bytes:
    text = request.match_info["link"]
    try:
        link = bytes.fromhex(text)
    except ValueError as error:
        raise BadInput("The link of a segment is hexadecimal.") from error
    if not 0 < len(text) <= DIGITS:
        raise BadInput("No segment has such a link.")
    return link
