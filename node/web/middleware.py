"""Around every request: its number, the language, and errors as pages or problems."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets

from aiohttp import web

from catalog.search import port
from config import errors, sentences
from config.logs import about
from node.web import refusing, texts, view
from node.web.context import NODE, VISIT, Visit
from node.web.openapi import PROBLEM, Handler
from services.delivery.render import Tombstone

log = logging.getLogger(__name__)

COOKIE = "lang"
YEAR = 365 * 24 * 3600  # seconds
FOR_PROGRAMS = ("/api/", "/oai", "/health", "/x/")


class BadInput(errors.TianluError):
    """An argument is wrong; the message says which and what is right."""

    code = "bad-request"
    exit_code = 2


# By consequence, the most particular first.
STATUS: tuple[tuple[type[BaseException], int], ...] = (
    (BadInput, 400),
    (port.BadQuery, 400),
    (errors.Refused, 403),
    (Tombstone, 410),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Retry, 503),
    (errors.Unreachable, 503),
    (TimeoutError, 503),
    (ConnectionError, 503),
)


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one middleware: whatever happens inside, an answer with its headers comes out."""
    chosen = request.query.get("lang", "")
    visit = Visit(id=secrets.token_hex(6), lang=_language(request, chosen))
    request[VISIT] = visit
    with about(request=visit.id):
        response = await _answer(request, handler)
    response.headers["X-Request-Id"] = visit.id
    if response.content_type == "text/html":
        response.headers["Vary"] = "Accept-Language, Cookie"
        response.headers.setdefault("Cache-Control", "private, no-cache")
    if chosen in texts.LANGUAGES:
        name, secure = _cookie(request)
        response.set_cookie(name, chosen, max_age=YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
    return response


def _cookie(request: web.Request) -> tuple[str, bool]:
    """The name of the language's cookie, and whether it goes by TLS alone: it does where visitors come by TLS."""
    secure = request.app[NODE].settings.web.base_url.startswith("https:")
    return (f"__Host-{COOKIE}" if secure else COOKIE), secure


def _language(request: web.Request, chosen: str) -> str:
    """By the address, else the visitor's earlier choice, else the node's setting, else the browser."""
    for lang in (chosen, request.cookies.get(_cookie(request)[0], ""), request.app[NODE].settings.lang):
        if lang in texts.LANGUAGES:
            return lang
    return texts.preferred(request.headers.get("Accept-Language", ""), "zh")


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:  # somebody is sent elsewhere
            return web.Response(status=error.status, headers={"Location": error.headers["Location"]})
        return refusal(request, error.status, "", allow=error.headers.get("Allow", ""))
    except asyncio.CancelledError:
        raise  # the visitor has gone, or the node stops
    except Exception as error:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
        if status == 500:
            log.exception("%s %s failed", request.method, request.path)
        elif status > 500:
            log.warning("%s %s is not answered: %s", request.method, request.path, error)
        # Messages of our own errors are safe to show; what went wrong inside is for the log.
        detail = str(error) if isinstance(error, errors.TianluError) and status != 500 else ""
        return refusal(request, status, detail)


def wants_page(request: web.Request) -> bool:
    """Browsers ask for text/html; programs don't, and never get a page under the programs' addresses."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(FOR_PROGRAMS)


def refusal(request: web.Request, status: int, detail: str, allow: str = "") -> web.Response:
    """An error as a page or as a problem (RFC 9457), by what the visitor accepts."""
    visit = request[VISIT]
    known = refusing.known(status)
    heading = texts.TEXTS[known][visit.lang]
    if wants_page(request):
        said = sentences.told(detail, visit.lang)
        response = view.page(request, "error.html", status=status, heading=heading, detail=said, request_id=visit.id)
    else:
        problem = {"type": "about:blank", "title": texts.TEXTS[known]["en"], "status": status}
        problem |= {"detail": detail} if detail else {}
        problem |= {"instance": f"urn:tianlu:request:{visit.id}"}
        response = web.Response(text=json.dumps(problem, ensure_ascii=False), status=status, content_type=PROBLEM)
    if allow:
        response.headers["Allow"] = allow
    if status in refusing.LATER:
        response.headers["Retry-After"] = refusing.RETRY_AFTER
    return response
