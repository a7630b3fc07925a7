"""Corrections between libraries and nodes: what is offered to one's library, what it offers, what became of each."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from catalog import corrections
from catalog.corrections import Entry
from node.web import auditing, context, permits, view, visitor
from services.access.policy import Permission
from services.cataloguing import patch

SIZE = 100  # on the page
LONGEST_ID = 300
LONGEST = 500  # characters of a reason
VERDICTS = ("accept", "refuse")
LIGHTS = {"open": "flowing", "accepted": "active", "refused": "trouble", "superseded": "suspended"}


async def page(request: web.Request) -> web.StreamResponse:
    """Those that wait for somebody; with `all`, those that are decided too."""
    reach, node = context.reach(request), context.node_of(request)
    decided = request.query.get("all") == "1"
    async with context.private(request) as conn:
        found = await corrections.listing(conn, decided=decided, within=reach.within, limit=SIZE)
    may = permits.actor_of(request).reach(Permission.CHANGE)
    done = request.query.get("done", "")
    response = view.page(
        request,
        "corrections.html",
        corrections=[_shown(node.symbol, each, may.holds(each.library)) for each in found],
        all=decided,
        done=done if done in LIGHTS else "",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def decide(request: web.Request) -> web.StreamResponse:
    """Accept or refuse one."""
    fields = await visitor.form(request)
    ident, verdict, why = (visitor.text(fields, name).strip() for name in ("correction", "do", "why"))
    if verdict not in VERDICTS or not 0 < len(ident) <= LONGEST_ID or len(why) > LONGEST:
        raise web.HTTPBadRequest
    node = context.node_of(request)
    deed = auditing.deed(request)
    deed.about(object=ident, verdict=verdict, why=why)
    async with context.private(request) as conn:
        library = (await corrections.get(conn, ident)).library
    permits.within(request, library)
    who = permits.actor_of(request).name
    async with node.database.transaction() as conn:
        state = "refused"
        if verdict == "accept":
            state = await corrections.accept(conn, node.symbol, ident, who=who)
        else:
            await corrections.refuse(conn, ident, why=why, who=who)
        await deed.done(conn, library=library, state=state)
    address = view.url("/corrections", done=patch.state(state))
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


def _shown(symbol: str, entry: Entry, may: bool) -> dict[str, Any]:
    offered_by, offered_to = patch.sides(symbol, entry)
    state = patch.state(entry.state)
    return {
        "id": entry.id,
        "record": patch.named(entry),
        "by": offered_by,
        "to": offered_to,
        "state": state,
        "light": LIGHTS[state],
        "fields": [(tag, patch.shown(old), patch.shown(new)) for tag, old, new in entry.fields],
        "why": entry.why,
        "who": entry.who,
        "reason": entry.reason,
        "decided_by": entry.decided_by,
        "at": f"{entry.at:%Y-%m-%d %H:%M}",
        "decided_at": f"{entry.decided_at:%Y-%m-%d %H:%M}" if entry.decided_at else "",
        "may_decide": may and not entry.outward and entry.state in ("open", "stale"),
    }
