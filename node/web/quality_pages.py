"""How good the records are, for the staff of their library: by source and month, by rule, and one record as example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from catalog import libraries, quality, records
from catalog.connection import Connection
from config.errors import NotFound
from dms import quality_of
from dms.quality_texts import heading
from dms.rules.model import Receipt
from node.web import context, sourced, view
from node.web.labels import library_name
from protocols import csv
from services.quality import report
from services.quality.report import MONTHS, Quality
from services.returning import shown

LONGEST_ID = 400


async def overview(request: web.Request) -> web.StreamResponse:
    """A row a source: what stands, and how the months went."""
    lang, within = context.lang_of(request), context.reach(request).within
    async with context.private(request) as conn:
        found = await _report(conn, within)
        names = {each.symbol: each for each in await libraries.every(conn)}
    rows = [
        {
            "source": one.source,
            "library": library_name(one.library, names, lang),
            "url": _url(one.source),
            "quality": one,
            "trend": _trend(one),
        }
        for one in found
    ]
    unjudged = sum(one.records - one.judged for one in found)
    return _private(view.page(request, "quality.html", rows=rows, unjudged=unjudged, export="/quality.csv"))


async def one(request: web.Request) -> web.StreamResponse:
    """A source: its months, and the rules that found something, with examples."""
    lang = context.lang_of(request)
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
        found = next(iter(await _report(conn, None, source.name)), None)
    rules = [
        {
            "rule": rule,
            "text": heading(rule.rule, lang),
            "level": rule.level.name.lower(),
            "examples": [(local_id, _record_url(source.name, local_id)) for local_id in rule.examples],
        }
        for rule in (found.rules if found else ())
    ]
    return _private(
        view.page(
            request,
            "quality_source.html",
            source=source,
            quality=found,
            rules=rules,
            export=view.url("/quality.csv", source=source.name),
        )
    )


async def record(request: web.Request) -> web.StreamResponse:
    """A record as it is kept, what the rules say of it now, and what was mended of it."""
    lang, local_id = context.lang_of(request), request.query.get("id", "")[:LONGEST_ID]
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
        row = await records.get(conn, source.no, local_id)
        if row is None:
            raise NotFound("there is no such thing here")
        opinion = await quality_of.opinion(conn, row)
    return _private(
        view.page(
            request,
            "quality_record.html",
            source=source,
            back=_url(source.name),
            local_id=local_id,
            score=opinion.score,
            problems=shown.problems(opinion.findings, lang),
            lines=shown.lines(opinion.record, opinion.findings),
            changes=[(receipt[1], receipt[0], *shown.change(Receipt(*receipt))) for receipt in opinion.came.receipts],
        )
    )


async def export(request: web.Request) -> web.StreamResponse:
    """By month and rule, for a spreadsheet."""
    within, name = context.reach(request).within, request.query.get("source")
    async with context.private(request) as conn:
        found = await _report(conn, within, name, newest=1200)
    response = web.Response(
        text="".join(csv.lines(report.rows(found, context.lang_of(request)), mark=True)),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="quality.csv"'},
    )
    return _private(response)


async def _report(
    conn: Connection, within: frozenset[str] | None, source: str | None = None, newest: int = MONTHS
) -> list[Quality]:
    return report.report(
        await quality.standing(conn, within, source),
        await quality.months(conn, within, source),
        await quality.rules(conn, within, source),
        newest,
    )


def _trend(one: Quality) -> Sequence[dict[str, Any]]:
    return [{"month": f"{month.month:%Y-%m}", "score": month.score} for month in one.months if month.score is not None]


def _url(source: str) -> str:
    return f"/quality/{quote(source, safe='')}"


def _record_url(source: str, local_id: str) -> str:
    return view.url(f"{_url(source)}/record", id=local_id)


def _private(response: web.Response) -> web.Response:
    response.headers["Cache-Control"] = "no-store"
    return response
