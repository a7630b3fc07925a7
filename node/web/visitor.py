"""Who visits by a session's cookie, and forms that only a page of ours may have sent.

The cookie's name begins with `__Host-`: browsers take it only with Secure, for this host alone and all of its paths
(RFC 6265bis, 4.1.3), so passwords and sessions travel by https, or within this machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web
from multidict import MultiMapping

from config.errors import Refused
from node.web import context, view
from node.web.middleware import BadInput
from services.access import csrf, sessions
from services.access.sessions import Session

_UNTYPED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LOCAL = ("localhost", "127.0.0.1", "::1")
LONGEST = 1024  # characters of a form's field


async def session(request: web.Request) -> Session | None:
    """The session of the request's cookie, unless there is none or it has ended. Looked up once."""
    if context.SESSION not in request:
        token, node = token_of(request), context.node_of(request)
        found = None
        if token:
            async with node.database.connection() as conn:
                found = await sessions.find(conn, token, datetime.now(UTC), node.settings.access)
        request[context.SESSION] = found
    return request[context.SESSION]


async def signed_in(request: web.Request) -> Session:
    """The session; without one to the sign-in page and back."""
    found = await session(request)
    if found is None:
        raise web.HTTPSeeOther(sign_in_url(request))
    return found


def known(request: web.Request) -> Session | None:
    """What `session` found, if it was asked."""
    return request.get(context.SESSION)


def token_of(request: web.Request) -> str:
    """What the cookie holds."""
    return request.cookies.get(sessions.COOKIE, "")


def sign_in_url(request: web.Request) -> str:
    """The sign-in page that leads back to the page that was asked for."""
    return view.url("/sign-in", next=request.rel_url.raw_path_qs if request.method == "GET" else request.path)


def admit(response: web.StreamResponse, token: str) -> None:
    """Give the visitor a session's cookie. It has no age: the database says when it ends."""
    response.set_cookie(sessions.COOKIE, token, path="/", secure=True, httponly=True, samesite="Lax")


def dismiss(response: web.StreamResponse) -> None:
    """Take the cookie away."""
    response.del_cookie(sessions.COOKIE, path="/", secure=True, httponly=True, samesite="Lax")


def in_the_clear(request: web.Request) -> bool:
    """Whether what is typed would travel unprotected. A proxy that ends https says so (X-Forwarded-Proto) or keeps the
    host of `web.base_url`; whoever pretends that is only careless of a password of his own."""
    if request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https":
        return False
    told = urlsplit(context.node_of(request).settings.web.base_url)
    here = urlsplit(f"//{request.host}")
    return here.hostname not in LOCAL and (told.scheme, told.netloc.lower()) != ("https", here.netloc.lower())


async def form(request: web.Request) -> MultiMapping[str]:
    """The fields of a form that a page of ours sent, for this session if there is one. Refused if another did."""
    if csrf.foreign(request.headers, context.origin(request)):
        raise Refused("this form was sent by another site")
    fields = await request.post()
    token = token_of(request)
    if await session(request) is not None and not csrf.right(token, text(fields, csrf.FIELD)):
        raise Refused("this form is out of date: go back, load the page again and send it once more")
    return fields  # type: ignore[return-value]  # files are refused by `text`


def text(fields: MultiMapping[object], name: str) -> str:
    """A field of a form; BadInput if it is a file, too long, or has characters that nobody types."""
    found = fields.get(name, "")
    if not isinstance(found, str) or len(found) > LONGEST or _UNTYPED.search(found):
        raise BadInput(f"the field {name} can't be taken")
    return found


def lines(fields: MultiMapping[object], name: str, most: int) -> list[str]:
    """The lines of a field in which several may be typed; empty ones are left out. BadInput as `text`, or if there are
    more than `most`."""
    found = fields.get(name, "")
    if not isinstance(found, str):
        raise BadInput(f"the field {name} can't be taken")
    told = [line for line in found.splitlines() if line.strip()]
    if len(told) > most or any(len(line) > LONGEST or _UNTYPED.search(line) for line in told):
        raise BadInput(f"the field {name} can't be taken: at most {most:,} lines of {LONGEST:,} characters")
    return told


def inside(target: str) -> str:
    """Where to go on: a path of ours, or the home page for anything that might lead elsewhere."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and len(target) <= 2000
    return target if fine and target.isascii() and target.isprintable() and "\\" not in target else "/"
