"""`tianlu target add|list|show|set|pause|resume|remove|test`: other catalogues that records are copied from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from catalog import targets
from catalog.connection import Connection
from catalog.targets import Target
from config.errors import Misconfigured
from node import acting, app, copying, outgoing
from node.app import Node
from node.context import Context
from node.deeds import Act
from node.output import GREEN, RED
from protocols import query, target
from protocols.target import Profile
from services.access import sealed
from services.access.policy import Permission
from services.copying import probing

NAME = "target"
HELP = {
    "en": "Other catalogues that records are copied from over Z39.50. A target is where it is and what its server is "
    "used to: databases, character sets, who asks, record syntaxes. `test` asks it and says what works.",
    "zh": "套录目标：可通过 Z39.50 套录记录的其他目录。每个目标包括地址和对方服务器的习惯：数据库、字符集、登录方式、"
    "记录语法。test：试问该目标，说明哪些可用。",
}
_TOLD = (
    "address", "tls", "database", "apart", "terms", "records", "negotiation", "auth", "user", "group", "syntax",
    "elements", "chunk", "dialect", "map", "drop", "timeout",
)  # fmt: skip
ACTS = {
    "list": None,
    "show": None,
    "test": None,
    "add": Act(name="target.add", object="name", detail=_TOLD),
    "set": Act(name="target.set", object="name", detail=_TOLD),
    "pause": Act(name="target.pause", object="name"),
    "resume": Act(name="target.resume", object="name"),
    "remove": Act(name="target.remove", object="name"),
}
ALLOW = {"list": Permission.LOOK, "show": Permission.LOOK}
COLUMNS = ("target", "address", "databases", "syntaxes", "terms", "records", "auth", "state")
ANSWERS = {"yes": True, "no": False}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions, and what a profile says."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all targets")
    add = actions.add_parser("add", help="enter a target")
    add.add_argument("name")
    add.add_argument("address", metavar="HOST[:PORT]", help=f"without a port: {target.PORT}")
    change = actions.add_parser("set", help="change what is said of it")
    change.add_argument("name")
    change.add_argument("--address", metavar="HOST[:PORT]")
    for each in (add, change):
        _habits(each)
    for name, about in (
        ("show", "all that is said of it; never its password"),
        ("pause", "ask it no more"),
        ("resume", "ask it again"),
        ("remove", "forget it; what was copied stays"),
    ):
        actions.add_parser(name, help=about).add_argument("name")
    test = actions.add_parser("test", help="ask it, and say what works")
    test.add_argument("name")
    test.add_argument("query", metavar="QUERY", nargs="*", help="to try (default: a word in English and in Chinese)")


def _habits(parser: argparse.ArgumentParser) -> None:
    yes_no: dict[str, Any] = {"choices": tuple(ANSWERS)}
    parser.add_argument("--tls", help="it speaks TLS; its certificate is verified (default: no)", **yes_no)
    parser.add_argument("--database", action="append", metavar="NAME", help="may be given several times")
    parser.add_argument("--apart", help="it takes one database a query (default: no)", **yes_no)
    parser.add_argument("--terms", metavar="CHARSET", help="of what is searched for: utf-8 (default), gb18030, big5 …")
    parser.add_argument("--records", metavar="CHARSET", help="of its records (default: auto, judged on evidence)")
    parser.add_argument("--negotiation", help="ask it for UTF-8 (default: yes)", **yes_no)
    parser.add_argument(
        "--auth", choices=target.AUTHS, help="how it is told who asks (default: none, idpass with --user)"
    )
    parser.add_argument("--user")
    parser.add_argument("--group")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--prompt", action="store_true", help="ask for the password")
    how.add_argument("--password-file", metavar="FILE", help="the password is in this file")
    how.add_argument("--no-password", action="store_true", help="forget the password")
    parser.add_argument("--syntax", action="append", choices=target.SYNTAXES, help="record syntaxes, the best first")
    parser.add_argument("--elements", metavar="NAME", help="element set (default: F)")
    parser.add_argument("--chunk", type=int, metavar="N", help="records asked for at once (default: 20)")
    parser.add_argument("--dialect", metavar="DIALECT", help="of its records (default: auto, judged by each record)")
    parser.add_argument(
        "--map", action="append", metavar="INDEX=ATTRIBUTES", help="bib-1 attributes of an index: isbn='1=7 4=1'"
    )
    parser.add_argument("--drop", action="append", metavar="TAG", help="fields not copied, beside the usual: 9..")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="that an answer may take (default: 20)")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such target or something of it doesn't work, 2 if what is said of it can't be, 4 if it doesn't
    answer, 5 if the name is taken."""
    async with app.open(context) as node:
        if args.action == "test":
            return await _test(context, node, args)
        password = _password(context, args) if args.action in ("add", "set") else None
        async with node.database.transaction() as conn:
            match args.action:
                case "list":
                    context.out.table([_row(each) for each in await targets.every(conn)], COLUMNS)
                    return 0
                case "show":
                    _show(context, await targets.get(conn, args.name), await _has_secret(conn, args.name))
                    return 0
                case "add":
                    profile = _profile(Profile(host="-"), args)
                    made = await targets.add(conn, args.name, profile, by=context.actor.name)
                    await _keep(conn, node, made, password)
                case "set":
                    there = await targets.get(conn, args.name)
                    made = await targets.change(conn, args.name, _profile(there.profile, args))
                    await _keep(conn, node, made, password)
                case "pause" | "resume":
                    state = targets.PAUSED if args.action == "pause" else targets.ACTIVE
                    await targets.set_state(conn, args.name, state)
                case "remove":
                    await targets.remove(conn, args.name)
            await context.deed.done(conn)
    context.out.say(context.text("done"))
    return 0


async def _test(context: Context, node: Node, args: argparse.Namespace) -> int:
    async with node.database.connection() as conn:
        found = await targets.get(conn, args.name)
    failed = []
    ways, password = outgoing.rules(node.settings), await copying.password_of(node.database, node.home, found)
    async for step in probing.probe(found, ways, password, args.query):
        if context.out.json:
            context.out.item({"step": step.name, "works": step.works, **step.told})
        mark = context.out.paint(GREEN, "✓") if step.works else context.out.paint(RED, "✗")
        outcome = "works" if step.works else "fails"
        context.out.say(f"{mark} {context.text(f'probe_{step.name}_{outcome}', **step.told)}")
        failed += [] if step.works or step.name == "charset" else [step.name]
    return 4 if "init" in failed else 1 if failed else 0


def _profile(there: Profile, args: argparse.Namespace) -> Profile:
    """The profile with what the command says of it."""
    said: dict[str, Any] = {
        "tls": ANSWERS.get(args.tls),
        "databases": args.database and tuple(args.database),
        "apart": ANSWERS.get(args.apart),
        "terms": args.terms,
        "records": args.records,
        "negotiates": ANSWERS.get(args.negotiation),
        "auth": args.auth or (target.IDPASS if args.user and there.auth == target.NONE else None),
        "user": args.user,
        "group": args.group,
        "syntaxes": args.syntax and tuple(args.syntax),
        "elements": args.elements,
        "chunk": args.chunk,
        "dialect": args.dialect,
        "attributes": args.map and {**there.attributes, **dict(map(_mapped, args.map))},
        "drops": args.drop and tuple(args.drop),
        "timeout": args.timeout,
    }
    if args.address:
        said["host"], said["port"] = target.address(args.address)
    given = {name: value for name, value in said.items() if value is not None}
    return target.checked(msgspec.structs.replace(there, **given))


def _mapped(text: str) -> tuple[str, str]:
    index, sign, attributes = text.partition("=")
    if not sign or index not in query.INDEXES:
        raise Misconfigured(f"--map {text}: write an index, = and its attributes; indexes: {', '.join(query.INDEXES)}")
    return index, attributes.strip()


def _password(context: Context, args: argparse.Namespace) -> str | None:
    """What is typed, or in the file; "" = there shall be none, None = nothing is said of it."""
    if args.password_file:
        try:
            return Path(args.password_file).expanduser().read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"--password-file {args.password_file}: {error}") from error
    if args.prompt:
        return acting.secret(context, acting.NEW_PASSWORD, context.text("ask_password", name=args.name))
    return "" if args.no_password else None


async def _keep(conn: Connection, node: Node, made: Target, password: str | None) -> None:
    if password is not None:
        kept = sealed.of(node.home).close(password.encode(), targets.place(made.no)) if password else None
        await targets.set_secret(conn, made.no, kept)


async def _has_secret(conn: Connection, name: str) -> bool:
    return await targets.secret(conn, (await targets.get(conn, name)).no) is not None


def _row(each: Target) -> dict[str, Any]:
    told = target.told(each.profile)
    return {"target": each.name, "kind": each.kind, "address": each.profile.address, **told, "state": each.state}


def _show(context: Context, found: Target, has_secret: bool) -> None:
    row = _row(found) | {"password": has_secret}
    if context.out.json:
        context.out.item(row)
    for key, value in row.items():
        context.out.say(f"{key:11} {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {told}" for name, told in value.items())
    return ", ".join(value) if isinstance(value, tuple) else str(value)
