"""Pages for people. Each handler asks a service and fills a template; the state of a page is in its address."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from catalog import libraries
from catalog.model import Published
from dms import contributors_of
from node.web import context, openapi, record_view, results_view, searching, texts, view
from node.web.labels import library_name
from node.web.middleware import YEAR, BadInput
from services.deciding import related
from services.delivery import render, rows
from services.discovery import find
from services.discovery import record as records

TRIES = ("红楼梦", "hongloumeng", "历史")
TYPES = {"tianlu.css": "text/css", "seal.svg": "image/svg+xml"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


async def home(request: web.Request) -> web.StreamResponse:
    """One search box."""
    node = context.node_of(request)
    async with context.connection(request) as conn:
        members = await libraries.every(conn)
    count = await find.count(node.reader)
    heading = node.settings.node.name or texts.TEXTS["title"][context.lang_of(request)]
    return view.page(request, "home.html", heading=heading, records=count, libraries=len(members), tries=TRIES)


async def results(request: web.Request) -> web.StreamResponse:
    """The hits of a question on one level, with the other levels, facets and paging."""
    wide = await searching.look(request)
    values = results_view.values(wide, request.app[context.PLACE], context.lang_of(request))
    return view.page(request, "results.html", **values)


async def record(request: web.Request) -> web.StreamResponse:
    """A record with its holdings; an id that was taken over moves for good to its heir."""
    ident = request.match_info["id"]
    marc = request.query.get("view", "")
    if marc not in ("", "marc"):
        raise BadInput("view must be marc, or left out.")
    async with context.connection(request) as conn:
        found = await records.by_id(conn, ident)
        names = await searching.names(request, conn)
        near = await related.of(conn, found.published.cluster)
        gave = await contributors_of.cluster(conn, found.published) if marc else None
    if found.published.id != ident:
        moved = view.url(view.record_url(found.published.id), view=marc)
        return web.Response(status=301, headers={"Location": moved})
    values = record_view.values(found, names, context.lang_of(request), marc=bool(marc))
    canonical = context.lasting(request) + view.record_url(ident)
    shown = record_view.related(near, context.lang_of(request))
    who = record_view.who(gave, context.lang_of(request)) if gave else None
    return view.page(request, "record.html", canonical=canonical, related=shown, who=who, **values)


def _text(published: Published) -> bytes:
    return rows.text(render.described(published), published.id, (), {}, "zh").encode()


# form -> (media type, file ending, writer)
FORMS: dict[str, tuple[str, str, Callable[[Published], bytes]]] = {
    "marcxml": ("application/marcxml+xml", "xml", lambda published: _xml(render.as_marcxml(published))),
    "iso2709": ("application/marc", "mrc", render.as_iso2709),
    "marcjson": ("application/marc-in-json", "json", lambda published: render.as_marcjson(published).encode()),
    "dc": ("application/xml", "dc.xml", lambda published: _xml(render.as_dc(published))),
    "marc": ("text/plain", "txt", lambda published: render.as_lines(render.record(published)).encode()),
    "text": ("text/plain", "txt", _text),
}


def _xml(element: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element}\n'.encode()


async def download(request: web.Request) -> web.StreamResponse:
    """A record as a file."""
    form = FORMS.get(request.match_info["form"])
    if form is None:
        raise BadInput(f"The forms are {', '.join(FORMS)}.")
    ident = request.match_info["id"]
    async with context.connection(request) as conn:
        found = await records.by_id(conn, ident)
    if found.published.id != ident:
        moved = view.record_url(found.published.id, request.match_info["form"])
        return web.Response(status=301, headers={"Location": moved})
    kind, ending, write = form
    name = f"{_NOT_IN_NAMES.sub('_', ident)}.{ending}"
    response = web.Response(body=write(found.published), content_type=kind)
    if kind.startswith("text/"):
        response.charset = "utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def libraries_page(request: web.Request) -> web.StreamResponse:
    """The directory."""
    lang = context.lang_of(request)
    async with context.connection(request) as conn:
        members = await libraries.every(conn)
    names = {each.symbol: each for each in members}
    listed = [
        {
            "symbol": each.symbol,
            "name": library_name(each.symbol, names, lang),
            "other": each.name if lang == "en" and each.name_en else each.name_en if lang == "zh" else "",
            "area": each.area,
            "state": each.state,
            "successor": library_name(each.successor, names, lang) if each.successor else "",
            "url": view.url("/search", library=each.symbol),
        }
        for each in members
    ]
    return view.page(request, "libraries.html", libraries=listed)


async def about(request: web.Request) -> web.StreamResponse:
    """How to search."""
    return view.page(request, "about.html", origin=context.origin(request))


async def interface(request: web.Request) -> web.StreamResponse:
    """The programs' addresses, from the table of routes."""
    listed = [
        {
            "method": ", ".join(route.methods),
            "path": route.path,
            "summary": route.summary,
            "parameters": route.parameters,
        }
        for route in openapi.for_programs(request.app[context.ROUTES])
    ]
    return view.page(request, "interface.html", interface=listed)


async def static(request: web.Request) -> web.StreamResponse:
    """One of our two files; no other name reaches the file system."""
    name = request.match_info["name"]
    if name not in TYPES:
        raise web.HTTPNotFound
    response = web.Response(body=view.ASSETS[name], content_type=TYPES[name], charset="utf-8")
    response.headers["Cache-Control"] = f"public, max-age={YEAR if 'v' in request.query else 3600}"
    return response


async def robots(_request: web.Request) -> web.StreamResponse:
    """Searches with their facets are endless for crawlers; records are not."""
    closed = "".join(f"Disallow: {path}\n" for path in ("/search", "/authorities", "/api/", "/oai"))
    return web.Response(text=f"User-agent: *\n{closed}")
