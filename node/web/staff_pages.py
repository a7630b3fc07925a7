"""Pages of those who look after accounts: all within their reach, and one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from aiohttp import web
from multidict import MultiMapping

from catalog import libraries
from catalog.connection import Connection
from catalog.model import Library
from config.errors import Conflict, NotFound, Refused
from node.web import account_pages, auditing, context, signing_in, view, visitor
from node.web.labels import library_name
from services.access import accounts, attempts, giving, keeping, passwords
from services.access.accounts import Account
from services.access.keeping import Unfit
from services.access.policy import DUTIES, Actor, Grant, Permission, Role
from services.access.sessions import Session

DONE = ("changed", "role")
# What the audit log calls that which a form asks for.
ACTS = {
    "give": "account.role",
    "take": "account.role",
    "disable": "account.disable",
    "enable": "account.enable",
    "codes": "account.totp",
    "unlock": "account.unlock",
    "reset": "account.reset",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A secret that is shown once: a password or a code."""

    what: str
    text: str


async def listed(request: web.Request) -> web.StreamResponse:
    """The accounts within reach, and a form for another one."""
    found = await _keeper(request)
    if request.method in ("GET", "HEAD"):
        return await _list(request, found)
    fields = await visitor.form(request)
    node = context.node_of(request)
    typed = {name: visitor.text(fields, name).strip() for name in ("name", "title", "library", "role")}
    password = passwords.make()
    kept = await passwords.shrouded(password.reveal())
    try:
        async with node.database.transaction() as conn:
            made = await keeping.add(
                conn,
                found.actor,
                typed["name"],
                [keeping.grant(_role(typed["role"]), "", typed["library"])],
                library=typed["library"],
                title=typed["title"],
                password=kept,
                separate=node.settings.access.duties == "separate",
            )
            await auditing.deed(request).done(conn, object=made.name, library=made.library, role=typed["role"])
    except Unfit as error:
        return await _list(request, found, error.why, typed, status=403)
    except Conflict:
        return await _list(request, found, "taken", typed, status=409)
    return await _one(request, found, made.name, shown=Shown(what="password", text=password.reveal()))


async def one(request: web.Request) -> web.StreamResponse:
    """One account, and what can be done for it."""
    found, name = await _keeper(request), request.match_info["name"]
    if request.method in ("GET", "HEAD"):
        return await _one(request, found, name)
    fields = await visitor.form(request)
    try:
        async with context.node_of(request).database.transaction() as conn:
            shown = await _do(conn, request, found.actor, name, fields)
            library = (await keeping.one(conn, found.actor, name)).library
            await auditing.deed(request).done(conn, library=library)
    except Unfit as error:
        return await _one(request, found, name, error.why, status=403)
    if shown:
        return await _one(request, found, name, shown=shown)
    return web.Response(status=303, headers={"Location": f"{_url(name)}?done=changed", "Cache-Control": "no-store"})


async def _do(
    conn: Connection, request: web.Request, actor: Actor, name: str, fields: MultiMapping[str]
) -> Shown | None:
    asked = visitor.text(fields, "do")
    auditing.deed(request).about(act=ACTS.get(asked, ""), object=name)
    match asked:
        case "give" | "take" as what:
            role, library = _role(visitor.text(fields, "role")), visitor.text(fields, "library")
            auditing.deed(request).about(do=what, role=str(role), within=library)
            if what == "take":
                await keeping.take(conn, actor, name, Grant(role=role, library=library))
                return None
            grant = keeping.grant(role, library, (await keeping.one(conn, actor, name)).library)
            separate = context.node_of(request).settings.access.duties == "separate"
            await keeping.give(conn, actor, name, grant, separate=separate)
        case "disable":
            await keeping.set_state(conn, actor, name, "disabled")
        case "enable":
            await keeping.set_state(conn, actor, name, "active")
        case "codes":
            await keeping.remove_codes(conn, actor, name)
        case "unlock":
            await keeping.unlock(conn, actor, name)
        case "reset":
            code = await keeping.issue(conn, actor, name, datetime.now(UTC))
            return Shown(what="code", text=code.reveal())
        case _:
            raise web.HTTPBadRequest
    return None


async def _keeper(request: web.Request) -> Session:
    found = await visitor.signed_in(request)
    if not (found.actor.may(Permission.ACCOUNTS) or found.actor.may(Permission.READERS)):
        raise Refused("your account doesn't look after accounts")
    return found


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError as error:
        raise web.HTTPBadRequest from error


async def _list(
    request: web.Request, found: Session, fault: str = "", typed: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    lang, now = context.lang_of(request), datetime.now(UTC)
    async with context.private(request) as conn:
        seen = await keeping.seen(conn, found.actor)
        locked = await attempts.locked(conn, [each.name for each in seen], now)
        members = await libraries.every(conn)
    names = {each.symbol: each for each in members}
    rows = [
        {
            "name": each.name,
            "title": each.title,
            "url": _url(each.name),
            "symbol": each.library,
            "library": library_name(each.library, names, lang),
            "grants": account_pages.roles(each.grants, names, lang),
            "seen": f"{each.seen_at:%Y-%m-%d}" if each.seen_at else "",
            "state": _state(each, locked=each.name in locked),
            "light": _light(each, locked=each.name in locked),
        }
        for each in seen
    ]
    response = view.page(
        request,
        "accounts.html",
        status=status,
        accounts=rows,
        fault=fault,
        fresh=found.fresh,
        confirm=view.url("/sign-in", next="/accounts"),
        typed=typed or {"name": "", "title": "", "library": found.account.library, "role": str(Role.CATALOGUER)},
        libraries=_choice(members, found.actor, lang),
        roles=_offered(found.actor),
    )
    signing_in.never_kept(response)
    return response


async def _one(
    request: web.Request, found: Session, name: str, fault: str = "", shown: Shown | None = None, status: int = 200
) -> web.Response:
    lang, now, actor = context.lang_of(request), datetime.now(UTC), found.actor
    async with context.private(request) as conn:
        account = await accounts.find(conn, name)
        if account is None or not giving.may_add(actor, account.kind, account.library):
            raise NotFound(f"there is no account named {name}")
        locked = bool(await attempts.locked(conn, [account.name], now))
        members = await libraries.every(conn)
    names = {each.symbol: each for each in members}
    done = request.query.get("done", "")
    response = view.page(
        request,
        "one_account.html",
        status=status,
        account=account,
        library=library_name(account.library, names, lang),
        grants=account_pages.roles(account.grants, names, lang),
        state=_state(account, locked=locked),
        light=_light(account, locked=locked),
        seen=f"{account.seen_at:%Y-%m-%d %H:%M} UTC" if account.seen_at else "",
        made=f"{account.made_at:%Y-%m-%d}",
        own=account.account == actor.account,
        manageable=account.account != actor.account and giving.may_manage(actor, account),
        libraries=_choice(members, actor, lang),
        roles=_offered(actor, account.kind),
        fault=fault,
        done=done if done in DONE else "",
        shown=shown,
    )
    signing_in.never_kept(response)
    return response


def _offered(actor: Actor, kind: str = "") -> list[str]:
    """Roles that the actor may give at all, the duties last; `kind`: only those of readers, or of staff."""
    everywhere = actor.reach(Permission.ACCOUNTS).everywhere
    fitting = [each for each in Role if not kind or (each is Role.READER) == (kind == "reader")]
    return [str(each) for each in fitting if everywhere or each not in DUTIES]


def _choice(members: Sequence[Library], actor: Actor, lang: str) -> list[dict[str, str]]:
    names = {each.symbol: each for each in members}
    return [
        {"symbol": each.symbol, "name": library_name(each.symbol, names, lang)}
        for each in members
        if each.state == "active" and giving.may_add(actor, "reader", each.symbol)
    ]


def _state(account: Account, *, locked: bool) -> str:
    if not account.active:
        return "disabled"
    return "locked" if locked else "new" if account.must_change else "active"


def _light(account: Account, *, locked: bool) -> str:
    return {"disabled": "none", "locked": "trouble", "new": "suspended", "active": "active"}[
        _state(account, locked=locked)
    ]


def _url(name: str) -> str:
    return f"/accounts/{quote(name, safe='')}"
