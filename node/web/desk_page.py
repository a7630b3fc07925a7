"""The staff's way in: what waits for somebody, and the newest loads of the libraries that one works for."""

from __future__ import annotations

from aiohttp import web

from catalog import corrections, decisions, libraries, loads, quarantine, sources, submissions
from catalog.model import LoadState
from config import sentences
from node.web import context, view
from node.web.labels import library_name

MANY = 100  # pairs that are counted
LOADS = 10  # that are listed
LIGHTS = {
    LoadState.DONE: "active",
    LoadState.HELD: "trouble",
    LoadState.FAILED: "trouble",
    LoadState.UNDONE: "suspended",
}


async def page(request: web.Request) -> web.StreamResponse:
    """Counts that lead to the pages where something is done, and loads with what became of them."""
    reach, lang = context.reach(request), context.lang_of(request)
    within = reach.within
    async with context.private(request) as conn:
        back = await quarantine.groups(conn, within=within)
        pairs = len(await decisions.waiting(conn, MANY + 1, libraries=within))
        offered = await corrections.listing(conn, within=within)
        handed_in = await submissions.waiting(conn, within=within)
        newest = await loads.recent(conn, LOADS, within=within)
        systems = {int(each.no): each.name for each in await sources.every(conn)}
        names = {each.symbol: each for each in await libraries.every(conn)}
    response = view.page(
        request,
        "desk.html",
        returned=sum(row["n"] for row in back),
        pairs=f"{MANY}+" if pairs > MANY else str(pairs),
        corrections=len(offered),
        submissions=handed_in,
        loads=[
            {
                "load": each.load,
                "source": systems.get(each.source, ""),
                "library": library_name(each.library, names, lang),
                "origin": sentences.told(each.origin, lang),
                "at": f"{each.started_at:%Y-%m-%d %H:%M}",
                "state": each.state.value,
                "light": LIGHTS.get(each.state, "flowing"),
                "reason": sentences.told(each.reason, lang),
                **each.counts,
            }
            for each in newest
        ],
    )
    response.headers["Cache-Control"] = "no-store"
    return response
