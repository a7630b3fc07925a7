"""What came back, for the staff of its library: by rule and source, one record with what is wrong, and what to do."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aiohttp import web

from catalog import bodies, libraries, loads, quarantine, sources
from catalog.connection import Connection
from catalog.model import LoadState, Source
from config import sentences
from config.errors import BadRecord, NotFound
from dms import quality_scope
from dms.rules import catalogue
from dms.rules.model import Profile
from node.web import auditing, context, permits, returning, sourced, view, visitor
from node.web.inputs import number, numbered
from node.web.labels import library_name
from services.access.policy import Permission
from services.returning import files, helping, previews, shown

SIZE = 50  # cases on a page
PREVIEWS = 3  # mended records that are shown before the fix is made
LAST = (1 << 62) - 1
LONGEST_RULE = 80
TYPES = {"raw": "application/octet-stream", "marc": "application/marc", "csv": "text/csv; charset=utf-8"}
ENDINGS = {"raw": "txt", "marc": "mrc", "csv": "csv"}


async def overview(request: web.Request) -> web.StreamResponse:
    """Counts by rule and source, and loads that are held whole."""
    reach = context.reach(request)
    lang = context.lang_of(request)
    async with context.private(request) as conn:
        groups = await quarantine.groups(conn, within=reach.within)
        helps = await helping.by_group(conn, groups, source=None, within=reach.within)
        held = [each for each in await loads.in_state(conn, LoadState.HELD) if reach.holds(each.library)]
        names = {each.symbol: each for each in await libraries.every(conn)}
        systems = {int(each.no): each.name for each in await sources.every(conn)}
    rows = [
        {
            "source": row["source"],
            "library": library_name(row["library"], names, lang),
            "rule": row["rule"],
            "text": shown.heading(row["rule"], lang),
            "verdict": row["verdict"],
            "count": row["n"],
            "running": row["running"],
            "help": helps.get((row["source"], row["rule"])),
            "at": f"{row['at']:%Y-%m-%d}",
            "url": _url(row["source"], row["rule"]),
        }
        for row in groups
    ]
    waiting = [
        {"load": each.load, "source": systems.get(each.source, ""), "origin": each.origin}
        | {"reason": sentences.told(each.reason, lang)}
        for each in held
    ]
    response = view.page(request, "returns.html", groups=rows, held=waiting, done=_done(request))
    response.headers["Cache-Control"] = "no-store"
    return response


async def group(request: web.Request) -> web.StreamResponse:
    """What one rule returned from one source: the cases, and the first of them mended where it has a fix."""
    lang, rule = context.lang_of(request), _rule(request)
    before = number(request.query, "before", 0, 0, LAST) or None
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
        groups = [row for row in await quarantine.groups(conn, source=source.no) if row["rule"] == rule]
        if not groups:
            raise NotFound("nothing came back by this rule")
        listed = await quarantine.listing(conn, source=source.no, rule=rule, limit=SIZE, before=before)
        profile = await quality_scope.of_library(conn, source.library)
        cases = await quarantine.some(conn, [each["id"] for each in listed])
        previewed = await _previews(conn, source, rule, lang) if shown.mendable(rule) and not before else []
        helps = await helping.by_group(conn, groups, source=int(source.no), within=None)
    known = catalogue.rules().get(rule)
    response = view.page(
        request,
        "return_group.html",
        source=source,
        rule=rule,
        text=shown.heading(rule, lang),
        reference=known.reference if known else "",
        total=sum(row["n"] for row in groups),
        running=sum(row["running"] for row in groups),
        cases=[
            {
                **dict(each),
                "why": previews.reason(each, profile, lang),
                "place": shown.where(each, lang),
                "url": _path(source, f"records/{each['id']}"),
            }
            for each in cases
        ],
        more=_url(source.name, rule, before=cases[-1]["id"]) if len(cases) == SIZE else "",
        mendable=shown.mendable(rule),
        help=helps.get((source.name, rule)),
        previews=previewed,
        may_load=permits.actor_of(request).may(Permission.LOAD, source.library),
        files={to: view.url(_path(source, "file"), rule=rule, to=to) for to in TYPES},
        action=_path(source, "do"),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def do(request: web.Request) -> web.StreamResponse:
    """Mend, read again or forget all that a rule returned from a source."""
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
    fields = await visitor.form(request)
    asked, rule = visitor.text(fields, "do"), visitor.text(fields, "rule")
    if asked not in returning.ACTS or not rule or (asked == "fix" and not shown.mendable(rule)):
        raise web.HTTPBadRequest
    loads, _ = await returning.carry_out(request, source, asked, rule)
    return _back("begun" if loads else "dropped")


async def case(request: web.Request) -> web.StreamResponse:
    """One record with its fields and what is wrong in them."""
    ident = request.match_info["case"]
    if (asked := numbered(ident)) is None:
        raise NotFound(f"there is no case {ident}")
    lang = context.lang_of(request)
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
        found = await quarantine.get(conn, asked)
        if found["source"] != source.no:
            raise NotFound(f"there is no case {ident}")
        profile = await quality_scope.of_library(conn, source.library)
    told = _told(found, profile, lang)
    response = view.page(
        request,
        "one_return.html",
        case={**found, "place": shown.where(found, lang)},
        source=source,
        back=_url(source.name, found["rule"]),
        text=shown.heading(found["rule"], lang),
        why=previews.reason(found, profile, lang),
        **told,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def file(request: web.Request) -> web.StreamResponse:
    """The records as they came, as MARC, or as a table with the reasons."""
    to = request.query.get("to", "csv")
    if to not in TYPES:
        raise web.HTTPBadRequest
    rule = _rule(request)
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
    node = context.node_of(request)
    async with node.database.transaction() as conn:
        await auditing.deed(request).done(conn, object=source.name, library=source.library, rule=rule)
    response = web.StreamResponse(
        headers={
            "Content-Type": TYPES[to],
            "Content-Disposition": f'attachment; filename="returns.{ENDINGS[to]}"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    within = context.reach(request).within
    async with context.private(request) as conn:
        pieces = files.pieces(conn, to, context.lang_of(request), source=source.no, rule=rule or None, within=within)
        async for piece in pieces:
            await response.write(piece)
    await response.write_eof()
    return response


async def _previews(conn: Connection, source: Source, rule: str, lang: str) -> list[dict[str, Any]]:
    """The first records, before and after."""
    profile = await quality_scope.of_library(conn, source.library)
    told: list[dict[str, Any]] = []
    async for row in quarantine.bodies(conn, source=source.no, rule=rule):
        try:
            found = previews.preview(previews.opened(row), profile, (rule,))
        except BadRecord:
            continue
        changes = [(each.tag, *shown.change(each)) for each in found.receipts]
        told.append(
            {
                "id": row["local_id"] or shown.where(row, lang),
                "changes": changes,
                "passes": found.passes,
                "left": shown.problems(found.errors, lang),
            }
        )
        if len(told) == PREVIEWS:
            break
    return told


def _told(found: Any, profile: Profile, lang: str) -> dict[str, Any]:
    try:
        opened = previews.opened(found)
    except BadRecord:
        raw = bodies.grow(found["body"])
        return {"lines": [], "problems": [], "raw": raw[: shown.LONGEST].decode("utf-8", "backslashreplace")}
    preview = previews.preview(opened, profile, ())
    return {
        "lines": shown.lines(opened.record, preview.findings),
        "problems": shown.problems(preview.findings, lang),
        "raw": "",
    }


def _rule(request: web.Request) -> str:
    return request.query.get("rule", "")[:LONGEST_RULE]


def _path(source: Source, what: str) -> str:
    return f"/returns/{quote(source.name, safe='')}/{what}"


def _url(source: str, rule: str, **more: object) -> str:
    return view.url(f"/returns/{quote(source, safe='')}", rule=rule, **more)


def _done(request: web.Request) -> str:
    done = request.query.get("done", "")
    return done if done in ("begun", "dropped") else ""


def _back(done: str) -> web.Response:
    return web.Response(status=303, headers={"Location": view.url("/returns", done=done), "Cache-Control": "no-store"})
