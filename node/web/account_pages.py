"""The page of one's own account: password, one-time codes, sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from aiohttp import web

from catalog import libraries
from catalog.model import Library
from node.web import address, auditing, context, signing_in, view, visitor
from node.web.labels import library_name
from services.access import passwords, qr, sealed, sessions, signing, totp
from services.access.policy import Grant
from services.access.sessions import Session
from services.access.signing import Claim, Locked, Weak, Wrong

DONE = ("password", "codes", "ended")


async def account(request: web.Request) -> web.StreamResponse:
    """Shows the account, and does what one of its forms asks."""
    found = await visitor.signed_in(request)
    if request.method in ("GET", "HEAD"):
        return await _page(request, found)
    fields = await visitor.form(request)
    auditing.deed(request).about(object=found.account.name, library=found.account.library)
    match visitor.text(fields, "do"):
        case "password":
            auditing.deed(request).about(act="account.password")
            new, again = visitor.text(fields, "new"), visitor.text(fields, "again")
            return await _password(request, found, visitor.text(fields, "password"), new, again)
        case "codes":
            auditing.deed(request).about(act="account.totp")
            return await _codes(request, found, visitor.text(fields, "code"))
        case "end":
            auditing.deed(request).about(act="session.end")
            return await _end(request, found, visitor.text(fields, "session"))
        case _:
            raise web.HTTPBadRequest


async def picture(request: web.Request) -> web.StreamResponse:
    """The secret of new one-time codes, for the camera of a phone."""
    found = await visitor.signed_in(request)
    if found.account.has_totp or not found.fresh:
        raise web.HTTPNotFound
    response = web.Response(body=qr.svg(_uri(request, found)), content_type="image/svg+xml")
    signing_in.never_kept(response)
    return response


async def _password(request: web.Request, found: Session, password: str, new: str, again: str) -> web.StreamResponse:
    node, now = context.node_of(request), datetime.now(UTC)
    if new != again:
        return await _page(request, found, "password_differs", status=400)
    claim = Claim(name=found.account.name, password=password, address=address.of(request))
    try:
        changed = await signing.change_password(node.database, claim, new, now, signing_in.site(request))
    except Locked as error:
        return await _locked(request, found, error, now)
    except Wrong:
        return await _page(request, found, "password_wrong", status=403)
    except Weak as error:
        return await _page(request, found, f"weak_{error.why}", status=400)
    agent = request.headers.get("User-Agent", "")[: signing_in.LONGEST_AGENT]
    async with node.database.transaction() as conn:
        token = await sessions.begin(conn, changed, now, address.of(request), agent)
    response = _on("password")
    visitor.admit(response, token)
    return response


async def _codes(request: web.Request, found: Session, code: str) -> web.StreamResponse:
    node, now = context.node_of(request), datetime.now(UTC)
    if not found.fresh:
        raise web.HTTPSeeOther(visitor.sign_in_url(request))
    seal = sealed.of(node.home)
    try:
        await signing.set_up_codes(node.database, seal, found.account, _secret(request, found), code, now)
    except Locked as error:
        return await _locked(request, found, error, now)
    except Wrong:
        return await _page(request, found, "code_wrong", status=403)
    return _on("codes")


async def _end(request: web.Request, found: Session, which: str) -> web.StreamResponse:
    """One of the account's sessions by its number in the list, or all others."""
    own = found.account.account
    async with context.node_of(request).database.transaction() as conn:
        if which == "others":
            await sessions.end_all(conn, own, keep=found.id)
        else:
            now, access = datetime.now(UTC), context.node_of(request).settings.access
            for each in await sessions.every(conn, own, now, access):
                if _short(each.id) == which:
                    await sessions.end(conn, own, each.id)
    return _on("ended")


async def _page(
    request: web.Request, found: Session, fault: str = "", status: int = 200, minutes: int = 0
) -> web.Response:
    lang, node, now = context.lang_of(request), context.node_of(request), datetime.now(UTC)
    async with context.private(request) as conn:
        open_now = await sessions.every(conn, found.account.account, now, node.settings.access)
        names = {each.symbol: each for each in await libraries.every(conn)}
    own = found.account
    offered = not own.has_totp and own.kind == "staff"
    done = request.query.get("done", "")
    values = {
        "account": own,
        "library": library_name(own.library, names, lang),
        "grants": roles(own.grants, names, lang),
        "todo": found.todo,
        "done": done if done in DONE else "",
        "fresh": found.fresh,
        "offered": offered,
        "secret": totp.spelled(_secret(request, found)) if offered and found.fresh else "",
        "uri": _uri(request, found) if offered and found.fresh else "",
        "confirm": view.url("/sign-in", next="/account"),
        "sessions": [
            {
                "id": _short(each.id),
                "own": each.id == found.id,
                "made": f"{each.made_at:%Y-%m-%d %H:%M}",
                "seen": f"{each.seen_at:%Y-%m-%d %H:%M}",
                "address": each.address,
                "agent": each.agent,
            }
            for each in open_now
        ],
    }
    response = view.page(
        request, "account.html", status=status, fault=fault, minutes=minutes, shortest=passwords.SHORTEST, **values
    )
    signing_in.never_kept(response)
    return response


def roles(grants: tuple[Grant, ...], names: Mapping[str, Library], lang: str) -> list[dict[str, str]]:
    """Roles as pages show them: with the library's name where they count for one."""
    return [
        {
            "role": str(each.role),
            "symbol": each.library,
            "library": library_name(each.library, names, lang) if each.library else "",
        }
        for each in grants
    ]


async def _locked(request: web.Request, found: Session, error: Locked, now: datetime) -> web.Response:
    response = await _page(request, found, "locked", status=429, minutes=signing_in.minutes(error, now))
    response.headers["Retry-After"] = str(signing_in.seconds(error, now))
    return response


def _secret(request: web.Request, found: Session) -> bytes:
    """What new one-time codes of this session would be made of: nothing is kept of it before it is proved."""
    return sealed.of(context.node_of(request).home).derived(f"totp {found.id.hex()}", totp.SECRET)


def _uri(request: web.Request, found: Session) -> str:
    return totp.uri(_secret(request, found), f"Tianlu {context.node_of(request).symbol}", found.account.name)


def _short(ident: bytes) -> str:
    """A session's name in the list: enough to tell it from the others."""
    return ident[:8].hex()


def _on(done: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/account?done={done}", "Cache-Control": "no-store"})
