"""`tianlu quarantine list|summary|show|export|fix|rerun|drop`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from catalog import bodies, loads, quarantine, sources
from catalog.connection import Connection
from catalog.loads import Load
from catalog.model import LoadState, Source
from config import sentences
from config.errors import BadRecord, Misconfigured
from dms import quality_scope
from dms.rules.model import Profile
from node import app, attending
from node.app import Node
from node.commands import load as loading
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission
from services.returning import again, files, helping, previews, shown

NAME = "quarantine"
HELP = {
    "en": "Records that came back: list them, show one, write them out, mend them, read them again, or forget them.",
    "zh": "被退回的记录：列出、查看、导出、按规则修复、重新读取或丢弃。",
}
ACTS = {
    "list": None,
    "summary": None,
    "show": None,
    "export": Act(name="quarantine.export", object="source", detail=("rule",)),
    "fix": Act(name="quarantine.fix", object="source", detail=("rule",)),
    "rerun": Act(name="quarantine.rerun", object="source", detail=("rule", "encoding")),
    "drop": Act(name="quarantine.drop", object="source", detail=("rule",)),
}
ALLOW = {"fix": Permission.LOAD, "rerun": Permission.LOAD, "drop": Permission.LOAD}
COLUMNS = ("id", "source", "load", "place", "local_id", "verdict", "rule", "reason")
TOLD = ("id", "source", "load", "ordinal", "position", "local_id", "verdict", "rule", "reason")
GROUPS = ("source", "library", "rule", "verdict", "n", "fix", "text")
SHOWN = 600  # characters that `show` prints of bytes in which no record is found
PREVIEWS = 5  # records that a preview shows
OVER = (LoadState.DONE, LoadState.HELD, LoadState.FAILED)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and what they are about."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("list", "what came back, newest first"),
        ("summary", "how many came back, by rule and source"),
        ("export", "the records to standard output: their bytes, or a table"),
        ("fix", "mend what a rule returned, and read it again (--dry-run only shows)"),
        ("rerun", "read them again (after an upgrade, or with another --encoding)"),
        ("drop", "forget them"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("--source")
        action.add_argument("--rule")
        if name == "list":
            action.add_argument("--limit", type=int, default=100)
        if name == "rerun":
            action.add_argument("--encoding", default="auto")
        if name == "export":
            action.add_argument("--to", choices=("raw", *files.WRITERS), default="raw")
        if name == "fix":
            action.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
            action.add_argument("--limit", type=int, default=PREVIEWS, help="records that --dry-run shows")
    actions.add_parser("show", help="one case with its bytes").add_argument("id", type=int)


async def run(context: Context, args: argparse.Namespace) -> int:
    """3 if some of them came back again."""
    async with app.open(context) as node:
        async with node.database.transaction() as conn:
            if args.action == "show":
                return await _show(context, conn, args.id)
            source = (await sources.get(conn, args.source)) if args.source else None
            number = source.no if source else None
            context.deed.about(library=source.library if source else "")
            match args.action:
                case "list":
                    found = await quarantine.listing(conn, source=number, rule=args.rule, limit=args.limit)
                    context.out.table(await _worded(context, conn, found), COLUMNS)
                    return 0
                case "summary":
                    groups = await quarantine.groups(conn, source=number)
                    helps = await helping.by_group(conn, groups, source=number, within=None)
                    context.out.table([_group(context, dict(row), helps) for row in groups], GROUPS)
                    return 0
                case "export":
                    return await _export(context, conn, number, args.rule, args.to)
                case "drop":
                    count = await quarantine.drop(conn, source=number, rule=args.rule)
                    await context.deed.done(conn, count=count)
                    context.out.say(context.text("dropped", count=count))
                    return 0
            if source is None:
                raise Misconfigured(f"quarantine {args.action} needs --source NAME")
            if args.action == "fix":
                if not args.rule or not shown.mendable(args.rule):
                    raise Misconfigured(context.text("fix_none", rule=args.rule or "?"))
                if args.dry_run:
                    profile = await quality_scope.of_library(conn, source.library)
                    return await _preview(context, conn, source, args.rule, profile, args.limit)
        return await _again(context, node, source, args)


async def _worded(context: Context, conn: Connection, found: Sequence[Any]) -> list[dict[str, Any]]:
    """Cases with their reasons in the language of the command."""
    profiles: dict[str, Profile] = {}
    told: dict[int, dict[str, str]] = {}
    for case in await quarantine.some(conn, [row["id"] for row in found]):
        library = case["library"]
        if library not in profiles:
            profiles[library] = await quality_scope.of_library(conn, library)
        reason = previews.reason(case, profiles[library], context.lang)
        told[case["id"]] = {"place": shown.where(case, context.lang), "reason": reason}
    return [{**dict(row), **told.get(row["id"], {})} for row in found]


def _group(context: Context, row: dict[str, Any], helps: Mapping[tuple[str, str], helping.Help]) -> dict[str, Any]:
    """`fix`: of how many records that were tried it brings how many through."""
    told = helps.get((row["source"], row["rule"]))
    fix = f"{told.passing}/{told.tried}" if told else ""
    return {**row, "at": row["at"].isoformat(), "fix": fix, "text": shown.heading(row["rule"], context.lang)}


async def _again(context: Context, node: Node, source: Source, args: argparse.Namespace) -> int:
    async with node.database.transaction() as conn:
        cases = sum(
            row["n"] for row in await quarantine.groups(conn, source=source.no) if args.rule in (None, row["rule"])
        )
        await context.deed.begun(conn, records=cases)
    await attending.see_through(node, source.no)
    begun = await again.begin(
        node.database,
        node.queue,
        source,
        rule=args.rule,
        mends=(args.rule,) if args.action == "fix" else (),
        encoding=getattr(args, "encoding", "auto"),
    )
    numbers = [load.load for load in begun]

    async def over(conn: Connection) -> bool:
        return all([(await loads.get(conn, number)).state in OVER for number in numbers])

    with context.out.progress(context.text("landing")):
        spent = await attending.attend(node, over, attending.SOON)
    async with node.database.connection() as conn:
        done: Sequence[Load] = [await loads.get(conn, number) for number in numbers]
    return max(loading.report(context, source, load, sum(spent.values()), spent) for load in done)


async def _preview(context: Context, conn: Connection, source: Source, rule: str, profile: Profile, limit: int) -> int:
    """What a fix would change in the first records, and whether they would pass then."""
    seen = left = 0
    async for case in quarantine.bodies(conn, source=source.no, rule=rule):
        if seen >= limit:
            break
        seen += 1
        try:
            found = previews.opened(case)
        except BadRecord as error:
            why = sentences.told(str(error), context.lang)
            if context.out.json:
                context.out.item({"id": case["id"], "error": why})
            context.out.say(f"{case['id']}: {why}")
            continue
        told = previews.preview(found, profile, (rule,))
        left += not told.passes
        changes = [(each, *shown.change(each)) for each in told.receipts]
        if context.out.json:
            context.out.item(
                {
                    "id": case["id"],
                    "local_id": case["local_id"],
                    "receipts": [
                        {"rule": each.rule, "tag": each.tag, "nth": each.nth, "before": before, "after": after}
                        for each, before, after in changes
                    ],
                    "passes": told.passes,
                    "left": [one._asdict() for one in shown.problems(told.errors, context.lang)],
                }
            )
        context.out.say(f"{case['id']} {case['local_id']}")
        for each, before, after in changes:
            context.out.say(f"  {each.tag}  - {before}\n  {each.tag}  + {after}")
        for one in shown.problems(told.errors, context.lang):
            context.out.say(f"  ! {one.rule} {one.place}: {one.text}")
    context.out.say(context.text("fix_preview", seen=seen, passing=seen - left, rule=rule, source=source.name))
    return 0


async def _show(context: Context, conn: Connection, ident: int) -> int:
    case = await quarantine.get(conn, ident)
    source = await sources.by_number(conn, case["source"])
    raw = bodies.grow(case["body"])
    told = {name: case[name] for name in TOLD if name != "source"}
    told |= {"source": case["source_name"], "place": shown.where(case, context.lang)}
    reason = previews.reason(case, await quality_scope.of_library(conn, source.library), context.lang)
    for name in COLUMNS:
        context.out.fact(name, reason if name == "reason" else told[name], 10)
    problems: list[shown.Problem] = []
    try:
        found = previews.opened(case)
    except BadRecord:
        context.out.say(raw[:SHOWN].decode("utf-8", "backslashreplace"))
    else:
        profile = await quality_scope.of_library(conn, source.library)
        preview = previews.preview(found, profile, ())
        problems = shown.problems(preview.findings, context.lang)
        for line in shown.lines(found.record, preview.findings):
            context.out.say(f"{'!' if line.wrong else ' '} {line.tag} {line.indicators:2} {line.text}")
        for one in problems:
            context.out.say(f"  {one.rule} {one.place}: {one.text}")
    if context.out.json:
        context.out.item(
            {
                **told,
                "bytes": raw.decode("utf-8", "backslashreplace"),
                "findings": [one._asdict() for one in problems],
            }
        )
    return 0


async def _export(context: Context, conn: Connection, source: int | None, rule: str | None, to: str) -> int:
    context.out.flush()
    async for piece in files.pieces(conn, to, context.lang, source=source, rule=rule):
        context.out.stdout.buffer.write(piece)
    return 0
