"""`tianlu show ID`: a merged record by its cluster id, or a source record by `SOURCE/LOCAL-ID`, in any form."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from catalog import libraries, original
from catalog.connection import Connection
from catalog.model import Carrier, Description, Format, Holding, unique
from catalog.records import Row
from config.errors import BadRecord, Misconfigured
from dms import contributors_of, describe, quality_of, quality_texts
from dms.match import reasons
from dms.rules import kinds
from dms.rules.model import Kind
from dms.rules.score import BEST
from node import app, attending
from node.context import Context
from node.output import Output
from protocols.marc import Record
from services.cataloguing import patch
from services.deciding import related
from services.delivery import dublin, forms, giving, having, render, rows, turning, values
from services.discovery import record as records

NAME = "show"
HELP = {
    "en": "Show a merged record (cluster id, old ones too) or a source record (SOURCE/LOCAL-ID).",
    "zh": "显示合并记录（聚簇号，旧号亦可）或源记录（数据源/本地号）。",
}
ACTS = {"": None}

RAW = "raw"
MOST_FINDINGS = 60
MOVED = {"en": "{old} was taken over by {new}", "zh": "{old} 已并入 {new}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A record and what is said of it."""

    ident: str
    record: Record
    format: Format
    description: Description
    holdings: tuple[tuple[str, Holding], ...]  # library, holding
    names: Mapping[str, str]  # of libraries, by symbol
    quality: tuple[str, ...] = ()  # of a source record: its score, what the rules say of it, what was mended of it
    related: tuple[str, ...] = ()  # of a merged record: what is shown with it, and why


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which record, in which form."""
    parser.add_argument("id", metavar="ID", help="cluster id, or SOURCE/LOCAL-ID")
    parser.add_argument(
        "--to",
        choices=("text", "marc", RAW, *forms.NAMES),
        default="text",
        help="form (default: text); raw: the bytes as received, of a source record",
    )
    parser.add_argument("--who", action="store_true", help="of a merged record: who gave each field")
    for name, about in (
        ("year", "which libraries have this year of it"),
        ("volume", "… this volume"),
        ("issue", "… this issue of the year or volume; alone counted through the whole run"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=about)
    parser.add_argument("--encoding", default="utf-8", help="of ISO 2709, .mrk and Aleph sequential")
    parser.add_argument(
        "--dialect", choices=turning.DIALECTS, help="MARC dialect, with --to; default: the record's own"
    )


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such record; 3 if it can't be written in the wanted form or some characters can't."""
    part = having.Part(year=args.year, volume=args.volume, issue=args.issue)
    encoding = forms.check(args.to if args.to in forms.NAMES else "marcjson", args.encoding)
    async with app.open(context) as node:
        if "/" in args.id and (args.who or part != having.Part()):
            raise Misconfigured("this is about merged records: give a cluster id (tianlu cluster show ID)")
        if "/" not in args.id:
            await attending.leave_nothing(node)
        async with node.database.connection() as conn:
            args.id = await _present(context, conn, args.id)
            if args.to == RAW:
                _write(context.out, await _received(conn, args.id))
                return 0
            if "/" in args.id:
                shown = await _source_record(conn, args.id, context.lang)
                if context.out.json and args.to == "text":
                    args.to = "marcjson"
                elif args.to == "text" and kinds.kind_of(shown.record, shown.format) is Kind.AUTHORITY:
                    args.to = "marc"  # it has no title, publisher and so on
            elif args.who:
                return await _who(context, conn, args.id)
            else:
                found = await records.by_id(conn, args.id)
                if part != having.Part():
                    _has(context, found, part)
                    return 0
                if context.out.json and args.to == "text":
                    copies = ((copy.source, copy.local_id, copy.holding) for copy in found.copies)
                    near = await related.of(conn, found.published.cluster)
                    context.out.item(values.full(found.published, copies) | {"related": related.values(near)})
                    return 0
                shown = await _merged(conn, found, context)
    if shown.ident != args.id:
        context.out.note(MOVED[context.lang].format(old=args.id, new=shown.ident))
    if args.to == "text":
        written = rows.text(shown.description, shown.ident, shown.holdings, shown.names, context.lang)
        written += "".join(f"  ~ {line}\n" for line in shown.related)
        written += "".join(f"\n{line}" for line in shown.quality) + "\n" * bool(shown.quality)
    elif args.to == "marc":
        written = render.as_lines(_going(shown, args.dialect).record)
    else:
        told = forms.write(_going(shown, args.dialect), args.to, encoding)
        _write(context.out, told.data)
        if told.lost:
            context.out.note(context.text("characters_lost", id=shown.ident, characters=" ".join(unique(told.lost))))
            return 3
        return 0
    _write(context.out, written)
    return 0


def _going(shown: Shown, dialect: str | None) -> forms.Going:
    return turning.turned(forms.Going(shown.ident, shown.record, shown.format), dialect or "")


async def _present(context: Context, conn: Connection, ident: str) -> str:
    """The id under which a record stands that was re-keyed; the id itself of any other."""
    name, slash, local_id = ident.partition("/")
    lead = await records.now_named(conn, name, local_id) if slash else None
    if lead is None:
        return ident
    last = lead.became[-1]
    told = {"old": ident, "number": last.rekey, "date": f"{last.at:%Y-%m-%d}", "new": lead.ident}
    context.out.note(context.text("rekeyed_gone" if last.new is None else "rekeyed_to", **told))
    return lead.ident or ident


async def _who(context: Context, conn: Connection, ident: str) -> int:
    """A field a line, and under it who gave it."""
    published = (await records.by_id(conn, ident)).published
    found = await contributors_of.cluster(conn, published)
    if found is None:
        raise records.NoSuchRecord(f"{ident} has no record here that may be shown")
    out = context.out
    if out.json:
        out.item({"id": published.id, **giving.values(found, published.format)})
        return 0
    out.say(giving.base(found.base, found.decided, context.lang))
    for one in found.fields:
        out.say(giving.shown(one))
        out.say(f"       < {giving.told(one, context.lang)}")
    return 0


def _has(context: Context, found: records.Found, part: having.Part) -> None:
    """A library a line: whether it has the part, and all that it holds."""
    for one in having.libraries((copy.holding for copy in found.copies), part, context.lang):
        if context.out.json:
            context.out.item({"library": one.library, "answer": one.answer.value, "held": one.held})
        context.out.say(f"{one.library}  {context.text(f'has_{one.answer.value}')}  {one.held}".rstrip())


async def _merged(conn: Connection, found: records.Found, context: Context) -> Shown:
    lang = context.lang
    names = {each.symbol: (each.name_en if lang == "en" else "") or each.name for each in await libraries.every(conn)}
    copies = tuple((copy.holding.library, copy.holding) for copy in found.copies)
    told = {library for library, _ in copies}
    near = [
        f"{each.published.id} {dublin.heading(render.described(each.published))}: "
        + ("; ".join(reasons.text(rule, lang) for rule in each.rules) or context.text("related_by_decision"))
        for each in await related.of(conn, found.published.cluster)
    ]
    bare = tuple((each, Holding(library=each)) for each in found.published.libraries if each not in told)
    return Shown(
        ident=found.published.id,
        record=render.record(found.published),
        format=found.published.format,
        description=render.described(found.published),
        holdings=copies + bare,
        names=names,
        related=tuple(near),
    )


async def _received(conn: Connection, ident: str) -> bytes:
    source, _, local_id = ident.partition("/")
    if not local_id:
        raise Misconfigured("only a source record has bytes as received: SOURCE/LOCAL-ID")
    row, kept = await records.kept(conn, source, local_id)
    came = original.received(kept, row.carrier, row.encoding)
    if came.carrier == Carrier.PACKED:
        raise BadRecord(f"{ident} is what another node tells: ask there, or show it --to marcxml")
    return came.raw


async def _quality(conn: Connection, row: Row, lang: str) -> tuple[str, ...]:
    """The score, what the rules say of it now, what was mended of it."""
    found = await quality_of.opinion(conn, row)
    said = [f"{found.level(one).name.lower():8} {quality_texts.told(one, lang)} ({one.rule})" for one in found.findings]
    mended = [
        f"{rule:8} {tag}: {patch.shown(before)} → {patch.shown(after)}"
        for rule, tag, _, before, after in found.came.receipts
    ]
    return (f"{found.score}/{BEST}", *said[:MOST_FINDINGS], *mended)


async def _source_record(conn: Connection, ident: str, lang: str) -> Shown:
    source, _, local_id = ident.partition("/")
    row, kept = await records.kept(conn, source, local_id)
    record, format = original.record(kept, row.carrier, row.encoding), Format(row.format)
    held = await records.copies_of_source(conn, source, local_id)
    description = Description(title="", kind="") if held else describe.describe(record, format)
    return Shown(
        ident=ident,
        record=record,
        format=format,
        description=description,
        holdings=tuple((each.library, each) for each in held),
        names={each.symbol: each.name for each in await libraries.every(conn)} if held else {},
        quality=await _quality(conn, row, lang),
    )


def _write(out: Output, written: str | bytes) -> None:
    """Bytes pass the text layer by: ISO 2709 must reach the pipe as it is."""
    if isinstance(written, str):
        out.stdout.write(written)
    else:
        out.stdout.flush()
        out.stdout.buffer.write(written)
