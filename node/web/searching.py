"""From a request's query string to what is found on every level, for pages and programs alike; and who is who."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from aiohttp import web

from catalog.connection import Connection
from catalog.model import Library
from catalog.parents import Parent
from node.web import context, gate, inputs
from services.discovery import wide
from services.discovery.ask import Level, Pairs, Told
from services.discovery.wide import Wide


async def look(request: web.Request, *, strict: Collection[str] | None = None, hits: bool = True) -> Wide:
    """The answer to the request's question. `strict` as in `inputs.question`; without `hits` only the counts."""
    question = inputs.question(request.query, strict=strict)
    visit = wide.visit(*inputs.passed_on(request.headers), asyncio.get_running_loop().time())
    node = context.node_of(request)
    return await wide.look(
        lambda: context.connection(request),
        node.reader,
        _Aside(request),
        request.app[context.REGISTRY],
        request.app[context.PLACE],
        question,
        visit,
        hits=hits,
    )


class _Aside:
    """Asks parents for a request, which gives up its place in the queue meanwhile: a slow parent is no crowd here."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._asker = request.app[context.ASKER]

    async def put(self, parent: Parent, what: str, parameters: Pairs, *, until: float, hops: int) -> Told:
        gate.step_aside(self._request)
        return await self._asker.put(parent, what, parameters, until=until, hops=hops)

    def last(self, parent: Parent, home: str) -> Sequence[Level]:
        return self._asker.last(parent, home)


async def names(request: web.Request, conn: Connection) -> Mapping[str, Library]:
    """The directory by symbol, at most a second old."""
    directory = await request.app[context.REGISTRY].look(conn, asyncio.get_running_loop().time())
    return directory.names
