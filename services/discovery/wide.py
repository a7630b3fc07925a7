"""A search over every level: this node's own part, its parents' answers, and a count for each level (shell).

Parents are asked first and answer while this node searches. Nobody waits for them longer than the deadline: what is
late or unreachable is said so, and the own part is shown in any case. No connection to the database is held while
waiting.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from catalog.connection import Connection
from catalog.model import Library
from catalog.parents import Parent
from catalog.search import port
from services.discovery import ask, find, scope
from services.discovery.find import Answer, Question
from services.discovery.page import Page
from services.discovery.registry import Registry
from services.discovery.scope import Level, Place, Plan

DEADLINE = 2.0  # seconds that parents have in all, this node's own work included
MARGIN = 0.2  # seconds of a question's time that stay for its way back

Connect = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How a question came."""

    until: float  # time of the event loop by which it is answered
    hops: int = 0  # nodes that it has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """What was found: by this node (`answer`) or by a parent (`told`), never both, and none where only counts are
    asked."""

    plan: Plan
    levels: tuple[Level, ...]  # narrow to wide, the current one among them
    names: Mapping[str, Library]
    page: Page
    answer: Answer | None = None
    told: ask.Told | None = None
    missing: ask.State = "known"  # why the parent that was to answer didn't: then `answer` is the own part only

    @property
    def complete(self) -> bool:
        """The titles are those of the level asked for."""
        return self.missing == "known" and (self.told is None or self.told.complete)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What came back from a parent."""

    parent: Parent
    state: ask.State
    told: ask.Told | None = None


def visit(left: float | None, hops: int, now: float) -> Visit:
    """`left`: seconds that whoever passed the question on has left for it, None = not said; of a reader it is not
    taken."""
    own = DEADLINE if left is None or not hops else max(left - MARGIN, 0.0)
    return Visit(until=now + min(DEADLINE, own), hops=hops)


async def look(
    connect: Connect,
    reader: port.Reader,
    asker: ask.Asker,
    registry: Registry,
    place: Place,
    question: Question,
    visit: Visit,
    *,
    hits: bool = True,
) -> Wide:
    """Ask everyone. Without `hits` only the counts. Raises `port.BadQuery`, `scope.NoSuchScope`."""
    async with connect() as conn:
        directory = await registry.look(conn, asyncio.get_running_loop().time())
        plan = scope.plan(place, directory, question)
        asking = _ask(asker, plan, visit, hits=hits)
        try:
            answer, levels = await _own(conn, reader, plan, hits=hits)
        except BaseException:
            asking.cancel()
            raise
    heard = await asking
    levels += _wider(asker, plan, place, heard)
    names = directory.names
    if not hits or plan.level:
        page = answer.page if answer else Page(number=1, size=plan.question.size, total=0)
        return Wide(plan=plan, levels=levels, names=names, page=page, answer=answer)
    found = next(each for each in heard if each.parent == plan.answerer)
    if found.told:
        page = Page(
            number=plan.question.page,
            size=plan.question.size,
            total=found.told.total,
            deepest=port.deepest(plan.question.sort),
        )
        return Wide(plan=plan, levels=levels, names=names, page=page, told=found.told)
    async with connect() as conn:
        answer = await find.find(conn, reader, plan.question, plan.part)
    return Wide(plan=plan, levels=levels, names=names, page=answer.page, answer=answer, missing=found.state)


async def _own(
    conn: Connection, reader: port.Reader, plan: Plan, *, hits: bool
) -> tuple[Answer | None, tuple[Level, ...]]:
    """This node's hits, if it answers the level asked for, and its levels with their counts."""
    level, answer = plan.level, None
    counts: dict[str, int] = {}
    if hits and level:
        answer = await find.find(conn, reader, plan.question, level.libraries)
        counts[level.key] = answer.page.total
        if level.libraries is None and not _libraries(plan.question):
            counted = dict(answer.facets.get("library", ()))  # of the commonest libraries
            if plan.home in counted:
                counts.setdefault("library", counted[plan.home])
    missing = [each for each in plan.own if each.key not in counts]
    totals = await find.totals(reader, plan.counted, [each.libraries for each in missing])
    counts |= {each.key: total for each, total in zip(missing, totals, strict=True)}
    return answer, tuple(dataclasses.replace(each, count=counts[each.key]) for each in plan.own)


def _libraries(question: Question) -> bool:
    return any(name == "library" for name, _ in question.filters)


def _ask(asker: ask.Asker, plan: Plan, visit: Visit, *, hits: bool) -> asyncio.Future[list[_Heard]]:
    """All parents at once. Whoever passes a question on wants to hear of the uplink, not of this node's alliances."""
    asked = [plan.uplink, *(() if visit.hops else plan.alliances)]
    if plan.answerer not in asked:
        asked.append(plan.answerer)
    known = [each for each in asked if each]
    return asyncio.gather(*(_one(asker, plan, each, visit, hits=hits and each == plan.answerer) for each in known))


async def _one(asker: ask.Asker, plan: Plan, parent: Parent, visit: Visit, *, hits: bool) -> _Heard:
    if visit.hops >= ask.MOST_HOPS:
        return _Heard(parent=parent, state="unreachable")
    what = ask.SEARCH if hits else ask.SCOPES
    parameters = _parameters(plan, parent, hits=hits)
    # An alliance answers for itself alone.
    hops = visit.hops + 1 if parent.uplink else ask.MOST_HOPS
    try:
        told = await asker.put(parent, what, parameters, until=visit.until, hops=hops)
    except ask.Late:
        return _Heard(parent=parent, state="late")
    except ask.Unreachable:
        return _Heard(parent=parent, state="unreachable")
    # Without the level asked for it is no answer: another release, or another network.
    if parent.uplink and parent == plan.answerer and all(level.scope != plan.current for level in told.scopes):
        return _Heard(parent=parent, state="unreachable")
    return _Heard(parent=parent, state="known", told=told)


def _parameters(plan: Plan, parent: Parent, *, hits: bool) -> ask.Pairs:
    """The question as the parent's interface takes it. An alliance is asked for all that it holds."""
    question = plan.question if hits else plan.counted
    found = [("q", question.text), ("field", question.field), *question.filters]
    if parent.uplink:
        found.append(("from", plan.home))
        if hits:
            found.append(("scope", plan.current))
    else:
        found.append(("from", ""))
    if hits:
        found += [("sort", question.sort), ("page", str(question.page)), ("limit", str(question.size))]
    return tuple(found)


def _wider(asker: ask.Asker, plan: Plan, place: Place, heard: Sequence[_Heard]) -> tuple[Level, ...]:
    """The levels that parents answer, narrow to wide."""
    found: list[Level] = []
    for each in heard:
        if not each.parent.uplink:
            found.append(_alliance(each))
        elif each.told:
            found += scope.of_uplink(plan, each.told.scopes)
        else:
            found += scope.unheard(plan, place, asker.last(each.parent, plan.home), each.state)
    return tuple(sorted(found, key=scope.rank))


def _alliance(heard: _Heard) -> Level:
    """A membership's level: all that its node holds."""
    parent = heard.parent
    whole = [level.count for level in heard.told.scopes if level.scope == heard.told.scope] if heard.told else []
    return Level(
        key=parent.symbol,
        kind="alliance",
        name=parent.name,
        parent=parent,
        count=whole[0] if whole else None,
        state=heard.state,
    )
