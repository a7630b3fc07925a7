"""The page for copy cataloguing: ask other catalogues, look at what they have in MARC, make one the library's."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from catalog.model import LoadState
from config import sentences
from config.errors import Conflict, NotFound
from node.web import context, copy_asking, permits, view, visitor
from node.web.copy_asking import Saved, Seen
from node.web.middleware import BadInput
from services.access.policy import Permission
from services.copying import candidates, queries, taking
from services.delivery import render

SHOWN = 10  # candidates


async def page(request: web.Request) -> web.StreamResponse:
    """The form, and what was found if something was asked."""
    typed, names = request.query.get("q", "").strip(), request.query.getall("from", [])
    library = copy_asking.library_of(request, request.query.get("library", ""))
    fault, seen = "", None
    if typed:
        try:
            seen = await copy_asking.look(request, library, copy_asking.query_of(typed), names)
        except (BadInput, NotFound, Conflict) as error:
            fault = str(error)
    return await _page(request, library, typed, names, seen=seen, fault=fault)


async def save(request: web.Request) -> web.StreamResponse:
    """Make the record that was chosen one of the library's."""
    fields = await visitor.form(request)
    typed, name, number, library = (visitor.text(fields, each).strip() for each in ("q", "target", "number", "library"))
    library = copy_asking.library_of(request, library)
    asked = copy_asking.query_of(typed)
    if not name or not number:
        raise web.HTTPBadRequest
    saved = await copy_asking.save(request, library, asked, name, number)
    return await _page(request, library, typed, [name], saved=saved)


async def _page(
    request: web.Request,
    library: str,
    typed: str,
    names: list[str],
    *,
    seen: Seen | None = None,
    saved: Saved | None = None,
    fault: str = "",
) -> web.StreamResponse:
    known, own = await copy_asking.places(request)
    lang = context.lang_of(request)
    response = view.page(
        request,
        "copy.html",
        status=400 if fault else 200,
        typed=typed,
        longest_query=queries.LONGEST,
        targets=[{"name": each.name, "chosen": not names or each.name in names} for each in known],
        libraries=own,
        library=library,
        fault=sentences.told(fault, lang),
        saved=_saved(saved, lang) if saved else None,
        outcomes=_outcomes(seen, lang) if seen else [],
        candidates=await _candidates(seen) if seen else [],
        by=seen.sought.choice.by if seen else "",
        notes=[sentences.told(note, lang) for note in seen.sought.notes[:SHOWN]] if seen else (),
        asked=seen is not None,
        may_look=permits.actor_of(request).may(Permission.LOOK),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _outcomes(seen: Seen, lang: str) -> list[dict[str, Any]]:
    return [
        {
            "target": each.target.name,
            "hits": each.answer.hits if each.answer else None,
            "trouble": sentences.told(each.trouble, lang),
            "seconds": f"{each.seconds:.1f}",
        }
        for each in seen.sought.outcomes
    ]


async def _candidates(seen: Seen) -> list[dict[str, Any]]:
    found = []
    for each, copied in await copy_asking.shown(seen, SHOWN):
        found.append(
            {
                **candidates.told(each),
                "lines": render.lines(copied.record) if copied else [],
                "leader": copied.record.leader.replace(" ", "#") if copied else "",
                "dropped": ", ".join(dict.fromkeys(tag for tag, _ in copied.dropped)) if copied else "",
                **(taking.counts([copied]) if copied else {"local": 0, "lost": 0}),
            }
        )
    return found


def _saved(saved: Saved, lang: str) -> dict[str, Any]:
    load = saved.load
    state = "done" if load.state is LoadState.DONE else "waiting" if load.state not in copy_asking.OVER else "failed"
    if state == "done" and load.returned:
        state = "returned"
    return {
        "state": state,
        "id": f"{saved.source}/{saved.copied.number}",
        "source": saved.source,
        "load": load.load,
        "reason": sentences.told(load.reason, lang),
    }
