"""Makes the web application of a node: the table of routes, the middleware around it, and what handlers need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from node import outgoing
from node.flows import Counts
from node.web import (
    asking,
    auditing,
    context,
    copy_asking,
    exchange_door,
    gate,
    headers,
    machine,
    metering,
    middleware,
    network,
    permits,
    routes,
)
from node.web.gate import Gate
from node.web.openapi import Route
from services.access.pace import Pace
from services.discovery.registry import Registry

BODY = 64 * 1024  # bytes that a request may carry: the longest is an OAI-PMH form


def make(node: context.Node, table: Sequence[Route] = routes.ROUTES) -> web.Application:
    """The application that answers for the addresses of a table, ready for a runner."""
    app = web.Application(
        middlewares=[gate.around, middleware.around, auditing.around, permits.around], client_max_size=BODY
    )
    app[context.NODE] = node
    app[gate.GATE] = Gate(node.settings.web)
    app.on_response_prepare.append(_signed_off(headers.of(node.settings.web.base_url)))
    exchange_door.hang(app, node)
    app[context.PLACE] = context.place(node)
    app[context.REGISTRY] = Registry()
    app[network.COUNTS] = Counts()
    app.cleanup_ctx.append(_asker)
    app.cleanup_ctx.append(copy_asking.lines)
    app[context.ROUTES] = table
    auditing.hang(app, table)
    app[permits.TABLE] = permits.table(table)
    app[permits.PACE] = Pace()
    app.cleanup_ctx.append(metering.metering)
    app[context.OAI_KEY] = machine.key(node.home)
    for route in table:
        for method in route.methods:
            app.router.add_route(method, route.path, route.handler)
        if "GET" in route.methods and "HEAD" not in route.methods:
            app.router.add_route("HEAD", route.path, route.handler)
    return app


def _signed_off(everywhere: Mapping[str, str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What puts the headers that every answer has on each of them, also on those that aiohttp makes."""

    async def put(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(everywhere)

    return put


async def _asker(app: web.Application) -> AsyncIterator[None]:
    async with asking.making(outgoing.rules(app[context.NODE].settings)) as asker:
        app[context.ASKER] = asker
        yield
