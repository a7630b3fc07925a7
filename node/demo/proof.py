"""Proves on the running network what the demonstration claims, through the doors that people and programs use."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from config.errors import Fatal
from node.commands import export, reconcile
from node.demo import cast, network
from node.demo.filling import Filled
from node.demo.network import Member, Network
from protocols.http import door
from protocols.http.door import Door, Limits

FAMOUS = "红楼梦"  # stands in the catalogues of all libraries of the sample
COPY = ("library", "call_number", "location", "status")  # of a holding; item numbers stay at home unless shared
NAMED = 3  # of those that are wrong
MOVED = Limits(redirects=1)  # an old id leads to its record

Copies = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the centre has of the libraries' holdings."""

    titles: Mapping[str, Copies]  # by cluster id
    libraries: Mapping[str, int]  # holdings by library
    missing: Copies  # that a library has and the centre has not
    surplus: Copies

    @property
    def shared(self) -> list[str]:
        """Titles that several libraries hold, those of most libraries first."""
        holders = {ident: len({copy[0] for copy in copies}) for ident, copies in self.titles.items()}
        return sorted((ident for ident, count in holders.items() if count > 1), key=lambda ident: -holders[ident])


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A title that several libraries hold, as the centre shows it."""

    id: str
    title: str
    libraries: tuple[str, ...]


def centre(members: Network) -> Member:
    """The node that has no parent."""
    return next(each for each in members.values() if not each.part.parent)


async def holdings(members: Network, filled: Iterable[Filled]) -> Holdings:
    """What the centre has, beside what the libraries' own nodes have."""
    there = await network.said(centre(members), export, "--holdings")
    whole, titles = Counter(_copy(row) for row in there), defaultdict[str, Copies](Counter)
    for row in there:
        titles[row["cluster"]][_copy(row)] += 1
    told: Copies = Counter()
    for each in filled:
        rows = await network.said(members[each.node], export, "--holdings", "--source", each.file.source)
        told.update(_copy(row) for row in rows)
    return Holdings(
        titles=titles,
        libraries=Counter(row["library"] for row in there),
        missing=told - whole,
        surplus=whole - told,
    )


def complete(found: Holdings) -> None:
    """Every holding of every library is at the centre, and none twice. Fatal if not."""
    if found.missing or found.surplus:
        raise Fatal(
            f"holdings at the centre differ from those of the libraries: {found.missing.total():,} missing "
            f"{[*found.missing][:NAMED]}, {found.surplus.total():,} too many {[*found.surplus][:NAMED]}"
        )


async def shared_works(members: Network, filled: Iterable[Filled], found: Holdings) -> int:
    """Each well-known work of the sample is one title at the centre, with exactly its libraries' holdings.

    How many works; Fatal names those that are not.
    """
    copies: dict[str, Copies] = defaultdict(Counter)
    for each in filled:
        for row in await network.said(members[each.node], export, "--holdings", "--source", each.file.source):
            copies[f"{row['source']}/{row['local_id']}"][_copy(row)] += 1
    merged = {frozenset(each.items()) for each in found.titles.values()}
    works = cast.shared()
    wrong = [work for work in works if frozenset(sum((copies[one] for one in work), Counter()).items()) not in merged]
    if wrong:
        raise Fatal(f"{len(wrong)} of {len(works)} works are not one title with all holdings: {wrong[:NAMED]}")
    return len(works)


async def example(members: Network, found: Holdings, *, bundled: bool) -> Example | None:
    """A title to look at: one of those that most libraries hold, None if nothing is held by two."""
    if not found.shared:
        return None
    address = centre(members).address
    async with door.open() as out:
        best = await get(out, f"{address}api/records/{found.shared[0]}")
        if bundled:
            hits = (await get(out, f"{address}api/search", q=FAMOUS, limit="100"))["hits"]
            best = max(hits, key=lambda each: len(each["libraries"]), default=best)
    return Example(id=best["id"], title=best["title"], libraries=tuple(best["libraries"]))


async def seen(members: Network, found: Holdings, shown: Example | None) -> None:
    """A search at the centre finds a shared title, whose page has all its holdings. Fatal if not."""
    if shown is None:
        raise Fatal("no title is held by two libraries: nothing was brought together")
    address = centre(members).address
    async with door.open() as out:
        hits = (await get(out, f"{address}api/search", q=shown.title, limit="100"))["hits"]
        if not any(len(each["libraries"]) > 1 for each in hits):
            raise Fatal(f"searching {shown.title} finds {len(hits)} titles, none of them held by two libraries")
        record = await get(out, f"{address}api/records/{shown.id}")
    if Counter(_copy(each) for each in record["holdings"]) != found.titles[shown.id]:
        raise Fatal(f"the page of {shown.title} ({shown.id}) doesn't show the holdings that the title has")


async def equal_streams(members: Network) -> int:
    """Both ends of every stream have the same, by digests and by what they really keep. How many streams."""
    joined = [each for each in members.values() if each.part.parent]
    answers = await asyncio.gather(*(network.said(each, reconcile, each.part.parent, "--deep") for each in joined))
    return sum(len(rows) for rows in answers)


async def get(out: Door, url: str, **query: str) -> Any:
    """What a node answers, in JSON. Fatal if that isn't 200."""
    answer = await out.send("GET", url, parameters=query.items(), named=True, limits=MOVED)
    if answer.status != 200:
        raise Fatal(f"{answer.url} answers {answer.status} instead of 200")
    return json.loads(answer.body)


def _copy(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in COPY)
