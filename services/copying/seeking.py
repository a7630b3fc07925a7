"""From a query to candidates, the best first: one query, or a list of them a few at a time (shell)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

from catalog.targets import Target
from services.copying import candidates, choosing, metasearch
from services.copying.candidates import Candidate, Judge
from services.copying.choosing import Choice, Wish
from services.copying.lines import EACH, Lines
from services.copying.metasearch import Outcome
from services.copying.queries import Asked

MOST = 10  # records of each target that are looked at
AHEAD = 2 * EACH  # queries at a time, so that a slow one does not leave connections idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a library wants of all that it copies, and how far it is looked for."""

    targets: Sequence[Target]  # the preferred one first
    wish: Wish
    judge: Judge  # of the library's records
    most: int = MOST
    deadline: float = metasearch.DEADLINE  # seconds for one query


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What became of one query."""

    asked: Asked
    choice: Choice
    outcomes: tuple[Outcome, ...]  # one a target, in the order in which they answered
    notes: tuple[str, ...]  # of records that can't be copied


async def seek(lines: Lines, whole: Whole, asked: Asked) -> Sought:
    """Ask all targets and judge what comes."""
    outcomes: list[Outcome] = []
    found: list[Candidate] = []
    notes: list[str] = []
    asking = metasearch.search(lines, whole.targets, asked.query, most=whole.most, deadline=whole.deadline)
    async with contextlib.aclosing(asking):
        async for outcome in asking:
            outcomes.append(outcome)
            if outcome.answer:
                read, said = await asyncio.to_thread(candidates.read, outcome.target, outcome.answer.found, whole.judge)
                found += read
                notes += [*said, *(f"{outcome.target.name} {note}" for note in outcome.answer.notes)]
    wish = Wish(format=whole.wish.format, language=whole.wish.language, isbn=asked.isbn)
    choice = choosing.choose(found, wish, [each.name for each in whole.targets])
    return Sought(asked=asked, choice=choice, outcomes=tuple(outcomes), notes=tuple(notes))


async def seek_all(lines: Lines, whole: Whole, every: Iterable[Asked]) -> AsyncGenerator[Sought, None]:
    """The same of many queries, in their order, some at a time."""
    waiting = iter(every)
    going: list[asyncio.Task[Sought]] = []
    try:
        while True:
            while len(going) < AHEAD and (asked := next(waiting, None)) is not None:
                going.append(asyncio.create_task(seek(lines, whole, asked)))
            if not going:
                return
            yield await going.pop(0)
    finally:
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
