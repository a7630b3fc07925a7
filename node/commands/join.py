"""`tianlu join CODE`: joins the parent that gave out the code."""

from __future__ import annotations

import argparse

from catalog import hosting
from config.errors import Misconfigured
from exchange import codes, joining
from node import app, identity, outgoing
from node.context import Context
from node.deeds import Act
from protocols import suites
from protocols.http import door

NAME = "join"
HELP = {
    "en": "Join a parent with the code of its `tianlu invite`: keys are exchanged, the library is entered in its "
    "directory, and records flow from then on. The first parent is the uplink, later ones are memberships.",
    "zh": "用上级节点 `tianlu invite` 生成的邀请码加入：交换密钥，登记成员馆，此后记录开始流转。"
    "第一个上级为主上级（uplink），其后的为成员关系。",
}
ACTS = {"": Act(name="peer.join")}  # the code is a secret


def arguments(parser: argparse.ArgumentParser) -> None:
    """The code; line ends and spaces that a mail put into it do no harm."""
    parser.add_argument("code", nargs="+", metavar="CODE", help="as `tianlu invite` printed it")


async def run(context: Context, args: argparse.Namespace) -> int:
    """2 for a typing error, 4 if the parent can't be reached, 5 if the code is used, expired or not for this node."""
    code = codes.read(" ".join(args.code))
    async with app.open(context) as node, door.open(outgoing.rules(node.settings)) as out:
        if not node.profile.contribute:
            raise Misconfigured(f"node.tier: a {node.profile.tier} node has no parent")
        parent = await joining.join(
            node.database,
            out,
            identity.keyring(node.home, node.settings),
            code,
            me=node.symbol,
        )
        async with node.database.connection() as conn:
            context.deed.about(object=parent.symbol, path=parent.path)
            moves = any((one.peer, one.way) == (parent.no, "in") for one in await hosting.going(conn))
    fingerprint = suites.spelled(suites.named(parent.suite).fingerprint(parent.key))
    if context.out.json:
        context.out.item(
            {
                "parent": parent.symbol,
                "name": parent.name,
                "path": parent.path,
                "fingerprint": fingerprint,
                "handover": moves,
            }
        )
    path = context.text(f"path_{parent.path}")
    context.out.say(context.text("joined", symbol=parent.symbol, name=parent.name, path=path, fingerprint=fingerprint))
    if moves:
        context.out.say(context.text("joined_handover", symbol=parent.symbol))
    context.out.say(context.text("joined_next"))
    return 0
