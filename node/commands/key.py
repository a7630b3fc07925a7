"""`tianlu key add|list|disable|usage`: keys with which programs use the node."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from catalog.connection import Connection
from config.errors import NotFound, Refused
from config.secret import Secret
from node import app
from node.context import Context
from node.deeds import Act
from services.access import giving, keeping, keys
from services.access.keys import Key
from services.access.policy import Permission

NAME = "key"
HELP = {
    "en": "Keys with which programs use the node: `Authorization: Bearer tlk_…`. A key may what its scopes say and its "
    "account may, whichever is less. It is shown once. A scope is PERMISSION or PERMISSION@LIBRARY; permissions: "
    + ", ".join(keys.FOR_KEYS),
    "zh": "程序访问本节点的密钥：`Authorization: Bearer tlk_…`。密钥的权限是其授权范围与所属账户权限的交集，"
    "只显示一次。授权范围写作 权限 或 权限@馆代码；权限有：" + "、".join(keys.FOR_KEYS),
}
COLUMNS = ("key", "account", "library", "title", "prefix", "scopes", "rate", "until", "state", "used")
ACTS = {
    "add": Act(name="key.add", object="account", detail=("title", "scope", "days", "rate")),
    "list": None,
    "usage": None,
    "disable": Act(name="key.disable", object="key"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key and show it once")
    add.add_argument("account", metavar="ACCOUNT", help="whose rights bound it")
    add.add_argument("--title", required=True, help="what it is for")
    add.add_argument("--scope", action="append", required=True, metavar="SCOPE", help="may be given several times")
    add.add_argument("--days", type=int, default=keys.USUAL.days, help=f"that it holds (default {keys.USUAL.days})")
    add.add_argument("--rate", type=int, default=keys.RATE, help=f"requests a minute (default {keys.RATE})")
    actions.add_parser("list", help="all keys")
    for name, about in (("disable", "let nobody use it any more"), ("usage", "how often it was used, by day")):
        actions.add_parser(name, help=about).add_argument("key", type=int, metavar="KEY", help="its number")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such account or key, or it may not be made so."""
    now, reach = datetime.now(UTC), context.actor.reach(Permission.ACCOUNTS)
    async with app.open(context) as node:
        if args.action == "add":
            async with node.database.transaction() as conn:
                made, secret = await _add(context, conn, args, now)
                await context.deed.done(conn, library=made.library, key=made.key, prefix=made.prefix)
            _tell(context, made, secret)
            return 0
        async with node.database.transaction() as conn:
            match args.action:
                case "list":
                    found = await keys.within(conn, reach, context.actor.account)
                    context.out.table([each.shown(now) for each in found], COLUMNS)
                case "usage":
                    await keys.one(conn, args.key, reach, context.actor.account)
                    uses = await keys.usage(conn, args.key)
                    context.out.table(
                        [{"day": each.day, "operation": each.operation, "calls": each.calls, "refused": each.refused}
                         for each in uses],
                        ("day", "operation", "calls", "refused"),
                    )  # fmt: skip
                case _:
                    found_key = await keys.one(conn, args.key, reach, context.actor.account)
                    await keys.disable(conn, args.key, context.actor.name, now)
                    await context.deed.done(conn, library=found_key.library, prefix=found_key.prefix)
                    context.out.say(context.text("done"))
    return 0


async def _add(context: Context, conn: Connection, args: argparse.Namespace, now: datetime) -> tuple[Key, Secret]:
    account = await keeping.one(conn, context.actor, args.account)
    if not giving.may_manage(context.actor, account) and context.actor.account != account.account:
        raise NotFound(f"there is no account named {args.account}")
    separate = context.settings.access.duties == "separate"
    if separate and account.duties and context.actor.account != account.account:
        # Or whoever looks after accounts would have every duty, and nobody would notice.
        raise Refused("duties are separate here: an account that has one makes its keys itself, at /keys")
    scopes = [keys.read_scope(each) for each in args.scope]
    return await keys.issue(
        conn, account, args.title, scopes, days=args.days, rate=args.rate, by=context.actor.name, now=now
    )


def _tell(context: Context, made: Key, secret: Secret) -> None:
    if context.out.json:
        context.out.item({"key": made.key, "prefix": made.prefix, "until": made.until, "secret": secret.reveal()})
    context.out.say(context.text("key_made", number=made.key, secret=secret.reveal(), until=f"{made.until:%Y-%m-%d}"))
