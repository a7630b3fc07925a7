"""Drives the link with one parent: performs what its table of states says, and hands back what became of it (shell)."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import assert_never

from catalog import peers
from catalog.peers import PeerNo
from config.errors import TianluError
from exchange import lanes, moving
from exchange.ends import CHANNELS
from exchange.lanes import Action, Done, Event, Greeted, Lane, Outcome, Way, Woke
from exchange.link import Link
from exchange.moving import Moves
from exchange.peer import Busy

log = logging.getLogger(__name__)

LANES = tuple(Lane(channel, way) for channel in CHANNELS for way in Way)


@dataclass(kw_only=True)
class Linking:
    """The link with one parent, alive while `run` runs."""

    moves: Moves
    link: Link = field(default_factory=lambda: Link(lanes=LANES, chance=random.random))
    _events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    def tell(self, event: Event) -> None:
        """Something happened."""
        self._events.put_nowait(event)

    async def run(self) -> None:
        """Until cancelled."""
        await self._tried(lambda: self._show(""))  # what troubled an earlier link is over until it happens again
        async with asyncio.TaskGroup() as tasks:
            self.tell(lanes.Start())
            while True:
                for action in self.link.on(await self._events.get()):
                    tasks.create_task(self._perform(action))

    async def _perform(self, action: Action) -> None:
        match action:
            case lanes.SayHello():
                result, reason, *_ = await self._tried(self.moves.hello)
                self.tell(Greeted(result, reason))
            case lanes.Push(lane=lane):
                self.tell(Done(lane, *await self._tried(lambda: self.moves.push(lane.channel))))
            case lanes.Pull(lane=lane):
                self.tell(Done(lane, *await self._tried(lambda: self.moves.pull(lane.channel))))
            case lanes.Mend(lane=lane):
                self.tell(Done(lane, *await self._tried(lambda: self._mend(lane))))
            case lanes.Wait(turn=turn, seconds=seconds):
                await asyncio.sleep(seconds)
                self.tell(Woke(turn))
            case lanes.Tell(trouble=trouble):
                await self._tried(lambda: self._show(trouble))
            case _:
                assert_never(action)

    async def _mend(self, lane: Lane) -> Outcome:
        await self.moves.mend(lane)
        return Outcome.MOVED

    async def _show(self, trouble: str) -> Outcome:
        if trouble:
            log.warning("exchange with %s: %s", self.moves.peer.symbol, trouble)
        else:
            log.info("exchange with %s goes on", self.moves.peer.symbol)
        async with self.moves.database.connection() as conn:
            await peers.failed(conn, PeerNo(self.moves.peer.no), trouble)
        return Outcome.QUIET

    async def _tried(self, work: Callable[[], Awaitable[Outcome]]) -> tuple[Outcome, str, float, float]:
        """(outcome, why, seconds that it took, seconds that a busy parent asks for); whatever goes wrong pauses one
        lane, and never ends the link.
        """
        started, pause = time.monotonic(), 0.0
        try:
            result, reason = await work(), ""
        except Busy as error:
            result, reason, pause = Outcome.BUSY, str(error), error.pause
        except TianluError as error:
            result, reason = moving.outcome(error), str(error)
        except Exception as error:
            log.exception("exchange with %s failed, a fault of ours", self.moves.peer.symbol)
            result, reason = Outcome.FAILED, f"a fault of ours ({type(error).__name__}): see the log"
        return result, reason, time.monotonic() - started, pause
