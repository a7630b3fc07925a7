"""The desk: does what sessions want done, with the node's catalogue, each in its turn (shell).

It reads through the door's database role, as web pages do. What fails becomes a diagnostic here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from catalog import changes, clusters, holdings
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Holding, Published
from catalog.search import port
from config.errors import Refused, Retry, TianluError
from node import soon
from node.web import address
from node.z3950 import fitting, making, scopes, searching
from node.z3950.clerk import Clerk
from node.z3950.making import Held
from node.z3950.quick import Quick
from node.z3950.state import State
from node.z3950.tasks import Find, Found, Handed, HandIn, List, Outcome, Prove, Take, Task, Trouble, Wanted, Way
from node.z3950.turns import Turns
from node.z3950.visitors import NotAdmitted, Porter, Visitor
from protocols.query import Unanswerable
from protocols.z3950.apdu.records import NamePlusRecord
from protocols.z3950.diagnostics import Bib1
from services.discovery.registry import Registry
from services.discovery.scope import Place
from services.retrieval import databases, results, threads
from services.retrieval.remembered import Remembered
from services.retrieval.results import Shelf, TooDeep

log = logging.getLogger(__name__)

LONGEST = 60.0  # seconds that one task may take
CHUNK = 50  # records that are made at once
FOLLOWS = 3.0  # seconds in which searches mostly see what was placed
COPIES = 2  # of a record that is kept: as it stands in answers, and by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What it works with."""

    database: Database
    reader: port.Reader
    shelf: Shelf
    remembered: Remembered[NamePlusRecord | Trouble]
    porter: Porter
    clerk: Clerk
    place: Place
    registry: Registry
    threads: Executor
    turns: Turns
    quick: Quick
    lang: str
    sessions: Counter[str]  # that are open, by account or address

    def at_once(self, state: State, task: Task) -> Outcome | None:
        """The outcome of what takes no waiting and hardly any time; None of all else."""
        match task:
            case Prove(name="", password=""):
                return self._let_in(state, Visitor())
            case Find():
                return self._find_now(task)
            case Take():
                return self._take_now(task)
        return None

    def _find_now(self, task: Find) -> Found | Trouble | None:
        way, now = task.ways[0], time.monotonic()
        if len(task.ways) > 1 or any(each.scope for each in task.databases) or not self.quick.may(way.compiled, now):
            return None
        began = time.thread_time() if self.quick.watches else None
        try:
            result = self.shelf.find_now(_request(way, None, task.keys), task.databases[0])
        except TianluError as error:
            return _trouble(error)
        used = None if began is None else time.thread_time() - began
        self.quick.took(time.monotonic() - now, used, now)
        return Found(result=result, way=way)

    def _take_now(self, task: Take) -> list[NamePlusRecord | Trouble] | None:
        form, (first, count) = task.wanted.key, task.spans[0]
        numbers = task.found.head[first - 1 : first - 1 + count]
        if len(task.spans) > 1 or not form or len(numbers) < count or not self.remembered.is_fresh(time.monotonic()):
            return None
        return self.remembered.every(numbers, form)

    async def perform(self, state: State, task: Task) -> Outcome:
        """The outcome of a task, or the diagnostic of what went wrong."""
        try:
            async with asyncio.timeout(LONGEST):
                if isinstance(task, Prove):
                    return await self._prove(state, task)
                if isinstance(task, HandIn):
                    return await self._hand_in(state, task)
                async with self.turns.turn(address.block(state.address)):
                    match task:
                        case Find():
                            return await self._find(state, task)
                        case Take():
                            return await self._take(state, task)
                        case List():
                            return await self._list(state, task)
        except TimeoutError:
            return Trouble(Bib1.TEMPORARY_ERROR, f"it took longer than {LONGEST:.0f} s")
        except TianluError as error:
            return _trouble(error)

    def left(self, state: State) -> None:
        """A session that was open is over."""
        if state.is_open:
            who = _who(state.visitor, state.address)
            self.sessions[who] -= 1
            if self.sessions[who] <= 0:
                del self.sessions[who]

    async def _hand_in(self, state: State, task: HandIn) -> tuple[Handed, ...]:
        """What became of each; whoever waited for it looks for it next, so for a while searches are waited for too."""
        handed = await self.clerk.take(state.visitor, state.address, task)
        if task.waits and any(not (each.error or each.waits or each.under_way) for each in handed):
            await soon.until(self.database, False, bool, self._is_found, FOLLOWS)
        return handed

    async def _is_found(self, conn: Connection) -> bool:
        """Whether searches see all that is placed."""
        if await clusters.more_dirty_than(conn, 0):
            return False
        try:
            return self.reader.place() >= await changes.head(conn)
        except port.NotBuilt:
            return False

    async def _prove(self, state: State, task: Prove) -> Visitor | Trouble:
        visitor = Visitor()
        if task.name or task.password:
            visitor = await self.porter.admit(task.name, task.password, task.code, state.address)
        return self._let_in(state, visitor)

    def _let_in(self, state: State, visitor: Visitor) -> Visitor | Trouble:
        who = _who(visitor, state.address)
        most = state.house.clients.of(visitor.account, state.address).sessions
        if most is not None and self.sessions[who] >= most:
            return Trouble(Bib1.TOO_MANY_SESSIONS, str(most))
        self.sessions[who] += 1
        return visitor

    async def _find(self, state: State, task: Find) -> Found:
        libraries = await self._libraries(state, task.databases)
        for way in task.ways:
            request = _request(way, libraries, task.keys)
            found = Found(result=await self.shelf.find(request, task.databases[0]), way=way)
            if found.result.total:
                return found
        return Found(result=found.result, way=task.ways[0])

    async def _list(self, state: State, task: List) -> port.Stretch:
        libraries = await self._libraries(state, task.databases)

        scan = self.reader.scan
        how = {"before": task.before, "count": task.count}
        return await threads.done(self.threads, scan, task.index, task.text, libraries=libraries, **how)

    async def _take(self, state: State, task: Take) -> list[NamePlusRecord | Trouble]:
        made: list[NamePlusRecord | Trouble] = []
        size = 0
        for first, count in task.spans:
            for start in range(first, first + count, CHUNK):
                if size > task.room:
                    return made  # the message is full
                wanted = min(CHUNK, first + count - start)
                part = await self._part(task, start, wanted)
                made += part
                size += sum(fitting.octets(each) for each in part if isinstance(each, NamePlusRecord))
        return made

    async def _part(self, task: Take, first: int, count: int) -> list[NamePlusRecord | Trouble]:
        numbers = await self.shelf.numbers(task.found, first, count)
        gone: NamePlusRecord | Trouble = Trouble(Bib1.RECORD_DELETED)  # where the set has shrunk since
        form = task.wanted.key
        turn = await self.remembered.look(time.monotonic())
        made: dict[int, NamePlusRecord | Trouble] = {}
        for number in numbers:
            if form and (known := self.remembered.get(number, form)):
                made[number] = known
        missing = tuple(number for number in numbers if number not in made)
        for number, each in zip(missing, await self._made(missing, task.wanted), strict=True):
            made[number] = each
            if form and isinstance(each, NamePlusRecord):
                self.remembered.keep(turn, number, form, each, COPIES * fitting.octets(each))
        return [made[number] for number in numbers] + [gone] * (count - len(numbers))

    async def _made(self, numbers: tuple[int, ...], wanted: Wanted) -> list[NamePlusRecord | Trouble]:
        if not numbers:
            return []
        found = await self.shelf.published(numbers)
        held: list[Held] = []
        names: Mapping[str, str] = {}
        if wanted.holdings:
            held, names = await self._held(found)
        if making.is_soon(found, wanted):
            return making.made(found, held, names, wanted, self.lang)
        return await threads.done(self.threads, making.made, found, held, names, wanted, self.lang)

    async def _held(self, found: Collection[Published | None]) -> tuple[list[Held], Mapping[str, str]]:
        """The holdings of each, and the names of all libraries."""
        async with self.database.visit() as conn:
            directory = await self.registry.look(conn, asyncio.get_running_loop().time())
            held = [await _holdings(conn, each) for each in found]
        return held, {symbol: library.name for symbol, library in directory.names.items()}

    async def _libraries(self, state: State, wanted: Collection[databases.Database]) -> frozenset[str] | None:
        """Whose titles are searched; None = all. Raises NoDatabase."""
        if all(not each.scope for each in wanted):
            return None
        async with self.database.visit() as conn:
            directory = await self.registry.look(conn, asyncio.get_running_loop().time())
        return scopes.libraries(wanted, self.place, directory, state.visitor.library)


async def _holdings(conn: object, published: Published | None) -> tuple[Holding, ...]:
    if published is None:
        return ()
    return tuple(holding for _, _, holding in await holdings.of_cluster(conn, published.cluster))


def _request(way: Way, libraries: frozenset[str] | None, keys: tuple[port.Key, ...]) -> port.Request:
    return port.Request(compiled=way.compiled, libraries=libraries, keys=keys, limit=results.HEAD, facets=())


def _who(visitor: Visitor, at: str) -> str:
    return f"account:{visitor.account}" if visitor.account else f"address:{at}"


def _trouble(error: TianluError) -> Trouble:
    """What a client is told of an error."""
    match error:
        case Unanswerable():
            return searching.trouble(error)
        case NotAdmitted():
            return Trouble(Bib1.BAD_PASSWORD, str(error))
        case scopes.NoDatabase():
            return Trouble(error.number, str(error))
        case TooDeep():
            return Trouble(Bib1.TOO_MANY_RECORDS, str(error))
        case port.NotBuilt():
            return Trouble(Bib1.DATABASE_UNAVAILABLE, str(error))
        case Retry():
            return Trouble(Bib1.TEMPORARY_ERROR, str(error))
        case Refused():
            return Trouble(Bib1.UNSUPPORTED_SEARCH, str(error))
    log.error("a Z39.50 task failed: %s", error)
    return Trouble(Bib1.PERMANENT_ERROR)
