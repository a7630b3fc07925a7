"""What the staff of a library look after, for programs: its loads, its records that came back, corrections offered.

Each within the reach of whoever asks; what is another library's is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from catalog import corrections, loads, quarantine, sources
from catalog.connection import Connection
from catalog.corrections import Entry
from catalog.loads import Load
from config.errors import NotFound
from node.web import api, auditing, context, permits
from node.web.inputs import number, numbered
from node.web.posted import posted
from services.cataloguing import patch

SIZE, MOST = 50, 200  # items of a list
LAST = 999_999_999
CASE = ("id", "source", "library", "load", "position", "ordinal", "local_id", "verdict", "rule", "reason")


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted to decide on a correction."""

    correction: str
    accept: bool
    why: str = ""  # of a refusal, for whoever offers it


async def loads_list(request: web.Request) -> web.StreamResponse:
    """Loads, the newest first; `next` says where the list goes on."""
    limit, before = _page(request)
    async with context.private(request) as conn:
        found = await loads.recent(conn, limit, within=context.reach(request).within, before=before)
        names = await _names(conn)
    more = found[-1].load if len(found) == limit else None
    return api.answer({"loads": [_load(each, names) for each in found], "next": more})


async def load(request: web.Request) -> web.StreamResponse:
    """One load."""
    asked = numbered(request.match_info["load"])
    if asked is None:
        raise NotFound(f"there is no load {request.match_info['load']}")
    async with context.private(request) as conn:
        found = await loads.get(conn, asked)
        permits.within(request, found.library)
        names = await _names(conn)
    return api.answer(_load(found, names))


async def quarantined(request: web.Request) -> web.StreamResponse:
    """Records that came back, the newest first, without their bytes; `next` says where the list goes on."""
    limit, before = _page(request)
    async with context.private(request) as conn:
        found = await quarantine.listing(
            conn, source=None, rule=None, limit=limit, within=context.reach(request).within, before=before
        )
    cases = [{name: each[name] for name in CASE} | {"at": each["at"].isoformat()} for each in found]
    return api.answer({"cases": cases, "next": found[-1]["id"] if len(found) == limit else None})


async def review(request: web.Request) -> web.StreamResponse:
    """Corrections that wait for somebody."""
    async with context.private(request) as conn:
        found = await corrections.listing(
            conn, decided=request.query.get("all") == "1", within=context.reach(request).within
        )
    return api.answer({"corrections": [_correction(context.node_of(request).symbol, each) for each in found]})


async def decide(request: web.Request) -> web.StreamResponse:
    """Accept or refuse one; `superseded` where the record is not as it was."""
    asked = posted(await request.read(), Decision, '{"correction": its id, "accept": true or false}')
    deed = auditing.deed(request)
    deed.about(object=asked.correction, verdict="accept" if asked.accept else "refuse")
    node = context.node_of(request)
    async with context.private(request) as conn:
        library = (await corrections.get(conn, asked.correction)).library
    permits.within(request, library)
    who = permits.actor_of(request).name
    async with node.database.transaction() as conn:
        state = "refused"
        if asked.accept:
            state = await corrections.accept(conn, node.symbol, asked.correction, who=who)
        else:
            await corrections.refuse(conn, asked.correction, why=asked.why, who=who)
        await deed.done(conn, library=library, state=state)
    return api.answer({"correction": asked.correction, "state": patch.state(state)})


def _page(request: web.Request) -> tuple[int, int | None]:
    return number(request.query, "limit", SIZE, 1, MOST), number(request.query, "before", 0, 0, LAST) or None


async def _names(conn: Connection) -> dict[int, str]:
    return {each.no: each.name for each in await sources.every(conn)}


def _load(load: Load, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "load": load.load,
        "source": names.get(load.source, ""),
        "library": load.library,
        "mode": load.mode,
        "state": load.state.value,
        "reason": load.reason,
        "origin": load.origin,
        **load.counts,
        "started_at": load.started_at.isoformat(),
        "finished_at": load.finished_at and load.finished_at.isoformat(),
    }


def _correction(symbol: str, entry: Entry) -> dict[str, Any]:
    offered_by, offered_to = patch.sides(symbol, entry)
    return {
        "correction": entry.id,
        "library": entry.library,
        "offered_to": offered_to,
        "offered_by": offered_by,
        "state": patch.state(entry.state),
        "record": patch.named(entry),
        **patch.told(entry.fields),
        "fields": [{"field": tag, "old": patch.shown(old), "new": patch.shown(new)} for tag, old, new in entry.fields],
        "why": entry.why,
        "who": entry.who,
        "reason": entry.reason,
        "decided_by": entry.decided_by,
        "at": entry.at.isoformat(),
        "decided_at": entry.decided_at and entry.decided_at.isoformat(),
    }
