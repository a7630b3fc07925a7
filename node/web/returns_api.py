"""What came back, for programs: by rule and source, case by case, a fix before it is made, and making it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from catalog import bodies, quarantine
from config.errors import BadRecord, NotFound
from dms import quality_scope
from dms.rules.model import Profile
from node.web import api, context, returning, sourced
from node.web.inputs import number
from node.web.middleware import BadInput
from node.web.posted import posted
from protocols import landed
from services.returning import helping, previews, shown

SIZE, MOST = 50, 200  # cases at once
TRIED, MOST_TRIED = 5, 50  # records on which a fix is tried
LAST = (1 << 62) - 1
LONGEST_RULE = 80
OWN = ("id", "load", "library", "local_id", "verdict", "rule", "position", "ordinal")


class Doing(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted to do with all that a rule returned from a source."""

    do: str
    rule: str


async def summary(request: web.Request) -> web.StreamResponse:
    """Counts by rule and source, with what a fix does to the first of them."""
    lang, within = context.lang_of(request), context.reach(request).within
    async with context.private(request) as conn:
        groups = await quarantine.groups(conn, within=within)
        helps = await helping.by_group(conn, groups, source=None, within=within)
    return api.answer({"groups": [_group(row, helps.get((row["source"], row["rule"])), lang) for row in groups]})


async def cases(request: web.Request) -> web.StreamResponse:
    """Cases of a source, of one rule if one is asked for, the newest first; `next` says where the list goes on."""
    lang, limit = context.lang_of(request), number(request.query, "limit", SIZE, 1, MOST)
    before = number(request.query, "before", 0, 0, LAST) or None
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
        listed = await quarantine.listing(conn, source=source.no, rule=_rule(request), limit=limit, before=before)
        profile = await quality_scope.of_library(conn, source.library)
        found = await quarantine.some(conn, [each["id"] for each in listed])
    more = found[-1]["id"] if len(found) == limit else None
    return api.answer({"cases": [_case(each, profile, lang) for each in found], "next": more})


async def preview(request: web.Request) -> web.StreamResponse:
    """What the fix of a rule would make of the first records that it returned from a source. Nothing is changed."""
    lang, rule = context.lang_of(request), _rule(request)
    limit = number(request.query, "limit", TRIED, 1, MOST_TRIED)
    if rule is None or not shown.mendable(rule):
        raise NotFound(f"the rule {rule or '?'} has no fix")
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
        profile = await quality_scope.of_library(conn, source.library)
        tried = (await quarantine.firsts(conn, {rule}, limit, source=source.no, within=None)).get(
            (source.name, rule), []
        )
    records = [_tried(each, profile, rule, lang) for each in tried]
    passing = sum(each["passes"] for each in records)
    return api.answer({"rule": rule, "tried": len(records), "passing": passing, "records": records})


async def do(request: web.Request) -> web.StreamResponse:
    """Mend, read again or forget all that a rule returned from a source. The loads are seen through by the worker."""
    async with context.private(request) as conn:
        source = await sourced.source(request, conn)
    asked = posted(await request.read(), Doing, '{"do": "fix", "rule": its id}')
    if asked.do not in returning.ACTS:
        raise BadInput(f"do is one of {', '.join(returning.ACTS)}.")
    if not asked.rule or (asked.do == "fix" and not shown.mendable(asked.rule)):
        raise BadInput("rule names one that returned records, and for a fix one that can be mended.")
    loads, dropped = await returning.carry_out(request, source, asked.do, asked.rule)
    return api.answer({"loads": loads, "dropped": dropped})


def _group(row: Mapping[str, Any], help_: helping.Help | None, lang: str) -> dict[str, Any]:
    return {
        "source": row["source"],
        "library": row["library"],
        "rule": row["rule"],
        "text": shown.heading(row["rule"], lang),
        "verdict": row["verdict"],
        "count": row["n"],
        "running": row["running"],
        "fix": help_ and help_._asdict(),
        "newest": row["at"].isoformat(),
    }


def _case(row: Mapping[str, Any], profile: Profile, lang: str) -> dict[str, Any]:
    return {
        **{name: row[name] for name in OWN},
        "place": shown.where(row, lang),
        "rows": [{"sheet": sheet, "row": at} for sheet, at in landed.places(bodies.grow(row["body"]))],
        "reason": previews.reason(row, profile, lang),
        "running": row["rerun"] is not None,
        "at": row["at"].isoformat(),
    }


def _tried(row: Mapping[str, Any], profile: Profile, rule: str, lang: str) -> dict[str, Any]:
    told = {"id": row["id"], "local_id": row["local_id"], "place": shown.where(row, lang)}
    try:
        found = previews.preview(previews.opened(row), profile, (rule,))
    except BadRecord as error:
        return told | {"passes": False, "receipts": [], "left": [], "error": str(error)}
    changes = [(each, *shown.change(each)) for each in found.receipts]
    receipts = [
        {"rule": each.rule, "tag": each.tag, "nth": each.nth, "before": before, "after": after}
        for each, before, after in changes
    ]
    left = [one._asdict() for one in shown.problems(found.errors, lang)]
    return told | {"passes": found.passes, "receipts": receipts, "left": left, "error": ""}


def _rule(request: web.Request) -> str | None:
    return request.query.get("rule", "")[:LONGEST_RULE] or None
