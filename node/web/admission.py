"""Who is worked for now, who waits and who is told to come back: a bounded queue that is fair to clients (pure).

So many requests are worked on at once, and so many wait; beyond that the answer is 503 at once, because an answer that
nobody waits for any longer costs as much as any other (`Verdict.CROWDED`). Clients are blocks of addresses. Nobody has
more than a share of the work and of the queue; who has fewest requests at work is next, and of equals who came first;
when no more can wait, the client with most waiting gives up its newest (`Verdict.GREEDY`, 429). While others ask too, a
client has so many requests a second (token bucket); alone it may have all. So a crawler takes its own share and no
other's.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

EVERYBODY = ""  # the client of those who can't be told apart: no share is too large for it


class Verdict(Enum):
    """What becomes of a request."""

    GO = auto()
    WAIT = auto()
    CROWDED = auto()  # everybody asks too much
    GREEDY = auto()  # its client does


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of a queue; both shares are of one client."""

    at_work: int
    waiting: int
    share_at_work: int
    share_waiting: int
    rate: float = math.inf  # requests a second of one client while others ask too


BURST = 3.0  # seconds' worth of requests that a client may save up
BESIDE = 1.0  # seconds after a client's request in which it is there
MOST_KNOWN = 4096  # clients whose pace is remembered


@dataclass(eq=False, slots=True)
class Ticket:
    """A request in the queue."""

    client: str
    number: int = 0  # as it came


@dataclass(slots=True)
class _Client:
    at_work: int = 0
    waiting: deque[Ticket] = field(default_factory=deque)


@dataclass(slots=True)
class _Pace:
    used: float = 0.0  # requests that are used up …
    at: float = 0.0  # … at this time of the clock


Told = list[tuple[Ticket, Verdict]]


class Queue:
    """Each event tells what becomes of which ticket."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._greedy = max(2, limits.share_waiting // 8)  # requests that wait more than another client's do
        self.at_work = 0
        self.waiting = 0
        self._came = 0
        self._clients: dict[str, _Client] = {}  # that have requests at work or waiting
        self._paces: dict[str, _Pace] = {}  # who came last is last
        self._latest = self._before = ("", -math.inf)  # the last two clients to come, and when

    @property
    def full(self) -> bool:
        """Nobody who comes now gets a place, whoever it is."""
        limits, greedy = self.limits, self._greedy
        return (
            self.waiting >= limits.waiting
            and self.at_work >= limits.at_work
            and all(len(each.waiting) < greedy for name, each in self._clients.items() if name != EVERYBODY)
        )

    def come(self, ticket: Ticket, now: float) -> Told:
        """A request has come, at a time of a clock that never goes back."""
        if self._too_quick(ticket.client, now):
            return [(ticket, Verdict.GREEDY)]
        client = self._clients.setdefault(ticket.client, _Client())
        if self.at_work < self.limits.at_work and self._may_work(ticket.client, client):
            self._start(client)
            return [(ticket, Verdict.GO)]
        told: Told = []
        if ticket.client != EVERYBODY and len(client.waiting) >= self.limits.share_waiting:
            return [(ticket, Verdict.GREEDY)]
        if self.waiting >= self.limits.waiting:
            greedy = max(self._clients.values(), key=lambda each: len(each.waiting))
            if len(greedy.waiting) < len(client.waiting) + self._greedy:
                self._forget(ticket.client)
                return [(ticket, Verdict.CROWDED)]
            told.append((greedy.waiting.pop(), Verdict.GREEDY))
            self.waiting -= 1
        self._came += 1
        ticket.number = self._came
        client.waiting.append(ticket)
        self.waiting += 1
        return [*told, (ticket, Verdict.WAIT)]

    def done(self, ticket: Ticket) -> Told:
        """A request that was worked on is answered, or its visitor has gone."""
        self._clients[ticket.client].at_work -= 1
        self.at_work -= 1
        self._forget(ticket.client)
        return self._next()

    def gone(self, ticket: Ticket) -> None:
        """A request that waited does so no longer."""
        self._clients[ticket.client].waiting.remove(ticket)
        self.waiting -= 1
        self._forget(ticket.client)

    def _too_quick(self, name: str, now: float) -> bool:
        """Has it used up its pace, and are there others?"""
        if name != self._latest[0]:
            self._before = self._latest
        self._latest = (name, now)
        if name == EVERYBODY or self.limits.rate == math.inf:
            return False
        pace = self._paces[name] = self._paces.pop(name, _Pace())
        if len(self._paces) > MOST_KNOWN:
            del self._paces[next(iter(self._paces))]
        pace.used, pace.at = max(0.0, pace.used - (now - pace.at) * self.limits.rate), now
        if pace.used >= self.limits.rate * BURST:
            return now - self._before[1] < BESIDE
        pace.used += 1
        return False

    def _next(self) -> Told:
        """Whoever can start now."""
        told: Told = []
        while self.at_work < self.limits.at_work:
            fit = [each for name, each in self._clients.items() if each.waiting and self._may_work(name, each)]
            if not fit:
                break
            client = min(fit, key=lambda each: (each.at_work, each.waiting[0].number))
            told.append((client.waiting.popleft(), Verdict.GO))
            self.waiting -= 1
            self._start(client)
        return told

    def _may_work(self, name: str, client: _Client) -> bool:
        return name == EVERYBODY or client.at_work < self.limits.share_at_work

    def _start(self, client: _Client) -> None:
        client.at_work += 1
        self.at_work += 1

    def _forget(self, name: str) -> None:
        client = self._clients[name]
        if not client.at_work and not client.waiting:
            del self._clients[name]
