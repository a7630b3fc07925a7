"""`tianlu source add|set|list|test|characters|share|rekey|pause|resume|remove`."""

from __future__ import annotations

import argparse
import contextlib
import json
from typing import Any

from catalog import clusters, libraries, sources
from catalog.connection import Connection
from catalog.model import Format, Source, SourceNo
from config.errors import Misconfigured
from dms import identity, prepare, shapes, sharing
from exchange import landing
from node import app, attending, characters, habits, rekeying, tabular
from node.app import Node
from node.context import Context
from node.deeds import Act
from protocols import dialect, reading, stream
from protocols.marc import Record
from protocols.tables import template
from services.access.policy import Permission

NAME = "source"
HELP = {
    "en": "Sources of records: add one with its habits, change them, list sources, test a file (which identity rule "
    "suits it, and which fields tell of holdings), or say what of a source is shared.",
    "zh": "数据源：按其著录习惯添加、修改、列出，测试文件（适用何种标识规则、哪些字段是馆藏），或设定其共享范围。",
}
ACTS = {
    "list": None,
    "test": None,
    "add": Act(
        name="source.add",
        object="name",
        library="library",
        detail=("format", "encoding", "identity", "private", "trust"),
    ),
    "set": Act(name="source.set", object="name", detail=habits.TOLD),
    "characters": Act(name="source.characters", object="name", detail=("file", "ready", "none")),
    "share": Act(name="source.share", object="name", detail=("level", "drop", "hide", "items")),
    "rekey": Act(name="source.rekey", object="name", detail=("new", "identity", "old_id", "by", "pairs")),
    "pause": Act(name="source.pause", object="name"),
    "resume": Act(name="source.resume", object="name"),
    "remove": Act(name="source.remove", object="name"),
}
ALLOW = {"list": Permission.LOOK, "test": Permission.LOOK}
SAMPLE = 5000  # records that a test looks at
SHOWN = 3  # records that it shows of a table, and rows that can't be one
COLUMNS = (
    "source", "library", "format", "encoding", "identity", "template", "trust", "visibility", "shared", "state",
    "records",
)  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and the habits."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all sources, with their number of records")
    add = actions.add_parser("add", help="enter a source")
    habits.told(add)
    add.add_argument("--library", required=True)
    add.add_argument("--private", action="store_true", help="its records are shown nowhere")
    habits.arguments(actions.add_parser("set", help="change what was said of it; what is left out stays"))
    test = actions.add_parser("test", help="report what a file looks like, load nothing")
    test.add_argument("file")
    test.add_argument("--template", metavar="FILE|NAME", help="of a table; default: by its header row")
    characters.arguments(actions.add_parser("characters", help="the table of its private-use characters"))
    share = actions.add_parser("share", help="what of it is shared, for the records that are there and all to come")
    share.add_argument("name")
    share.add_argument("--level", choices=tuple(sharing.LEVELS), help="all, only the holdings, or nothing")
    share.add_argument("--drop", nargs="*", metavar="FIELD", help="fields that never leave this node: 9.. 300$a")
    share.add_argument(
        "--hide", nargs="*", metavar="FIELD=TEXT", help="records shown nowhere: 500$a=内部资料; none ends it"
    )
    share.add_argument("--items", choices=("keep", "share"), help="item numbers leave this node, or don't (default)")
    share.add_argument("--show", action="store_true", help="show the profile, change nothing")
    rekeying.arguments(actions.add_parser("rekey", help="its records have other ids, as its library has a new system"))
    for name, about in (("pause", "load nothing into it"), ("resume", "load again"), ("remove", "forget an empty one")):
        actions.add_parser(name, help=about).add_argument("name")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0, or the error's code."""
    if args.action == "test":
        return _test(context, args.file, args.template)
    if args.action == "rekey":
        return await rekeying.run(context, args)
    if args.action == "share":
        async with app.open(context) as node:
            await _share(context, node, args)
        return 0
    if args.action == "set":
        async with app.open(context) as node:
            await _change(context, node, args)
        return 0
    async with app.open(context) as node, node.database.transaction() as conn:
        if args.action == "list":
            counts = await sources.counts(conn)
            rows = [
                {
                    "source": s.name,
                    "library": s.library,
                    "format": s.format,
                    "encoding": s.encoding,
                    "identity": s.identity,
                    "template": template.named(s.template).name if s.template else "",
                    "trust": s.trust,
                    "visibility": s.visibility.name.lower(),
                    "shared": s.sharing.get("level", "all"),
                    "state": s.state,
                    "records": counts.get(s.no, 0),
                }
                for s in await sources.every(conn)
            ]
            context.out.table(rows, COLUMNS)
        elif args.action == "add":
            await _add(conn, args)
            await context.deed.done(conn)
            context.out.say(context.text("done"))
        elif args.action == "characters":
            changed = await characters.run(context, conn, args)
            if args.show:
                context.deed.nothing()
            await context.deed.done(conn, library=(await sources.get(conn, args.name)).library)
            if not args.show:
                context.out.say(context.text("characters_set" if changed else "done", source=args.name))
        else:
            library = (await sources.get(conn, args.name)).library
            await _set(conn, args.name, {"pause": "paused", "resume": "active", "remove": "removed"}[args.action])
            await context.deed.done(conn, library=library)
            context.out.say(context.text("done"))
    return 0


async def _add(conn: Connection, args: argparse.Namespace) -> None:
    source = habits.changed(Source(no=SourceNo(0), name=args.name, library=args.library), args)
    prepare.check_habits(source)
    await libraries.ensure(conn, args.library)
    await sources.add(
        conn,
        source.name,
        source.library,
        format=source.format,
        encoding=source.encoding,
        identity=source.identity,
        mapping=source.mapping,
        visibility=source.visibility,
        trust=source.trust,
        template=source.template,
    )


async def _change(context: Context, node: Node, args: argparse.Namespace) -> None:
    async with node.database.transaction() as conn:
        source = await habits.run(context, conn, args)
        await context.deed.done(conn, library=source.library)
    await attending.leave_nothing(node)


async def _share(context: Context, node: Node, args: argparse.Namespace) -> None:
    async with node.database.transaction() as conn:
        profile = await _shared(conn, args)
        if args.show:
            context.deed.nothing()
        await context.deed.done(conn, library=(await sources.get(conn, args.name)).library)
    await attending.leave_nothing(node)
    async with node.database.connection() as conn:
        due = await sources.sharing_from(conn, (await sources.get(conn, args.name)).no) is not None
    shown = {**sharing.told(profile), "pending": due}
    if context.out.json:
        context.out.item({"source": args.name, **shown})
    for key, value in shown.items():
        context.out.say(f"{key:8} {', '.join(value) if isinstance(value, list) else value}")
    if due:
        context.out.note(context.text("sharing_pending", source=args.name))


async def _shared(conn: Connection, args: argparse.Namespace) -> sharing.Profile:
    """The profile after the command."""
    source = await sources.get(conn, args.name)
    if args.show:
        return sharing.profile(source.sharing)
    now: dict[str, object] = dict(source.sharing)
    given = {"level": args.level, "drop": args.drop, "hide": args.hide}
    now |= {key: value for key, value in given.items() if value is not None}
    if args.items:
        now["items"] = args.items == "share"
    profile = sharing.profile(now)
    if now != source.sharing:
        await sources.lock(conn, source.no)
        await sources.share(conn, source.no, now)
        if any(now.get(key) != source.sharing.get(key) for key in ("drop", "items")):
            await clusters.soil_source(conn, source.no)
    return profile


async def _set(conn: Connection, name: str, state: str) -> None:
    if state == "removed":
        source = await sources.get(conn, name)
        left = (await sources.counts(conn)).get(source.no, 0)
        if left:
            raise Misconfigured(
                f"source {name} still has {left} records: undo its loads, or load an empty full dump, then remove it"
            )
    await sources.set_state(conn, name, state)


def _test(context: Context, path: str, template: str | None) -> int:
    """What a file looks like: identity rules, shapes of local fields, a guessed mapping; what becomes of a table."""
    sample, is_table = _sample(context, path, template)
    if is_table:
        return 0
    ids = identity.identity_report(sample)
    found = shapes.shapes(sample)
    fmt = _format(sample)
    guess = shapes.guess_mapping(found, fmt)
    if context.out.json:
        context.out.item(
            {
                "records": ids.records,
                "identity": ids.advice,
                "rules": [{"rule": r.rule, "missing": r.missing, "repeated": r.repeated} for r in ids.rules],
                "shapes": [_plain(shape) for shape in found],
                "mapping": guess,
            }
        )
        return 0
    context.out.say(context.text("source_sample", records=ids.records, advice=ids.advice))
    context.out.table(
        [{"rule": r.rule, "missing": r.missing, "repeated": r.repeated, "example": r.example} for r in ids.rules],
        ("rule", "missing", "repeated", "example"),
    )
    context.out.say("")
    context.out.table([_plain(shape) for shape in found], ("field", "count", "guess", "example"))
    context.out.say(context.text("source_mapping"))
    context.out.say(json.dumps(guess, ensure_ascii=False, indent=2))
    return 0


def _sample(context: Context, path: str, template: str | None) -> tuple[list[Record], bool]:
    """Some records, and whether they were made of a table, which is told."""
    with contextlib.ExitStack() as stack:
        inputs = landing.open_inputs(stack, [path], template=tabular.chosen(template))
        batches = (
            reading.read(stretch.data, inputs.carrier)
            for stretch in stream.stretches(inputs.streams[0], inputs.carrier)
            if not stretch.fault
        )
        failed: list[str] = []
        sample: list[Record] = []
        for batch in batches:
            sample += [read.record for read in batch.reads]
            failed += [each.reason for each in batch.failed]
            if len(sample) >= SAMPLE:
                break
        if inputs.tables:
            tabular.tell(context, inputs.tables)
            tabular.show(context, sample[:SHOWN], failed[:SHOWN])
        return sample[:SAMPLE], bool(inputs.tables)


def _format(sample: list[Record]) -> Format:
    """The format of most of the sample."""
    cnmarc = sum(1 for record in sample if dialect.family(record) == dialect.CNMARC)
    return Format.CNMARC if cnmarc * 2 > len(sample) else Format.MARC21


def _plain(shape: shapes.Shape) -> dict[str, Any]:
    return {
        "field": shape.tag + "".join(f"${code}" for code in shape.codes),
        "count": shape.fields,
        "guess": ", ".join(f"${guess.code} {guess.role}" for guess in shape.guesses),
        "example": shape.examples[0] if shape.examples else "",
    }
