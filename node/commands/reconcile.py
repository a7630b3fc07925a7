"""`tianlu reconcile PEER [--repair] [--deep]`: compare both ends of every stream between this node and a parent."""

from __future__ import annotations

import argparse

from catalog import peers
from config.errors import Refused
from exchange import ends
from exchange import peer as talking
from exchange.giving import HeldUp
from exchange.lanes import Lane, Outcome, Way
from exchange.linking import LANES
from exchange.mending import Report
from exchange.moving import Moves
from node import app, identity, outgoing
from node.context import Context
from node.deeds import Act

NAME = "reconcile"
HELP = {
    "en": "Prove that a parent and this node have told each other the same, by digests of 4,096 buckets of records; "
    "what is on its way is moved first. --repair: tell anew what differs. --deep: look also at what both really keep, "
    "which finds a byte that flipped on a disk. Exit code 1 where something differs. It is always the child that asks.",
    "zh": "以 4096 个桶的摘要核对本节点与上级节点互相传递的内容；在途内容先行传完。--repair：重新传递有差异的记录。"
    "--deep：同时核对双方实际保存的字节，可发现磁盘上翻转的字节。有差异时退出码为 1。核对总由下级节点发起。",
}
ACTS = {"": Act(name="peer.reconcile", object="symbol", detail=("deep",))}
COLUMNS = ("channel", "way", "equal", "told", "heard", "buckets", "mended")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The parent, and what to do about differences."""
    parser.add_argument("symbol", metavar="PEER")
    parser.add_argument("--repair", action="store_true", help="tell anew what differs")
    parser.add_argument("--deep", action="store_true", help="look also at what both really keep")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if something differs at the end, 4 if the parent doesn't answer."""
    async with app.open(context) as node:
        if not args.repair:
            context.deed.nothing()
        async with node.database.connection() as conn:
            known = await peers.get(conn, args.symbol)
        if known.role != "parent":
            raise Refused(
                f"{known.symbol} is a child of this node and opens all connections: on the machine of {known.symbol}, "
                f"run tianlu reconcile {node.symbol}, which proves both directions"
            )
        keyring = identity.keyring(node.home, node.settings)
        rules = outgoing.rules(node.settings)
        async with talking.connect(node.database, keyring, node.symbol, known, rules) as client:
            moves = Moves(
                database=node.database,
                queue=node.queue,
                me=ends.me(node.symbol, keyring.key),
                peer=ends.peer(known),
                wire=client,
                wait=0.0,
            )
            found = [await _lane(moves, lane, repair=args.repair, deep=args.deep) for lane in LANES]
    context.out.table(found, COLUMNS)
    return 0 if all(each["equal"] for each in found) else 1


async def _lane(moves: Moves, lane: Lane, *, repair: bool, deep: bool) -> dict[str, object]:
    due = await _drain(moves, lane)
    report = await moves.look(lane, deep=deep)
    keys = 0
    if repair and (due or not report.equal):
        keys = (await moves.mend(lane, reason="the operator asked for it")).keys
        await _drain(moves, lane)
        report = await moves.look(lane)
    return _row(lane, report, keys, due=due and not repair)


async def _drain(moves: Moves, lane: Lane) -> bool:
    """Move what is on its way; True if the stream is held up instead."""
    move = moves.push if lane.way is Way.UP else moves.pull
    try:
        while await move(lane.channel) is Outcome.MOVED:
            pass
    except HeldUp:
        return True
    return False


def _row(lane: Lane, report: Report, keys: int, *, due: bool) -> dict[str, object]:
    return {
        "channel": lane.channel,
        "way": lane.way.value,
        "equal": report.equal and not due,
        "told": report.told,
        "heard": report.heard,
        "buckets": report.buckets,
        "mended": keys,
    }
