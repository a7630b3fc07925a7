"""`tianlu source rekey`: a source's records get the ids of a new system, and its new files are loaded."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from catalog import dictionaries, loads, rekeys, sources
from catalog.connection import Connection
from catalog.loads import Load
from catalog.model import LoadState, Source
from catalog.rekeys import Rekey
from config import sentences
from config.errors import Misconfigured
from dms import identity, prepare, quality_scope, rekey, rekey_reading, rekeying
from dms.pipeline import Habits
from dms.rekey import Known, Pair
from dms.rekeying import Compared, Standing
from exchange import landing
from node import app, attending, tabular
from node.app import Node
from node.commands import load as loading
from node.context import Context
from node.output import Progress
from protocols import stream
from protocols.marc import Record

SHOWN = 5  # pairs of each kind of evidence
LISTED = 20  # doubtful ids, and ids without a pair
FIELDS = ("field", "ids", "agreeing")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the action takes."""
    parser.add_argument("name")
    parser.add_argument("--new", nargs="+", required=True, metavar="FILE", help="all records out of the new system")
    parser.add_argument("--identity", metavar="RULE", help="the identity rule from now on, if it changes: 035a …")
    parser.add_argument("--old-id", metavar="FIELD", help="the field of the new records that has the old ids: 935a")
    parser.add_argument("--by", nargs="+", choices=rekey.EVIDENCE, default=rekey.EVIDENCE, help="evidence to go by")
    parser.add_argument("--pairs", metavar="FILE", help="what you know: a table of old and new ids (CSV)")
    parser.add_argument("--format", choices=loading.FORMATS, default="auto", help=loading.FORMAT_HELP)
    parser.add_argument("--encoding", default="auto")
    parser.add_argument("--preview", action="store_true", help="say what would be paired, change nothing")
    parser.add_argument("--yes", action="store_true", help="do it")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0 previewed or done; 3 done, but records came back; 1 the load failed."""
    going = args.yes and not args.preview
    if not going:
        context.deed.nothing()
    if args.identity:
        identity.named_id(Record("", ()), args.identity)  # a rule that can't be read is told before anything is done
    async with app.open(context) as node:
        async with node.database.connection() as conn:
            source = await sources.get(conn, args.name)
        await attending.see_through(node, source.no)
        there = await _begun(node, source, args) if going else None
        if there is None:
            found = await _compare(context, node, args)
            _tell(context, found)
            if not going:
                context.out.note(context.text("rekeying_preview", source=args.name))
                return 0
            there = await _begin(context, node, args, found)
        else:
            async with node.database.transaction() as conn:
                await context.deed.begun(conn, library=source.library)
            context.out.note(context.text("rekeying_resumed", number=there.rekey))
        with context.out.progress(context.text("rekeying")) as bar:
            await _moved(node, there.rekey, bar)
        async with node.database.connection() as conn:
            source = await sources.get(conn, args.name)
        load, seconds, spent = await _load(context, node, source, args)
        if load.state is LoadState.DONE:
            async with node.database.transaction() as conn:
                await rekeys.turn(conn, there.rekey, "done")
        context.deed.about(rekey=there.rekey, load=load.load, counts=there.counts)
        return loading.report(context, source, load, seconds, spent)


@contextlib.contextmanager
def _inputs(args: argparse.Namespace, source: Source) -> Iterator[landing.Inputs]:
    carrier, _ = loading.carrier_and_dialect(args.format)
    with contextlib.ExitStack() as stack:
        yield landing.open_inputs(
            stack,
            args.new,
            carrier,
            template=tabular.chosen(None, source.template),
            encoding=args.encoding if args.encoding != "auto" else source.encoding,
            library=source.library,
        )


async def _begun(node: Node, source: Source, args: argparse.Namespace) -> Rekey | None:
    """What an earlier call with the same files left half done. One with other files is seen through first."""
    async with node.database.connection() as conn:
        there = await rekeys.open_of_source(conn, source.no)
    if there is None:
        return None
    with _inputs(args, source) as inputs:
        if inputs.fingerprint == there.fingerprint:
            return there
    await _moved(node, there.rekey, None)
    return None


async def _compare(context: Context, node: Node, args: argparse.Namespace) -> Compared:
    there = await rekeying.standing(node.database, args.name)
    source = replace(there.source, identity=args.identity or there.source.identity)
    await asyncio.to_thread(prepare.check_habits, source)
    async with node.database.connection() as conn:
        profile = await quality_scope.of_library(conn, source.library)
        tables = await dictionaries.of(conn, {source.characters})
    with _inputs(args, source) as inputs, context.out.progress(context.text("rekeying_reads")) as bar:
        habits = Habits(
            source=source,
            carrier=inputs.carrier,
            encoding=args.encoding if args.encoding != "auto" else source.encoding,
            characters=tables.get(source.characters, b""),
            profile=profile,
        )
        news = await asyncio.to_thread(_read, inputs, habits, there, bar)
    told = _pairs(args.pairs) if args.pairs else {}
    return await rekeying.compare(node.database, there, news, told, only=args.old_id or "", by=args.by)


def _read(inputs: landing.Inputs, habits: Habits, there: Standing, bar: Progress) -> list[Known]:
    ids = rekey_reading.Ids.of(one.local_id for one in there.records)
    parts: list[rekey_reading.Part] = []
    count = 0
    started = time.perf_counter()
    for opened in inputs.streams:
        for stretch in stream.stretches(opened, inputs.carrier):
            if not stretch.fault:
                parts.append(rekey_reading.read(stretch.data, habits, there.source.identity, ids))
                count += len(parts[-1].seen)
                rate = count / (time.perf_counter() - started)
                bar.at(stretch.end, f"{count:,} records, {rate:,.0f}/s", inputs.size)
    return rekey_reading.merged(parts)


def _pairs(path: str) -> dict[str, str]:
    """New by old id, of a table with the two columns. Misconfigured if it can't be read as one."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Misconfigured(f"the pairs {path} can't be read: {error}") from error
    told: dict[str, str] = {}
    for n, row in enumerate(rows, 1):
        if len(row) != 2 or not all(row):
            raise Misconfigured(f"{path}, row {n}: an old and a new id are wanted, and nothing else")
        if row != ["old", "new"] and told.setdefault(row[0], row[1]) != row[1]:
            raise Misconfigured(f"{path}, row {n}: {row[0]} is said to be {told[row[0]]} and {row[1]}")
    return told


def _tell(context: Context, found: Compared) -> None:
    pairing, counts = found.pairing, found.counts()
    if context.out.json:
        for one in (*pairing.pairs, *pairing.joined):
            context.out.item({"old": one.old, "new": one.new, "by": one.by, "evidence": one.evidence})
        for doubt in pairing.doubts:
            context.out.item({"old": doubt.old, "rivals": list(doubt.rivals), "by": doubt.by})
        for old in found.unpaired:
            context.out.item({"old": old, "new": None, "pinned": old in found.minded})
        context.out.item({"counts": counts, "fields": {name: list(told) for name, told in pairing.fields.items()}})
        return
    for name, count in counts.items():
        context.out.say(f"{context.text('rekeying_' + name):24} {count:>10,}")
    if pairing.fields:
        rows = [{"field": name, "ids": ids, "agreeing": same} for name, (ids, same) in pairing.fields.items()]
        context.out.table(sorted(rows, key=lambda row: (-int(str(row["agreeing"])), str(row["field"]))), FIELDS)
    for kind in (rekey.TOLD, *rekey.EVIDENCE):
        _some(context, [one for one in pairing.pairs if one.by == kind])
    _some(context, pairing.joined)
    for doubt in pairing.doubts[:LISTED]:
        told = {"old": doubt.old, "rivals": ", ".join(doubt.rivals[:SHOWN])}
        context.out.say(context.text("rekeying_is_doubtful", **told))
    for old in (*found.minded, *(one for one in found.unpaired if one not in found.minded))[:LISTED]:
        context.out.say(context.text("rekeying_has_none", old=old))
    if max(len(pairing.doubts), len(found.unpaired)) > LISTED:
        context.out.note(context.text("rekeying_more"))
    if found.minded:
        context.out.note(context.text("rekeying_minded", count=len(found.minded)))


def _some(context: Context, pairs: list[Pair]) -> None:
    for one in pairs[:SHOWN]:
        by = context.text(f"rekeying_by_{one.by.replace('-', '_')}")
        context.out.say(f"  {one.old} → {one.new}  ({by}: {sentences.told(one.evidence, context.lang)})")


async def _begin(context: Context, node: Node, args: argparse.Namespace, found: Compared) -> Rekey:
    source = found.standing.source
    with _inputs(args, source) as inputs:
        fingerprint = inputs.fingerprint
    async with node.database.transaction() as conn:
        number = await rekeying.begin(
            conn,
            found,
            identity=args.identity or source.identity,
            origin=", ".join(args.new),
            fingerprint=fingerprint,
        )
        await context.deed.begun(conn, library=source.library, rekey=number)
        return await rekeys.get(conn, number)


async def _moved(node: Node, number: int, bar: Progress | None) -> None:
    """Until every record has its new id: the node's worker does it, or this process."""

    async def over(conn: Connection) -> bool:
        now = await rekeys.get(conn, number)
        if bar is not None:
            bar.at(now.done, total=now.steps)
        return now.state != "moving"

    await attending.attend(node, over, attending.SOON)


async def _load(
    context: Context, node: Node, source: Source, args: argparse.Namespace
) -> tuple[Load, float, dict[str, float]]:
    async with node.database.connection() as conn:
        open_load = await loads.open_of_source(conn, source.no)
    if open_load is not None and open_load.state is LoadState.HELD:
        context.out.note(context.text("load_held", reason=sentences.told(open_load.reason, context.lang)))
    with _inputs(args, source) as inputs, context.out.progress(context.text("landing")) as bar:
        tabular.check(source, inputs.tables)
        return await loading.load_inputs(
            node, source, inputs, mode="full", encoding=args.encoding, assured=True, bar=bar, words=context.text
        )
