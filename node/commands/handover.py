"""`tianlu handover list|give|cancel`: libraries that move from one host to another."""

from __future__ import annotations

import argparse
from typing import Any

from catalog import hosting, peers
from catalog.connection import Connection
from catalog.peers import PeerNo
from exchange import parting
from node import app
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission

NAME = "handover"
HELP = {
    "en": "Libraries that move between a domain that hosts them and a node of their own. A library gets its own node "
    "with `tianlu invite` at the domain and `tianlu join CODE` at the node; `give --to PARENT` at the node brings it "
    "back. Both nodes must run (tianlu run); from the moment on that `list` shows freezing the old host refuses loads. "
    "cancel: at the old host, as long as it is due or freezing. What is in quarantine stays at the old host.",
    "zh": "成员馆在托管它的上级节点与自有节点之间移交。"
    "上级节点 `tianlu invite`、新节点 `tianlu join 邀请码` 即移交给自有节点；"
    "在自有节点 `give --to 上级` 则交回托管。两端节点均须运行（tianlu run）；"
    "自 list 显示 freezing 起，原托管节点拒绝装载。"
    "cancel：在 due 或 freezing 时由原托管节点取消。隔离区中的记录留在原托管节点。",
}
ACTS = {
    "list": None,
    "give": Act(name="library.handover", detail=("to",)),
    "cancel": Act(name="library.handover-cancel", object="library", library="library"),
}
ALLOW = {"list": Permission.LOOK}
COLUMNS = ("library", "way", "peer", "reign", "state", "reason")


def arguments(parser: argparse.ArgumentParser) -> None:
    """list, give --to PARENT, cancel LIBRARY."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all that were begun, and what they wait for")
    give = actions.add_parser("give", help="hand this node's own library over to a parent, which then hosts it")
    give.add_argument("--to", required=True, metavar="PARENT", help="symbol of the parent")
    cancel = actions.add_parser("cancel", help="keep a library that is to go, as long as nothing has been handed over")
    cancel.add_argument("library", metavar="LIBRARY")


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if the library is not this node's to give or keep, or moves already; 1 if there is no such parent or move."""
    async with app.open(context) as node, node.database.transaction() as conn:
        if args.action == "list":
            context.out.table(await _rows(conn), COLUMNS)
            return 0
        if args.action == "cancel":
            ended = await parting.cancel(conn, args.library)
            await context.deed.done(conn)
            if context.out.json:
                context.out.item({"library": ended.library, "reign": ended.reign, "state": hosting.DROPPED})
            text = "handover_cancelled" if ended.library == node.symbol else "handover_cancelled_revoked"
            context.out.say(context.text(text, library=ended.library))
            return 0
        begun = await parting.give(conn, node.symbol, args.to)
        await context.deed.done(conn, object=begun.library, library=begun.library)
        if context.out.json:
            context.out.item({"library": begun.library, "reign": begun.reign, "to": args.to, "state": begun.state})
        context.out.say(context.text("handover_begun", library=begun.library, peer=args.to))
    return 0


async def _rows(conn: Connection) -> list[dict[str, Any]]:
    symbols = {each.no: each.symbol for each in await peers.every(conn)}
    return [
        {
            "library": one.library,
            "way": one.way,
            "peer": symbols[PeerNo(one.peer)],
            "reign": one.reign,
            "state": one.state,
            "reason": one.reason,
        }
        for one in await hosting.every(conn)
    ]
