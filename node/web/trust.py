"""Ends what a peer has in hand when it is suspended or revoked, within a second, and what waits when the node stops.

One look at the database every `LOOK` seconds serves all requests that wait; with none, nobody looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from catalog import peers
from catalog.database.pool import Database
from catalog.peers import Peer
from config.errors import Refused, Retry

log = logging.getLogger(__name__)

LOOK = 0.3  # seconds

T = TypeVar("T")


class Suspended(Refused):
    """The operator has suspended the peer."""

    code = "suspended"


class Revoked(Refused):
    """The operator has revoked the peer."""

    code = "revoked"


def barred(peer: Peer, state: str, me: str) -> Refused | None:
    """Why a peer in this state is not dealt with, None if it is."""
    match state:
        case "active":
            return None
        case "suspended":
            return Suspended(f"{me} has suspended {peer.symbol}: ask its operator; nothing is lost meanwhile")
    return Revoked(f"{me} has revoked {peer.symbol}: to come back, ask its operator for a new code (tianlu invite)")


class Watch:
    """Looks after the peers of running requests."""

    def __init__(self, database: Database, me: str) -> None:
        self._database = database
        self._me = me
        self._waiting: dict[asyncio.Future[None], Peer] = {}
        self._looking: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def idle(self) -> bool:
        """Whether nobody waits, so that nobody looks."""
        return not self._waiting and (self._looking is None or self._looking.done())

    async def during(self, peer: Peer, work: Awaitable[T]) -> T:
        """What `work` gives, or Suspended or Revoked within a second of the peer's being so; then it is cancelled.

        Retry when the node stops.
        """
        task = asyncio.ensure_future(work)
        end = asyncio.get_running_loop().create_future()
        self._waiting[end] = peer
        if self._stopped:
            self.stop()
        elif self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                end.result()
            return await task
        finally:
            del self._waiting[end]
            await _cancel((task, end))

    def stop(self) -> None:
        """The node stops: nobody is kept waiting."""
        self._stopped = True
        if self._looking:
            self._looking.cancel()
        for end in self._waiting:
            if not end.done():
                end.set_exception(Retry(f"{self._me} is stopping; ask again in a moment"))

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(LOOK)
            try:
                async with self._database.connection() as conn:
                    states = await peers.trusted(conn)
            except Retry as error:  # whoever waits goes on: without the database nothing can be given out either
                log.warning("peers can't be looked after: %s", error)
                continue
            for end, peer in self._waiting.items():
                state, _ = states.get(peer.no, ("revoked", b""))
                if not end.done() and (reason := barred(peer, state, self._me)):
                    end.set_exception(reason)


async def _cancel(futures: Iterable[asyncio.Future[Any]]) -> None:
    for each in futures:
        each.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
