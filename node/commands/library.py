"""`tianlu library add|list|rename|move|remove`: the directory."""

from __future__ import annotations

import argparse

from catalog import libraries
from catalog.model import Library
from node import app
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission

NAME = "library"
HELP = {"en": "The directory of libraries.", "zh": "成员馆名录。"}
ACTS = {
    "list": None,
    "add": Act(name="library.add", object="symbol", library="symbol", detail=("name", "name_en", "area")),
    "rename": Act(name="library.rename", object="symbol", library="symbol", detail=("name", "name_en")),
    "move": Act(name="library.move", object="symbol", library="symbol", detail=("area",)),
    "remove": Act(name="library.remove", object="symbol", library="symbol", detail=("into",)),
}
ALLOW = {"list": Permission.READ}
AREA = "where it is, from the largest part: 广东/深圳; libraries of one city are a level of the scope bar"
COLUMNS = ("symbol", "name", "name_en", "area", "state", "successor")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all libraries")
    add = actions.add_parser("add", help="enter a library")
    add.add_argument("symbol")
    add.add_argument("--name", required=True, help="in its own language")
    add.add_argument("--name-en", default="")
    add.add_argument("--area", default="", help=AREA)
    rename = actions.add_parser("rename", help="give it other names; its symbol and records stay")
    rename.add_argument("symbol")
    rename.add_argument("--name", required=True)
    rename.add_argument("--name-en", default="")
    move = actions.add_parser("move", help="put it into another area")
    move.add_argument("symbol")
    move.add_argument("--area", required=True, help=AREA)
    remove = actions.add_parser("remove", help="close it, or merge it into another")
    remove.add_argument("symbol")
    remove.add_argument("--into", default="", help="symbol of the library that takes over")


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if the symbol is taken, or the library still has sources."""
    async with app.open(context) as node, node.database.transaction() as conn:
        match args.action:
            case "list":
                rows = [{name: getattr(library, name) for name in COLUMNS} for library in await libraries.every(conn)]
                context.out.table(rows, COLUMNS)
                return 0
            case "add":
                await libraries.add(
                    conn, Library(symbol=args.symbol, name=args.name, name_en=args.name_en, area=args.area)
                )
            case "rename":
                await libraries.rename(conn, args.symbol, args.name, args.name_en)
            case "move":
                await libraries.move(conn, args.symbol, args.area)
            case "remove":
                await libraries.close(conn, args.symbol, args.into)
        await context.deed.done(conn)
    context.out.say(context.text("done"))
    return 0
