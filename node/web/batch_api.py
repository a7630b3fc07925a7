"""Batch changes for programs: preview, make, progress, undo."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from catalog import batches, offering
from node.web import api, batch_asking, context
from node.web.inputs import number, numbered
from node.web.middleware import BadInput
from node.web.posted import posted
from services.cataloguing import batch_told, patch

SIZE, MOST = 50, 200  # items of a list
MOST_IDS = 5000  # that a program may post
EXAMPLE = '{"source": "a", "change": ["606$a old -> new"]}'


class Wanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which records and what is done to them: one of `query`, `source`, `ids`."""

    change: tuple[str, ...]
    query: str = ""
    source: str = ""
    ids: tuple[str, ...] = ()
    rule: str = ""
    why: str = ""


class Why(msgspec.Struct, forbid_unknown_fields=True):
    """A reason alone."""

    why: str = ""


async def preview(request: web.Request) -> web.StreamResponse:
    """What a change would do; nothing is changed."""
    asked, _ = await _asked(request)
    seen = await batch_asking.preview(request, asked)
    return api.answer(batch_told.preview(seen) | {"limit": batch_asking.PREVIEWED})


async def make(request: web.Request) -> web.StreamResponse:
    """Make it; `/api/batches/{batch}` tells how far it is."""
    asked, why = await _asked(request)
    made = await batch_asking.make(request, asked, why)
    return api.answer(batch_told.batch(made, {}))


async def listed(request: web.Request) -> web.StreamResponse:
    """Batches, the newest first."""
    limit = number(request.query, "limit", SIZE, 1, MOST)
    async with context.private(request) as conn:
        found = await batches.recent(conn, limit, context.reach(request).within)
        counts = await batches.counts(conn, [one.batch for one in found])
    return api.answer({"batches": [batch_told.batch(one, counts[one.batch]) for one in found]})


async def single(request: web.Request) -> web.StreamResponse:
    """One batch: how far it is, what was refused and why, its records."""
    limit, states = number(request.query, "limit", SIZE, 1, MOST), request.query.getall("state", ())
    if unknown := [state for state in states if state not in STATES]:
        raise BadInput(f"state is one of {', '.join(STATES)}, not {unknown[0]}.")
    async with context.private(request) as conn:
        one = await batches.get(conn, batch_number(request), within=context.reach(request).within)
        counts = (await batches.counts(conn, [one.batch]))[one.batch]
        rows = await batches.listing(conn, one.batch, states or batches.STATES, limit, context.reach(request).within)
        answers = await offering.answers(conn, one.batch)
        told: dict[str, Any] = {
            "change": batch_told.change(one),
            "answers": {patch.state(state): n for state, n in answers.items()},
            "waits_for_load": await batches.blocked(conn, one),
            "records": [batch_told.record(row) for row in rows],
        }
    return api.answer(batch_told.batch(one, counts) | told)


async def undo(request: web.Request) -> web.StreamResponse:
    """Take a batch back, as far as its fields are as it left them."""
    given = posted(await request.read(), Why, '{"why": "…"}')
    taken = await batch_asking.undo(request, batch_number(request), given.why)
    return api.answer(batch_told.batch(taken, {}))


STATES = (*batches.STATES, "superseded")


def batch_number(request: web.Request) -> int:
    """The batch in the address."""
    if (asked := numbered(request.match_info["batch"])) is None:
        raise BadInput("A batch is named by its number.")
    return asked


async def _asked(request: web.Request) -> tuple[batch_asking.Asked, str]:
    given = posted(await request.read(), Wanted, EXAMPLE)
    ways = {"query": given.query, "source": given.source, "ids": "\n".join(given.ids)}
    said = [(way, which) for way, which in ways.items() if which]
    if len(said) != 1 or len(given.ids) > MOST_IDS:
        raise BadInput(f"Say one of query, source, and ids (at most {MOST_IDS:,}).")
    return batch_asking.read(*said[0], given.rule, given.change), given.why
