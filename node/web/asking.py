"""Asks parents over HTTP: the `services.discovery.ask.Asker` of a node.

Equal questions within a few seconds share one request. A parent that failed twice in a row rests for some seconds, and
longer each time, so that a dead or slow one hardly makes a reader wait. Nothing a parent does costs more than its
share: so many requests at once, so many bytes, no redirects, no compression. A parent's address is the one that the
operator joined it at, so it may be on a private network.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from catalog.parents import Parent
from config.errors import Refused, Unreachable
from protocols.http import door
from protocols.http.door import Door, Limits
from protocols.http.guard import Rules
from services.discovery import ask

log = logging.getLogger(__name__)

LEFT, HOPS = "Tianlu-Left", "Tianlu-Hops"  # milliseconds left for the answer; nodes that passed the question on
LIMITS = Limits(body=1_000_000)  # bytes of an answer: 100 titles are 200 kB
SHORTEST = 0.02  # seconds that a question must have left to be asked at all
MOST_AT_ONCE = 8  # requests to one parent
KEPT = 5.0  # seconds that an answer is as good as a new one
MOST_KEPT = 256  # answers
FAIR = 1.0  # seconds that a parent must have had before being late counts as a failure
FAILURES = 2  # in a row, after which a parent rests …
REST, LONGEST_REST = 5.0, 60.0  # … for so many seconds, twice as long after each further one

_Question = tuple[str, str, ask.Pairs, int]  # address, what, parameters, hops


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question on its way or answered."""

    until: float  # time of the clock up to which it need not be asked again
    answer: asyncio.Task[ask.Told]


@dataclass(slots=True, kw_only=True)
class _Trouble:
    """Failures of a parent in a row."""

    times: int = 0
    until: float = 0.0  # time of the clock up to which it rests
    last: type[ask.Late] | type[ask.Unreachable] = ask.Unreachable


class _Refused(ask.Unreachable):
    """The parent is well and won't answer this question."""


class HttpAsker:
    """`ask.Asker` through one outgoing door. It ends what is on its way when it is closed."""

    def __init__(self, out: Door) -> None:
        self._out = out
        self._asked: dict[_Question, _Asked] = {}
        self._busy: Counter[str] = Counter()
        self._trouble: dict[str, _Trouble] = {}
        self._last: dict[tuple[str, str], Sequence[ask.Level]] = {}  # by parent and home

    async def aclose(self) -> None:
        """Ends what is on its way."""
        tasks = [each.answer for each in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def last(self, parent: Parent, home: str) -> Sequence[ask.Level]:
        """See `ask.Asker`."""
        return self._last.get((parent.symbol, home), ())

    async def put(self, parent: Parent, what: str, parameters: ask.Pairs, *, until: float, hops: int) -> ask.Told:
        """See `ask.Asker`."""
        question = (parent.address, what, parameters, hops)
        asked = self._asked.get(question)
        if asked is None or asked.until < time.monotonic():
            if until - asyncio.get_running_loop().time() < SHORTEST:
                raise ask.Late(f"There is no time left to ask {parent.symbol}.")
            asked = self._begin(parent, question, until)
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.shield(asked.answer)  # others may wait for it
        except TimeoutError as error:
            raise ask.Late(f"{parent.symbol} has not answered yet.") from error

    def _begin(self, parent: Parent, question: _Question, until: float) -> _Asked:
        now = time.monotonic()
        trouble = self._trouble.get(parent.symbol)
        if trouble and trouble.times >= FAILURES and now < trouble.until:
            raise trouble.last(f"{parent.symbol} is left alone for some seconds.")
        if self._busy[parent.symbol] >= MOST_AT_ONCE:
            raise ask.Late(f"{parent.symbol} has {MOST_AT_ONCE} of our questions in hand.")
        self._forget(now)
        task = asyncio.create_task(self._answer(parent, question, until))
        self._busy[parent.symbol] += 1
        task.add_done_callback(lambda done: self._ended(parent, done))
        self._asked[question] = made = _Asked(until=now + KEPT, answer=task)
        return made

    def _forget(self, now: float) -> None:
        """Drop answers that are too old or, from the oldest, too many."""
        done = [(key, each.until) for key, each in self._asked.items() if each.answer.done()]
        surplus = len(self._asked) - MOST_KEPT + 1
        for n, (key, until) in enumerate(done):
            if until < now or n < surplus:
                del self._asked[key]

    def _ended(self, parent: Parent, done: asyncio.Task[ask.Told]) -> None:
        self._busy[parent.symbol] -= 1
        if not done.cancelled():
            done.exception()  # nobody may be waiting for it any more

    async def _answer(self, parent: Parent, question: _Question, until: float) -> ask.Told:
        """The answer, or the failure noted down."""
        fair = until - asyncio.get_running_loop().time() >= FAIR
        try:
            async with asyncio.timeout_at(until):
                told = await self._fetch(question, until)
        except (TimeoutError, Refused, Unreachable) as error:
            kind = ask.Late if isinstance(error, TimeoutError) else ask.Unreachable
            if fair if kind is ask.Late else not isinstance(error, _Refused):
                self._failed(parent, kind, str(error) or "too late")
            self._asked.pop(question, None)
            raise kind(f"{parent.symbol} did not answer: {str(error) or 'too late'}.") from error
        self._trouble.pop(parent.symbol, None)
        self._last[parent.symbol, dict(question[2]).get("from", "")] = told.scopes
        return told

    def _failed(self, parent: Parent, kind: type[ask.Late] | type[ask.Unreachable], why: str) -> None:
        trouble = self._trouble.setdefault(parent.symbol, _Trouble())
        trouble.times += 1
        rest = min(REST * 2.0 ** (trouble.times - FAILURES), LONGEST_REST)
        trouble.until, trouble.last = time.monotonic() + rest, kind
        if trouble.times == FAILURES:
            log.warning("the parent %s does not answer readers' questions: %s", parent.symbol, why)

    async def _fetch(self, question: _Question, until: float) -> ask.Told:
        address, what, parameters, hops = question
        left = until - asyncio.get_running_loop().time()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            LEFT: str(max(0, round(left * 1000))),
            HOPS: str(hops),
        }
        got = await self._out.send(
            "GET",
            f"{address.rstrip('/')}/{what}",
            parameters=parameters,
            headers=headers,
            named=True,
            raw=True,
            limits=LIMITS,
        )
        if 400 <= got.status < 500:
            raise _Refused(f"it refuses the question with status {got.status}")
        if got.status != 200 or got.headers.get("Content-Encoding", "identity") != "identity":
            raise ask.Unreachable(f"it answers with status {got.status}")
        return ask.told(got.body)


@contextlib.asynccontextmanager
async def making(rules: Rules) -> AsyncIterator[HttpAsker]:
    """An asker for the length of the block."""
    async with door.open(rules) as out, contextlib.aclosing(HttpAsker(out)) as asker:
        yield asker
