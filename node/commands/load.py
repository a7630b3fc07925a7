"""`tianlu load FILE…`: records from files or standard input into a source; works with and without a running node."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import time
from collections.abc import Callable
from functools import partial

from catalog import attached, inbox, libraries, loads, sheets, sources
from catalog.connection import Connection
from catalog.loads import Load
from catalog.model import LoadState, Source
from config import sentences
from config.errors import Misconfigured, NotFound
from dms import quality_scope
from dms.pipeline import Habits, habits_key
from exchange import landing
from node import app, attending, lifecycle, messages, tabular
from node.app import Node
from node.context import Context
from node.deeds import Act, Deed
from node.output import Progress
from node.words import word
from protocols import detect, dialect

NAME = "load"
HELP = {
    "en": "Load records. The same file again changes nothing; an interrupted load goes on when the same command is "
    "given again. In mode `full` what is absent from the files is deleted.",
    "zh": "装载记录。重复装载同一文件不会产生变化；中断后再次执行同一命令即可继续。"
    "full 模式下，文件中没有的记录将被删除。",
}
ACTS = {"": Act(name="load.add", object="source", library="library", detail=("mode", "yes"))}
FORMATS = ("auto", *detect.CARRIERS, *landing.TABLES, *dialect.DIALECTS)
FORMAT_HELP = "how the records are written, or which MARC they are; default: by content"
HEAVY = 1_000_000  # bytes of input for which the worker in this process will want its process pool
Words = Callable[..., str]  # node.messages.text in a language
ENGLISH: Words = partial(messages.text, "en")
OVER = (LoadState.DONE, LoadState.HELD, LoadState.FAILED, LoadState.UNDONE)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to load, as which source of which library."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="file, .gz too, or - for standard input; an interrupted load of standard input goes on if its first "
        "megabyte is the same, so give the same again",
    )
    parser.add_argument("--source", required=True, help="name of the source; a new one is made with --library")
    parser.add_argument("--library", help="symbol of the library whose records these are")
    parser.add_argument("--format", choices=FORMATS, default="auto", help=FORMAT_HELP)
    parser.add_argument("--encoding", default="auto", help="e.g. utf-8, gb18030, marc-8; default: judged on evidence")
    parser.add_argument(
        "--template", metavar="FILE|NAME", help="how a table (CSV, Excel) becomes records; default: by its header row"
    )
    parser.add_argument(
        "--holdings",
        action="store_true",
        help="holdings of records that the source has otherwise: a table with a row a copy, or MFHD records",
    )
    parser.add_argument(
        "--join",
        choices=tuple(sheets.JOINS),
        help="with --holdings: by what a row names its record; default: barcode or call number in a sheet without "
        "record numbers, else as before, at first id",
    )
    parser.add_argument("--mode", choices=("changes", "full"), default="changes", help="what absence means")
    parser.add_argument("--yes", action="store_true", help="publish even beyond the limits that would hold the load")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0 done; 3 done, but records came back; 1 held or failed; 5 the source is busy."""
    carrier, said = carrier_and_dialect(args.format)
    async with app.open(context) as node:
        if args.join and not args.holdings:
            raise Misconfigured("--join goes with --holdings: it says by what a row of holdings names its record")
        source = await the_source(node, args.source, args.library, context.deed, said)
        if args.holdings:
            chosen = tabular.of_holdings(args.files, carrier, args.template)
            by = tabular.join_of(args.files, chosen)
            async with node.database.transaction() as conn:
                source = await sheets.companion(conn, source, args.join or by)
        with contextlib.ExitStack() as stack, context.out.progress(context.text("landing")) as bar:
            inputs = landing.open_inputs(
                stack,
                args.files,
                carrier,
                template=chosen if args.holdings else tabular.chosen(args.template, source.template),
                encoding=args.encoding if args.encoding != "auto" else source.encoding,
                library=source.library,
            )
            tabular.check(source, inputs.tables)
            load, seconds, spent = await load_inputs(
                node,
                source,
                inputs,
                mode=args.mode,
                encoding=args.encoding,
                assured=args.yes,
                bar=bar,
                words=context.text,
            )
            tabular.tell(context, inputs.tables)
        context.deed.about(load=load.load, state=load.state.value, counts=load.counts)
        await tell_waiting(context, node, source)
        return report(context, source, load, seconds, spent)


def carrier_and_dialect(given: str) -> tuple[str, str]:
    """(carrier, dialect) of what --format names, "auto" for the one that it does not."""
    return ("auto", given) if given in dialect.DIALECTS else (given, "auto")


async def the_source(node: Node, name: str, library: str | None, deed: Deed, said: str = "auto") -> Source:
    """The source of this name, made if it is new and a library is given. That a load of it begins is audited.

    `said`: the dialect of a new one; one that is there must agree.
    """
    async with node.database.transaction() as conn:
        source = await _source(conn, name, library, said)
        await deed.begun(conn, library=source.library)
        return source


async def _source(conn: Connection, name: str, library: str | None, said: str) -> Source:
    with contextlib.suppress(NotFound):
        found = await sources.get(conn, name)
        if library and library != found.library:
            raise Misconfigured(f"source {name} is of library {found.library}, not {library}: use another name")
        if said not in ("auto", found.format):
            raise Misconfigured(f"source {name} is {found.format}, not {said}: use another name")
        return found
    if not library:
        raise Misconfigured(f"source {name} is new: say whose records these are with --library SYMBOL")
    await libraries.ensure(conn, library)
    return await sources.add(conn, name, library, format=said)


async def load_inputs(
    node: Node,
    source: Source,
    inputs: landing.Inputs,
    *,
    mode: str,
    encoding: str,
    assured: bool,
    bar: Progress,
    words: Words = ENGLISH,
) -> tuple[Load, float, dict[str, float]]:
    """Land the inputs and see the load through; the load, seconds, seconds by stage if the work was done here."""
    started = time.perf_counter()
    await attending.see_through(node, source.no)
    said = encoding if encoding != "auto" else source.encoding
    async with node.database.connection() as conn:
        profile = await quality_scope.of_library(conn, source.library)
    habits = habits_key(Habits(source=source, carrier=inputs.carrier, encoding=said, profile=profile))
    again = await landing.repeat(node.database, source, inputs, mode=mode, encoding=encoding, habits=habits)
    if again is not None:
        await attending.leave_nothing(node)
        return again, time.perf_counter() - started, {}
    if not lifecycle.running(node.home) and (inputs.size is None or inputs.size > HEAVY):
        importlib.import_module("dms.crew").warm()
    # Imported only here: its tables and libraries take a quarter of a second, which a repeated load can spare.
    importlib.import_module("dms.prepare").check_habits(source)
    load = await landing.open_load(node.database, source, inputs, mode=mode, encoding=encoding, assured=assured)
    number = load.load

    async def over(conn: Connection) -> bool:
        now = await loads.get(conn, number)
        if now.state is LoadState.PREPARING and now.units:
            bar.at(now.units - await inbox.left(conn, number), words("load_preparing"), now.units)
        elif now.state is LoadState.PLACING:
            done = now.added + now.updated + now.deleted + now.unchanged + now.returned + now.unreadable
            bar.at(done, words("load_placing"), now.records)
        elif now.state in OVER:
            bar.at(now.records, words("load_merging"), now.records)
        return now.state in OVER

    def landed(position: int, records: int) -> None:
        rate = records / (time.perf_counter() - started)
        bar.at(position, words("load_landing", records=f"{records:,}", rate=f"{rate:,.0f}"), inputs.size)

    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(attending.attend(node, over, attending.SOON))
        await landing.land(node.database, node.queue, source, load, inputs, landed, habits=habits)
    async with node.database.connection() as conn:
        return await loads.get(conn, number), time.perf_counter() - started, working.result()


async def tell_waiting(context: Context, node: Node, source: Source) -> None:
    """List holdings of the source that wait for their record, by row."""
    async with node.database.connection() as conn:
        if not await attached.any_of_library(conn, source.library):
            return
    # Imported only here: it reads records, which most loads leave to the worker.
    await importlib.import_module("node.waiting").tell(context, node, source)


def report(context: Context, source: Source, load: Load, seconds: float, spent: dict[str, float]) -> int:
    """Say how it went; the exit code."""
    counts = load.counts
    if context.out.json:
        context.out.item(
            {
                "load": load.load,
                "source": source.name,
                "library": source.library,
                "state": load.state.value,
                "reason": load.reason,
                **counts,
                "seconds": round(seconds, 3),
                "stages": {stage: round(s, 3) for stage, s in spent.items()},
            }
        )
    told = ", ".join(f"{context.text('count_' + name)} {n:,}" for name, n in counts.items() if n or name == "records")
    rate = counts["records"] / seconds if seconds else 0
    state = word(load.state.value, context.lang)
    context.out.say(context.text("loaded", load=load.load, state=state, counts=told, rate=f"{rate:,.0f}"))
    if load.state is LoadState.HELD:
        context.out.note(context.text("load_held", reason=sentences.told(load.reason, context.lang)))
        return 1
    if load.state is not LoadState.DONE:
        context.out.note(context.text("load_failed", reason=sentences.told(load.reason, context.lang)))
        return 1
    if counts["unreadable"] or counts["returned"]:
        context.out.note(context.text("came_back", source=source.name))
        return 3
    return 0
