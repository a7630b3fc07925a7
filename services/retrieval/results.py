"""Result sets: a question, how many titles answer it, and a cursor that gives their numbers page by page (shell).

A set never holds the numbers of millions: what was asked is asked again for the pages that are wanted, and a few pages
are kept. The index may have moved on between two pages; then a title near their border may come twice or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager

import msgspec
from msgspec import structs

from catalog import clusters
from catalog.connection import Connection
from catalog.model import Published
from catalog.search import port
from config.errors import Refused
from services.retrieval import threads
from services.retrieval.databases import Database

HEAD = 20  # numbers that come with the count: most clients take no more
PAGE = port.MOST_HITS  # numbers that the engine is asked for at once
KEPT = 3  # pages of a set

Connect = Callable[[], AbstractAsyncContextManager[Connection]]
Numbers = tuple[int, ...]


class TooDeep(Refused):
    """A record of a result set that lies further down than the engine goes."""

    code = "too-deep"


class ResultSet(msgspec.Struct, eq=False, kw_only=True):
    """What a search found."""

    request: port.Request  # of the head
    database: Database  # the first that was searched
    total: int
    head: Numbers  # the first of all
    pages: dict[int, Numbers] = msgspec.field(default_factory=dict)  # by number from 0, the one used last is last


class Shelf:
    """Searches, and takes records from result sets. Engines compute, so they are asked in threads."""

    def __init__(self, reader: port.Reader, connect: Connect, executor: Executor) -> None:
        self._reader, self._connect, self._threads = reader, connect, executor

    def find_now(self, request: port.Request, database: Database) -> ResultSet:
        """`find` in this thread, for what is known to be quick."""
        total, head = self._reader.numbers(request)
        return ResultSet(request=request, database=database, total=total, head=head)

    async def find(self, request: port.Request, database: Database) -> ResultSet:
        """Ask. Raises `port.BadQuery`, `port.NotBuilt`, `query.Unanswerable`."""
        total, head = await self._page(request, 0, request.limit)
        return ResultSet(request=request, database=database, total=total, head=head)

    async def numbers(self, found: ResultSet, first: int, count: int) -> Numbers:
        """Numbers of the clusters at ordinals `first` (1 = first of all) … of a set; fewer where it has shrunk.

        Raises TooDeep, and what `find` does.
        """
        start, stop = first - 1, first - 1 + count
        if stop > (deepest := found.request.deepest):
            raise TooDeep(f"only the first {deepest:,} records can be taken; narrow the query")
        if stop <= len(found.head):
            return found.head[start:stop]
        got: list[int] = []
        for number in range(start // PAGE, -(-stop // PAGE)):
            page = found.pages.pop(number, None)
            if page is None:
                page = (await self._page(found.request, number * PAGE, PAGE))[1]
            found.pages[number] = page
            if len(found.pages) > KEPT:
                del found.pages[next(iter(found.pages))]
            got += page[max(0, start - number * PAGE) : stop - number * PAGE]
        return tuple(got)

    async def published(self, numbers: Numbers) -> list[Published | None]:
        """What is published of them, in their order; None of one that is gone since."""
        async with self._connect() as conn:
            found = await clusters.many(conn, numbers)
        taken = (found.get(number) for number in numbers)
        return [each if each and each.description else None for each in taken]

    async def _page(self, request: port.Request, offset: int, limit: int) -> tuple[int, Numbers]:
        """How many there are in all, and some of them."""
        wanted = structs.replace(request, offset=offset, limit=limit, facets=())
        return await threads.done(self._threads, self._reader.numbers, wanted)
