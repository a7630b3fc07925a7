"""`tianlu cluster show|explain|split|join|apart|link|undo|history`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec

from catalog import authority_conflicts, decisions, signatures
from catalog.authority_conflicts import Contradiction
from catalog.connection import Connection
from catalog.decisions import Decision
from catalog.model import Verdict, cluster_id
from config.errors import Conflict
from dms import contributors_of
from dms.match import reasons
from node import app, attending, decided
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.deciding import basing, comparing, deciding, sides
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
HISTORY = ("decision", "at", "kind", "state", "clusters", "records", "who", "why", "undone_by")
MOST = 200


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
        context.out.table([_past(one, names) for one in found], HISTORY)
    elif args.action == "explain" and args.other:
        await _pair(context, node, conn, args.id, args.other)
    elif args.action == "explain":
        await _inside(context, node, conn, args.id)
    else:
        await _show(context, node, conn, args.id)
    return 0


async def _base(context: Context, node: Node, args: argparse.Namespace) -> int:
    told: dict[str, Any] = {"why": args.why, "within": _within(context)}
    async with node.database.transaction() as conn:
        if args.policy:
            side = await basing.leave(conn, node.symbol, args.id, **told)
        else:
            side = await basing.choose(conn, node.symbol, args.id, who=context.actor.name, **told)
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
    reach = context.actor.reach(Permission.CHANGE)
    return None if reach.everywhere else reach.libraries


async def _decide(context: Context, node: Node, conn: Connection, args: argparse.Namespace) -> Decision:
    told: dict[str, Any] = {"who": context.actor.name, "why": args.why, "within": _within(context)}
    match args.action:
        case "split":
            return await deciding.split(conn, node.symbol, args.id, args.record, **told)
        case "undo":
            return await deciding.undo(conn, args.decision, **told)
        case kind:
            return await deciding.between(conn, node.symbol, kind, args.id, args.other, **told)


async def _show(context: Context, node: Node, conn: Connection, ident: str) -> None:
    side = await sides.find(conn, node.symbol, ident)
    inside = await sides.members(conn, side.cluster)
    key, by = await contributors_of.base(conn, side.cluster) or ("", "")
    contradicting = await authority_conflicts.of_cluster(conn, side.cluster)
    related = await decisions.relations(conn, side.cluster, MOST)
    past = await decisions.of_records(conn, [each.record for each in inside])
    names = await decisions.names(conn, {name for one in past for name in (*one.records, *one.others)})
    links = [
        {
            "cluster": cluster_id(node.symbol, other),
            "why": ", ".join(_told(packed, context.lang)) if packed else context.text("related_by_decision"),
            "decision": decision,
        }
        for other, (packed, decision) in related.items()
    ]
    if context.out.json:
        context.out.item(
            {
                "cluster": side.id,
                "records": [{"record": each.name, "library": each.library} for each in inside],
                "base": key,
                "base_by": by,
                "authority_conflicts": [_contradiction(one) for one in contradicting],
                "related": links,
                "decisions": [_past(one, names) for one in past],
            }
        )
        return
    context.out.say(side.id)
    for each in inside:
        context.out.say(f"  {each.name}  {each.library}")
    context.out.say(f"  {giving.base(key, by, context.lang)}")
    for clash in contradicting:
        context.out.say(
            f"  ! {clash.tag} {clash.heading}: {_ids(clash)} ({clash.file}, {clash.conflict} {clash.state})"
        )
    for link in links:
        context.out.say(f"  ~ {link['cluster']}: {link['why']}")
    for one in past:
        told = _past(one, names)
        context.out.say(
            f"  # {told['decision']} {told['at']} {told['kind']} {told['state']} {told['who']}: {told['why']}"
        )


async def _inside(context: Context, node: Node, conn: Connection, ident: str) -> None:
    """Every edge between the cluster's records with its score and reasons, the strongest first."""
    side = await sides.find(conn, node.symbol, ident)
    inside = await sides.members(conn, side.cluster)
    sids = {each.sid for each in inside}
    alike: dict[int, list[str]] = {}
    for each in inside:
        alike.setdefault(each.sid, []).append(each.name)
    found = [edge for edge in await signatures.edges(conn, sids, verdict=Verdict.JOIN.value) if {*edge[:2]} <= sids]
    for names in alike.values():
        if len(names) > 1:
            _say(context, names, None, [context.text("alike")])
    for a, b, score, _, _, packed in sorted(found, key=lambda edge: (-edge[2], edge[:2]))[:MOST]:
        _say(context, [alike[a][0], alike[b][0]], score, _told(packed, context.lang))
    past = [one for one in await decisions.of_records(conn, [each.record for each in inside]) if one.state == "done"]
    names_of = await decisions.names(conn, {name for one in past for name in (*one.records, *one.others)})
    for one in past:
        _say(
            context,
            [names_of[name] for name in (*one.records, *one.others)],
            None,
            [f"{one.kind}: {one.why} ({one.who})"],
        )


def _say(context: Context, names: Sequence[str], score: int | None, why: Sequence[str]) -> None:
    if context.out.json:
        context.out.item({"records": list(names), "score": score, "reasons": list(why)})
    context.out.say(f"{' = '.join(names)}  {'' if score is None else score}\n    {'; '.join(why)}")


async def _pair(context: Context, node: Node, conn: Connection, a: str, b: str) -> None:
    one, other = await sides.find(conn, node.symbol, a), await sides.find(conn, node.symbol, b)
    if one.record == other.record:
        raise Conflict(f"{a} and {b} are the same record")
    found = await comparing.compare(conn, one, other)
    lines = rows.beside(*found.described, context.lang)
    why = [{"rule": rule, "points": points, "text": reasons.text(rule, context.lang)} for rule, points in found.reasons]
    if context.out.json:
        context.out.item(
            {
                "a": one.name,
                "b": other.name,
                "clusters": [one.id, other.id],
                "together": found.together,
                "verdict": found.verdict.value,
                "score": found.score,
                "join_from": found.join,
                "reasons": why,
                "held_apart": found.held_apart,
                "decisions": [each.decision for each in found.decisions],
                "fields": [{"label": label, "a": left, "b": right} for label, left, right in lines],
            }
        )
        return
    context.out.say(f"{one.name} ({one.id})\n{other.name} ({other.id})")
    for label, left, right in lines:
        context.out.say(f"{'=' if left == right else '!'} {label}: {left}" + ("" if left == right else f"  |  {right}"))
    context.out.say(context.text(f"verdict_{found.verdict.value}", score=found.score, join=found.join))
    for each in why:
        context.out.say(f"  {each['points']:+5} {each['text']}" if each["points"] else f"        {each['text']}")
    if found.together:
        context.out.say(context.text("pair_together", cluster=one.id))
    for past in found.decisions:
        told = f"{past.decision} {past.kind} {past.state} {past.who}: {past.why}"
        context.out.say(f"  # {told}")


def _contradiction(one: Contradiction) -> dict[str, object]:
    return {
        "conflict": one.conflict,
        "field": f"{one.tag} {one.heading}",
        "file": one.file,
        "ids": _ids(one),
        "state": one.state,
        "who": one.who,
        "why": one.why,
    }


def _ids(one: Contradiction) -> str:
    return f"{one.id_a} ({one.a}) / {one.id_b} ({one.b})"


def _told(packed: bytes, lang: str) -> list[str]:
    why = msgspec.msgpack.decode(packed, type=list[tuple[str, int]])
    return [f"{reasons.text(rule, lang)} {points:+}" if points else reasons.text(rule, lang) for rule, points in why]


def _past(one: Decision, names: Any) -> dict[str, object]:
    return {
        "decision": one.decision,
        "at": one.at.isoformat(timespec="seconds"),
        "kind": one.kind,
        "state": one.state,
        "clusters": ", ".join(one.clusters),
        "records": ", ".join(names[name] for name in one.records[:5]),
        "others": ", ".join(names[name] for name in one.others[:5]),
        "library": one.library,
        "who": one.who,
        "why": one.why,
        "result": one.result,
        "undone_by": one.undone_by or "",
        "undone_why": one.undone_why or "",
    }
