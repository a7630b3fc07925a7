"""Keys for programs: the page on which people make and end them, and the same at /api/keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from catalog import libraries
from catalog.connection import Connection
from catalog.model import Library
from config.errors import NotFound
from config.secret import Secret
from node.web import api, auditing, context, permits, signing_in, view, visitor
from node.web.inputs import numbered
from node.web.labels import library_name
from node.web.middleware import BadInput
from services.access import accounts, keys
from services.access.keys import Key, Unfit
from services.access.policy import ALL, Actor, Permission, Scope
from services.access.sessions import Session

DAYS = (30, 90, 180, 365)
RATES = (60, 600, 6000)  # requests a minute
FIELDS = ("title", "scopes", "days", "rate")  # of what makes a key at /api/keys


async def listed(request: web.Request) -> web.StreamResponse:
    """One's own keys, and those of accounts that one looks after; a form for another one."""
    found = await visitor.signed_in(request)
    if request.method in ("GET", "HEAD"):
        return await _list(request, found)
    fields = await visitor.form(request)
    library = visitor.text(fields, "library")
    chosen = [each for each in keys.FOR_KEYS if visitor.text(fields, f"may-{each}")]
    try:
        made, secret = await _make(
            request,
            found.actor,
            visitor.text(fields, "title"),
            [Scope(permission=each, library=ALL if each is Permission.READ else library) for each in chosen],
            _number(visitor.text(fields, "days")),
            _number(visitor.text(fields, "rate")),
        )
    except Unfit as error:
        return await _list(request, found, error.why, status=400)
    return await _list(request, found, made=made, secret=secret)


async def one(request: web.Request) -> web.StreamResponse:
    """One key: what it may, what it was used for, and its end."""
    found = await visitor.signed_in(request)
    if request.method in ("GET", "HEAD"):
        return await _one(request)
    await visitor.form(request)
    key = await _disable(request, found.actor)
    return web.Response(status=303, headers={"Location": f"/keys/{key.key}", "Cache-Control": "no-store"})


async def document(request: web.Request) -> web.StreamResponse:
    """The list for programs, and with POST a new key."""
    actor, now = permits.actor_of(request), datetime.now(UTC)
    if request.method in ("GET", "HEAD"):
        async with context.private(request, Permission.ACCOUNTS) as conn:
            found = await keys.within(conn, actor.reach(Permission.ACCOUNTS), actor.account)
        return api.answer({"keys": [each.shown(now) for each in found]})
    told = await _told(request)
    try:
        scopes = [keys.read_scope(each) for each in told["scopes"]]
        made, secret = await _make(request, actor, told["title"], scopes, told["days"], told["rate"])
    except Unfit as error:
        if error.why == "beyond":
            raise
        raise BadInput(str(error)) from error
    return api.answer(made.shown(now) | {"secret": secret.reveal()}, status=201)


async def single(request: web.Request) -> web.StreamResponse:
    """One key for programs; DELETE ends it."""
    actor, now = permits.actor_of(request), datetime.now(UTC)
    if request.method == "DELETE":
        await _disable(request, actor)
        return web.Response(status=204)
    async with context.private(request, Permission.ACCOUNTS) as conn:
        key = await _get(conn, request, actor)
    return api.answer(key.shown(now))


async def usage(request: web.Request) -> web.StreamResponse:
    """What a key was used for, by day and operation."""
    async with context.private(request, Permission.ACCOUNTS) as conn:
        key = await _get(conn, request, permits.actor_of(request))
        uses = await keys.usage(conn, key.key)
    return api.answer(
        {
            "key": key.key,
            "usage": [
                {"day": str(each.day), "operation": each.operation, "calls": each.calls, "refused": each.refused}
                for each in uses
            ],
        }
    )


async def _make(
    request: web.Request, actor: Actor, title: str, scopes: Sequence[Scope], days: int, rate: int
) -> tuple[Key, Secret]:
    name = actor.name.removeprefix("account:")
    async with context.node_of(request).database.transaction() as conn:
        account = await accounts.get(conn, name)
        made, secret = await keys.issue(
            conn, account, title, scopes, days=days, rate=rate, by=actor.name, now=datetime.now(UTC)
        )
        await auditing.deed(request).done(
            conn,
            object=f"{name}/{made.prefix}",
            library=made.library,
            scopes=[keys.written(each) for each in made.scopes],
            days=days,
            rate=rate,
        )
    return made, secret


async def _disable(request: web.Request, actor: Actor) -> Key:
    async with context.node_of(request).database.transaction() as conn:
        key = await _get(conn, request, actor)
        await keys.disable(conn, key.key, actor.name, datetime.now(UTC))
        deed = auditing.deed(request)
        deed.about(act="key.disable")
        await deed.done(conn, object=f"{key.account}/{key.prefix}", library=key.library)
    return key


async def _get(conn: Connection, request: web.Request, actor: Actor) -> Key:
    key = numbered(request.match_info["key"])
    if key is None:
        raise NotFound(f"there is no key {request.match_info['key']}")
    return await keys.one(conn, key, actor.reach(Permission.ACCOUNTS), actor.account)


async def _told(request: web.Request) -> dict[str, Any]:
    """What the body of a request that makes a key says. BadInput says what is wrong with it."""
    try:
        body: object = json.loads(await request.text())
    except (ValueError, RecursionError, LookupError) as error:
        raise BadInput("the body must be a JSON object") from error
    if not isinstance(body, dict) or set(body) - set(FIELDS):
        raise BadInput(f"the body must be a JSON object with no other members than {', '.join(FIELDS)}")
    told: dict[str, Any] = {"title": None, "scopes": None, "days": keys.USUAL.days, "rate": keys.RATE} | body
    scopes = told["scopes"]
    if not isinstance(told["title"], str) or not isinstance(scopes, list):
        raise BadInput("title must be a text, and scopes a list of texts such as look@CN-TJU")
    if not all(isinstance(each, str) for each in scopes):
        raise BadInput("each scope is a text such as look@CN-TJU")
    if not all(type(told[name]) is int for name in ("days", "rate")):
        raise BadInput("days and rate are whole numbers")
    return told


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


async def _list(
    request: web.Request,
    found: Session,
    fault: str = "",
    made: Key | None = None,
    secret: Secret | None = None,
    status: int = 200,
) -> web.Response:
    lang, now, actor = context.lang_of(request), datetime.now(UTC), found.actor
    async with context.private(request, Permission.ACCOUNTS) as conn:
        rows = await keys.within(conn, actor.reach(Permission.ACCOUNTS), actor.account)
        members = await libraries.every(conn)
    response = view.page(
        request,
        "keys.html",
        status=status,
        keys=[_row(each, now) for each in rows],
        own=found.account.name,
        fault=fault,
        fresh=found.fresh,
        confirm=view.url("/sign-in", next="/keys"),
        permissions=[str(each) for each in keys.FOR_KEYS if actor.may(each)],
        libraries=_choice(members, actor, lang),
        days=DAYS,
        usual=keys.USUAL.days,
        rates=RATES,
        made=made,
        secret=secret.reveal() if secret else "",
    )
    signing_in.never_kept(response)
    return response


async def _one(request: web.Request) -> web.Response:
    actor, now = permits.actor_of(request), datetime.now(UTC)
    async with context.private(request, Permission.ACCOUNTS) as conn:
        key = await _get(conn, request, actor)
        uses = await keys.usage(conn, key.key)
    response = view.page(request, "one_key.html", key=_row(key, now), uses=uses)
    signing_in.never_kept(response)
    return response


def _row(key: Key, now: datetime) -> dict[str, object]:
    state = key.state(now)
    return {
        "key": key.key,
        "url": f"/keys/{key.key}",
        "account": key.account,
        "title": key.title,
        "prefix": key.prefix,
        "scopes": [(str(each.permission), each.library) for each in key.scopes],
        "rate": key.rate,
        "made": f"{key.made_at:%Y-%m-%d}",
        "made_by": key.made_by,
        "until": f"{key.until:%Y-%m-%d}",
        "used": f"{key.used_at:%Y-%m-%d %H:%M}" if key.used_at else "",
        "state": state,
        "light": {"active": "active", "disabled": "none", "expired": "suspended"}[state],
    }


def _choice(members: Sequence[Library], actor: Actor, lang: str) -> list[dict[str, str]]:
    """Libraries that a key can be bound to: where the account may anything but read."""
    names = {each.symbol: each for each in members}
    return [
        {"symbol": each.symbol, "name": library_name(each.symbol, names, lang)}
        for each in members
        if any(actor.may(one, each.symbol) for one in keys.FOR_KEYS if one is not Permission.READ)
    ]
