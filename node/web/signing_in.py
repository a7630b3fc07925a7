"""The pages of those who aren't signed in: sign in, sign out, and set a new password with a code."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from node.web import address, auditing, context, texts, view, visitor
from services.access import accounts, passwords, sealed, sessions, signing
from services.access.signing import Claim, Locked, Weak, Wrong

LONGEST_AGENT = 200  # characters that are kept
NAMES = (*texts.TEXTS["title"].values(), "tianlu", "天禄")  # everybody's


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Asks for name, password and code at once, so that nobody learns which of them was right."""
    if request.method in ("GET", "HEAD"):
        await visitor.session(request)
        return _page(request)
    fields = await visitor.form(request)
    if visitor.in_the_clear(request):
        return _page(request, status=403)
    node, now = context.node_of(request), datetime.now(UTC)
    claim = Claim(
        name=visitor.text(fields, "name"),
        password=visitor.text(fields, "password"),
        code=visitor.text(fields, "code"),
        address=address.of(request),
        agent=request.headers.get("User-Agent", "")[:LONGEST_AGENT],
    )
    seal, before, target = sealed.of(node.home), visitor.token_of(request), visitor.text(fields, "next")
    try:
        token, made = await signing.sign_in(node.database, seal, claim, now, node.settings.access, before)
    except Locked as error:
        await _tried(request, claim.name)
        return _locked(request, "sign_in.html", error, now, **_values(request, claim.name))
    except Wrong:
        await _tried(request, claim.name)
        return _page(request, claim.name, "sign_in_wrong", status=403)
    by, home = f"account:{made.account.name}", made.account.library
    auditing.deed(request).about(actor=by, object=made.account.name, library=home)
    response = _on("/account" if made.todo else visitor.inside(target))
    visitor.admit(response, token)
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """Ends the session."""
    await visitor.form(request)
    if found := await visitor.session(request):
        async with context.node_of(request).database.transaction() as conn:
            await sessions.end(conn, found.account.account, found.id)
            await auditing.deed(request).done(conn, object=found.account.name, library=found.account.library)
    else:
        auditing.deed(request).nothing()
    response = _on("/")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # pages of his that the browser kept
    visitor.dismiss(response)
    return response


async def reset(request: web.Request) -> web.StreamResponse:
    """A new password, with a code from those who look after accounts."""
    if request.method in ("GET", "HEAD"):
        await visitor.session(request)
        return _reset(request)
    fields = await visitor.form(request)
    if visitor.in_the_clear(request):
        return _reset(request, status=403)
    node, now = context.node_of(request), datetime.now(UTC)
    code, new = visitor.text(fields, "code"), visitor.text(fields, "new")
    if new != visitor.text(fields, "again"):
        return _reset(request, "password_differs", code, status=400)
    try:
        changed = await signing.reset(node.database, code, new, now, site(request), address.of(request))
    except Locked as error:
        return _locked(request, "reset.html", error, now, **_secrecy(request), code=code)
    except Wrong:
        return _reset(request, "reset_wrong", status=403)
    except Weak as error:
        return _reset(request, f"weak_{error.why}", code, status=400)
    auditing.deed(request).about(actor=f"account:{changed.name}", object=changed.name, library=changed.library)
    return _on("/sign-in?done=reset")


async def _tried(request: web.Request, name: str) -> None:
    """Whose account was tried. What is no account's name is not kept: it may be a password in the wrong field."""
    async with context.node_of(request).database.connection() as conn:
        found = await accounts.find(conn, name.strip())
    auditing.deed(request).about(object=found.name if found else "", library=found.library if found else "")


def site(request: web.Request) -> tuple[str, ...]:
    """What anybody knows of this node: no password may be made of it."""
    told = context.node_of(request).settings.node
    return context.node_of(request).symbol, told.name, *NAMES


def never_kept(response: web.StreamResponse) -> None:
    """No cache keeps what a page shows to one person."""
    response.headers["Cache-Control"] = "no-store"


def seconds(error: Locked, now: datetime) -> int:
    """How long to wait."""
    return max(1, round((error.until - now).total_seconds()))


def minutes(error: Locked, now: datetime) -> int:
    """The same for people."""
    return -(-seconds(error, now) // 60)


def _page(request: web.Request, name: str = "", fault: str = "", status: int = 200) -> web.Response:
    response = view.page(request, "sign_in.html", status=status, fault=fault, minutes=0, **_values(request, name))
    if visitor.token_of(request) and not visitor.known(request):
        visitor.dismiss(response)  # its session has ended
    never_kept(response)
    return response


def _values(request: web.Request, name: str) -> dict[str, object]:
    found = visitor.known(request)
    done = request.query.get("done", "")
    return {
        **_secrecy(request),
        "name": found.account.name if found else name,
        "next": visitor.inside(request.query.get("next", "/")),
        "done": done if done in ("reset", "out") else "",
    }


def _secrecy(request: web.Request) -> dict[str, object]:
    """Whether a password may be typed here, and where else."""
    told = context.node_of(request).settings.web.base_url
    clear = visitor.in_the_clear(request)
    return {
        "clear": clear,
        "elsewhere": f"{told.rstrip('/')}{request.path}" if clear and told.startswith("https://") else "",
        "plain": not clear and context.origin(request).startswith("http://"),
    }


def _reset(request: web.Request, fault: str = "", code: str = "", status: int = 200) -> web.Response:
    values = {**_secrecy(request), "code": code, "shortest": passwords.SHORTEST}
    response = view.page(request, "reset.html", status=status, fault=fault, minutes=0, **values)
    never_kept(response)
    return response


def _locked(request: web.Request, template: str, error: Locked, now: datetime, **values: object) -> web.Response:
    """Too many tries: how long to wait."""
    shown = {"shortest": passwords.SHORTEST, **values}
    response = view.page(request, template, status=429, fault="locked", minutes=minutes(error, now), **shown)
    response.headers["Retry-After"] = str(seconds(error, now))
    never_kept(response)
    return response


def _on(target: str) -> web.Response:
    return web.Response(status=303, headers={"Location": target, "Cache-Control": "no-store"})
