"""Many targets are asked at once; each answer is told as it comes (shell)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from catalog.targets import Target
from config.errors import Misconfigured, Refused, Retry, Unreachable
from protocols.query import Node
from protocols.z3950.client import NotAdmitted
from services.copying.asking import Answer
from services.copying.lines import Lines

DEADLINE = 10.0  # seconds for all of them
TROUBLE = (Unreachable, Refused, Misconfigured, Retry)  # what of one target keeps no answer of another back


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of asking one target: an answer, or trouble in words."""

    target: Target
    answer: Answer | None = None
    trouble: str = ""
    refused: bool = False  # it did answer the query: that it can't
    seconds: float = 0.0


async def search(
    lines: Lines, targets: Sequence[Target], query: Node, *, most: int, deadline: float = DEADLINE
) -> AsyncGenerator[Outcome, None]:
    """One outcome a target, in the order in which they come; after `deadline` seconds the rest are in trouble.
    Whoever stops early closes it (`contextlib.aclosing`)."""
    asked = {asyncio.create_task(_one(lines, target, query, most, deadline)) for target in targets}
    try:
        while asked:
            done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _one(lines: Lines, target: Target, query: Node, most: int, deadline: float) -> Outcome:
    started = time.monotonic()
    try:
        answer = await lines.ask(target, query, most, within=deadline)
    except TROUBLE as error:
        refused = isinstance(error, Refused) and not isinstance(error, NotAdmitted)
        return Outcome(target=target, trouble=str(error), refused=refused, seconds=time.monotonic() - started)
    return Outcome(target=target, answer=answer, seconds=time.monotonic() - started)
