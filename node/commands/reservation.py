"""`tianlu reservation make|list|end`: an ISBN or a title that a library is about to catalogue; the others see it."""

from __future__ import annotations

import argparse

from catalog import reservations
from config.errors import Refused
from node import app
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.submitting import reserving, told

NAME = "reservation"
HELP = {
    "en": "Reserve an ISBN or a title that the library is about to catalogue. The others see it, and can't reserve it "
    "or let a record of it in meanwhile; the record itself ends it, or the time.",
    "zh": "预约编目：预约本馆将要编目的 ISBN 或题名。其他馆可以看到，期间不能预约或提交入库；记录入库或到期即解除。",
}
ACTS = {
    "make": Act(name="reservation.make", object="what", library="library", detail=("hours",)),
    "end": Act(name="reservation.end", object="what"),
    "list": None,
}
ALLOW = {"list": Permission.COPY}
COLUMNS = ("what", "library", "until", "key")


def arguments(parser: argparse.ArgumentParser) -> None:
    """make ISBN|TITLE, list, end ISBN|TITLE."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="reserve it, or go on with one's own")
    make.add_argument("--library", metavar="SYMBOL", default="", help="that reserves it (default: the node's)")
    make.add_argument("--hours", type=float, default=reserving.HOURS, metavar="N", help="default: 24")
    listing = actions.add_parser("list", help="those that hold now")
    listing.add_argument("--library", metavar="SYMBOL", default="")
    listing.add_argument("--limit", type=int, default=50)
    end = actions.add_parser("end", help="give it up before its time")
    for each in (make, end):
        each.add_argument("what", metavar="ISBN|TITLE")


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if it is another library's."""
    async with app.open(context) as node:
        if args.action == "list":
            async with node.database.connection() as conn:
                found = await reservations.listing(conn, args.limit, args.library)
            context.out.table([told.reservation(each) for each in found], COLUMNS)
            return 0
        async with node.database.transaction() as conn:
            if args.action == "make":
                library = args.library or context.actor.library or node.symbol
                if not context.actor.may(Permission.SUBMIT, library):
                    raise Refused(f"{context.actor.name} may not reserve for {library}")
                done = await reserving.make(conn, args.what, library, made_by=context.actor.name, hours=args.hours)
            else:
                within = context.actor.reach(Permission.SUBMIT).within
                done = await reservations.give_up(conn, reserving.key(args.what), within)
            await context.deed.done(conn, object=done.key, library=done.library)
        if context.out.json:
            context.out.item(told.reservation(done))
        context.out.say(
            context.text(
                f"reservation_{args.action}",
                what=done.told,
                library=done.library,
                until=f"{done.until:%Y-%m-%d %H:%M %Z}",
            )
        )
    return 0
