"""The pages of batch changes: a form, what it would do, how far one is, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from catalog import batches
from catalog.batches import Batch
from catalog.search.port import BadQuery
from config import sentences
from config.errors import NotFound
from dms.rules import catalogue
from node.web import batch_asking, context, permits, view, visitor
from node.web.batch_api import batch_number
from node.web.inputs import numbered
from node.web.middleware import BadInput
from services.access.policy import Permission
from services.cataloguing import batch_told

SIZE = 50  # batches, records of one
REFRESH = "3"  # seconds between looks at one that is under way
LONGEST_WHY = 500
MOST_LINES = 5000
LIGHTS = {"due": "flowing", "done": "active", "undue": "flowing", "undone": "suspended"}
RECORD_LIGHTS = {"changed": "active", "offered": "flowing", "due": "flowing", "refused": "trouble", "kept": "trouble"}
DO = ("preview", "make")
EMPTY = {"way": batch_asking.SELECT, "which": "", "rule": "", "change": "", "why": ""}


async def page(request: web.Request) -> web.StreamResponse:
    """The form for a new one, and those that were made."""
    return await _form(request, EMPTY)


async def new(request: web.Request) -> web.StreamResponse:
    """What a change would do, or the change."""
    fields = await visitor.form(request)
    do, way, rule, why = (visitor.text(fields, name).strip() for name in ("do", "way", "rule", "why"))
    which, lines = (visitor.lines(fields, name, MOST_LINES) for name in ("which", "change"))
    if do not in DO:
        raise web.HTTPBadRequest
    given = {"way": way, "which": "\n".join(which), "rule": rule, "change": "\n".join(lines), "why": why}
    try:
        asked = batch_asking.read(way, given["which"], rule, tuple(lines))
        if do == "make":
            made = await batch_asking.make(request, asked, why[:LONGEST_WHY])
            return _to(made.batch)
        seen = await batch_asking.preview(request, asked)
    except (BadInput, NotFound, BadQuery) as error:  # what was typed stays
        return await _form(request, given, fault=sentences.told(str(error), context.lang_of(request)))
    return await _form(request, given, batch_told.preview(seen))


async def one(request: web.Request) -> web.StreamResponse:
    """One batch and its records."""
    within = context.reach(request).within
    state = request.query.get("state", "")
    states = [state] if state in (*batches.STATES, "superseded") else batches.STATES
    async with context.private(request) as conn:
        found = await batches.get(conn, batch_number(request), within=within)
        counts = (await batches.counts(conn, [found.batch]))[found.batch]
        rows = await batches.listing(conn, found.batch, states, SIZE, within)
        reasons = await batches.reasons(conn, found.batch)
        waits = await batches.blocked(conn, found)
    running = found.state in ("due", "undue")
    undoable = found.state == "done" or (found.state == "undone" and bool(counts.get("kept")))
    records = [batch_told.record(row) for row in rows]
    lang = context.lang_of(request)
    response = view.page(
        request,
        "one_batch.html",
        batch=_shown(found, counts, lang),
        change=batch_told.change(found),
        counts=[(name, counts[name]) for name in batch_told.COUNTED if counts.get(name)],
        state=state if state in states else "",
        records=[
            each
            | {"light": RECORD_LIGHTS.get(each["state"], "suspended"), "reason": sentences.told(each["reason"], lang)}
            for each in records
        ],
        reasons=[(state, sentences.told(reason, lang), count) for state, reason, count in reasons],
        waits=waits,
        running=running,
        most=SIZE,
        may_undo=undoable and permits.actor_of(request).may(Permission.CHANGE),
    )
    response.headers["Cache-Control"] = "no-store"
    if running:
        response.headers["Refresh"] = REFRESH
    return response


async def undo(request: web.Request) -> web.StreamResponse:
    """Take one back."""
    fields = await visitor.form(request)
    number, why = (visitor.text(fields, name).strip() for name in ("batch", "why"))
    if (asked := numbered(number)) is None:
        raise web.HTTPBadRequest
    taken = await batch_asking.undo(request, asked, why[:LONGEST_WHY])
    return _to(taken.batch)


def _shown(batch: Batch, counts: Mapping[str, int], lang: str) -> batch_told.Plain:
    plain = batch_told.batch(batch, counts)
    told = {name: sentences.told(plain[name], lang) for name in ("selection", "why")}
    return plain | told | {"at": f"{batch.at:%Y-%m-%d %H:%M}", "light": LIGHTS[batch.state]}


def _to(batch: int) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/batches/{batch}", "Cache-Control": "no-store"})


async def _form(
    request: web.Request, given: dict[str, str], preview: batch_told.Plain | None = None, fault: str = ""
) -> web.StreamResponse:
    within = context.reach(request).within
    async with context.private(request) as conn:
        found = await batches.recent(conn, SIZE, within)
        counts = await batches.counts(conn, [each.batch for each in found])
    response = view.page(
        request,
        "batches.html",
        batches=[_shown(each, counts[each.batch], context.lang_of(request)) for each in found],
        given=given,
        preview=preview,
        fault=fault,
        status=400 if fault else 200,
        previewed=batch_asking.PREVIEWED,
        ways=batch_asking.WAYS,
        rules=sorted(catalogue.rules()),
        may_change=permits.actor_of(request).may(Permission.CHANGE),
    )
    response.headers["Cache-Control"] = "no-store"
    return response
