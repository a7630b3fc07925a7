"""The network as this node sees it: a page for operators, and the same for programs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from aiohttp import web

from node import flows
from node.flows import Counts, Flow, Known, Work
from node.web import api, context, network_view, view
from node.web.inputs import numbered
from node.web.middleware import BadInput
from services.discovery import find

COUNTS = web.AppKey("counts", Counts)
EVERY = 5  # seconds between refreshes that the page offers
LONGEST = 3600


async def page(request: web.Request) -> web.StreamResponse:
    """Nodes and streams. It refreshes itself only when asked to (WCAG 2.2.1): by `every`, in the address."""
    every = _every(request.query.get("every", ""))
    lang = context.lang_of(request)
    shown = network_view.values(*await _look(request), now=datetime.now(UTC), lang=lang)
    at = time.strftime("%H:%M:%S")
    toggle = view.url("/network", every="" if every else EVERY)
    return view.page(request, "network.html", every=every, offered=EVERY, toggle=toggle, at=at, **shown)


async def document(request: web.Request) -> web.StreamResponse:
    """The same for programs."""
    return api.answer(network_view.document(*await _look(request)))


async def _look(request: web.Request) -> tuple[list[Known], list[Flow], Work, int]:
    node = context.node_of(request)
    async with context.connection(request) as conn:
        nodes, streams = await flows.look(conn, request.app[COUNTS], node.symbol, context.site(node))
        work = await flows.work(conn)
    return nodes, streams, work, await find.count(node.reader)


def _every(told: str) -> int:
    if not told:
        return 0
    every = numbered(told)
    if every is None or not 1 <= every <= LONGEST:
        raise BadInput(f"every is a number of seconds from 1 to {LONGEST}.")
    return every
