"""Pairs that a person must judge: two records side by side, what the rules say, and a form to decide."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from catalog import authority_conflicts, decisions
from catalog.authority_conflicts import Contradiction
from catalog.connection import Connection
from catalog.model import cluster_id
from config.errors import NotFound
from dms.match import reasons
from node.web import auditing, context, permits, view, visitor
from node.web.inputs import number, reasoned
from services.access.policy import Permission
from services.deciding import comparing, deciding, settling
from services.delivery import rows

SIZE = 10  # pairs on a page
KINDS = ("join", "apart", "link")
SETTLE = "settle"
LONGEST_ID = 300
LAST = (1 << 62) - 1


async def page(request: web.Request) -> web.StreamResponse:
    """Pairs that wait, the likeliest first."""
    reach = context.reach(request)
    node = context.node_of(request)
    lang = context.lang_of(request)
    async with context.private(request) as conn:
        found = await decisions.waiting(conn, SIZE, after=_after(request), libraries=reach.within)
        clashes = await authority_conflicts.listing(conn, SIZE, libraries=reach.within)
        pairs = [await _pair(conn, node.symbol, row, lang) for row in found]
    last = found[-1] if len(found) == SIZE else None
    done = request.query.get("done", "")
    response = view.page(
        request,
        "review.html",
        pairs=pairs,
        clashes=[_clash(node.symbol, one) for one in clashes],
        more=view.url("/review", score=last["score"], a=last["a"], b=last["b"]) if last else "",
        may_decide=permits.actor_of(request).may(Permission.CHANGE),
        done=done if done in (*KINDS, SETTLE) else "",
        kinds=KINDS,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def decide(request: web.Request) -> web.StreamResponse:
    """Put a decision on a pair; the matcher carries it out."""
    fields = await visitor.form(request)
    kind, a, b, why = (visitor.text(fields, name).strip() for name in ("do", "a", "b", "why"))
    if kind not in KINDS or not a or not b or max(len(a), len(b)) > LONGEST_ID:
        raise web.HTTPBadRequest
    reasoned(why)
    node, reach = context.node_of(request), context.reach(request)
    deed = auditing.deed(request)
    deed.about(act=f"cluster.{kind}", object=a, other=b, why=why)
    within = reach.within
    async with node.database.transaction() as conn:
        made = await deciding.between(
            conn, node.symbol, kind, a, b, who=permits.actor_of(request).name, why=why, within=within
        )
        await deed.done(conn, decision=made.decision, library=made.library)
    return web.Response(status=303, headers={"Location": view.url("/review", done=kind), "Cache-Control": "no-store"})


async def settle(request: web.Request) -> web.StreamResponse:
    """Say what became of a conflict of authority ids."""
    fields = await visitor.form(request)
    number_, why = (visitor.text(fields, name).strip() for name in ("conflict", "why"))
    if not number_.isdecimal() or int(number_) > LAST:
        raise web.HTTPBadRequest
    reasoned(why)
    node, reach = context.node_of(request), context.reach(request)
    deed = auditing.deed(request)
    deed.about(object=number_, why=why)
    within = reach.within
    async with node.database.transaction() as conn:
        one = await settling.settle(conn, int(number_), who=permits.actor_of(request).name, why=why, within=within)
        await deed.done(conn, file=one.file, ids=[one.id_a, one.id_b])
    return web.Response(status=303, headers={"Location": view.url("/review", done=SETTLE), "Cache-Control": "no-store"})


def _clash(symbol: str, one: Contradiction) -> dict[str, Any]:
    return {
        "number": one.conflict,
        "record": view.record_url(cluster_id(symbol, one.cluster)),
        "field": f"{one.tag} {one.heading}",
        "file": one.file,
        "sides": [(one.a, one.library_a, one.id_a), (one.b, one.library_b, one.id_b)],
    }


async def _pair(conn: Connection, symbol: str, row: Any, lang: str) -> dict[str, Any]:
    names = [f"{row[f'name_{side}']}/{row[f'local_id_{side}']}" for side in "ab"]
    told: dict[str, Any] = {"a": names[0], "b": names[1], "score": row["score"], "lines": [], "records": []}
    told["libraries"] = [row["library_a"], row["library_b"]]
    told["reasons"] = [(reasons.text(rule, lang), points) for rule, points in reasons.unpack(row["reasons"])]
    try:
        left, right = [
            await comparing.description(conn, (row[f"source_{side}"], row[f"local_id_{side}"])) for side in "ab"
        ]
    except NotFound:  # it went while we looked
        return told
    told["records"] = [view.record_url(cluster_id(symbol, row[f"cluster_{side}"])) for side in "ab"]
    return {**told, "lines": rows.beside(left, right, lang)}


def _after(request: web.Request) -> tuple[int, int, int] | None:
    if "score" not in request.query:
        return None
    return (
        number(request.query, "score", 0, -100_000, 100_000),
        number(request.query, "a", 0, 0, LAST),
        number(request.query, "b", 0, 0, LAST),
    )
