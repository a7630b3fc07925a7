"""A search from the question to the page of hits.

The engine gives cluster numbers; one query fetches what is published of all of them, holding libraries included. A
cluster that was deleted since the index was committed is left out rather than shown as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from catalog import clusters
from catalog.connection import Connection
from catalog.model import Published
from catalog.search import port
from services.discovery.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for. Every part can stand in an address."""

    text: str = ""  # "" = everything
    field: str = port.FIELDS[0]
    filters: tuple[tuple[str, str], ...] = ()  # (facet, value) pairs; values of one facet widen, facets narrow
    sort: port.Sort = "relevance"
    page: int = 1
    size: int = 20
    scope: str = ""  # key of a level (`scope`); "" = all that this node holds
    home: str | None = None  # symbol of the library that scopes are seen from; "" = none, None = not said


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page of hits, in order, and the counts to narrow by."""

    page: Page
    hits: tuple[Published, ...]
    facets: Mapping[str, Sequence[tuple[str, int]]]  # facet -> (value, count), the commonest first


def asked(question: Question, libraries: frozenset[str] | None = None) -> port.Request:
    """The question as the engine takes it, within `libraries`, or everywhere. Raises `port.BadQuery`."""
    filters: dict[str, tuple[str, ...]] = {}
    for facet, value in question.filters:
        filters[facet] = (*filters.get(facet, ()), value)
    return port.Request(
        text=question.text,
        field=question.field,
        filters=filters,
        libraries=libraries,
        sort=question.sort,
        offset=(question.page - 1) * question.size,
        limit=question.size,
    )


async def find(
    conn: Connection, reader: port.Reader, question: Question, libraries: frozenset[str] | None = None
) -> Answer:
    """Ask the index, in a thread because engines compute, then fetch the hits in one query. Raises `port.BadQuery`."""
    result = await asyncio.to_thread(reader.search, asked(question, libraries))
    published = await clusters.many(conn, [hit.cluster for hit in result.hits])
    found = (published.get(hit.cluster) for hit in result.hits)
    return Answer(
        page=Page(number=question.page, size=question.size, total=result.total, deepest=port.deepest(question.sort)),
        hits=tuple(each for each in found if each and each.description),
        facets=result.facets,
    )


async def count(reader: port.Reader) -> int:
    """How many clusters can be found; 0 where the index has yet to be made."""
    try:
        result = await asyncio.to_thread(reader.search, port.Request(limit=0, facets=()))
    except port.NotBuilt:
        return 0
    return result.total


async def totals(reader: port.Reader, question: Question, scopes: Sequence[frozenset[str] | None]) -> list[int]:
    """How many titles fit within each set of libraries (None = everywhere). Raises `port.BadQuery`."""

    def count() -> list[int]:
        whole = structs.replace(asked(question), offset=0, limit=0, facets=())
        return [reader.search(structs.replace(whole, libraries=each)).total for each in scopes]

    return await asyncio.to_thread(count) if scopes else []
