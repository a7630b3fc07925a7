"""`tianlu peer list|policy|suspend|resume|revoke|rekey|key`: the nodes that this one deals with, and its own key."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from catalog import invitations, libraries, peers, sources
from catalog.connection import Connection
from catalog.peers import State
from config.errors import Conflict, NotFound, Refused, Retry, Unreachable
from exchange import greeting, keys, outward
from exchange import peer as talking
from node import app, identity, outgoing
from node.app import Node
from node.context import Context
from node.deeds import Act
from protocols import suites
from services.access.policy import Permission

NAME = "peer"
HELP = {
    "en": "The nodes that this one deals with. policy: what is published to one; what a narrower policy no longer lets "
    "through is taken back there. suspend: deal with it no longer, until resume; revoke: never again with "
    "this key. Both hold within a second. rekey: give this node a new key, which the old one confirms to the others; "
    "they trust the old one for another 7 days. key: show this node's key.",
    "zh": "与本节点往来的节点。policy：对其发布的范围，收窄后不再发布的内容将从对方撤回。"
    "suspend：暂停往来，直到 resume；revoke：吊销其密钥。两者一秒内生效。"
    "rekey：更换本节点密钥，由旧密钥向对方确认，旧密钥再有效 7 天。key：显示本节点密钥。",
}
ACTS = {
    "list": None,
    "key": None,
    "policy": Act(name="peer.policy", object="symbol", detail=("level", "libraries", "sources")),
    "suspend": Act(name="peer.suspend", object="symbol"),
    "resume": Act(name="peer.resume", object="symbol"),
    "revoke": Act(name="peer.revoke", object="symbol"),
    "rekey": Act(name="peer.rekey"),
}
ALLOW = {"list": Permission.READ}
COLUMNS = ("symbol", "name", "role", "path", "state", "fingerprint", "skew", "seen", "trouble")
PARTS = ("libraries", "sources")  # of a publish policy, each a list of names
STATES: dict[str, State] = {"suspend": "suspended", "resume": "active", "revoke": "revoked"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all of them, and the libraries that are invited")
    for name, about in (
        ("suspend", "deal with it no longer, until it is resumed"),
        ("resume", "deal with it again"),
        ("revoke", "trust its key no longer, nor any code that it was given; it needs a new one to come back"),
    ):
        actions.add_parser(name, help=about).add_argument("symbol")
    policy = actions.add_parser("policy", help="what is published to it; without options it is shown")
    policy.add_argument("symbol")
    policy.add_argument("--level", choices=tuple(outward.LEVELS), help="all, only the holdings, or nothing")
    policy.add_argument("--libraries", nargs="*", metavar="SYMBOL", help="only what these hold; none named = all")
    policy.add_argument("--sources", nargs="*", metavar="SOURCE", help="only what these bring; none named = all")
    actions.add_parser("rekey", help="give this node a new key and tell its parents")
    actions.add_parser("key", help="show this node's key and fingerprint")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such peer, 5 if a revoked one is to be resumed."""
    async with app.open(context) as node:
        match args.action:
            case "list":
                async with node.database.connection() as conn:
                    context.out.table([*await _peers(conn), *await _invited(conn)], COLUMNS)
            case "key":
                _show(context, node, identity.keyring(node.home, node.settings).key())
            case "policy":
                await _policy(context, node, args)
            case "rekey":
                await _rekey(context, node)
            case action:
                async with node.database.transaction() as conn:
                    await _set(conn, args.symbol, STATES[action])
                    await context.deed.done(conn)
                context.out.say(context.text(f"peer_{STATES[action]}", symbol=args.symbol))
    return 0


async def _peers(conn: Connection) -> list[dict[str, object]]:
    return [
        {
            "symbol": each.symbol,
            "name": each.name,
            "role": each.role,
            "path": each.path,
            "state": each.state,
            "fingerprint": _fingerprint(each.suite, each.key),
            "suite": each.suite,
            "address": each.address,
            "proto": each.proto,
            "skew": round(each.skew, 1),
            "seen": each.seen_at and each.seen_at.isoformat(timespec="seconds"),
            "trouble": each.trouble,
        }
        for each in await peers.every(conn)
    ]


async def _invited(conn: Connection) -> list[dict[str, object]]:
    return [
        {
            "symbol": each.symbol,
            "role": "child",
            "path": each.path,
            "state": "invited",
            "expires": each.expires_at.isoformat(timespec="seconds"),
        }
        for each in await invitations.waiting(conn)
    ]


def _fingerprint(suite: str, key: bytes) -> str:
    return suites.spelled(suites.named(suite).fingerprint(key))


async def _set(conn: Connection, symbol: str, state: State) -> None:
    if state == "revoked" and await invitations.withdraw(conn, symbol) and await peers.find(conn, symbol) is None:
        return
    before = await peers.get(conn, symbol)
    if before.state == "revoked" and state != "revoked":
        raise Conflict(f"{symbol} is revoked: let it in again with a new code (tianlu invite --symbol {symbol})")
    await peers.set_state(conn, symbol, state)


async def _policy(context: Context, node: Node, args: argparse.Namespace) -> None:
    """Show or change what is published to a peer; the exchange tells and takes back what that changes."""
    async with node.database.transaction() as conn:
        before = (await peers.get(conn, args.symbol)).policy
        now = {**before, **({"level": args.level} if args.level else {})}
        for part in PARTS:
            if (names := getattr(args, part)) is not None:
                await _known(conn, part, names)
                now[part] = sorted(set(names))
        now = {part: value for part, value in now.items() if value and (part, value) != ("level", "all")}
        outward.policy(now)
        if now != before:
            await peers.set_policy(conn, args.symbol, now)
            await context.deed.done(conn)
        else:
            context.deed.nothing()
    shown = {"level": now.get("level", "all"), **{part: now.get(part) for part in PARTS}}
    if context.out.json:
        context.out.item({"symbol": args.symbol, **shown})
    every = context.text("policy_every")
    for part, value in shown.items():
        context.out.say(f"{part:9} {', '.join(value) if isinstance(value, list) else value or every}")


async def _known(conn: Connection, part: str, names: Sequence[str]) -> None:
    """NotFound for a name that is mistyped: it would withhold everything."""
    for name in names:
        if part == "sources":
            await sources.get(conn, name)
        elif await libraries.get(conn, name) is None:
            raise NotFound(f"no library has the symbol {name} (tianlu library list)")


def _show(context: Context, node: Node, key: keys.Key) -> None:
    fingerprint = suites.spelled(key.fingerprint)
    if context.out.json:
        context.out.item(
            {"symbol": node.symbol, "suite": key.suite.name, "key": key.public.hex(), "fingerprint": fingerprint}
        )
    context.out.say(context.text("peer_key", symbol=node.symbol, suite=key.suite.name, fingerprint=fingerprint))


async def _rekey(context: Context, node: Node) -> None:
    """A new key. Parents are told at once; whoever can't be reached learns it with the next message."""
    keyring = identity.keyring(node.home, node.settings)
    made = keyring.change(node.symbol)
    async with node.database.transaction() as conn:
        await context.deed.done(conn, fingerprint=suites.spelled(made.fingerprint))
    _show(context, node, made)
    async with node.database.connection() as conn:
        parents = [each for each in await peers.every(conn, "parent") if each.state == "active"]
    rules = outgoing.rules(node.settings)
    for each in parents:
        async with talking.connect(node.database, keyring, node.symbol, each, rules) as client:
            try:
                await talking.hello(client, greeting.Hello())
            except (Unreachable, Refused, Retry) as error:
                context.out.note(context.text("rekey_later", symbol=each.symbol, reason=error))
            else:
                context.out.say(context.text("rekey_told", symbol=each.symbol))
