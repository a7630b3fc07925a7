"""Who asks, and may they: between what every request passes and the handlers (shell).

The route that a request has found says what it takes (`Route.allow`); an address that no route of the table answers for
is refused, whatever the router knows. Who asks is said by a key (`Authorization: Bearer tlk_…`), else by a session's
cookie, else nobody. Requests of other nodes prove themselves by a signature, which their own door asks for.

Another library's things are not forbidden but absent: handlers of single things call `within`, lists filter by `reach`,
and the database asks once more (`context.private`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from config.errors import NotFound, Refused
from node.web import context, visitor
from node.web.metering import METER
from node.web.middleware import refusal, wants_page
from node.web.openapi import Handler, Route
from services.access import csrf, keys
from services.access.keys import Bearer
from services.access.pace import Pace, Turn
from services.access.policy import NOBODY, PUBLIC, Actor, Need, Permission, Subject

log = logging.getLogger(__name__)

SAFE = ("GET", "HEAD", "OPTIONS")  # RFC 9110, 9.2.1
FORM_TOKEN = "X-Tianlu-Form"  # of a program that speaks with a session's cookie: what forms carry as a field
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SCHEME = "bearer "

PACE = web.AppKey("pace", Pace)
TABLE: web.AppKey[Mapping[str, Route]] = web.AppKey("table", Mapping)


def table(routes: Iterable[Route]) -> dict[str, Route]:
    """The routes by their path. ValueError where two have the same: each address has one need."""
    found: dict[str, Route] = {}
    for route in routes:
        if found.setdefault(route.path, route) is not route:
            raise ValueError(f"two routes for {route.path}")
    return found


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The innermost middleware: nothing gets to a handler but what it lets through."""
    if request.match_info.http_exception is not None:
        return await handler(request)  # no such address or method
    resource = request.match_info.route.resource
    route = request.app[TABLE].get(resource.canonical) if resource else None
    if route is None:
        log.error("%s has no policy, and is not served", request.path)
        raise web.HTTPNotFound
    request[context.NEED] = need = route.allow
    if need.permission is Permission.EXCHANGE:
        request[context.ACTOR] = NOBODY  # exchange_door says who it is
        return await handler(request)
    presented = _presented(request)
    if presented is not None:
        return await _with_key(request, handler, route, presented)
    session = await visitor.session(request) if visitor.token_of(request) else None
    request[context.ACTOR] = actor = session.actor if session else NOBODY
    if session and request.method not in SAFE:
        await _from_our_pages(request)
    if need != PUBLIC:
        if session is None:
            return _who_are_you(request)
        if session.todo and not need.unsettled:
            # First the password that somebody else has set, or the one-time codes that a duty needs.
            raise web.HTTPSeeOther("/account") if wants_page(request) else _not_you()
        if not actor.may(need.permission):
            raise _not_you()
        if need.fresh and request.method not in SAFE and not session.fresh:
            raise web.HTTPSeeOther(visitor.sign_in_url(request)) if wants_page(request) else _too_long_ago()
    response = await handler(request)
    if need != PUBLIC:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


async def _with_key(request: web.Request, handler: Handler, route: Route, presented: str) -> web.StreamResponse:
    """A program with a key: as fast as the key allows, and counted."""
    now = datetime.now(UTC)
    async with context.node_of(request).database.connection() as conn:
        bearer = await keys.bearer(conn, presented, now)
    if bearer is None:
        return _challenge(request, "this key is unknown, disabled or too old", "invalid_token")
    request[context.ACTOR] = bearer.actor
    turn = request.app[PACE].turn(bearer.key, bearer.rate, time.monotonic())
    good = False
    try:
        response = await _allowed(request, handler, bearer, turn)
        good = response.status not in (401, 403, 404, 429)
    finally:
        request.app[METER].count(bearer, route.path, now.date(), refused=not good)
    response.headers["RateLimit"] = f'"key";r={turn.left};t={max(1, round(turn.pause))}'
    response.headers["RateLimit-Policy"] = f'"key";q={bearer.rate};w=60'
    response.headers.setdefault("Cache-Control", "no-store")
    return response


async def _allowed(request: web.Request, handler: Handler, bearer: Bearer, turn: Turn) -> web.StreamResponse:
    if not turn.go:
        refused = refusal(request, 429, f"this key has {bearer.rate} requests a minute")
        refused.headers["Retry-After"] = str(max(1, round(turn.pause + 0.5)))
        return refused
    need = request[context.NEED]
    if not bearer.actor.may(need.permission) or (need.fresh and request.method not in SAFE):
        raise _not_you()
    return await handler(request)


def actor_of(request: web.Request) -> Actor:
    """Who asks."""
    return request[context.ACTOR]


def within(request: web.Request, library: str) -> None:
    """NotFound unless a thing of this library may be seen or touched by this request."""
    if request[context.NEED].subject is not Subject.LIBRARY:
        raise AssertionError(f"{request.path} is about a library's things: its need must say so")
    if not context.reach(request).holds(library):
        raise NotFound("there is no such thing here")


def operation(request: web.Request, operations: Mapping[str, Need], name: str) -> None:
    """For addresses that stand for several operations of a protocol: Refused unless this one is declared and
    permitted."""
    need = operations.get(name)
    if need is None or not request[context.ACTOR].may(need.permission):
        raise _not_you()


def _presented(request: web.Request) -> str | None:
    told = request.headers.get("Authorization", "")
    return told[len(_SCHEME) :].strip() if told.lower().startswith(_SCHEME) else None


async def _from_our_pages(request: web.Request) -> None:
    """Refused unless what changes something was sent by a page of ours, or by a program that knows the session's form
    token (OWASP ASVS 5.0, 3.5). A browser lets no foreign page send that header."""
    if request.content_type in _FORMS:
        await visitor.form(request)
    elif csrf.foreign(request.headers, context.origin(request)) or not csrf.right(
        visitor.token_of(request), request.headers.get(FORM_TOKEN, "")
    ):
        raise Refused(f"a request that changes something needs a key, or its session's form token in {FORM_TOKEN}")


def _who_are_you(request: web.Request) -> web.StreamResponse:
    if wants_page(request):
        raise web.HTTPSeeOther(visitor.sign_in_url(request))
    return _challenge(request, "sign in, or present a key", "")


def _challenge(request: web.Request, why: str, code: str) -> web.Response:
    response = refusal(request, 401, why)
    response.headers["WWW-Authenticate"] = 'Bearer realm="tianlu"' + (
        f', error="{code}"' if code else ""
    )  # RFC 6750, 3
    return response


def _too_long_ago() -> Refused:
    return Refused("the password was typed too long ago: sign in once more")


def _not_you() -> Refused:
    return Refused("your account or key does not permit this")
