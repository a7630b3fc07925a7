"""`tianlu loads list|show|undo`."""

from __future__ import annotations

import argparse
from typing import Any

from catalog import loads, quality, sources
from catalog.connection import Connection
from catalog.loads import Load
from catalog.model import LoadState
from config import sentences
from dms import undo
from dms.quality_texts import heading
from dms.rules.model import Level
from node import app, attending
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission

NAME = "loads"
HELP = {
    "en": "List loads, show one, or undo the newest of a source: everything it added, changed or deleted is put back.",
    "zh": "列出装载、查看某次装载，或撤销某数据源最近一次装载：其新增、修改、删除的一切都将恢复。",
}
ACTS = {"list": None, "show": None, "undo": Act(name="load.undo", object="load")}
ALLOW = {"list": Permission.LOOK, "show": Permission.LOOK}
COLUMNS = ("load", "source", "mode", "state", "records", "added", "updated", "deleted", "unreadable", "origin")
RULES = ("rule", "level", "records", "findings", "mended", "example", "text")


def arguments(parser: argparse.ArgumentParser) -> None:
    """list, show ID, undo ID."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the newest loads")
    listing.add_argument("--limit", type=int, default=50)
    listing.add_argument("--all", action="store_true", help="those too that other nodes fed")
    for name, about in (("show", "one load with all its counts"), ("undo", "put back what a load changed")):
        actions.add_parser(name, help=about).add_argument("load", type=int)


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if a load can't be undone because another stands on it."""
    async with app.open(context) as node:
        if args.action == "undo":
            return await _undo(context, node, args.load)
        async with node.database.connection() as conn:
            if args.action == "list":
                found = await loads.recent(conn, args.limit, feeds=args.all)
                rows = [await _row(conn, load) for load in found]
                context.out.table([_worded(context, row) for row in rows], COLUMNS)
            else:
                await _show(context, conn, args.load)
    return 0


async def _show(context: Context, conn: Connection, number: int) -> None:
    """One load, and what the rules found in it, the worst first."""
    row = await _row(conn, await loads.get(conn, number))
    judged, score = await quality.score_of_load(conn, number)
    row |= {"judged": judged, "score": round(score / judged, 1) if judged else None}
    rules = [
        {**dict(found), "level": Level(found["level"]).name.lower(), "text": heading(found["rule"], context.lang)}
        for found in await quality.of_load(conn, number)
    ]
    if context.out.json:
        context.out.item({**row, "rules": rules})
        return
    for name, value in _worded(context, row).items():
        context.out.fact(name, "" if value is None else value)
    if rules:
        context.out.say("")
        context.out.table([{**one, "example": next(iter(one["examples"]), "")} for one in rules], RULES)


def _worded(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    """For people: what was kept in English in the language of the command. Programs get it as it is kept."""
    told = {name: sentences.told(row[name], context.lang) for name in ("reason", "origin")}
    return row if context.out.json else row | told


async def _row(conn: Connection, load: Load) -> dict[str, Any]:
    source = await sources.by_number(conn, load.source)
    return {
        "load": load.load,
        "source": source.name,
        "library": load.library,
        "mode": load.mode,
        "state": load.state.value,
        "reason": load.reason,
        "origin": load.origin,
        **load.counts,
        "landed_bytes": load.landed,
        "started_at": load.started_at,
        "finished_at": load.finished_at,
    }


async def _undo(context: Context, node: Node, number: int) -> int:
    async with node.database.connection() as conn:
        found = await loads.get(conn, number)
    async with node.database.transaction() as conn:
        await context.deed.begun(conn, library=found.library)
    source = found.source
    await attending.see_through(node, source)
    back = await undo.undo(node.database, node.queue, number)

    async def over(conn: Connection) -> bool:
        return (await loads.get(conn, back.load)).state not in (LoadState.PREPARING, LoadState.PLACING)

    await attending.attend(node, over)
    async with node.database.connection() as conn:
        done = await loads.get(conn, back.load)
        undone = await loads.get(conn, number)
    context.deed.about(state=undone.state.value, by=back.load)
    context.out.say(context.text("undone", load=number, by=back.load, records=done.records))
    if context.out.json:
        context.out.item({"load": number, "state": undone.state.value, "undone_by": back.load, **done.counts})
    return 0 if undone.state is LoadState.UNDONE else 1
