"""Acts by requests, into the audit log: between what every request passes and the question who asks (shell).

A route declares its act (`Route.act`). An answer leaves only after its entry is kept: nobody gets the cookie of a
sign-in, or a secret that is shown once, which the log does not know of. Handlers say more by `deed(request)`, and keep
their entry in the transaction of the act. Reading is not kept, unless the route says so of a private thing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from aiohttp import web

from catalog.acts import Entry, Outcome
from config.errors import Refused
from node import deeds
from node.deeds import Deed
from node.web import address, context
from node.web.openapi import Handler, Route
from services.access.policy import PUBLIC

log = logging.getLogger(__name__)

SAFE = ("GET", "HEAD")
SELDOM = 60.0  # seconds for which further refusals of a kind to one visitor are one: nobody fills the log by trying
MOST = 4096  # kinds and visitors that are remembered for that
EXPORT = ".export"  # acts that are kept though they only read
KEY_REFUSED = "key.refused"
ACCESS_REFUSED = "access.refused"
_INVALID = 'error="invalid_token"'  # of a challenge (RFC 6750, 3.1)

_DEED = web.RequestKey("deed", Deed)
ACTS: web.AppKey[Mapping[str, str]] = web.AppKey("acts", Mapping)
_TOLD: web.AppKey[dict[tuple[str, ...], float]] = web.AppKey("told", dict)


def hang(app: web.Application, table: Sequence[Route]) -> None:
    """Give the application what it needs for this."""
    app[ACTS] = {route.path: route.act for route in table if route.act}
    app[_TOLD] = {}


def deed(request: web.Request) -> Deed:
    """What this request is to the audit log, by whom."""
    if _DEED not in request:
        at, number = address.of(request), request[context.VISIT].id
        request[_DEED] = Deed(entry=Entry(actor="nobody", act=_act(request), address=at, request=number))
    found = request[_DEED]
    if found.entry.actor == "nobody" and context.ACTOR in request:
        found.about(actor=request[context.ACTOR].name)
    return found


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The middleware outside of the one that asks who it is."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if error.status >= 400:  # else somebody is sent elsewhere first, and nothing was done yet
            await _settle(request, error)
        raise
    except Exception as error:
        if _is_told(request):
            outcome, name = deeds.told(error)
            await _keep(request, outcome, error=name)
        elif isinstance(error, Refused):
            await _denied(request)
        raise
    await _settle(request, response)
    return response


def _act(request: web.Request) -> str:
    """What the matched route declares, unless it is only read."""
    resource = request.match_info.route.resource
    act = request.app[ACTS].get(resource.canonical, "") if resource else ""
    return "" if request.method in SAFE and not act.endswith(EXPORT) else act


def _is_told(request: web.Request) -> bool:
    return bool(request[_DEED].entry.act if _DEED in request else _act(request))


async def _settle(request: web.Request, response: web.StreamResponse) -> None:
    if response.status == 401 and _INVALID in response.headers.get("WWW-Authenticate", ""):
        deed(request).about(act=KEY_REFUSED)
        await _seldom(request)
    elif not _is_told(request):
        return
    elif response.status in (401, 429):
        await _seldom(request)
    elif response.status < 400:
        await _keep(request, "done")
    else:
        await _keep(request, "refused" if response.status < 500 else "failed", status=response.status)


async def _denied(request: web.Request) -> None:
    """Somebody who is known asked to read what he may not (OWASP ASVS 5.0, 16.3.2)."""
    done, resource = deed(request), request.match_info.route.resource
    if done.entry.actor != "nobody":
        done.about(act=ACCESS_REFUSED, object=resource.canonical if resource else "")
        await _seldom(request)


async def _seldom(request: web.Request) -> None:
    """A refusal of which there may be very many."""
    told, now = request.app[_TOLD], time.monotonic()
    entry = deed(request).entry
    what = entry.act, entry.actor, entry.object, entry.address
    if now - told.get(what, -SELDOM) < SELDOM:
        return
    if len(told) >= MOST:
        told.clear()
    told[what] = now
    await _keep(request, "refused")


async def _keep(request: web.Request, outcome: Outcome, **detail: object) -> None:
    done = deed(request)
    if done.entry.actor == "nobody" and request.get(context.NEED, PUBLIC) != PUBLIC and done.entry.act != KEY_REFUSED:
        return  # somebody who is sent to the sign-in page: no act of anybody
    try:
        await done.settle(context.node_of(request).database, outcome, **detail)
    except Exception:
        if outcome == "done":
            raise  # what isn't in the log is not handed out
        log.exception("%s %s, which the audit log could not be told", done.entry.act, outcome)
