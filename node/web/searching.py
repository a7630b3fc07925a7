"""From a request's query string to what is found on every level, for pages and programs alike; and who is who."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from aiohttp import web

from catalog.connection import Connection
from catalog.model import Library
from node.web import context, inputs
from services.discovery import wide
from services.discovery.wide import Wide


async def look(request: web.Request, *, strict: Collection[str] | None = None, hits: bool = True) -> Wide:
    """The answer to the request's question. `strict` as in `inputs.question`; without `hits` only the counts."""
    question = inputs.question(request.query, strict=strict)
    visit = wide.visit(*inputs.passed_on(request.headers), asyncio.get_running_loop().time())
    node = context.node_of(request)
    return await wide.look(
        lambda: context.connection(request),
        node.reader,
        request.app[context.ASKER],
        request.app[context.REGISTRY],
        request.app[context.PLACE],
        question,
        visit,
        hits=hits,
    )


async def names(request: web.Request, conn: Connection) -> Mapping[str, Library]:
    """The directory by symbol, at most a second old."""
    directory = await request.app[context.REGISTRY].look(conn, asyncio.get_running_loop().time())
    return directory.names
