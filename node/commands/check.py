"""`tianlu check FILE…`: what the rules say of every record, and the records mended; without a node and its database."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from catalog import libraries
from config import settings
from config.errors import BadRecord, Misconfigured, NotFound
from dms import checking, inspecting, quality_profile, quality_scope, verdicts
from dms.checking import NO_LIMIT, Asked, Looked
from dms.crew import Crew
from dms.rules.model import Level, Profile
from exchange import landing
from node import app, tabular
from node.commands.load import FORMAT_HELP, FORMATS, carrier_and_dialect
from node.context import Context
from node.output import BOLD, DIM, GREEN, RED, YELLOW, Output
from protocols import writing
from services.returning import shown

NAME = "check"
HELP = {
    "en": "Check records by the rules; nothing is loaded and no node is needed. One JSON object a record with its "
    "verdict (ok, warned, returned, unreadable) and findings, or text on a terminal; a summary on standard error. "
    "With --fix the mended records are written to another file.",
    "zh": "按规则校验记录；不装载，也无需节点。每条记录一个 JSON 对象：verdict（ok、warned、returned、unreadable）"
    "与 findings；在终端上则输出文字；汇总写到标准错误。使用 --fix 时，修复后的记录写入另一文件。",
}
ACTS = {"": None}
SHOWN = {"returned": RED, "unreadable": RED, "warned": YELLOW, "ok": GREEN}
STANDARD_INPUT = "-"
DOMAIN = "domain"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, by which profile, and whether to mend it."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="file, .gz too, or - for standard input")
    parser.add_argument("--format", choices=FORMATS, default="auto", help=FORMAT_HELP)
    parser.add_argument("--encoding", default="auto", help="e.g. utf-8, gb18030, marc-8; default: judged on evidence")
    parser.add_argument("--template", metavar="FILE|NAME", help="how a table (CSV, Excel) becomes records")
    parser.add_argument("--library", default="", metavar="SYMBOL", help="who made a table: the agency of its records")
    parser.add_argument(
        "--profile",
        metavar="FILE|NAME",
        help="levels of rules, and what is mended: a file, a library's symbol or `domain`",
    )
    parser.add_argument("--fix", action="store_true", help="mend what rules can mend; give a receipt of each change")
    parser.add_argument("--dry-run", action="store_true", help="with --fix: show what would change, write nothing")
    parser.add_argument("--limit", type=int, metavar="N", help="with --fix: stop after N mended records")
    parser.add_argument("-o", "--output", metavar="OUT", help="with --fix: where to write; default: FILE.mended beside")


async def run(context: Context, args: argparse.Namespace) -> int:
    """3 if records are returned or unreadable, and are so in what --fix wrote."""
    _consistent(args)
    profile = checking.pack(await _profile(context, args.profile))
    tally = _Tally()
    crew = Crew(processes=os.cpu_count() or 1)
    carrier, said = carrier_and_dialect(args.format)
    try:
        with contextlib.ExitStack() as stack, context.out.progress(context.text("checking")) as bar:
            sink = _Sink(stack, Path(_target(args)) if args.fix and not args.dry_run else None)
            speaker = _Speaker(context)
            for name in args.files:
                asked = Asked(
                    carrier=carrier,
                    encoding=args.encoding,
                    format=said,
                    lang=context.lang,
                    fix=args.fix,
                    most=args.limit - tally.mended if args.limit else NO_LIMIT,
                )
                before = tally.records
                async for looked in _file(name, args, asked, profile, crew, sink, context):
                    speaker.say(name, looked, tally)
                    bar.at(tally.records, context.text("checked_so_far", mended=tally.mended))
                if tally.records == before:
                    context.out.note(context.text("check_empty", file=name))
                if args.limit and tally.mended >= args.limit:
                    break
            sink.close()
    finally:
        crew.close()
    context.out.flush()
    _summary(context, tally, sink, checking.levels(profile))
    if args.limit and tally.mended >= args.limit:
        context.out.note(context.text("check_limited", mended=f"{tally.mended:,}"))
    return 3 if tally.left else 0


def _consistent(args: argparse.Namespace) -> None:
    if not args.fix and (args.dry_run or args.limit is not None or args.output):
        raise Misconfigured("--dry-run, --limit and -o say how to mend: give --fix too")
    if args.limit is not None and args.limit < 1:
        raise Misconfigured("--limit is a number of records, 1 or more")
    for name in args.files:
        if name != STANDARD_INPUT and not os.path.exists(name):
            raise NotFound(f"{name}: no such file")


def _target(args: argparse.Namespace) -> str:
    """Where the mended records go."""
    if args.output:
        for name in args.files:
            if name != STANDARD_INPUT and os.path.exists(args.output) and os.path.samefile(name, args.output):
                raise Misconfigured(f"{args.output} is what is being read: write to another file")
        return str(args.output)
    if len(args.files) > 1 or args.files[0] == STANDARD_INPUT:
        raise Misconfigured("say where to write the mended records: -o OUT")
    path = Path(args.files[0])
    ends = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    return str(path.with_name(f"{path.name.removesuffix(ends)}.mended{ends}"))


async def _file(
    name: str, args: argparse.Namespace, asked: Asked, profile: bytes, crew: Crew, sink: _Sink, context: Context
) -> AsyncIterator[Looked]:
    """What is found in one file, piece by piece."""
    with contextlib.ExitStack() as stack:
        template = tabular.chosen(args.template)
        try:
            inputs = landing.open_inputs(
                stack, [name], asked.carrier, template=template, encoding=args.encoding, library=args.library
            )
        except BadRecord as error:
            yield checking.fault(str(error), 0, asked, profile)
            return
        sink.begin(checking.target(inputs.carrier), name, table=bool(inputs.tables))
        asked = msgspec.structs.replace(asked, carrier=inputs.carrier)
        async for looked in inspecting.inspect(inputs.streams[0], asked, profile, crew, crew.processes):
            sink.write(looked)
            yield looked
        tabular.tell(context, inputs.tables, several=len(args.files) > 1)


async def _profile(context: Context, name: str | None) -> Profile:
    """The profile in a file; or of this node: the domain's, or what a library's records are judged by."""
    if not name:
        return Profile()
    if (text := _text(name)) is not None:
        return quality_profile.resolve([quality_profile.read(text)], Path(name).stem)
    if not (context.home / settings.FILE).is_file():
        raise NotFound(f"{name}: no such file, and no node in {context.home} that has a profile of this name")
    async with app.open(context) as node, node.database.connection() as conn:
        if name != DOMAIN and await libraries.get(conn, name) is None:
            raise NotFound(f"there is no library {name} and no such file (tianlu library list)")
        return await quality_scope.of_library(conn, "" if name == DOMAIN else name)


def _text(name: str) -> str | None:
    """What is in a file, if there is one."""
    return Path(name).read_text(encoding="utf-8", errors="replace") if os.path.isfile(name) else None


class _Tally:
    """What has been found so far in all files."""

    def __init__(self) -> None:
        self.records = self.mended = self.left = 0
        self.verdicts: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.same: Counter[str] = Counter()  # records by the digest of their bytes, where that is their name


class _Speaker:
    """Says what was found: NDJSON for programs and pipes, text for a person at a terminal."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._out: Output = context.out
        self._person = not context.out.json and context.out.stdout.isatty()
        self._file = ""
        self._ordinal = 0

    def say(self, name: str, looked: Looked, tally: _Tally) -> None:
        """The lines of one stretch, ordinals and names made right."""
        if name != self._file:
            self._file, self._ordinal = name, 0
        head = json.dumps({"file": name}, ensure_ascii=False)[:-1].encode("utf-8", "surrogateescape")
        lines = []
        for told in looked.told:
            line = told.line
            if told.digest:
                tally.same[told.digest] += 1
                if (count := tally.same[told.digest]) > 1:
                    right = f'"{told.digest}#{count}"'.encode()
                    line = line.replace(f'"{told.digest}{checking.FIRST}"'.encode(), right, 1)
            lines.append(b'%b, "ordinal": %d,%b\n' % (head, self._ordinal + told.ordinal + 1, line[1:]))
        self._ordinal += looked.records
        tally.records += len(looked.told)
        tally.mended += looked.mended
        tally.left += looked.left
        tally.verdicts += looked.verdicts
        tally.rules += looked.rules
        if self._person:
            for each in lines:
                self._show(json.loads(each))
        else:
            self._out.stdout.flush()
            self._out.stdout.buffer.write(b"".join(lines))

    def _show(self, told: dict[str, Any]) -> None:
        """A record of which there is something to tell."""
        worth = [one for one in told["findings"] if one["level"] != "note"]
        receipts = told.get("receipts") or []
        if not worth and not receipts:
            return
        verdict = self._out.paint(SHOWN[told["verdict"]], self._context.text(f"verdict_{told['verdict']}"))
        rows = shown.rows(told.get("rows", ()), self._context.lang)
        at = rows or f"#{told['ordinal']} @{told['position']}"
        place = self._out.paint(DIM, f"{told['file']} {at}")
        self._out.say(f"{self._out.paint(BOLD, told['id'] or '–')}  {verdict}  {place}")
        for one in worth:
            self._out.say(f"    {_place(one)}{one['text']}  {self._out.paint(DIM, one['rule'])}")
        for one in receipts:
            change = f"{one['before']} → {one['after'] or '–'}".replace("\x1f", "$")
            self._out.say(f"  ✓ {_place(one)}{change}  {self._out.paint(DIM, one['rule'])}")


def _place(told: dict[str, Any]) -> str:
    """`245[2]$a/3: ` of a finding or a receipt."""
    if not told["tag"]:
        return ""
    nth = f"[{told['nth']}]" if told["nth"] > 1 else ""
    code = told.get("code", "")
    part = (f" {code}" if code.startswith("ind") else f"${code}") if code else ""
    at = f"/{told['at']:02}" if told.get("at", -1) >= 0 else ""
    return f"{told['tag']}{nth}{part}{at}: "


class _Sink:
    """Where mended records are written; nowhere without a path. What is there already stays until all is written."""

    def __init__(self, stack: contextlib.ExitStack, path: Path | None) -> None:
        self.path = path
        self._stack = stack
        self._carrier = ""
        self._file: BinaryIO | None = None
        self._part = Path()

    def begin(self, carrier: str, name: str, *, table: bool) -> None:
        """Records of this file come next, to be written in this carrier."""
        if self.path is None:
            return
        if self._file is None:
            if table and self.path.suffix != ".gz":  # a table's records are no table any more
                self.path = self.path.with_suffix(".jsonl")
            self._open(self.path)
            self._write(writing.AROUND[carrier].before)
        elif carrier != self._carrier:
            raise Misconfigured(f"{name} is {carrier}, the files before are {self._carrier}: mend them one by one")
        self._carrier = carrier

    def _open(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise Misconfigured(f"{path.parent} is no folder: make it first")
        self._part = path.with_name(f".{path.name}.part")
        opener = gzip.open if path.suffix == ".gz" else open
        self._file = cast(BinaryIO, self._stack.enter_context(opener(self._part, "wb")))
        self._stack.callback(self._part.unlink, missing_ok=True)

    def write(self, looked: Looked) -> None:
        """The records of a stretch."""
        self._write(b"".join(looked.out))

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)

    def close(self) -> None:
        """All is written: put it in its place."""
        if self._file is not None and self.path is not None:
            self._write(writing.AROUND[self._carrier].after)
            self._file.close()
            self._part.replace(self.path)


def _summary(context: Context, tally: _Tally, sink: _Sink, levels: Mapping[str, Level]) -> None:
    """How many of each verdict and of each rule, on standard error."""
    counts = ", ".join(
        f"{context.text('verdict_' + verdict)} {tally.verdicts[verdict]:,}"
        for verdict in verdicts.VERDICTS
        if tally.verdicts[verdict]
    )
    context.out.note(context.text("check_done", records=f"{tally.records:,}", counts=counts or "–"))
    for id_, count in sorted(tally.rules.items(), key=lambda one: (-levels[one[0]], -one[1], one[0])):
        level = context.text(f"level_{levels[id_].name.lower()}")
        context.out.note(f"  {count:>9,}  {level}  {id_}")
    if sink.path:
        context.out.note(context.text("check_mended", mended=f"{tally.mended:,}", path=sink.path))
