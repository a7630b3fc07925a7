"""`tianlu review list|decide`: corrections that parents offer, what became of ours, and pairs for a person to judge."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

from catalog import authority_conflicts, corrections, decisions
from catalog.connection import Connection
from catalog.corrections import Entry
from config.errors import Misconfigured
from dms.match import reasons
from node import app, attending, decided
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.cataloguing import patch
from services.deciding import deciding, settling, told

NAME = "review"
HELP = {
    "en": "What waits for somebody. Corrections: offered by a parent and not decided on, stale (the field is no longer "
    "as it was), or made here and not taken by a child; decide: accept one, which mends the record here and tells "
    "those above and below, or refuse it. Pairs of records "
    "that may be one: decide join, apart or link, with --why. Ids of one authority "
    "file that contradict in a cluster (--kind authority): mend one (tianlu correct) or leave both, then settle.",
    "zh": "待处理事项。更正：上级提出、尚未决定的，已过时的（字段已与当时不同），以及本节点提出而下级未采纳的；"
    "decide：采纳则更正本节点记录并告知上下级，或拒绝。"
    "疑似相同的记录对：decide 合并（join）、分开（apart）或关联（link），附 --why。"
    "同一聚簇内互相矛盾的规范号（--kind authority）：更正错误的一方（tianlu correct）或两者皆留，再以 settle 了结。",
}
ACTS = {"list": None, "decide": Act(name="correction.decide", object="correction", detail=("verdict",))}
ALLOW = {"list": Permission.LOOK}
SETTLE = "settle"
AUTHORITY = ("conflict", "cluster", "field", "file", "a", "id_a", "b", "id_b", "state", "why")
KINDS = ("correction", "pair", "authority")
PAIR = ("join", "apart", "link")
PAIRS = ("pair", "score", "libraries", "reasons")
BETWEEN = "~"  # the two records of a pair's id
LIMITED = ("pair", "authority")
COLUMNS = ("correction", "from", "to", "state", "id", "field", "old", "new", "why", "reason")

Rows = list[dict[str, object]]
Within = list[str] | None  # libraries


def arguments(parser: argparse.ArgumentParser) -> None:
    """list, decide."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="what waits for somebody")
    listing.add_argument("--kind", choices=KINDS, help="only these (default: all)")
    listing.add_argument("--library", help="pairs and ids of which one record is this library's")
    listing.add_argument("--limit", type=int, default=50, help="pairs, ids")
    listing.add_argument("--all", action="store_true", help="those that are decided on too")
    decide = actions.add_parser("decide", help="accept or refuse a correction; join, part or link a pair; settle")
    decide.add_argument("correction", metavar="ID", help="of the correction, the pair or the conflict of ids")
    decide.add_argument("verdict", choices=("accept", "refuse", *PAIR, SETTLE))
    decide.add_argument("--why", default="", metavar="TEXT", help="reason, which others will read")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such correction, 5 if it is decided on already or has become stale."""
    async with app.open(context) as node:
        if args.action == "list":
            await _list(context, node, args)
            return 0
        await attending.drain(node)
        if args.verdict == SETTLE:
            return await _settle(context, node, args)
        if args.verdict in PAIR:
            return await _decide_pair(context, node, args)
        async with node.database.transaction() as conn:
            state = "refused"
            if args.verdict == "accept":
                state = await corrections.accept(conn, node.symbol, args.correction, who=context.actor.name)
            else:
                await corrections.refuse(conn, args.correction, why=args.why, who=context.actor.name)
            await context.deed.done(conn, state=state)
        await attending.leave_nothing(node)
    if context.out.json:
        context.out.item({"correction": args.correction, "state": patch.state(state)})
    context.out.say(context.text(f"correction_{state}", correction=args.correction))
    return 5 if state == "stale" else 0


async def _list(context: Context, node: Node, args: argparse.Namespace) -> None:
    """What waits, kind by kind; of a kind that was not asked for nothing is said where nothing of it waits."""
    within = [args.library] if args.library else None
    told_of = False
    for kind in KINDS if args.kind is None else (args.kind,):
        async with node.database.transaction() as conn:
            rows = await LISTS[kind](context, node, conn, args, within)
        if rows or args.kind:
            if told_of:
                context.out.say("")
            context.out.table(rows[: args.limit] if kind in LIMITED else rows, HEADINGS[kind])
            told_of = True
        if kind in LIMITED and len(rows) > args.limit:
            context.out.note(context.text("review_more", kind=kind, limit=args.limit))
    if not told_of:
        context.out.say(context.text("review_none"))


async def _corrections(
    context: Context, node: Node, conn: Connection, args: argparse.Namespace, within: Within
) -> Rows:
    return [_row(node.symbol, entry) for entry in await corrections.listing(conn, decided=args.all)]


async def _pairs(context: Context, node: Node, conn: Connection, args: argparse.Namespace, within: Within) -> Rows:
    return [_pair(row, context) for row in await decisions.waiting(conn, args.limit + 1, libraries=within)]


async def _authority(context: Context, node: Node, conn: Connection, args: argparse.Namespace, within: Within) -> Rows:
    found = await authority_conflicts.listing(conn, args.limit + 1, settled=args.all, libraries=within)
    return [told.conflict(node.symbol, one) for one in found]


LISTS: dict[str, Callable[[Context, Node, Connection, argparse.Namespace, Within], Awaitable[Rows]]] = {
    "correction": _corrections,
    "pair": _pairs,
    "authority": _authority,
}
HEADINGS = {"correction": COLUMNS, "pair": PAIRS, "authority": AUTHORITY}


async def _settle(context: Context, node: Node, args: argparse.Namespace) -> int:
    if not args.correction.isdecimal():
        raise Misconfigured(f"{args.correction} is no conflict: write its number (tianlu review list --kind authority)")
    within = context.actor.reach(Permission.CHANGE).within
    async with node.database.transaction() as conn:
        given = {"who": context.actor.name, "why": args.why, "within": within}
        one = await settling.settle(conn, int(args.correction), **given)
        await context.deed.done(conn, conflict=one.conflict)
    if context.out.json:
        context.out.item(told.conflict(node.symbol, one))
    context.out.say(context.text("conflict_settled", conflict=one.conflict))
    return 0


async def _decide_pair(context: Context, node: Node, args: argparse.Namespace) -> int:
    a, _, b = args.correction.partition(BETWEEN)
    if not b:
        raise Misconfigured(f"{args.correction} is no pair: write source/local_id{BETWEEN}source/local_id")
    within = context.actor.reach(Permission.CHANGE).within
    async with node.database.transaction() as conn:
        given = {"who": context.actor.name, "why": args.why, "within": within}
        made = await deciding.between(conn, node.symbol, args.verdict, a, b, **given)
        await context.deed.done(conn, decision=made.decision)
    return await decided.tell(context, node, made)


def _pair(row: Any, context: Context) -> dict[str, object]:
    plain = told.waiting(row, context.lang)
    pair: dict[str, object] = {"pair": f"{plain['a']}{BETWEEN}{plain['b']}"}
    if context.out.json:
        return pair | plain
    libraries = " ".join(sorted({*plain["libraries"]}))
    return pair | {
        "score": row["score"],
        "libraries": libraries,
        "reasons": "; ".join(told.sentences(reasons.unpack(row["reasons"]), context.lang)),
    }


def _row(symbol: str, entry: Entry) -> dict[str, object]:
    offered_by, offered_to = patch.sides(symbol, entry)
    return {
        "correction": entry.id,
        "from": offered_by,
        "to": offered_to,
        "state": patch.state(entry.state),
        "id": patch.named(entry),
        **patch.told(entry.fields),
        "why": entry.why,
        "who": entry.who,
        "reason": entry.reason,
        "decided_by": entry.decided_by,
        "at": entry.at.isoformat(timespec="seconds"),
        "decided_at": entry.decided_at and entry.decided_at.isoformat(timespec="seconds"),
    }
