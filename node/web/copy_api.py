"""Copy cataloguing for programs: what other catalogues have, and making one of it a library's record."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from node.web import api, copy_asking
from node.web.posted import posted
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


_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


_MADE: dict[str, Any] = {
    "record": {**_TEXT, "description": "as it would be saved, a field a line; empty if it can't be converted"},
    "dropped": {"type": "array", "items": _TEXT, "description": "tags of fields that are another library's"},
    "local": {**_COUNT, "description": "subfields that went to local fields"},
    "lost": {**_COUNT, "description": "subfields that the dialect has no place for"},
}
FOUND = _object(
    library=_TEXT,
    dialect=_TEXT,
    targets={
        "type": "array",
        "items": _object(target=_TEXT, hits={"type": ["integer", "null"]}, trouble=_TEXT, milliseconds=_COUNT),
    },
    candidates={
        "type": "array",
        "items": _object(
            target=_TEXT,
            number={**_TEXT, "description": "what the target calls it"},
            score={**_COUNT, "maximum": 100},
            title=_TEXT,
            responsibility=_TEXT,
            publisher=_TEXT,
            date=_TEXT,
            isbns={"type": "array", "items": _TEXT},
            format={"type": "string", "enum": ["marc21", "cnmarc"]},
            **_MADE,
        ),
    },
    by={**_TEXT, "description": "why the first stands before the second"},
    notes={"type": "array", "items": _TEXT, "description": "of records that can't be copied"},
)
SAVED = _object(
    id={**_TEXT, "description": "source and local id"},
    library=_TEXT,
    load=_COUNT,
    state=_TEXT,
    reason=_TEXT,
    returned={**_COUNT, "description": "1 if the rules sent it back"},
    **_MADE,
)
WANTED = _object(("query", "target", "number"), query=_TEXT, target=_TEXT, number=_TEXT, library=_TEXT)
