"""Connections to targets: used again while they are good, few at once, none where a target is known not to answer
(shell)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from catalog.targets import Target
from config.errors import Refused, Unreachable
from protocols import target as profiles
from protocols.query import Node
from services.copying.asking import Answer, Closed, Line, Open
from services.copying.breaker import Breaker

EACH = 4  # connections to one target at once: many servers allow no more of one address
IDLE = 45.0  # seconds after which an unused one isn't trusted any more: servers cut them off at a minute or later


class Spared(Unreachable):
    """It did not answer lately, so it isn't asked now."""

    code = "spared"


@dataclass(slots=True)
class _Kept:
    """What is kept of one target as it is described."""

    breaker: Breaker = field(default_factory=Breaker)
    idle: list[tuple[float, Line]] = field(default_factory=list)  # since when, newest last
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EACH))


class Lines:
    """All targets' connections, for as long as whoever holds them."""

    def __init__(self, open_line: Open) -> None:
        self._open = open_line
        self._kept: dict[tuple[str, str], _Kept] = {}  # by name and profile: whose profile changes is another one

    async def ask(self, target: Target, query: Node, most: int, *, within: float) -> Answer:
        """Ask a target, on a connection that is there or a new one, and wait for so many seconds.

        Raises Spared, Unreachable, or Refused with what the target says.
        """
        kept = self._kept.setdefault((target.name, profiles.write(target.profile)), _Kept())
        await self._tidy(time.monotonic())
        begun = False
        try:
            async with asyncio.timeout(within), kept.room:
                if wait := kept.breaker.refuses(time.monotonic()):
                    raise Spared(f"{target.name} did not answer lately: it is tried again in {wait:.0f} s")
                begun = True
                answer = await self._asked(target, kept, query, most)
        except TimeoutError as error:
            if begun:
                kept.breaker.failed(time.monotonic())
            raise Unreachable(f"{target.name}: no answer within {within:g} s") from error
        except Spared:
            raise
        except Unreachable:
            kept.breaker.failed(time.monotonic())
            raise
        except Refused:
            kept.breaker.answered()
            raise
        except BaseException:
            if begun:
                kept.breaker.given_up()
            raise
        kept.breaker.answered()
        return answer

    async def _asked(self, target: Target, kept: _Kept, query: Node, most: int) -> Answer:
        """One that was idle may have been closed at the other end: then once more on a new one."""
        if kept.idle:
            _, line = kept.idle.pop()
            with contextlib.suppress(Closed):
                return await _on(kept, line, query, most)
        return await _on(kept, await self._open(target), query, most)

    async def _tidy(self, now: float) -> None:
        """Close what has been idle for too long, of any target."""
        for kept in self._kept.values():
            old = [each for each in kept.idle if now - each[0] >= IDLE or not each[1].open]
            if old:
                kept.idle = [each for each in kept.idle if each not in old]
                for _, line in old:
                    await line.close()

    async def close(self) -> None:
        """Close what is idle."""
        lines = [line for kept in self._kept.values() for _, line in kept.idle]
        self._kept.clear()
        await asyncio.gather(*(line.close() for line in lines))


async def _on(kept: _Kept, line: Line, query: Node, most: int) -> Answer:
    try:
        return await line.ask(query, most)
    finally:
        if line.open:
            kept.idle.append((time.monotonic(), line))
        else:
            await line.close()


@contextlib.asynccontextmanager
async def of(open_line: Open) -> AsyncIterator[Lines]:
    """Connections for the length of the block."""
    lines = Lines(open_line)
    try:
        yield lines
    finally:
        await lines.close()
