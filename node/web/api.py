"""JSON for programs. Errors are problems (RFC 9457); unknown and wrong parameters are refused with the reason."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from aiohttp import web

from catalog import clusters, libraries
from catalog.model import Library, Published
from node.web import context, inputs, openapi, view
from node.web.labels import facet_label
from services.delivery import values
from services.discovery import find
from services.discovery import record as records


def answer(value: object, status: int = 200) -> web.Response:
    """A JSON answer; Han characters as they are."""
    return web.Response(text=json.dumps(value, ensure_ascii=False), status=status, content_type="application/json")


async def search(request: web.Request) -> web.StreamResponse:
    """A page of hits with facets."""
    question = inputs.question(request.query, strict=())
    async with context.connection(request) as conn:
        found = await find.find(conn, context.node_of(request).reader, question)
        names = {each.symbol: each for each in await libraries.every(conn)}
    lang = context.lang_of(request)
    facets = {
        facet: [
            {"value": value, "label": facet_label(facet, value, names, lang), "count": count} for value, count in counts
        ]
        for facet, counts in found.facets.items()
    }
    return answer(
        {
            "query": question.text,
            "total": found.page.total,
            "page": found.page.number,
            "pages": found.page.pages,
            "limit": found.page.size,
            "hits": [_brief(request, hit) for hit in found.hits],
            "facets": facets,
        }
    )


def _brief(request: web.Request, published: Published) -> dict[str, Any]:
    return values.brief(published) | {"url": context.origin(request) + view.record_url(published.id)}


async def record(request: web.Request) -> web.StreamResponse:
    """A record in full; an id that was taken over moves for good to its heir."""
    ident = request.match_info["id"]
    async with context.connection(request) as conn:
        found = await records.by_id(conn, ident)
    published = found.published
    if published.id != ident:
        return web.Response(status=301, headers={"Location": f"/api{view.record_url(published.id)}"})
    told = values.full(published, ((copy.source, copy.local_id, copy.holding) for copy in found.copies))
    return answer(told | _brief(request, published))


async def libraries_list(request: web.Request) -> web.StreamResponse:
    """The directory."""
    async with context.connection(request) as conn:
        members = await libraries.every(conn)
    return answer({"libraries": [_library(each) for each in members]})


def _library(library: Library) -> dict[str, str]:
    return {
        "symbol": library.symbol,
        "name": library.name,
        "name_en": library.name_en,
        "area": library.area,
        "state": library.state,
        "successor": library.successor,
    }


async def health(request: web.Request) -> web.StreamResponse:
    """Whether database and index answer; a fault of either is a 503 or 500 by the middleware."""
    node = context.node_of(request)
    async with context.connection(request) as conn:
        await clusters.symbol(conn)
    return answer({"status": "ok", "symbol": node.symbol, "records": await find.count(node.reader)})


async def openapi_document(request: web.Request) -> web.StreamResponse:
    """The OpenAPI document."""
    return answer(
        openapi.document(
            request.app[context.ROUTES],
            title=context.site(context.node_of(request)),
            version=version("tianlu"),
            server=context.origin(request),
        )
    )
