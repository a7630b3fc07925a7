"""Turns: who is worked for now, who waits, and who is told that it is too much (shell over `node.web.admission`).

Clients are blocks of addresses, as at the web door, so one who floods takes its own share and no other's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.errors import Retry
from config.settings import Z3950
from node.web.admission import Limits, Queue, Ticket, Verdict

PATIENCE = 10.0  # seconds that a request may wait for its turn


class Crowded(Retry):
    """No turn could be had in time."""

    code = "crowded"


class Turns:
    """The queue of one door."""

    def __init__(self, told: Z3950) -> None:
        self._queue = Queue(
            Limits(
                at_work=told.at_work,
                waiting=told.waiting,
                share_at_work=max(1, told.at_work // 2),
                share_waiting=max(1, told.waiting // 2),
            )
        )
        self._calls: dict[Ticket, asyncio.Future[Verdict]] = {}

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Waits for a turn and has it for the length of the block. Raises Crowded."""
        ticket = Ticket(client)
        verdict = self._tell(self._queue.come(ticket, asyncio.get_running_loop().time()), ticket)
        if verdict is Verdict.WAIT:
            verdict = await self._wait(ticket)
        if verdict is not Verdict.GO:
            raise Crowded("too many requests at this moment")
        try:
            yield
        finally:
            self._tell(self._queue.done(ticket))

    async def _wait(self, ticket: Ticket) -> Verdict:
        call: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._calls[ticket] = call
        try:
            await asyncio.wait((call,), timeout=PATIENCE)
        except asyncio.CancelledError:
            if call.done() and call.result() is Verdict.GO:
                self._tell(self._queue.done(ticket))
            elif not call.done():
                self._queue.gone(ticket)
            raise
        finally:
            del self._calls[ticket]
        if call.done():
            return call.result()
        self._queue.gone(ticket)
        return Verdict.CROWDED

    def _tell(self, told: list[tuple[Ticket, Verdict]], own: Ticket | None = None) -> Verdict:
        """Call those who wait; the verdict about one's own ticket."""
        about = Verdict.WAIT
        for ticket, verdict in told:
            if ticket is own:
                about = verdict
            else:
                self._calls[ticket].set_result(verdict)
        return about
