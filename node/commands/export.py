"""`tianlu export --records|--merged|--holdings|--clusters`: what the catalogue holds, as a file."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator

from catalog import bodies, changes, dictionaries, holdings, original, packing, records, sources
from catalog.connection import Connection
from catalog.model import Format, cluster_id
from config import sentences
from config.errors import BadRecord
from dms import sharing
from node import app, attending
from node.context import Context
from protocols import writing
from protocols.marc import Record
from services.delivery import forms, turning, values
from services.delivery.forms import Going

NAME = "export"
HELP = {
    "en": "Write out source records, merged records, holdings or clusters. Waits until what was loaded is clustered.",
    "zh": "导出源记录、合并记录、馆藏或聚簇。会等待已装载的记录完成聚簇。",
}
ACTS = {"": None}
PAGE = 2000


def arguments(parser: argparse.ArgumentParser) -> None:
    """What, in which form, from which source."""
    what = parser.add_mutually_exclusive_group(required=True)
    for name, about in (
        ("records", "visible source records"),
        ("merged", "merged records, 001 = cluster id"),
        ("holdings", "one line a holding: cluster, library, local_id, call_number, item, location, status, held …"),
        ("clusters", "one line a record: source, local_id, cluster"),
    ):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=about)
    parser.add_argument("--to", choices=forms.NAMES, default="marcjson", help="form of records")
    parser.add_argument("--encoding", default="utf-8", help="of ISO 2709, .mrk and Aleph sequential")
    parser.add_argument("--dialect", choices=turning.DIALECTS, help="MARC dialect; default: each stays in its own")
    parser.add_argument("--source", action="append", help="only this source (may be repeated)")


async def run(context: Context, args: argparse.Namespace) -> int:
    """3 if some records could not be written in the wanted form, or some characters in the encoding."""
    encoding = forms.check(args.to, args.encoding)
    async with app.open(context) as node:
        await attending.drain(node)
        # One snapshot: what is published meanwhile must neither come twice nor be missed.
        async with node.database.snapshot() as conn:
            numbers = await _sources(conn, args.source)
            if args.what == "clusters":
                async for row in records.placed(conn, numbers):
                    context.out.item({**row, "cluster": cluster_id(node.symbol, row["cluster"])})
                return 0
            if args.what == "holdings":
                async for row in holdings.visible(conn, numbers):
                    cluster = cluster_id(node.symbol, row["cluster"]) if row["cluster"] is not None else None
                    context.out.item({**row, "cluster": cluster, **values.counted(row["note"])})
                return 0
            found = _source_records(conn, numbers) if args.what == "records" else _merged(conn)
            return await _write(context, found, args.to, encoding, args.dialect or "")


async def _sources(conn: Connection, names: list[str] | None) -> list[int]:
    if not names:
        return [source.no for source in await sources.every(conn)]
    return [(await sources.get(conn, name)).no for name in names]


async def _source_records(conn: Connection, numbers: list[int]) -> AsyncIterator[Going]:
    known = await dictionaries.every(conn)
    drops = await sources.drops(conn)
    async for row in records.visible(conn, numbers):
        raw = bodies.open_body(row["body"], row["dictionary"], known)
        record = original.record(raw, row["carrier"], row["encoding"])
        drop = drops.get(row["source_name"])
        ident = f"{row['source_name']}/{row['local_id']}"
        yield Going(ident, sharing.reduced(record, drop) if drop else record, Format(row["format"]))


async def _merged(conn: Connection) -> AsyncIterator[Going]:
    seq = 0
    while page := await changes.after(conn, seq, PAGE):
        for one in page:
            if not one.deleted:
                record = packing.unpack(one.body)
                yield Going(one.id, Record(record.leader, (("001", one.id), *record.fields)), one.format)
        seq = page[-1].seq


async def _write(context: Context, found: AsyncIterator[Going], form: str, encoding: str, dialect: str) -> int:
    out = context.out.stdout
    out.flush()  # bytes pass the text layer by: a carrier must reach the pipe as it is
    worst = 0
    out.buffer.write(forms.AROUND[form].before)
    ordinal = 0
    async for one in found:
        ordinal += 1
        try:
            going = turning.turned(one, dialect)
            told = forms.write(going, form, encoding, ordinal=ordinal)
        except BadRecord as error:
            worst = 3
            context.out.note(sentences.told(str(error), context.lang))
            continue
        out.buffer.write(told.data)
        if told.lost:
            worst = 3
            lacking = writing.lacking(going.record, encoding).items()
            told_of = ", ".join(f"{tag} {' '.join(characters)}" for tag, characters in lacking)
            context.out.note(context.text("characters_lost", id=going.ident, characters=told_of))
    out.buffer.write(forms.AROUND[form].after)
    return worst
