"""Wakes requests that wait for news on a stream.

One look at the database every `LOOK` seconds serves all that wait; with none, nobody looks.
"""

from __future__ import annotations

import asyncio
import logging

from catalog import streams
from catalog.database.pool import Database
from config.errors import Retry

log = logging.getLogger(__name__)

LOOK = 0.3  # seconds

Stream = tuple[int, str]  # number of the peer, channel


class Bell:
    """Rings where a segment waits for a peer, or a reconcile is due with it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[asyncio.Future[None], Stream] = {}
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, peer: int, channel: str, seconds: float) -> bool:
        """True as soon as there is something, False if nothing came."""
        ring = asyncio.get_running_loop().create_future()
        self._waiting[ring] = peer, channel
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(ring, seconds)
        except TimeoutError:
            return False
        finally:
            del self._waiting[ring]
        return True

    async def _look(self) -> None:
        while self._waiting:
            try:
                async with self._database.connection() as conn:
                    busy = await streams.busy(conn)
            except Retry as error:  # whoever waits goes on waiting: nothing could be given out now either
                log.warning("news can't be looked for: %s", error)
                busy = set()
            for ring, stream in self._waiting.items():
                if stream in busy and not ring.done():
                    ring.set_result(None)
            await asyncio.sleep(LOOK)
