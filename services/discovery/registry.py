"""Who is in the network, as readers' pages need it: libraries by symbol and place, and the parents to ask.

Every page names libraries and offers scopes, and a directory of 1,800 takes milliseconds to read, so it is kept for a
second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog import libraries, parents
from catalog.connection import Connection
from catalog.model import Library
from catalog.parents import Parent
from services.discovery import places
from services.discovery.places import Place

KEPT = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The directory at one time."""

    names: Mapping[str, Library]  # by symbol
    cities: Mapping[Place, frozenset[str]]  # symbols by city
    provinces: Mapping[Place, frozenset[str]]
    parents: tuple[Parent, ...] = ()  # those that may be asked, the uplink first


def directory(listed: Iterable[Library], parents: Sequence[Parent] = ()) -> Directory:
    """The directory of these libraries and parents."""
    names = {each.symbol: each for each in listed}
    cities: dict[Place, set[str]] = defaultdict(set)
    provinces: dict[Place, set[str]] = defaultdict(set)
    for symbol, each in names.items():
        if each.area:
            cities[places.city(each.area)].add(symbol)
            provinces[places.province(each.area)].add(symbol)
    return Directory(names=names, cities=_frozen(cities), provinces=_frozen(provinces), parents=tuple(parents))


def _frozen(sets: Mapping[Place, set[str]]) -> dict[Place, frozenset[str]]:
    return {place: frozenset(symbols) for place, symbols in sets.items() if place}


class Registry:
    """The directory, read again when it is older than `KEPT`."""

    def __init__(self) -> None:
        self._kept: Directory | None = None
        self._until = 0.0

    async def look(self, conn: Connection, now: float) -> Directory:
        """The directory. `now`: seconds of a clock that never goes back."""
        if self._kept is None or now >= self._until:
            self._kept = directory(await libraries.every(conn), await parents.active(conn))
            self._until = now + KEPT
        return self._kept
