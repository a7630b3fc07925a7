"""What this node has told its parents, and waiting until they have heard all of it."""

from __future__ import annotations

import asyncio
import time

from catalog import streams
from catalog.connection import Connection
from catalog.streams import Lag
from config.errors import Unreachable
from exchange.ends import CHANNELS, FEEDS
from node import lifecycle
from node.app import Node

LOOK = 0.2  # seconds between looks
PATIENCE = 60.0  # seconds that an exchange may be in trouble, or reach nothing, before waiting is given up


async def lags(conn: Connection) -> list[Lag]:
    """Every stream to and from active peers."""
    return await streams.lags(conn, FEEDS)


async def heard_by_parents(node: Node) -> None:
    """Until every parent has acknowledged what this node tells. Unreachable if one doesn't come nearer to it."""
    least, since = -1, time.monotonic()
    while True:
        async with node.database.connection() as conn:
            late = [lag for lag in await lags(conn) if _late(lag)]
        if not late:
            return
        behind = sum(lag.behind for lag in late)
        if behind < least or least < 0:
            least, since = behind, time.monotonic()
        if not lifecycle.running(node.home) or time.monotonic() - since > PATIENCE:
            raise Unreachable(_reason(late[0], running=bool(lifecycle.running(node.home))))
        await asyncio.sleep(LOOK)


def _late(lag: Lag) -> bool:
    return lag.role == "parent" and lag.channel in CHANNELS and bool(lag.behind or lag.held_up)


def _reason(lag: Lag, *, running: bool) -> str:
    if not running:
        return f"{lag.peer} has not heard all from this node, which is not running: start it (tianlu run)"
    why = lag.trouble or lag.held_up or "it doesn't acknowledge what it is sent"
    return f"{lag.peer} has not heard all from this node: {why}"
