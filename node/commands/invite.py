"""`tianlu invite`: a one-time code with which a library's node joins this one."""

from __future__ import annotations

import argparse
import secrets

from config.errors import Misconfigured
from config.secret import Secret
from exchange import codes, joining
from exchange.codes import Code
from node import app, identity
from node.context import Context
from node.deeds import Act
from protocols import suites

NAME = "invite"
HELP = {
    "en": "Print a one-time code for a library. Its node joins this one with `tianlu join CODE`. The code holds this "
    "node's address, the fingerprint of its key and a secret: hand it over as you would a password.",
    "zh": "为一个成员馆生成一次性邀请码；对方节点用 `tianlu join 邀请码` 加入本节点。"
    "邀请码含本节点地址、密钥指纹和一个秘密，请像密码一样转交。",
}
ACTS = {"": Act(name="peer.invite", object="symbol", library="symbol", detail=("membership", "days"))}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whom, as what, for how long."""
    parser.add_argument("--symbol", required=True, help="code of the library that may join")
    parser.add_argument("--membership", action="store_true", help="beside the library's uplink, not as its uplink")
    parser.add_argument("--days", type=float, default=7.0, help="how long the code can be used (default: 7)")
    parser.add_argument("--address", default="", metavar="URL", help="that the library's node reaches this one at")


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if the library's node has joined already, 2 if this node takes none."""
    if not 0 < args.days <= 365:
        raise Misconfigured(f"--days: from a moment to 365, not {args.days}")
    address = identity.address(context.home, context.settings, args.address)
    async with app.open(context) as node:
        if not node.profile.aggregate:
            raise Misconfigured(f"node.tier: a {node.profile.tier} node takes no records from other nodes")
        key = identity.keyring(node.home, node.settings).key()
        code = Code(
            address=address,
            symbol=node.symbol,
            suite=key.suite,
            fingerprint=key.fingerprint,
            secret=Secret(secrets.token_hex(codes.SECRET)),
        )
        _, ticket = codes.ticket(code.secret, code.suite)
        path = "membership" if args.membership else "uplink"
        async with node.database.transaction() as conn:
            made = await joining.invite(conn, ticket, args.symbol, path, args.days, node.symbol)
            await context.deed.done(conn, path=path)
    text = codes.write(code)
    fingerprint = suites.spelled(key.fingerprint)
    if context.out.json:
        context.out.item(
            {
                "code": text,
                "symbol": made.symbol,
                "path": made.path,
                "expires": made.expires_at.isoformat(timespec="seconds"),
                "address": address,
                "fingerprint": fingerprint,
            }
        )
        return 0
    until = f"{made.expires_at.astimezone():%Y-%m-%d %H:%M}"
    context.out.say(context.text("invited", symbol=made.symbol, until=until, fingerprint=fingerprint))
    context.out.say(text)
    context.out.note(context.text("invited_next", symbol=made.symbol))
    if identity.is_local(address):
        context.out.note(context.text("invited_local", address=address))
    return 0
