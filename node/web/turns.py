"""Turns at a door: who waits for one is called when it comes, or told that it is too much (shell over `admission`)."""

from __future__ import annotations

import asyncio
from typing import Any

from node.web.admission import Queue, Ticket, Verdict


class Turns:
    """Those who wait, at one queue or several."""

    def __init__(self) -> None:
        self._calls: dict[Ticket, asyncio.Future[Verdict]] = {}

    async def come(
        self, queue: Queue, ticket: Ticket, patience: float, gone: asyncio.Future[Any] | None = None
    ) -> Verdict:
        """GO, or why there is no turn within `patience` seconds, or before whoever waits is `gone`. After GO `done` is
        due.
        """
        loop = asyncio.get_running_loop()
        verdict = self._tell(queue.come(ticket, loop.time()), ticket)
        if verdict is not Verdict.WAIT:
            return verdict
        call: asyncio.Future[Verdict] = loop.create_future()
        self._calls[ticket] = call
        try:
            await asyncio.wait((call, gone) if gone else (call,), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if call.done() and call.result() is Verdict.GO:
                self.done(queue, ticket)
            elif not call.done():
                queue.gone(ticket)
            raise
        finally:
            del self._calls[ticket]
        if call.done():
            return call.result()
        queue.gone(ticket)
        return Verdict.CROWDED

    def done(self, queue: Queue, ticket: Ticket) -> None:
        """The turn is over: the next one has it."""
        self._tell(queue.done(ticket))

    def _tell(self, told: list[tuple[Ticket, Verdict]], own: Ticket | None = None) -> Verdict:
        """Call those who wait; the verdict about one's own ticket."""
        about = Verdict.WAIT
        for ticket, verdict in told:
            if ticket is own:
                about = verdict
            else:
                self._calls[ticket].set_result(verdict)
        return about
