"""The source that a page is about."""

from __future__ import annotations

from aiohttp import web

from catalog import sources
from catalog.connection import Connection
from catalog.model import Source
from config.errors import NotFound
from node.web import permits


async def source(request: web.Request, conn: Connection) -> Source:
    """The source that the address names. NotFound, in the same words, if there is none or it is beyond reach."""
    try:
        found = await sources.get(conn, request.match_info["source"])
    except NotFound:
        raise NotFound("there is no such thing here") from None
    permits.within(request, found.library)
    return found
