"""Waiting a moment for what a worker does with what somebody has just brought (shell)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from catalog.connection import Connection
from catalog.database.pool import Database

LOOK = 0.1  # seconds between looks

T = TypeVar("T")


async def until(
    database: Database, seen: T, over: Callable[[T], bool], look: Callable[[Connection], Awaitable[T]], patience: float
) -> T:
    """As it is when it is `over`, or after `patience` seconds. `seen`: as it was just now."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while not over(seen) and loop.time() < end:
        await asyncio.sleep(LOOK)
        async with database.connection() as conn:
            seen = await look(conn)
    return seen
