"""JSON for programs. Errors are problems (RFC 9457); unknown and wrong parameters are refused with the reason."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from aiohttp import web

from catalog import clusters, libraries
from catalog.model import Description, Library, Published
from node.web import context, inputs, openapi, view
from node.web.labels import facet_label
from node.web.middleware import Gone
from services.delivery import dublin, rows
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
            {"value": value, "label": facet_label(facet, value, names, lang), "count": count} for value, count in values
        ]
        for facet, values in found.facets.items()
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


def described(published: Published) -> Description:
    """The description; a deleted record is `Gone`."""
    if published.description is None:
        raise Gone(f"Record {published.id} was deleted.")
    return published.description


def _brief(request: web.Request, published: Published) -> dict[str, Any]:
    of = described(published)
    return {
        "id": published.id,
        "url": context.origin(request) + view.record_url(published.id),
        "title": dublin.heading(of),
        "parallel": of.parallel,
        "responsibility": of.responsibility,
        "authors": of.authors,
        "edition": of.edition,
        "publication": rows.publication(of),
        "year": of.year or None,
        "kind": of.kind,
        "languages": of.languages,
        "isbns": of.isbns,
        "issns": of.issns,
        "libraries": published.libraries,
        "updated": published.at.isoformat(),
    }


async def record(request: web.Request) -> web.StreamResponse:
    """A record in full; an id that was taken over moves for good to its heir."""
    ident = request.match_info["id"]
    async with context.connection(request) as conn:
        found = await records.by_id(conn, ident)
    published = found.published
    if published.id != ident:
        return web.Response(status=301, headers={"Location": f"/api{view.record_url(published.id)}"})
    of = described(published)
    more = {
        "format": published.format.name,
        "extent": of.extent,
        "series": of.series,
        "subjects": of.subjects,
        "classification": of.classification,
        "summary": of.summary,
        "notes": of.notes,
        "links": of.links,
        "holdings": [
            {
                "library": copy.holding.library,
                "source": copy.source,
                "local_id": copy.local_id,
                "call_number": copy.holding.call_number,
                "item": copy.holding.item,
                "location": copy.holding.location,
                "status": copy.holding.status,
                "note": copy.holding.note,
            }
            for copy in found.copies
        ],
    }
    return answer(_brief(request, published) | more)


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
