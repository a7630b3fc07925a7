"""`tianlu cluster show|explain|split|join|apart|link|undo|history`."""

from __future__ import annotations

import argparse
from typing import Any

from catalog import decisions
from catalog.connection import Connection
from catalog.decisions import Decision
from config.errors import Conflict
from dms import contributors_of
from node import app, attending, decided
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.deciding import basing, comparing, deciding, inside, sides, told
from services.delivery import giving, rows

NAME = "cluster"
HELP = {
    "en": "Look into a cluster, see why records are one or are not, and decide otherwise: split, join, keep apart, "
    "link. ID is a cluster id, or a record as source/local_id. What you decide holds through every later load.",
    "zh": "查看聚簇，了解记录为何合在一起或分开，并人工裁定：拆分、合并、保持分开、建立关联。"
    "ID 为聚簇号，或写作 数据源/本地号 的记录。裁定在以后的装载中一直有效。",
}
ACTS = {
    "show": None,
    "explain": None,
    "history": None,
    "split": Act(name="cluster.split", object="id", detail=("record", "why")),
    "join": Act(name="cluster.join", object="id", detail=("other", "why")),
    "apart": Act(name="cluster.apart", object="id", detail=("other", "why")),
    "link": Act(name="cluster.link", object="id", detail=("other", "why")),
    "base": Act(name="cluster.base", object="id", detail=("policy", "why")),
    "undo": Act(name="cluster.undo", object="decision", detail=("why",)),
}
ALLOW = {"show": Permission.READ, "explain": Permission.READ, "history": Permission.LOOK}
HISTORY = ("decision", "at", "kind", "state", "clusters", "named", "who", "why", "undone_by")
NAMED = 5  # records of a decision that a line names


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and what they are about."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    one = actions.add_parser("show", help="its records, what is related to it, and what was decided about it")
    one.add_argument("id", metavar="ID")
    two = actions.add_parser("explain", help="why its records are one; with OTHER why the two are one or are not")
    two.add_argument("id", metavar="ID")
    two.add_argument("other", metavar="OTHER", nargs="?", default="")
    parting = actions.add_parser("split", help="records leave the cluster together")
    parting.add_argument("id", metavar="ID")
    parting.add_argument("--record", action="append", required=True, metavar="SOURCE/LOCAL_ID")
    for name, about in (
        ("join", "two clusters are one manifestation"),
        ("apart", "two clusters are not one, and shall not become one"),
        ("link", "the same, but they are related and shown together"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("id", metavar="ID")
        action.add_argument("other", metavar="OTHER")
    chosen = actions.add_parser("base", help="a record is the base of the merged record, whatever the policy says")
    chosen.add_argument("id", metavar="SOURCE/LOCAL_ID")
    chosen.add_argument("--policy", action="store_true", help="the policy chooses again")
    undone = actions.add_parser("undo", help="take a decision back")
    undone.add_argument("decision", type=int, metavar="DECISION")
    past = actions.add_parser("history", help="decisions, the newest first")
    past.add_argument("--limit", type=int, default=50)
    for action in (parting, chosen, *(actions.choices[name] for name in ("join", "apart", "link", "undo"))):
        action.add_argument("--why", default="", metavar="TEXT", help="reason, which others will read")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such cluster or record, 5 if it is decided already."""
    async with app.open(context) as node:
        if args.action in ("show", "explain", "history"):
            async with node.database.transaction() as conn:
                return await _look(context, node, conn, args)
        await attending.drain(node)
        if args.action == "base":
            return await _base(context, node, args)
        async with node.database.transaction() as conn:
            made = await _decide(context, node, conn, args)
            await context.deed.done(conn, decision=made.decision)
        return await decided.tell(context, node, made)


async def _look(context: Context, node: Node, conn: Connection, args: argparse.Namespace) -> int:
    if args.action == "history":
        found = await decisions.recent(conn, args.limit)
        names = await decisions.names(conn, {name for one in found for name in (*one.records, *one.others)})
        lines = [told.decision(one, names) for one in found]
        context.out.table(lines if context.out.json else [_short(line) for line in lines], HISTORY)
    elif args.action == "explain" and args.other:
        await _pair(context, node, conn, args.id, args.other)
    elif args.action == "explain":
        await _inside(context, node, conn, args.id)
    else:
        await _show(context, node, conn, args.id)
    return 0


async def _base(context: Context, node: Node, args: argparse.Namespace) -> int:
    given: dict[str, Any] = {"why": args.why, "within": _within(context)}
    async with node.database.transaction() as conn:
        if args.policy:
            side = await basing.leave(conn, node.symbol, args.id, **given)
        else:
            side = await basing.choose(conn, node.symbol, args.id, who=context.actor.name, **given)
        await context.deed.done(conn, cluster=side.id)
    await attending.drain(node)
    async with node.database.transaction() as conn:
        found = await contributors_of.base(conn, side.cluster)
    key, by = found or ("", "")
    if context.out.json:
        context.out.item({"cluster": side.id, "base": key, "base_by": by})
    context.out.say(f"{side.id}: {giving.base(key, by, context.lang)}")
    return 0


def _within(context: Context) -> frozenset[str] | None:
    return context.actor.reach(Permission.CHANGE).within


async def _decide(context: Context, node: Node, conn: Connection, args: argparse.Namespace) -> Decision:
    given: dict[str, Any] = {"who": context.actor.name, "why": args.why, "within": _within(context)}
    match args.action:
        case "split":
            return await deciding.split(conn, node.symbol, args.id, args.record, **given)
        case "undo":
            return await deciding.undo(conn, args.decision, **given)
        case kind:
            return await deciding.between(conn, node.symbol, kind, args.id, args.other, **given)


async def _show(context: Context, node: Node, conn: Connection, ident: str) -> None:
    found = await inside.look(conn, node.symbol, ident)
    if context.out.json:
        context.out.item(told.cluster(node.symbol, found, await inside.edges(conn, found.members), context.lang))
        return
    context.out.say(found.side.id)
    for each in found.members:
        context.out.say(f"  {each.name}  {each.library}")
    context.out.say(f"  {giving.base(found.base, found.base_by, context.lang)}")
    for clash in found.conflicts:
        plain = told.conflict(node.symbol, clash) | {"state": context.text(f"authority_{clash.state}")}
        context.out.say(f"  ! {context.text('cluster_conflict', **plain)}")
    for link in found.relations:
        why = "; ".join(told.sentences(link.reasons, context.lang)) or context.text("related_by_decision")
        context.out.say(f"  ~ {link.cluster}: {why}")
    for one in found.decisions:
        context.out.say(f"  # {decided.said(context, one)}")


async def _inside(context: Context, node: Node, conn: Connection, ident: str) -> None:
    """Every edge between the cluster's records with its score and reasons, the strongest first; then decisions."""
    found = await inside.look(conn, node.symbol, ident)
    for edge in await inside.edges(conn, found.members):
        if context.out.json:
            why = told.why(edge.reasons, context.lang) or [{"rule": "", "points": 0, "text": context.text("alike")}]
            context.out.item({"records": list(edge.records), "score": edge.score, "reasons": why})
        said = told.sentences(edge.reasons, context.lang) or [context.text("alike")]
        score = "" if edge.score is None else edge.score
        context.out.say(f"{' = '.join(edge.records)}  {score}".rstrip() + f"\n    {'; '.join(said)}")
    for one in found.decisions:
        if one.state == "done":
            plain = told.decision(one, found.names)
            if context.out.json:
                context.out.item({"records": [*plain["records"], *plain["others"]], "score": None, **plain})
            context.out.say(f"{', '.join(plain['records'])} | {', '.join(plain['others'])}")
            context.out.say(f"    {decided.said(context, one)}")


async def _pair(context: Context, node: Node, conn: Connection, a: str, b: str) -> None:
    one, other = await sides.find(conn, node.symbol, a), await sides.find(conn, node.symbol, b)
    if one.record == other.record:
        raise Conflict(f"{a} and {b} are the same record")
    found = await comparing.compare(conn, one, other)
    lines = rows.beside(*found.described, context.lang)
    if context.out.json:
        context.out.item(told.pair(one, other, found, lines, context.lang))
        return
    context.out.say(f"{one.name} ({one.id})\n{other.name} ({other.id})")
    for label, left, right in lines:
        context.out.say(f"{'=' if left == right else '!'} {label}: {left}" + ("" if left == right else f"  |  {right}"))
    context.out.say(context.text(f"verdict_{found.verdict.value}", score=found.score, join=found.join))
    for each in told.why(found.reasons, context.lang):
        context.out.say(f"  {each['points']:+5} {each['text']}" if each["points"] else f"        {each['text']}")
    if found.together:
        context.out.say(context.text("pair_together", cluster=one.id))
    for past in found.decisions:
        context.out.say(f"  # {decided.said(context, past)}")


def _short(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision as a line of the table."""
    names: list[str] = decision["records"]
    more = f" +{len(names) - NAMED}" if len(names) > NAMED else ""
    return {**decision, "clusters": ", ".join(decision["clusters"]), "named": ", ".join(names[:NAMED]) + more}
