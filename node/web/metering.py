"""What each key is used for: counted in memory, written to the database each second and when the node stops (shell).

The day is the node's in UTC, an operation the path of a route. A crash loses the counts of a second, no more: keys are
metered for their owners, not for money.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

from aiohttp import web

from catalog.database.pool import Database
from config.errors import Retry
from node.web import context
from services.access import keys
from services.access.keys import Bearer

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds

_What = tuple[int, str, date, str]  # key, library, day, operation


class Meter:
    """The counts that are not written yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._uses: dict[_What, tuple[int, int]] = {}
        self._came = asyncio.Event()

    def count(self, bearer: Bearer, operation: str, day: date, *, refused: bool) -> None:
        """One request more."""
        what = (bearer.key, bearer.library, day, operation)
        calls, before = self._uses.get(what, (0, 0))
        self._uses[what] = (calls + 1, before + refused)
        self._came.set()

    async def write(self) -> None:
        """Add the counts to the database; if it is away they are kept for the next time."""
        uses, self._uses = self._uses, {}
        self._came.clear()
        try:
            async with self._database.transaction() as conn:
                await keys.count(conn, uses, datetime.now(UTC))
        except Retry as error:
            log.warning("what keys were used for is written later: %s", error)
            for what, (calls, refused) in uses.items():
                more, besides = self._uses.get(what, (0, 0))
                self._uses[what] = (calls + more, refused + besides)
            self._came.set()

    async def run(self) -> None:
        """Write for ever, while there is something to write."""
        while True:
            await self._came.wait()
            await asyncio.sleep(EVERY)
            await self.write()


METER = web.AppKey("meter", Meter)


async def metering(app: web.Application) -> AsyncIterator[None]:
    """The meter for the life of the application."""
    meter = app[METER] = Meter(app[context.NODE].database)
    task = asyncio.create_task(meter.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await meter.write()
