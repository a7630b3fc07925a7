"""The audit log for auditors, within the reach of each: a page, the same for programs, and a file for spreadsheets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from catalog import audit, heads
from catalog.audit import Checked, Kept, Wanted
from node.web import api, auditing, context, view
from node.web.inputs import numbered
from node.web.middleware import BadInput
from protocols import csv

SIZE = 100  # entries on a page
LONGEST = 200  # characters of a filter
OUTCOMES = ("done", "begun", "refused", "failed")
FILTERS = ("since", "until", "actor", "act", "library", "outcome")
COLUMNS = ("no", "at", "actor", "act", "object", "library", "outcome", "detail", "address", "request")
PATIENCE = 40.0  # seconds that a visitor waits for the chain to be read
_ONE = asyncio.Lock()  # reading all of it is heavy work: one after the other


async def page(request: web.Request) -> web.StreamResponse:
    """Entries, the newest first. With `verify` the whole chain is read, by those who may see all of it."""
    wanted, before = _wanted(request), _before(request)
    everywhere = context.reach(request).everywhere
    async with context.private(request) as conn:
        found = await audit.page(conn, wanted, before=before, limit=SIZE + 1)
        head = await audit.head(conn)
        alarms = await heads.alarms(conn) if everywhere else {}
    checked = await _verified(request) if everywhere and request.query.get("verify") else None
    told = {name: request.query.get(name, "") for name in FILTERS}
    more = view.url("/audit", **told, before=found[SIZE - 1].no) if len(found) > SIZE else ""
    response = view.page(
        request,
        "audit.html",
        entries=[_shown(each) for each in found[:SIZE]],
        told=told,
        outcomes=OUTCOMES,
        more=more,
        newest=view.url("/audit", **told) if before else "",
        export=view.url("/audit/export", **told),
        head=head,
        everywhere=everywhere,
        alarms=alarms,
        checked=checked,
        verify=view.url("/audit", verify="1"),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def document(request: web.Request) -> web.StreamResponse:
    """The same for programs; `next` says where the list goes on."""
    wanted, before = _wanted(request), _before(request)
    async with context.private(request) as conn:
        found = await audit.page(conn, wanted, before=before, limit=SIZE + 1)
    goes_on = found[SIZE - 1].no if len(found) > SIZE else None
    return api.answer({"entries": [_plain(each) for each in found[:SIZE]], "next": goes_on})


async def export(request: web.Request) -> web.StreamResponse:
    """All entries as CSV. That somebody took them away is an entry itself, made before the first line leaves."""
    wanted, node = _wanted(request), context.node_of(request)
    told = {name: value for name in FILTERS if (value := request.query.get(name, ""))}
    async with node.database.transaction() as conn:
        await auditing.deed(request).done(conn, **{f"with_{name}": value for name, value in told.items()})
    at = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="audit-{node.symbol}-{at}.csv"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    await response.write("".join(csv.lines([COLUMNS], mark=True)).encode())
    before: int | None = None
    while True:
        # A page at a time: no connection is held while a slow client takes its lines.
        async with context.private(request) as conn:
            found = await audit.page(conn, wanted, before=before, limit=audit.PAGE)
        if not found:
            break
        await response.write("".join(csv.lines(_cells(found))).encode())
        before = found[-1].no
    await response.write_eof()
    return response


def _wanted(request: web.Request) -> Wanted:
    reach, told = context.reach(request), {name: _text(request, name) for name in FILTERS}
    if told["outcome"] not in ("", *OUTCOMES):
        raise BadInput(f"outcome must be one of {', '.join(OUTCOMES)}.")
    until = _day(told["until"], "until")
    return Wanted(
        since=_day(told["since"], "since"),
        until=until and until + timedelta(days=1),
        actor=told["actor"],
        act=told["act"],
        library=told["library"],
        outcome=told["outcome"],
        within=reach.within,
    )


def _text(request: web.Request, name: str) -> str:
    found = request.query.get(name, "").strip()
    if len(found) > LONGEST or not found.isprintable():
        raise BadInput(f"{name} has at most {LONGEST} characters, all of them printable.")
    return found


def _day(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInput(f"{name} is a day, such as 2026-01-31.") from error


def _before(request: web.Request) -> int | None:
    text = request.query.get("before", "")
    if not text:
        return None
    if (number := numbered(text)) is None:
        raise BadInput("before is the number of an entry.")
    return number


async def _verified(request: web.Request) -> Checked | None:
    """What reading the chain found; None if that takes longer than a visitor waits."""
    try:
        async with asyncio.timeout(PATIENCE), _ONE, context.node_of(request).database.snapshot() as conn:
            return await audit.verify(conn)
    except TimeoutError:
        return None


def _plain(kept: Kept) -> dict[str, Any]:
    told = {name: getattr(kept, name) for name in COLUMNS}
    return told | {
        "at": kept.at.isoformat(timespec="milliseconds"),
        "detail": json.loads(kept.detail),
        "digest": kept.digest.hex(),
    }


def _shown(kept: Kept) -> dict[str, Any]:
    detail = json.loads(kept.detail)
    return {
        "no": kept.no,
        "at": f"{kept.at:%Y-%m-%d %H:%M:%S}",
        "actor": kept.actor,
        "act": kept.act,
        "object": kept.object,
        "library": kept.library,
        "outcome": kept.outcome,
        "detail": "  ".join(f"{name}={_flat(value)}" for name, value in detail.items()),
        "address": kept.address,
    }


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cells(found: Sequence[Kept]) -> list[list[csv.Cell]]:
    return [[each.at.isoformat() if name == "at" else getattr(each, name) for name in COLUMNS] for each in found]
