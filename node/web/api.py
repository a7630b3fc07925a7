"""JSON for programs. Errors are problems (RFC 9457); unknown and wrong parameters are refused with the reason."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import msgspec
from aiohttp import web

from catalog import clusters, libraries
from catalog.model import Library, Published
from dms import contributors_of
from node.web import context, inputs, openapi, record_view, results_view, searching, view
from node.web.middleware import BadInput
from services.deciding import related
from services.delivery import giving, having, links, values
from services.discovery import ask, find
from services.discovery import record as records
from services.discovery.wide import Wide


def answer(value: object, status: int = 200) -> web.Response:
    """A JSON answer; Han characters as they are."""
    return web.Response(text=json.dumps(value, ensure_ascii=False), status=status, content_type="application/json")


async def search(request: web.Request) -> web.StreamResponse:
    """A page of hits on one level, with facets, and the titles of the other levels."""
    wide = await searching.look(request, strict=())
    home = wide.plan.home
    hits = [_brief(request, hit) | {"held": home in hit.libraries} for hit in wide.answer.hits] if wide.answer else []
    hits += [_told(hit) | {"held": home in hit.libraries} for hit in wide.told.hits] if wide.told else []
    return answer(
        {
            "query": wide.plan.question.text,
            **_levels(wide),
            "complete": wide.complete,
            "total": wide.page.total,
            "page": wide.page.number,
            "pages": wide.page.pages,
            "limit": wide.page.size,
            "hits": hits,
            "facets": {
                facet: [{"value": value, "label": label, "count": count} for value, label, count in counts]
                for facet, counts in results_view.facets(wide, context.lang_of(request)).items()
            },
        }
    )


async def scopes(request: web.Request) -> web.StreamResponse:
    """How many titles there are on each level."""
    wide = await searching.look(request, strict=(), hits=False)
    return answer({"query": wide.plan.question.text, **_levels(wide)})


def _levels(wide: Wide) -> dict[str, Any]:
    return {
        "scope": wide.plan.current,
        "from": wide.plan.home,
        "scopes": [
            {
                "scope": level.key,
                "kind": level.kind,
                "name": level.name,
                "node": level.parent.symbol if level.parent else "",
                "count": level.count,
                "state": level.state,
            }
            for level in wide.levels
        ],
    }


def _brief(request: web.Request, published: Published) -> dict[str, Any]:
    return values.brief(published) | {"url": context.lasting(request) + view.record_url(published.id)}


def _told(hit: ask.Hit) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(hit)
    return told | {"url": links.safe(hit.url)}


async def record(request: web.Request) -> web.StreamResponse:
    """A record in full; an id that was taken over moves for good to its heir."""
    ident = request.match_info["id"]
    async with context.connection(request) as conn:
        found = await records.by_id(conn, ident)
        near = await related.of(conn, found.published.cluster)
    published = found.published
    if published.id != ident:
        return web.Response(status=301, headers={"Location": f"/api{view.record_url(published.id)}"})
    told = values.full(published, ((copy.source, copy.local_id, copy.holding) for copy in found.copies))
    elsewhere = [
        {
            "node": each.parent.symbol,
            "name": each.parent.name,
            "ids": each.idents,
            "urls": record_view.addresses(each),
            "libraries": each.libraries,
        }
        for each in found.elsewhere
    ]
    beside = {"elsewhere": elsewhere, "related": related.values(near)}
    return answer(told | _brief(request, published) | beside)


async def held(request: web.Request) -> web.StreamResponse:
    """Which libraries have a year, a volume or an issue."""
    part = having.Part(**{name: _told_number(request, name) for name in ("year", "volume", "issue")})
    if part == having.Part():
        raise BadInput("Say year, volume or issue.")
    async with context.connection(request) as conn:
        found = await records.by_id(conn, request.match_info["id"])
    has = having.libraries((copy.holding for copy in found.copies), part)
    said = [{"library": one.library, "answer": one.answer.value, "held": one.held} for one in has]
    return answer({"id": found.published.id, "libraries": said})


def _told_number(request: web.Request, name: str) -> int | None:
    return inputs.number(request.query, name, 0, 0, 999_999) if request.query.get(name) else None


async def contributors(request: web.Request) -> web.StreamResponse:
    """Who gave each field of a record; an id that was taken over moves for good to its heir."""
    ident = request.match_info["id"]
    async with context.connection(request) as conn:
        published = (await records.by_id(conn, ident)).published
        found = await contributors_of.cluster(conn, published)
    if published.id != ident:
        heir = view.record_url(published.id, "contributors")
        return web.Response(status=301, headers={"Location": f"/api{heir}"})
    if found is None:
        raise records.NoSuchRecord(f"{ident} has no record here that may be shown.")
    return answer({"id": published.id, **giving.values(found, published.format)})


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
            server=context.lasting(request),
        )
    )
