"""A search from the question to the page of hits.

The engine gives cluster numbers; one query fetches what is published of all of them, holding libraries included. A
cluster that vanished since the index was committed is left out rather than shown as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog import clusters
from catalog.connection import Connection
from catalog.model import Published
from catalog.search import port
from services.discovery.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for. Every part can stand in an address."""

    text: str = ""  # "" = everything
    filters: tuple[tuple[str, str], ...] = ()  # (facet, value) pairs; values of one facet widen, facets narrow
    sort: str = "relevance"
    page: int = 1
    size: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page of hits, in order, and the counts to narrow by."""

    page: Page
    hits: tuple[Published, ...]
    facets: Mapping[str, Sequence[tuple[str, int]]]  # facet -> (value, count), most frequent first


async def find(conn: Connection, reader: port.Reader, question: Question) -> Answer:
    """Ask the index, then fetch the hits in one query."""
    raise NotImplementedError
