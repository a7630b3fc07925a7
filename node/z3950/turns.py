"""Turns at the Z39.50 door: who is worked for now, who waits, and who is told that it is too much (shell).

Clients are blocks of addresses, as at the web door, so one who floods takes its own share and no other's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.errors import Retry
from config.settings import Z3950
from node.web import turns
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
        self._turns = turns.Turns()

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Waits for a turn and has it for the length of the block. Raises Crowded."""
        ticket = Ticket(client)
        if await self._turns.come(self._queue, ticket, PATIENCE) is not Verdict.GO:
            raise Crowded("too many requests at this moment")
        try:
            yield
        finally:
            self._turns.done(self._queue, ticket)
