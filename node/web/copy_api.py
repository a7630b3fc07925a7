"""Copy cataloguing for programs: what other catalogues have, and making one of it a library's record."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from node.web import api, copy_asking
from node.web.posted import posted
from node.web.shapes import COUNT, TEXT, TEXTS, thing
from services.copying import candidates, taking
from services.copying.taking import Copied
from services.delivery import render

EXAMPLE = '{"query": "…", "target": "…", "number": "…"}'
MOST = 10  # candidates


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Which record of which target."""

    query: str  # by which it was found
    target: str
    number: str  # what the target calls it
    library: str = ""


async def look(request: web.Request) -> web.StreamResponse:
    """Candidates, the best first, each as it would be saved."""
    library = copy_asking.library_of(request, request.query.get("library", ""))
    asked = copy_asking.query_of(request.query.get("q", ""))
    seen = await copy_asking.look(request, library, asked, request.query.getall("from", []))
    found = [candidates.told(each) | _told(copied) for each, copied in await copy_asking.shown(seen, MOST)]
    return api.answer(
        {
            "library": library,
            "dialect": seen.habits.dialect,
            "targets": [
                {
                    "target": each.target.name,
                    "hits": each.answer.hits if each.answer else None,
                    "trouble": each.trouble,
                    "milliseconds": round(1000 * each.seconds),
                }
                for each in seen.sought.outcomes
            ],
            "candidates": found,
            "by": seen.sought.choice.by,
            "notes": list(seen.sought.notes),
        }
    )


async def save(request: web.Request) -> web.StreamResponse:
    """Make it the library's; how far its load is."""
    given = posted(await request.read(), Wanted, EXAMPLE)
    library = copy_asking.library_of(request, given.library)
    saved = await copy_asking.save(request, library, copy_asking.query_of(given.query), given.target, given.number)
    load = saved.load
    return api.answer(
        {
            "id": f"{saved.source}/{saved.copied.number}",
            "library": library,
            "load": load.load,
            "state": load.state.value,
            "reason": load.reason,
            "returned": load.returned,
        }
        | _told(saved.copied)
    )


def _told(copied: Copied | None) -> dict[str, Any]:
    if copied is None:
        return {"record": "", "dropped": [], "local": 0, "lost": 0}
    return {
        "record": render.as_lines(copied.record),
        "dropped": [tag for tag, _ in copied.dropped],
        **taking.counts([copied]),
    }


_MADE: dict[str, Any] = {
    "record": {**TEXT, "description": "as it would be saved, a field a line; empty if it can't be converted"},
    "dropped": {"type": "array", "items": TEXT, "description": "tags of fields that are another library's"},
    "local": {**COUNT, "description": "subfields that went to local fields"},
    "lost": {**COUNT, "description": "subfields that the dialect has no place for"},
}
FOUND = thing(
    library=TEXT,
    dialect=TEXT,
    targets={
        "type": "array",
        "items": thing(target=TEXT, hits={"type": ["integer", "null"]}, trouble=TEXT, milliseconds=COUNT),
    },
    candidates={
        "type": "array",
        "items": thing(
            target=TEXT,
            number={**TEXT, "description": "what the target calls it"},
            score={**COUNT, "maximum": 100},
            title=TEXT,
            responsibility=TEXT,
            publisher=TEXT,
            date=TEXT,
            isbns=TEXTS,
            format={"type": "string", "enum": ["marc21", "cnmarc"]},
            **_MADE,
        ),
    },
    by={**TEXT, "description": "why the first stands before the second"},
    notes={"type": "array", "items": TEXT, "description": "of records that can't be copied"},
)
SAVED = thing(
    id={**TEXT, "description": "source and local id"},
    library=TEXT,
    load=COUNT,
    state=TEXT,
    reason=TEXT,
    returned={**COUNT, "description": "1 if the rules sent it back"},
    **_MADE,
)
WANTED = thing(("query", "target", "number"), query=TEXT, target=TEXT, number=TEXT, library=TEXT)
