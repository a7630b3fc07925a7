"""`tianlu review list|decide`: corrections that parents offer, and what became of our own."""

from __future__ import annotations

import argparse

from catalog import corrections
from catalog.corrections import Entry
from node import app, attending
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.cataloguing import patch

NAME = "review"
HELP = {
    "en": "Corrections that wait for somebody: offered by a parent and not decided on, stale (the field is no longer "
    "as it was), or made here and not taken by a child. decide: accept one, which mends the record here and tells "
    "those above and below, or refuse it.",
    "zh": "待处理的更正：上级提出、尚未决定的，已过时的（字段已与当时不同），以及本节点提出而下级未采纳的。"
    "decide：采纳则更正本节点记录并告知上下级，或拒绝。",
}
ACTS = {"list": None, "decide": Act(name="correction.decide", object="correction", detail=("verdict",))}
ALLOW = {"list": Permission.LOOK}
COLUMNS = ("correction", "from", "to", "state", "id", "field", "old", "new", "why")


def arguments(parser: argparse.ArgumentParser) -> None:
    """list, decide."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="corrections that wait for somebody")
    listing.add_argument("--all", action="store_true", help="those that are decided on too")
    decide = actions.add_parser("decide", help="accept or refuse what a parent offers")
    decide.add_argument("correction", metavar="ID", help="of the correction")
    decide.add_argument("verdict", choices=("accept", "refuse"), help="accept or refuse")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such correction, 5 if it is decided on already or has become stale."""
    async with app.open(context) as node:
        if args.action == "list":
            async with node.database.connection() as conn:
                found = await corrections.listing(conn, decided=args.all)
            context.out.table([_row(node.symbol, entry) for entry in found], COLUMNS)
            return 0
        await attending.drain(node)
        async with node.database.transaction() as conn:
            state = "refused"
            if args.verdict == "accept":
                state = await corrections.accept(conn, node.symbol, args.correction)
            else:
                await corrections.refuse(conn, args.correction)
            await context.deed.done(conn, state=state)
        await attending.leave_nothing(node)
    if context.out.json:
        context.out.item({"correction": args.correction, "state": state})
    context.out.say(context.text(f"correction_{state}", correction=args.correction))
    return 5 if state == "stale" else 0


def _row(symbol: str, entry: Entry) -> dict[str, object]:
    return {
        "correction": entry.id,
        "from": symbol if entry.outward else entry.symbol,
        "to": entry.symbol if entry.outward else symbol,
        "state": entry.state,
        "id": entry.target,
        "field": entry.tag,
        "old": patch.shown(entry.old),
        "new": patch.shown(entry.new),
        "why": entry.why,
        "at": entry.at.isoformat(timespec="seconds"),
        "decided_at": entry.decided_at and entry.decided_at.isoformat(timespec="seconds"),
    }
