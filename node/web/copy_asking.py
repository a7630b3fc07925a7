"""What the page and the address for copying share: asking targets, and making what was chosen a library's record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from catalog import libraries, loads, targets
from catalog.loads import Load
from catalog.model import LoadState
from catalog.targets import Target
from config.errors import BadRecord, NotFound
from exchange import bringing
from node import copying, soon
from node.copying import Habits
from node.web import auditing, context, gate, permits
from node.web.middleware import BadInput
from services.copying import metasearch, queries, saving, seeking, taking
from services.copying.candidates import Candidate
from services.copying.lines import Lines
from services.copying.queries import Asked
from services.copying.seeking import Sought, Whole
from services.copying.taking import Copied

LINES = web.AppKey("lines", Lines)
ROOM = web.AppKey("room", asyncio.Semaphore)
AT_ONCE = 8  # requests that ask targets
MOST_TARGETS = 50
OVER = (LoadState.DONE, LoadState.HELD, LoadState.FAILED)
PATIENCE = 15.0  # seconds that a load is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found for a library."""

    sought: Sought
    habits: Habits


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What was made of it."""

    copied: Copied
    source: str
    load: Load  # as far as it is


async def lines(app: web.Application) -> AsyncIterator[None]:
    """Keeps connections to targets for as long as the web door is open."""
    node = app[context.NODE]
    async with copying.open_lines(node.database, node.settings, node.home) as kept:
        app[LINES], app[ROOM] = kept, asyncio.Semaphore(AT_ONCE)
        yield


async def places(request: web.Request) -> tuple[list[Target], list[str]]:
    """The targets that may be asked, and the libraries that the visitor may copy for."""
    reach = context.reach(request)
    async with context.private(request) as conn:
        known = await targets.named(conn, ())
        every = [each.symbol for each in await libraries.every(conn) if each.state == "active" and not each.node]
    own = [context.node_of(request).symbol, *every]
    return known, [symbol for symbol in dict.fromkeys(own) if reach.holds(symbol)]


def library_of(request: web.Request, told: str) -> str:
    """The library that is copied for: as told, else where the visitor is at home. NotFound beyond reach."""
    library = told or permits.actor_of(request).library or context.node_of(request).symbol
    permits.within(request, library)
    return library


def query_of(text: str) -> Asked:
    """What was typed. BadInput if it is no query."""
    try:
        return queries.read(text)
    except queries.NO_QUERY as error:
        raise BadInput(str(error)) from error


async def look(request: web.Request, library: str, asked: Asked, names: Sequence[str]) -> Seen:
    """Ask targets (none named: all of them). NotFound or Conflict for a name that can't be asked."""
    if len(names) > MOST_TARGETS:
        raise BadInput(f"At most {MOST_TARGETS} targets are asked at once.")
    async with context.private(request) as conn:
        chosen = await targets.named(conn, names)
        habits = await copying.habits(conn, context.node_of(request).settings, library)
    whole = Whole(targets=chosen, wish=habits.wish(None), judge=habits.judge, deadline=metasearch.DEADLINE)
    gate.step_aside(request)  # others need not wait for the targets
    async with request.app[ROOM]:
        return Seen(sought=await seeking.seek(request.app[LINES], whole, asked), habits=habits)


async def save(request: web.Request, library: str, asked: Asked, name: str, number: str) -> Saved:
    """Make the record that a target calls by a number one of the library's. The target is asked once more, so that
    nothing is saved but what it says. NotFound if it has no such record now."""
    deed, node = auditing.deed(request), context.node_of(request)
    seen = await look(request, library, asked, [name])
    found = next((each for each in seen.sought.choice.ranked if each.number == number), None)
    if found is None:
        raise NotFound(f"{name} doesn't find {number} by this query any more")
    copied = await asyncio.to_thread(taking.take, found, seen.habits.dialect)
    deed.about(object=copied.number, library=library, target=name)
    async with node.database.transaction() as conn:
        source = await bringing.source(
            conn, bringing.name_of(saving.SOURCE, library, node.symbol), library, copied.format
        )
        await deed.begun(conn, source=source.name)
    load = await saving.land(node.database, node.queue, source, [copied])
    deed.about(load=load.load)
    load = await soon.until(
        node.database, load, lambda now: now.state in OVER, lambda conn: loads.get(conn, load.load), PATIENCE
    )
    return Saved(copied=copied, source=source.name, load=load)


async def shown(seen: Seen, most: int) -> list[tuple[Candidate, Copied | None]]:
    """The best candidates, each as it would be saved; None if it can't be converted."""
    return await asyncio.to_thread(_shown, seen, most)


def _shown(seen: Seen, most: int) -> list[tuple[Candidate, Copied | None]]:
    return [(each, _taken(each, seen.habits.dialect)) for each in seen.sought.choice.ranked[:most]]


def _taken(each: Candidate, dialect: str) -> Copied | None:
    try:
        return taking.take(each, dialect)
    except BadRecord:
        return None
