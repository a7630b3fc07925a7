"""`tianlu convert FILE`: records in another form, MARC dialect and encoding, with a report of what is lost."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import os
from collections import Counter, deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, cast

from config import sentences
from config.errors import BadRecord, Misconfigured, NotFound
from dms import stretches
from dms.crew import LIGHT_BYTES, Crew
from dms.crosswalk.marc import between
from dms.crosswalk.model import Fate
from exchange import landing
from node import tabular
from node.commands.load import FORMAT_HELP, FORMATS, carrier_and_dialect
from node.context import Context
from protocols import stream
from services.delivery import converting, forms
from services.delivery.converting import Asked, Stretch

NAME = "convert"
HELP = {
    "en": "Convert records to another form, MARC dialect and encoding; nothing is loaded and no node is needed. Every "
    "field is mapped, kept in a local field, or told as lost in the loss report, a line a record.",
    "zh": "将记录转换为其他格式、MARC 方言与编码；不装载，也无需节点。损失报告中每条记录一行，"
    "说明每个字段是已映射、保留在本地字段，还是丢失。",
}
ACTS = {"": None}
STANDARD_INPUT = "-"
AHEAD = 2  # stretches that wait for each process, beside the one it is at
READY = "dms.crosswalk.marc.ready"  # has the tables of MARC formats once it is imported
NUMBERED = "alephseq"  # numbers its records: each stretch has to know how many came before
MOST_NOTES = 50  # records of which a note is said; the report tells of all


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to convert, and into what."""
    parser.add_argument("file", metavar="FILE", help="file, .gz too, or - for standard input")
    parser.add_argument("--to", choices=forms.NAMES, required=True, help="form of what is written")
    parser.add_argument(
        "--dialect", choices=sorted(between.FORMATS), help="MARC dialect; default: each stays in its own"
    )
    parser.add_argument("--encoding", default="utf-8", help="of ISO 2709, .mrk and Aleph sequential; default: utf-8")
    parser.add_argument("--format", choices=FORMATS, default="auto", help=FORMAT_HELP)
    parser.add_argument("--from-encoding", default="auto", help="of FILE; default: judged on evidence")
    parser.add_argument("--template", metavar="FILE|NAME", help="how a table (CSV, Excel) becomes records")
    parser.add_argument("--library", default="", metavar="SYMBOL", help="who made a table: the agency of its records")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write; default: standard output")
    parser.add_argument(
        "--loss-report", metavar="F", help="where to say, a JSON object a record, what became of fields"
    )


async def run(context: Context, args: argparse.Namespace) -> int:
    """3 if records could not be read or written, or the encoding lacks some of their characters."""
    encoding = forms.check(args.to, args.encoding)
    for name in (args.output, args.loss_report):
        _distinct(args.file, name)
    _apart(args.output, args.loss_report)
    modules = (converting.__name__, READY) if args.dialect else (converting.__name__,)
    crew = Crew(processes=os.cpu_count() or 1, modules=modules)
    tally = _Tally()
    try:
        with contextlib.ExitStack() as stack, context.out.progress(context.text("converting")) as bar:
            carrier, said = carrier_and_dialect(args.format)
            inputs = landing.open_inputs(
                stack,
                [args.file],
                carrier,
                template=tabular.chosen(args.template),
                encoding=args.from_encoding,
                library=args.library,
            )
            asked = Asked(
                carrier=inputs.carrier,
                read_encoding=args.from_encoding,
                said=said,
                form=args.to,
                dialect=args.dialect or "",
                encoding=encoding,
                report=bool(args.loss_report),
            )
            out = _Sink(stack, args.output, context)
            report = _Sink(stack, args.loss_report, context) if args.loss_report else None
            head = json.dumps({"file": args.file}, ensure_ascii=False)[:-1].encode("utf-8", "surrogateescape")
            out.write(forms.AROUND[args.to].before)
            async for made in _stretches(inputs.streams[0], asked, crew):
                out.write(b"".join(made.out))
                if report:
                    said_of = (
                        b'%b, "ordinal": %d,%b\n' % (head, tally.records + 1 + at, line) for at, line in made.report
                    )
                    report.write(b"".join(said_of))
                tally.add(made, context)
                bar.at(tally.records)
            out.write(forms.AROUND[args.to].after)
            tabular.tell(context, inputs.tables)
            for sink in (out, report):
                if sink:
                    sink.close()
    except BadRecord as error:  # the input is no carrier of records
        context.out.note(sentences.told(str(error), context.lang))
        return 3
    finally:
        crew.close()
    tally.tell(context, reported=bool(args.loss_report))
    return 3 if tally.unwritten or tally.characters else 0


def _distinct(file: str, name: str | None) -> None:
    """Raises `NotFound` and `Misconfigured`: what is read must be there, and must not be written over."""
    if file != STANDARD_INPUT and not os.path.exists(file):
        raise NotFound(f"{file}: no such file")
    if name and name != STANDARD_INPUT:
        if file != STANDARD_INPUT and os.path.exists(name) and os.path.samefile(file, name):
            raise Misconfigured(f"{name} is what is being read: write to another file")
        if not Path(name).parent.is_dir():
            raise Misconfigured(f"{Path(name).parent} is no folder: make it first")


def _apart(output: str | None, report: str | None) -> None:
    """Raises `Misconfigured`: the records and the report can't go to one place."""
    if report is None:
        return
    own, other = ("" if not name or name == STANDARD_INPUT else os.path.realpath(name) for name in (output, report))
    if own == other and not (own and os.path.exists(own) and not os.path.isfile(own)):  # a device takes both
        raise Misconfigured(f"{report} is where the records go: write the loss report to another file")


async def _stretches(source: stream.Readable, asked: Asked, crew: Crew) -> AsyncIterator[Stretch]:
    """The stretches of an opened input, converted on all cores, in the input's order and in bounded memory."""
    most = 1 if asked.form == NUMBERED else crew.processes * (1 + AHEAD)
    going: deque[asyncio.Task[Stretch]] = deque()
    pieces = stretches.pieces(source, asked.carrier)
    ended, records = False, 0
    try:
        while going or not ended:
            while not ended and len(going) < most:
                piece = await stretches.following(pieces)
                if piece is None:
                    ended = True
                else:
                    first = records + 1 if asked.form == NUMBERED else 1
                    going.append(asyncio.create_task(_converted(piece, first, asked, crew)))
            if going:
                made = await going.popleft()
                records += made.records
                yield made
    finally:
        for each in going:
            each.cancel()


async def _converted(piece: stretches.Piece, first: int, asked: Asked, crew: Crew) -> Stretch:
    if piece.fault:
        return converting.failed(piece.fault, piece.position, asked)
    light = len(piece.data) < LIGHT_BYTES
    return await crew.run(converting.convert, piece.data, piece.position, first, asked, light=light)


class _Tally:
    """What has been converted so far."""

    def __init__(self) -> None:
        self.records = self.unwritten = self.characters = self.notes = 0
        self.fates: Counter[str] = Counter()

    def add(self, made: Stretch, context: Context) -> None:
        """A stretch more; what is to be said of its records is said."""
        self.records += made.records
        self.unwritten += made.unwritten
        self.fates += made.fates
        for ident, kind, detail in made.notes:
            self.notes += 1
            self.characters += kind == "characters"
            if self.notes <= MOST_NOTES:
                if kind == "characters":
                    context.out.note(context.text("characters_lost", id=ident, characters=detail))
                else:
                    reason = sentences.told(detail, context.lang)
                    context.out.note(context.text("convert_refused", id=ident, reason=reason))

    def tell(self, context: Context, *, reported: bool) -> None:
        """How much of what, on standard error."""
        if self.notes > MOST_NOTES:
            context.out.note(context.text("convert_more_notes", count=f"{self.notes - MOST_NOTES:,}"))
        written = self.records - self.unwritten
        context.out.note(context.text("convert_done", records=f"{written:,}", unwritten=f"{self.unwritten:,}"))
        if reported:
            context.out.note(
                context.text("convert_fates", **{fate.value: f"{self.fates[fate.value]:,}" for fate in Fate})
            )


class _Sink:
    """Where something is written; a file that is there stays until all is written."""

    def __init__(self, stack: contextlib.ExitStack, name: str | None, context: Context) -> None:
        self._part: Path | None = None
        if not name or name == STANDARD_INPUT:
            context.out.stdout.flush()  # bytes pass the text layer by: a carrier must reach the pipe as it is
            self._file: BinaryIO = context.out.stdout.buffer
            return
        self._path = Path(name)
        if self._path.exists() and not self._path.is_file():  # a device, or a pipe
            self._file = stack.enter_context(self._path.open("wb"))
            return
        self._part = self._path.with_name(f".{self._path.name}.part")
        opener = gzip.open if self._path.suffix == ".gz" else open
        self._file = cast(BinaryIO, stack.enter_context(opener(self._part, "wb")))
        stack.callback(self._part.unlink, missing_ok=True)

    def write(self, data: bytes) -> None:
        """More of it."""
        self._file.write(data)

    def close(self) -> None:
        """All is written: put it in its place."""
        if self._part is None:
            self._file.flush()
        else:
            self._file.close()
            self._part.replace(self._path)
