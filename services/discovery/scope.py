"""How far a reader looks: the levels of the scope bar, from the directory and this node's place in the network (pure).

本馆 → 本市 → 本省/联盟 → 全国. A level is asked for by its key. What a node answers by itself it answers from its own
index; what is wider than what it holds, its parents answer. Two levels that would be the same set are one: the wider is
left out, and so is a city with one library, or a province where no domain or area makes one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from catalog.model import Library
from catalog.parents import Parent
from config import errors
from services.discovery import ask, places
from services.discovery.find import Question
from services.discovery.registry import Directory

Kind = Literal["library", "here", "city", "province", "alliance", "nation"]
ORDER: tuple[Kind, ...] = ("library", "here", "city", "province", "alliance", "nation")
WIDER: Mapping[str, Kind] = {"city": "city", "province": "province", "nation": "nation"}  # what an uplink may answer
MOST_ALLIANCES = 4  # memberships that one question goes to


def rank(level: Level) -> int:
    """Where a level that a parent answers stands in the bar."""
    return ORDER.index(level.kind)


class NoSuchScope(errors.NotFound):
    """The address names a level that isn't there."""

    code = "no-such-scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What this node is in the network, as far as scopes need it."""

    symbol: str
    name: str
    kind: Kind  # of everything it holds: here, province or nation
    home: str  # the library from which readers look unless they say so; "" = none


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the scope bar."""

    key: str  # in addresses: the kind, or the symbol of an alliance
    kind: Kind
    name: str = ""  # of the library, city or node
    libraries: frozenset[str] | None = None  # here only: None = all that this node holds
    parent: Parent | None = None  # who answers; None = this node
    count: int | None = None  # titles; None = not known
    state: ask.State = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who is to answer what."""

    question: Question  # settled: `home` is said where a scope is
    counted: Question  # the same without a library filter that stands for the library level
    home: str  # the library one looks from, "" = none
    own: tuple[Level, ...]  # the levels that this node answers, the last is all that it holds
    current: str  # key of the level asked for
    uplink: Parent | None
    alliances: tuple[Parent, ...]
    part: frozenset[str] | None  # libraries of a level that a parent answers, as far as the directory tells them

    @property
    def level(self) -> Level | None:
        """The level asked for, if this node answers it."""
        return next((level for level in self.own if level.key == self.current), None)

    @property
    def answerer(self) -> Parent | None:
        """The parent that answers the level asked for."""
        if self.level:
            return None
        return next((each for each in self.alliances if each.symbol == self.current), self.uplink)


def plan(place: Place, directory: Directory, question: Question) -> Plan:
    """Raises `NoSuchScope`."""
    question, home = _settle(place, directory, question)
    uplink = next((each for each in directory.parents if each.uplink), None)
    alliances = tuple(each for each in directory.parents if not each.uplink)[:MOST_ALLIANCES]
    own = _own(place, directory, home, uplink)
    # `library=X` alone reads as "in X", and widens from there.
    narrowed = question.home is None and bool(home) and _chosen(question) == [home]
    current = question.scope or ("library" if narrowed else own[-1].key)
    made = Plan(
        question=question,
        counted=_without(question, home) if narrowed else question,
        home=home,
        own=own,
        current=current,
        uplink=uplink,
        alliances=alliances,
        part=_same_city(directory, home) if current == "city" else None,
    )
    asked = {level.key for level in own} | {each.symbol for each in alliances} | (set(WIDER) if uplink else set())
    if current not in asked:
        raise NoSuchScope(f"There is no scope {current!r} here; there are {', '.join(sorted(asked))}.")
    return made


def _settle(place: Place, directory: Directory, question: Question) -> tuple[Question, str]:
    """The question and the library it is asked from. A single library beside a scope is that library, not a filter."""
    chosen = _chosen(question)
    alone = chosen[0] if len(chosen) == 1 else ""
    if question.home is not None:
        home = question.home
    elif question.scope and alone:
        home, question = alone, _without(question, alone)
    else:
        home = alone or place.home
    if home not in directory.names:
        home = ""
    return (dataclasses.replace(question, home=home) if question.scope else question), home


def _chosen(question: Question) -> list[str]:
    return [value for name, value in question.filters if name == "library"]


def _without(question: Question, library: str) -> Question:
    kept = tuple(each for each in question.filters if each != ("library", library))
    return dataclasses.replace(question, filters=kept)


def _own(place: Place, directory: Directory, home: str, uplink: Parent | None) -> tuple[Level, ...]:
    """The levels that this node answers, narrow to wide."""
    whole = Level(key=place.kind, kind=place.kind, name=place.name)
    ours = directory.names.get(home)
    if not ours:
        return (whole,)
    library = Level(key="library", kind="library", name=ours.name, libraries=frozenset((home,)))
    everything = frozenset(directory.names)
    if place.kind == "here":
        everything = frozenset(s for s, each in directory.names.items() if each.node in ("", place.symbol))
        if everything == {home}:
            return (dataclasses.replace(library, libraries=None),)
        if uplink:  # it knows more of the city than we hold
            return library, whole
    around = _around(ours, directory, everything)
    return library, *(level for level in around if level.kind != place.kind), whole


def _around(ours: Library, directory: Directory, everything: frozenset[str]) -> list[Level]:
    """City and province by area, where each has more than the one before and less than everything."""
    found: list[Level] = []
    narrower = frozenset((ours.symbol,))
    for key, where, inside in (
        ("city", places.city(ours.area), directory.cities),
        ("province", places.province(ours.area), directory.provinces),
    ):
        libraries = inside.get(where, narrower) & everything
        if narrower < libraries < everything:
            name = places.name(where, ours.area)
            found.append(Level(key=key, kind=WIDER[key], name=name, libraries=libraries))
            narrower = libraries
    return found


def _same_city(directory: Directory, home: str) -> frozenset[str] | None:
    ours = directory.names.get(home)
    return directory.cities.get(places.city(ours.area)) if ours else None


def of_uplink(plan: Plan, levels: Sequence[ask.Level], state: ask.State = "known") -> list[Level]:
    """The uplink's levels that are wider than what this node answers. `state` is of the answer itself."""
    assert plan.uplink
    kinds = {level.kind for level in plan.own}
    found = []
    for each in levels:
        kind = WIDER.get(each.scope)
        if kind and kind not in kinds:
            known = state == "known" == each.state
            found.append(
                Level(
                    key=kind,
                    kind=kind,
                    name=each.name,
                    parent=plan.uplink,
                    count=each.count if known else None,
                    state=each.state if state == "known" else state,
                )
            )
    return found


def unheard(plan: Plan, place: Place, last: Sequence[ask.Level], state: ask.State) -> list[Level]:
    """The uplink's levels where it doesn't answer: as it last told them, else what a parent of ours must be."""
    assert plan.uplink
    found = of_uplink(plan, last, state)
    if not found:
        kind: Kind = "province" if place.kind == "here" else "nation"
        found = [Level(key=kind, kind=kind, name=plan.uplink.name, parent=plan.uplink, state=state)]
    if plan.current in WIDER and not plan.level and all(level.key != plan.current for level in found):
        kind = WIDER[plan.current]
        found.append(Level(key=kind, kind=kind, parent=plan.uplink, state=state))
    return found
