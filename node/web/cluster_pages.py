"""A cluster as a cataloguer looks into it: why its records are one, why another is not, and what was decided."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aiohttp import web

from catalog.model import Verdict
from config.errors import Conflict, NotFound
from node.web import auditing, context, permits, view, visitor
from node.web.inputs import numbered, reasoned
from node.web.middleware import BadInput
from services.access.policy import Permission
from services.deciding import basing, comparing, deciding, inside, sides, told
from services.deciding.inside import Inside
from services.delivery import giving, rows

LONGEST_ID = 300
LONGEST_WHY = 500
MOST_RECORDS = 200  # that one form names
ACTS = {"split": "cluster.split", "base": "cluster.base", "policy": "cluster.base", "undo": "cluster.undo"}
LIGHTS = {"due": "flowing", "done": "active", "undue": "flowing", "undone": "suspended", "void": "trouble"}


def url(ident: str, **parameters: object) -> str:
    """The address of a cluster's page."""
    return view.url(f"/clusters/{quote(ident, safe='')}", **parameters)


async def page(request: web.Request) -> web.StreamResponse:
    """The cluster; with `other` beside another one, or a record."""
    symbol, lang = context.node_of(request).symbol, context.lang_of(request)
    ident, other = request.match_info["id"], request.query.get("other", "").strip()
    if max(len(ident), len(other)) > LONGEST_ID or not (ident + other).isprintable():
        raise BadInput("A cluster is named by its id, a record by source/local id.")
    async with context.private(request) as conn:
        found = await inside.look(conn, symbol, ident)
        edges = await inside.edges(conn, found.members)
    done = request.query.get("done", "")
    response = view.page(
        request,
        "cluster.html",
        cluster=found.side.id,
        record_url=view.record_url(found.side.id),
        members=[
            {"name": each.name, "library": each.library, "base": each.name == found.base} for each in found.members
        ],
        base=giving.base(found.base, found.base_by, lang),
        chosen=found.base_by == "pinned",
        edges=[{"records": e.records, "score": e.score, "why": told.sentences(e.reasons, lang)} for e in edges],
        related=[
            {"id": each.cluster, "url": url(each.cluster), "why": told.sentences(each.reasons, lang)}
            for each in found.relations
        ],
        conflicts=[told.conflict(symbol, one) for one in found.conflicts],
        decisions=_decisions(found),
        other=other,
        pair=await _pair(request, found, other) if other else None,
        may_decide=permits.actor_of(request).may(Permission.CHANGE),
        done=done if done in ACTS else "",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def act(request: web.Request) -> web.StreamResponse:
    """Split, choose the base, leave it to the policy, take a decision back."""
    fields = await visitor.form(request)
    do, ident, why = (visitor.text(fields, name).strip() for name in ("do", "id", "why"))
    records = [each for each in fields.getall("record", []) if isinstance(each, str)]
    if do not in ACTS or not 0 < len(ident) <= LONGEST_ID or len(records) > MOST_RECORDS:
        raise web.HTTPBadRequest
    reasoned(why)
    if do in ("split", "base") and not records:
        raise BadInput("Tick the records that are meant.")
    node, deed, actor = context.node_of(request), auditing.deed(request), permits.actor_of(request)
    given: dict[str, Any] = {"why": why[:LONGEST_WHY], "within": actor.reach(Permission.CHANGE).within}
    deed.about(act=ACTS[do], object=ident, record=records, why=why)
    async with node.database.transaction() as conn:
        match do:
            case "split":
                made = await deciding.split(conn, node.symbol, ident, records, who=actor.name, **given)
                await deed.done(conn, decision=made.decision)
            case "undo":
                taken = await deciding.undo(conn, _decision(visitor.text(fields, "decision")), who=actor.name, **given)
                await deed.done(conn, decision=taken.decision)
            case "base":
                if len(records) > 1:
                    raise BadInput("One record is the base: tick that one alone.")
                side = await basing.choose(conn, node.symbol, records[0], who=actor.name, **given)
                await deed.done(conn, cluster=side.id)
            case _:
                await basing.leave(conn, node.symbol, ident, **given)
                await deed.done(conn, cluster=ident)
    return web.Response(status=303, headers={"Location": url(ident, done=do), "Cache-Control": "no-store"})


async def _pair(request: web.Request, found: Inside, other: str) -> dict[str, Any] | None:
    """The cluster and another one side by side; None if there is no such thing."""
    node, lang = context.node_of(request), context.lang_of(request)
    try:
        async with context.private(request) as conn:
            side = await sides.find(conn, node.symbol, other)
    except NotFound:
        return None
    if side.record == found.side.record:
        raise Conflict(f"{other} is the record that stands for this cluster: name another one")
    # What the matcher reads is no visitor's to read; of these two records it may be told, for both may be seen.
    async with node.database.connection() as conn:
        compared = await comparing.compare(conn, found.side, side)
    plain = told.pair(found.side, side, compared, rows.beside(*compared.described, lang), lang)
    return plain | {"url": url(side.id), "kinds": () if compared.together else ("join", Verdict.APART.value, "link")}


def _decisions(found: Inside) -> list[dict[str, Any]]:
    return [
        told.decision(one, found.names)
        | {"at": f"{one.at:%Y-%m-%d}", "light": LIGHTS[one.state], "holds": one.state in ("due", "done")}
        for one in found.decisions
    ]


def _decision(text: str) -> int:
    if (number := numbered(text)) is None:
        raise web.HTTPBadRequest
    return number
