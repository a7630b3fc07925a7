"""`tianlu user list|add|passwd|role|disable|enable|reset|totp|unlock`: accounts of people."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from catalog.connection import Connection
from config.errors import Misconfigured
from config.secret import Secret
from node import acting, app
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access import attempts, keeping, passwords, resets, signing
from services.access.accounts import Account
from services.access.policy import Role

NAME = "user"
HELP = {
    "en": "Accounts of people. An account belongs to a post (cataloguing-1), not to a mailbox. A password that is made "
    "or set here is shown once and must be changed at the first sign-in. reset: a one-time code instead, with which "
    "its owner sets a password at /reset. totp --remove: the phone with the one-time codes is lost. unlock: let it "
    "try again after too many wrong passwords.",
    "zh": "人员账户。账户属于岗位（如 cataloguing-1），不属于个人邮箱。此处生成或设置的密码只显示一次，"
    "首次登录必须更改。reset：改发一次性重置码，由本人在 /reset 设置密码。totp --remove：存有动态口令的手机遗失。"
    "unlock：密码错误过多后解除锁定。",
}
ACTS = {
    "list": None,
    "add": Act(name="account.add", object="name", library="library", detail=("role", "title")),
    "passwd": Act(name="account.password", object="name"),
    "role": Act(name="account.role", object="name", detail=("add", "remove", "library")),
    "disable": Act(name="account.disable", object="name"),
    "enable": Act(name="account.enable", object="name"),
    "reset": Act(name="account.reset", object="name"),
    "unlock": Act(name="account.unlock", object="name"),
    "totp": Act(name="account.totp", object="name"),
}
COLUMNS = ("name", "title", "library", "kind", "roles", "state", "totp", "seen")
ROLES = tuple(map(str, Role))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all accounts")
    add = actions.add_parser("add", help="make an account")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, help="what it is")
    add.add_argument("--library", default="", metavar="SYMBOL", help="where it is at home (default: the node's own)")
    add.add_argument("--title", default="", help="of the post, e.g. 编目一组")
    passwd = actions.add_parser("passwd", help="give it another password")
    passwd.add_argument("name")
    for each in (add, passwd):
        how = each.add_mutually_exclusive_group()
        how.add_argument("--prompt", action="store_true", help="ask for the password instead of making one")
        how.add_argument("--password-file", metavar="FILE", help="the password is in this file")
    role = actions.add_parser("role", help="give it a role or take one away")
    role.add_argument("name")
    what = role.add_mutually_exclusive_group(required=True)
    what.add_argument("--add", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    what.add_argument("--remove", choices=ROLES, metavar="ROLE")
    role.add_argument(
        "--library", default="", metavar="SYMBOL", help="within which it counts (default: a duty everywhere, else home)"
    )
    for name, about in (
        ("disable", "let nobody sign in with it; its sessions end"),
        ("enable", "let it be used again"),
        ("reset", f"print a one-time code for a new password; it holds {resets.HOLDS.days or 1} day"),
        ("unlock", "let it try again at once after too many wrong passwords"),
    ):
        actions.add_parser(name, help=about).add_argument("name")
    totp = actions.add_parser("totp", help="one-time codes")
    totp.add_argument("name")
    totp.add_argument("--remove", action="store_true", required=True, help="forget them: the phone is lost")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such account or it may not be done, 5 if the name is taken."""
    async with app.open(context) as node:
        if args.action == "list":
            async with node.database.connection() as conn:
                await _list(context, conn)
            return 0
        password = _password(context, args, node) if args.action in ("add", "passwd") else Secret("")
        kept = await passwords.shrouded(password.reveal()) if password else ""
        async with node.database.transaction() as conn:
            found = Secret("")
            match args.action:
                case "add":
                    await _add(context, conn, node, args, kept)
                case "passwd":
                    await keeping.set_password(conn, context.actor, args.name, kept)
                case "role":
                    await _role(context, conn, node, args)
                case "disable" | "enable":
                    state = "active" if args.action == "enable" else "disabled"
                    await keeping.set_state(conn, context.actor, args.name, state)
                case "reset":
                    found = await keeping.issue(conn, context.actor, args.name, datetime.now(UTC))
                case "unlock":
                    await keeping.unlock(conn, context.actor, args.name)
                case "totp":
                    await keeping.remove_codes(conn, context.actor, args.name)
            await context.deed.done(conn, library=(await keeping.one(conn, context.actor, args.name)).library)
    made = password if password and not (args.prompt or args.password_file) else Secret("")
    _tell(context, args.name, made, found)
    return 0


async def _list(context: Context, conn: Connection) -> None:
    found = await keeping.seen(conn, context.actor)
    locked = await attempts.locked(conn, [each.name for each in found], datetime.now(UTC))
    context.out.table([_row(each, locked=each.name in locked) for each in found], COLUMNS)


def _row(account: Account, *, locked: bool) -> dict[str, object]:
    return {
        "name": account.name,
        "title": account.title,
        "library": account.library,
        "kind": account.kind,
        "roles": [f"{each.role}@{each.library}" if each.library else str(each.role) for each in account.grants],
        "state": "locked" if locked and account.active else account.state,
        "totp": "yes" if account.has_totp else "no",
        "must_change": account.must_change,
        "seen": account.seen_at and account.seen_at.isoformat(timespec="seconds"),
        "made_by": account.made_by,
    }


def _password(context: Context, args: argparse.Namespace, node: Node) -> Secret:
    """Made, typed or from a file. Weak if it is no good, whoever chose it."""
    if args.password_file:
        try:
            found = Path(args.password_file).expanduser().read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"--password-file {args.password_file}: {error}") from error
    elif args.prompt:
        found = acting.secret(context, acting.NEW_PASSWORD, context.text("ask_new_password", name=args.name))
    else:
        return passwords.make()
    signing.check(found, args.name, (node.symbol, node.settings.node.name))
    return Secret(found)


async def _add(context: Context, conn: Connection, node: Node, args: argparse.Namespace, kept: str) -> None:
    home = args.library or node.symbol
    await keeping.add(
        conn,
        context.actor,
        args.name,
        [keeping.grant(Role(args.role), "", home)] if args.role else [],
        library=home,
        title=args.title,
        password=kept,
        separate=node.settings.access.duties == "separate",
    )


async def _role(context: Context, conn: Connection, node: Node, args: argparse.Namespace) -> None:
    home = (await keeping.one(conn, context.actor, args.name)).library
    grant = keeping.grant(Role(args.add or args.remove), args.library, home)
    if args.add:
        separate = node.settings.access.duties == "separate"
        await keeping.give(conn, context.actor, args.name, grant, separate=separate)
    else:
        await keeping.take(conn, context.actor, args.name, grant)


def _tell(context: Context, name: str, password: Secret, code: Secret) -> None:
    """What is shown once: a password that was made, or a code."""
    if context.out.json:
        shown = {"account": name, "password": password.reveal(), "code": code.reveal()}
        context.out.item({key: value for key, value in shown.items() if value})
    elif password:
        context.out.say(context.text("user_password", name=name, password=password.reveal()))
    elif code:
        context.out.say(context.text("user_code", name=name, code=code.reveal()))
    else:
        context.out.say(context.text("done"))
