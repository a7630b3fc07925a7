"""What this node has told its peers, and waiting until they have heard all of it."""

from __future__ import annotations

import asyncio
import time

from catalog import hosting, streams
from catalog.connection import Connection
from catalog.hosting import Handover
from catalog.payload import HANDOVER
from catalog.streams import Lag
from config.errors import Unreachable
from exchange.ends import CHANNELS, FEEDS
from node import lifecycle
from node.app import Node

LOOK = 0.2  # seconds between looks
SILENT = 90.0  # seconds without a greeting: idle peers greet each other every 20
PATIENCE = 60.0  # seconds that an exchange may be in trouble, or reach nothing, before waiting is given up


async def lags(conn: Connection) -> list[Lag]:
    """Every stream to and from active peers."""
    return await streams.lags(conn, FEEDS)


async def moved(node: Node) -> None:
    """Until no library moves to or from a parent, or a child that is in touch. Unreachable if one gets stuck."""
    seen: object = None
    since = time.monotonic()
    while True:
        runs = bool(lifecycle.running(node.home))
        async with node.database.connection() as conn:
            every = await lags(conn)
            awaited = {lag.no for lag in every if _awaited(lag, runs=runs)}
            going = [one for one in await hosting.going(conn) if one.peer in awaited]
        if not going:
            return
        now = ([_stands(one) for one in going], [_moves(lag) for lag in every if lag.channel == HANDOVER])
        if now != seen:
            seen, since = now, time.monotonic()
        if not runs or time.monotonic() - since > PATIENCE:
            raise Unreachable(_waits(going[0], running=runs))
        await asyncio.sleep(LOOK)


async def heard(node: Node) -> None:
    """Until every parent, and every child that is in touch, has acknowledged what this node tells. Unreachable if one
    doesn't come nearer to it.
    """
    least, since = -1, time.monotonic()
    while True:
        runs = bool(lifecycle.running(node.home))
        async with node.database.connection() as conn:
            late = [lag for lag in await lags(conn) if _late(lag, runs=runs)]
        if not late:
            return
        behind = sum(lag.behind for lag in late)
        if behind < least or least < 0:
            least, since = behind, time.monotonic()
        if not runs or time.monotonic() - since > PATIENCE:
            raise Unreachable(_reason(late[0], running=runs))
        await asyncio.sleep(LOOK)


def in_touch(lag: Lag) -> bool:
    """Peers that have nothing to say greet each other all the same: this one did."""
    return lag.seen_ago is not None and lag.seen_ago < SILENT


def _awaited(lag: Lag, *, runs: bool) -> bool:
    """A child calls when it can, perhaps after weeks: nobody waits for it unless it is there."""
    return lag.role == "parent" or (runs and in_touch(lag))


def _late(lag: Lag, *, runs: bool) -> bool:
    return _awaited(lag, runs=runs) and lag.channel in CHANNELS and bool(lag.behind or lag.held_up)


def _stands(one: Handover) -> tuple[object, ...]:
    return one.library, one.reign, one.state, one.theirs, one.reason


def _moves(lag: Lag) -> tuple[object, ...]:
    """How far source records have come."""
    return lag.no, lag.known, lag.waiting, lag.heard


def _reason(lag: Lag, *, running: bool) -> str:
    if not running:
        return f"{lag.peer} has not heard all from this node, which is not running: start it (tianlu run)"
    why = lag.trouble or lag.held_up or "it doesn't acknowledge what it is sent"
    return f"{lag.peer} has not heard all from this node: {why}"


def _waits(one: Handover, *, running: bool) -> str:
    if not running:
        return f"a hand-over of {one.library} goes on, and this node is not running: start it (tianlu run)"
    return f"the hand-over of {one.library} doesn't get on: {one.reason or f'it is {one.state}'}"
