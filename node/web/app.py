"""Makes the web application of a node: the table of routes, the middleware around it, and what handlers need."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from node import outgoing
from node.flows import Counts
from node.web import asking, context, exchange_door, machine, middleware, network, routes
from services.discovery.registry import Registry

BODY = 64 * 1024  # bytes that a request may carry: the longest is an OAI-PMH form


def make(node: context.Node) -> web.Application:
    """The application, ready for a runner."""
    app = web.Application(middlewares=[middleware.around], client_max_size=BODY)
    app[context.NODE] = node
    exchange_door.hang(app, node)
    app[context.PLACE] = context.place(node)
    app[context.REGISTRY] = Registry()
    app[network.COUNTS] = Counts()
    app.cleanup_ctx.append(_asker)
    app[context.ROUTES] = routes.ROUTES
    app[context.OAI_KEY] = machine.key(node.home)
    for route in routes.ROUTES:
        for method in route.methods:
            app.router.add_route(method, route.path, route.handler)
        if "GET" in route.methods:
            app.router.add_route("HEAD", route.path, route.handler)
    return app


async def _asker(app: web.Application) -> AsyncIterator[None]:
    async with asking.making(outgoing.rules(app[context.NODE].settings)) as asker:
        app[context.ASKER] = asker
        yield
