"""`tianlu batch make|list|show|undo`: one change of many source records."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from catalog import batches, offering
from catalog.batches import Batch
from catalog.connection import Connection
from config import sentences
from config.errors import Misconfigured
from dms import batch_change
from dms.batch_change import Operation
from node import app, attending, indexed
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.cataloguing import batch as batching
from services.cataloguing import batch_told, choosing, patch
from services.cataloguing.batch import Preview
from services.cataloguing.choosing import Chosen

NAME = "batch"
HELP = {
    "en": "Change many source records at once. make shows what a change would do, and with --yes does it: records of "
    "libraries here are changed, others are offered the change. What you change survives later loads as long as the "
    "library leaves the field as it was. An operation is, one a line: 606$a old -> new; 606$a /pattern/ -> new; add "
    "690 ##$aText; delete 690; delete 690$a text; indicator 606 1 # -> 0; copy 200$f -> 701$a; move 606$x -> 606$y; "
    "fix RULE.",
    "zh": "批量修改源记录。make 先预览，加 --yes 执行：本节点成员馆的记录直接修改，其他记录向所属馆提出更正。"
    "成员馆未改动该字段时，修改在以后的装载中保持有效。每行一个操作：606$a 旧 -> 新；606$a /正则/ -> 新；"
    "add 690 ##$a内容；delete 690；delete 690$a 内容；indicator 606 1 # -> 0；copy 200$f -> 701$a；"
    "move 606$x -> 606$y；fix 规则。",
}
ACTS = {
    "make": Act(name="batch.make", object="source", detail=("select", "rule", "change", "why")),
    "list": None,
    "show": None,
    "undo": Act(name="batch.undo", object="batch", detail=("why",)),
}
ALLOW = {"list": Permission.LOOK, "show": Permission.LOOK}
COLUMNS = ("batch", "at", "state", "who", "selection", "changed", "offered", "superseded", "undone", "kept", "why")
RECORDS = ("record", "library", "state", "field", "old", "new", "reason")
TOLD = ("changed", "offered", "same", "refused", "superseded", "undone", "kept")


def arguments(parser: argparse.ArgumentParser) -> None:
    """make, list, show ID, undo ID."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="see what a change does, and do it")
    which = make.add_mutually_exclusive_group(required=True)
    which.add_argument("--select", metavar="QUERY|FILE", help="a query, or a file of ids (cluster or source/local_id)")
    which.add_argument("--source", metavar="NAME", help="all records of this source")
    make.add_argument("--rule", default="", metavar="RULE", help="only records in which this rule finds something")
    make.add_argument("--change", action="append", required=True, metavar="FILE|OPERATION", help="what is done")
    make.add_argument("--limit", type=int, metavar="N", help="look at so many records only (with --dry-run)")
    make.add_argument("--dry-run", action="store_true", help="change nothing")
    make.add_argument("--yes", action="store_true", help="do it")
    listing = actions.add_parser("list", help="batches, the newest first")
    listing.add_argument("--limit", type=int, default=50)
    show = actions.add_parser("show", help="one batch with its records")
    show.add_argument("batch", type=int)
    show.add_argument("--state", action="append", choices=(*batches.STATES, "superseded"), help="only such records")
    show.add_argument("--limit", type=int, default=50)
    undo = actions.add_parser("undo", help="take one back, as far as its fields are as it left them")
    undo.add_argument("batch", type=int)
    for each in (make, undo):
        each.add_argument("--why", default="", metavar="TEXT", help="reason, which others will read")


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if the batch waits for a load that is held, or some of it was changed since and stays."""
    async with app.open(context) as node:
        match args.action:
            case "make":
                return await _make(context, node, args)
            case "undo":
                return await _undo(context, node, args)
        within = context.actor.reach(Permission.LOOK).within
        async with node.database.connection() as conn:
            if args.action == "list":
                found = await batches.recent(conn, args.limit, within)
                counts = await batches.counts(conn, [one.batch for one in found])
                context.out.table([_row(context, one, counts[one.batch]) for one in found], COLUMNS)
            else:
                await _show(context, conn, args, within)
    return 0


def _change(told: Iterable[str]) -> tuple[Operation, ...]:
    """Operations as given, or in a file of this name."""
    return batch_change.read([line for each in told for line in _lines_of(each) or [each]])


def _lines_of(told: str) -> list[str] | None:
    """Lines of the file of this name; None if it names none."""
    try:
        return Path(told).read_text(encoding="utf-8").splitlines() if Path(told).is_file() else None
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{told} is no text in UTF-8") from error
    except (OSError, ValueError):  # no name that a file could have
        return None


async def _chosen(node: Node, args: argparse.Namespace, within: frozenset[str] | None) -> Chosen:
    if args.source:
        async with node.database.connection() as conn:
            return await batching.source(conn, args.source, within)
    lines = _lines_of(args.select)
    if lines is not None:
        async with node.database.connection() as conn:
            return await choosing.of_ids(conn, lines, f"file: {Path(args.select).name}", within)
    reader = await indexed.reader(node)
    async with node.database.connection() as conn:
        return await choosing.of_query(conn, reader, args.select, within)


async def _make(context: Context, node: Node, args: argparse.Namespace) -> int:
    change = _change(args.change)
    within = context.actor.reach(Permission.CHANGE).within
    making = args.yes and not args.dry_run
    if making:
        batching.reason(args.why)
        if args.limit is not None:
            raise Misconfigured("--limit is for looking: a change is made of all that is selected")
    await attending.drain(node)
    chosen = await _chosen(node, args, within)
    if not making:
        context.deed.nothing()
        async with node.database.connection() as conn:
            seen = await batching.preview(conn, chosen, change, rule=args.rule, within=within, limit=args.limit)
        _say_preview(context, seen)
        return 0
    async with node.database.transaction() as conn:
        told: dict[str, Any] = {"who": context.actor.name, "why": args.why, "rule": args.rule, "within": within}
        made = await batching.make(conn, node.queue, chosen, change, **told)
        await context.deed.done(conn, batch=made.batch, selection=made.selection)
    return await _see_through(context, node, made.batch)


async def _undo(context: Context, node: Node, args: argparse.Namespace) -> int:
    await attending.drain(node)
    async with node.database.transaction() as conn:
        told: dict[str, Any] = {"who": context.actor.name, "why": args.why}
        within = context.actor.reach(Permission.CHANGE).within
        taken = await batching.undo(conn, node.queue, args.batch, within=within, **told)
        await context.deed.done(conn)
    return await _see_through(context, node, taken.batch)


async def _see_through(context: Context, node: Node, number: int) -> int:
    async def over(conn: Connection) -> bool:
        if await batching.is_over(conn, number):
            return await attending.clustered(conn)
        return await batches.blocked(conn, await batches.get(conn, number)) is not None

    await attending.attend(node, over)
    async with node.database.connection() as conn:
        batch = await batches.get(conn, number)
        counts = (await batches.counts(conn, [number]))[number]
        waits = await batches.blocked(conn, batch)
        reasons = await batches.reasons(conn, number)
    if context.out.json:
        context.out.item(batch_told.batch(batch, counts))
    elif waits is None:
        told = {name: f"{counts.get(name, 0):,}" for name in TOLD}
        told["changed"] = f"{sum(counts.get(name, 0) for name in ('changed', 'kept')):,}"
        context.out.say(context.text("batch_undone" if batch.undone_at else "batch_made", batch=number, **told))
    if waits is not None:
        context.out.note(context.text("batch_waits", batch=number, load=waits))
        return 5
    for _, reason, count in reasons:
        context.out.note(f"{count:>8,}  {sentences.told(reason, context.lang)}")
    return 5 if batch.undone_at and counts.get("kept") else 0


async def _show(context: Context, conn: Connection, args: argparse.Namespace, within: frozenset[str] | None) -> None:
    batch = await batches.get(conn, args.batch, within=within)
    counts = (await batches.counts(conn, [args.batch]))[args.batch]
    rows = await batches.listing(conn, args.batch, args.state or batches.STATES, args.limit, within)
    change = batch_told.change(batch)
    answers = {patch.state(state): n for state, n in (await offering.answers(conn, args.batch)).items()}
    if context.out.json:
        told = {"change": change, "answers": answers, "records": [batch_told.record(row) for row in rows]}
        context.out.item({**batch_told.batch(batch, counts), **told})
        return
    lines = {**_row(context, batch, counts), "change": "; ".join(change), "answers": answers or ""}
    for name, value in lines.items():
        if value not in (None, ""):
            context.out.fact(name, value)
    context.out.say("")
    context.out.table([line for row in rows for line in _lines(row, context.lang)], RECORDS)


def _row(context: Context, batch: Batch, counts: dict[str, int]) -> dict[str, Any]:
    """A batch, for people in their language."""
    plain = batch_told.batch(batch, counts)
    if context.out.json:
        return plain
    return plain | {name: sentences.told(plain[name], context.lang) for name in ("selection", "why")}


def _lines(row: Any, lang: str) -> list[dict[str, Any]]:
    told = batch_told.record(row)
    told["reason"] = sentences.told(told["reason"], lang)
    edits = told.pop("edits")
    return [{**told, **edit} for edit in edits] or [told]


def _say_preview(context: Context, seen: Preview) -> None:
    plain = batch_told.preview(seen)
    if context.out.json:
        context.out.item(plain)
        return
    for one in plain["examples"]:
        context.out.say(one["record"])
        for edit in one["edits"]:
            for sign, text in (("-", edit["old"]), ("+", edit["new"])):
                if text:
                    context.out.say(f"  {sign} {edit['field']} {text}")
    told = {name: f"{plain[name]:,}" for name in batch_told.PREVIEWED}
    context.out.say(context.text("batch_preview", looked=f"{seen.looked:,}", **told))
    for reason, count in seen.reasons.most_common():
        context.out.note(f"{count:>8,}  {sentences.told(reason, context.lang)}")
    context.out.note(context.text("batch_not_made"))
