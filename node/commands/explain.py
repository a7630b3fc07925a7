"""`tianlu explain ID`: why a record is visible or not, step by step along its walk."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from catalog import (
    amendments,
    attached,
    changes,
    clusters,
    decisions,
    holdings,
    loads,
    quarantine,
    records,
    rekeys,
    signatures,
    sources,
    visibility,
)
from catalog.connection import Connection
from catalog.model import CARRIER_NAMES, Carrier, Source, Visibility, cluster_id, cluster_number
from catalog.records import Row
from config.errors import NotFound
from dms import quality_of, quality_texts
from dms.match import reasons
from dms.rules import catalogue
from dms.rules.score import BEST
from node import app, decided, indexed
from node.app import Node
from node.context import Context
from services.cataloguing import patch
from services.deciding import sides
from services.discovery import record

NAME = "explain"
HELP = {
    "en": "Say why a record is visible or not: quarantined, held, queued, joined and why, merged, indexed. "
    "ID is source/local_id, or a cluster id.",
    "zh": "说明记录为何可见或不可见：隔离、暂停、排队、聚合及其理由、合并、索引。ID 为 数据源/本地号 或聚簇号。",
}
ACTS = {"": None}
MOST_EDGES = 40
MOST_FINDINGS = 60
Step = tuple[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The record."""
    parser.add_argument("id", metavar="ID", help="source/local_id, or a cluster id")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0; NotFound if nothing is known of it."""
    async with app.open(context) as node, node.database.connection() as conn:
        number = cluster_number(args.id, node.symbol)
        steps = [
            step
            async for step in (
                _cluster(conn, node, number, context.lang) if number else _record(conn, node, args.id, context.lang)
            )
        ]
        steps += await _decided(conn, node, args.id, context)
    if not steps:
        raise NotFound(f"nothing is known of {args.id}: not loaded, not in quarantine, never a cluster")
    for step, told in steps:
        if context.out.json:
            context.out.item({"step": step, "told": told})
        else:
            context.out.say(f"{step:12} {told}")
    return 0


async def _decided(conn: Connection, node: Node, ident: str, context: Context) -> list[Step]:
    """What people decided about the record, or about the records of the cluster."""
    with contextlib.suppress(NotFound):  # it is in no cluster
        side = await sides.find(conn, node.symbol, ident)
        own = [side.record] if "/" in ident else [each.record for each in await sides.members(conn, side.cluster)]
        return [("decision", decided.said(context, one)) for one in await decisions.of_records(conn, own)]
    return []


async def _record(conn: Connection, node: Node, ident: str, lang: str) -> AsyncIterator[Step]:
    name, _, local_id = ident.partition("/")
    source = await sources.get(conn, name)
    for case in await quarantine.of_record(conn, source.no, local_id):
        yield (
            "quarantine",
            f"case {case['id']} of load {case['load']}: {case['verdict']}, {case['rule']}: {case['reason']}",
        )
    row = await records.named(conn, source.no, local_id)
    lead = await record.now_named(conn, name, local_id)
    async for step in _rekeyed(conn, source, row.local_id if row else local_id):
        yield step
    new = lead.became[-1].new if lead is not None else None
    if lead is not None and new is not None and await records.get(conn, source.no, new) is not None:
        async for step in _record(conn, node, lead.ident, lang):
            yield step
        return
    waiting = await loads.open_of_source(conn, source.no)
    if waiting is not None:
        about = f": {waiting.reason}" if waiting.reason else ""
        yield "load", f"load {waiting.load} of this source is {waiting.state.value}; what it brings shows later{about}"
    if row is None:
        by = await records.last_replaced(conn, source.no, local_id)
        if by is not None:
            yield "deleted", f"by load {by}; the version before it is kept (tianlu loads undo)"
        if lead is not None and (number := cluster_number(lead.ident, node.symbol)):
            yield "cluster", f"it was in {lead.ident}"
            async for step in _cluster(conn, node, number, lang):
                yield step
        return
    yield (
        "record",
        f"{source.name}/{row.local_id} of library {row.library}, brought by load {row.load}, "
        f"kept as {CARRIER_NAMES[Carrier(row.carrier)]} in {row.encoding}",
    )
    async for step in _quality(conn, source, row, lang):
        yield step
    if row.visibility == Visibility.HOLDINGS:
        yield "holdings", "only its holdings are shown, and where another record of its cluster is"
    elif not visibility.is_visible(row.visibility):
        yield "hidden", f"no output shows it: {visibility.reason(row.visibility)}"
    async for step in _placed(conn, node, source, row, lang):
        yield step


async def _rekeyed(conn: Connection, source: Source, local_id: str) -> AsyncIterator[Step]:
    """What became of an id when the library moved to another system, and which ids a record had before."""
    for one in await rekeys.became(conn, source.no, local_id):
        when = f"re-keying {one.rekey} of {one.at:%Y-%m-%d}"
        if one.new is None:
            yield "rekeyed", f"{source.name}/{one.old} was no record of the new system, {when}: {one.evidence}"
        else:
            yield "rekeyed", f"{source.name}/{one.old} became {source.name}/{one.new}, {when}, by {one.evidence}"
    for one in await rekeys.formerly(conn, source.no, local_id):
        told = f"{source.name}/{one.old} until re-keying {one.rekey} of {one.at:%Y-%m-%d}, by {one.evidence}"
        yield "formerly", told


async def _quality(conn: Connection, source: Source, row: Row, lang: str) -> AsyncIterator[Step]:
    """What reading it and its load told, what was mended of it, and what the rules say of it now."""
    known = catalogue.rules()
    for finding in await quarantine.findings_of(conn, source.no, row.local_id):
        if finding["rule"] not in known:  # the others are told by the rules
            yield "finding", f"{finding['rule']}: {finding['detail']}"
    found = await quality_of.opinion(conn, row)
    for rule, tag, _, before, after in found.came.receipts:
        yield "mended", f"{tag} {patch.shown(before)} became {patch.shown(after)} ({rule})"
    yield "score", f"{found.score} of {BEST}" + ("" if row.score is None else f"; {row.score} when it was loaded")
    for one in found.findings[:MOST_FINDINGS]:
        yield found.level(one).name.lower(), f"{one.rule}: {quality_texts.told(one, lang)}"
    if len(found.findings) > MOST_FINDINGS:
        yield "finding", f"and {len(found.findings) - MOST_FINDINGS} more"


async def _attached(conn: Connection, node: Node, row: Row) -> AsyncIterator[Step]:
    """What a holdings record is attached to, or what it waits for."""
    for one in await holdings.of_record(conn, row.source, row.local_id):
        told = (one.library, one.location, one.call_number, one.item, one.status, one.note)
        yield "copy", " | ".join(filter(None, told))
    kind, _, value = row.parent.partition(":")
    yield "names", f"its record by {kind} {value}" if value else "no record"
    parent = await attached.parent_of(conn, row.source, row.local_id)
    if parent is None:
        for finding in await quarantine.findings_of(conn, row.source, row.local_id):
            if finding["rule"] in attached.WAITING:
                yield "waiting", f"{finding['rule']}: {finding['detail']}"
        return
    yield "attached", f"to {'/'.join(parent)}"
    if row.sid is None:
        yield "hidden", "nothing of that record is shown, so its holdings aren't either"
        return
    cluster = (await clusters.membership(conn, [row.sid])).get(row.sid)
    if cluster is not None:
        yield "cluster", cluster_id(node.symbol, cluster)


async def _placed(conn: Connection, node: Node, source: Source, row: Row, lang: str) -> AsyncIterator[Step]:
    if row.kind == attached.HOLDINGS:
        async for step in _attached(conn, node, row):
            yield step
        return
    held = await attached.of_parent(conn, source.no, row.local_id)
    if held:
        yield "holdings", f"also of {', '.join('/'.join(one) for one in held[:MOST_EDGES])}"
    if row.sid is None:
        yield "unmatched", "authority and holdings records take no part in clustering"
        return
    cluster = (await clusters.membership(conn, [row.sid])).get(row.sid)
    if cluster is None:
        yield "queued", "waits to be placed"
        return
    yield "cluster", cluster_id(node.symbol, cluster)
    twins = await clusters.twins(conn, row.sid, MOST_EDGES)
    others = [name for name in twins if name != f"{source.name}/{row.local_id}"]
    if others:
        yield "joined", f"equal in all that is compared: {', '.join(others)}"
    async for step in _edges(conn, node, row.sid, lang):
        yield step
    async for step in _cluster(conn, node, cluster, lang):
        yield step


async def _edges(conn: Connection, node: Node, sid: int, lang: str) -> AsyncIterator[Step]:
    """Why it is with its neighbours, best first."""
    found = sorted(await signatures.edges(conn, [sid]), key=lambda edge: -edge[2])[:MOST_EDGES]
    names = await clusters.examples(conn, [edge[1] if edge[0] == sid else edge[0] for edge in found])
    for a, b, score, _, verdict, packed in found:
        other = b if a == sid else a
        why = msgspec.msgpack.decode(packed, type=list[tuple[str, int]])
        told = ", ".join(f"{reasons.text(rule, lang)} {points:+}" for rule, points in why)
        yield verdict, f"{names.get(other, '?')} ({score}): {told}"


async def _cluster(conn: Connection, node: Node, cluster: int, lang: str) -> AsyncIterator[Step]:
    heir = (await clusters.heirs(conn, [cluster])).get(cluster)
    if heir is not None:
        yield "redirect", f"its records went to {cluster_id(node.symbol, heir)}"
    if cluster in await clusters.marked(conn, [cluster]):
        yield "queued", "its merged record waits to be made again"
    published = (await clusters.many(conn, [cluster])).get(cluster)
    if published is None:
        return
    if published.deleted:
        yield "deleted", f"tombstone at place {published.seq} of the feed"
        return
    for tag, old, new in (await amendments.of(conn, [cluster])).get(cluster, ()):
        yield "corrected", f"field {tag}: {patch.shown(old)} is to be {patch.shown(new)}"
    members = await clusters.members(conn, [cluster])
    yield "merged", f"from {len(members)} records: " + ", ".join(f"{m['source']}/{m['local_id']}" for m in members[:20])
    epoch, _ = await changes.head(conn)
    at = indexed.place(node)
    seen = at[0] == epoch and at[1] >= published.seq
    yield "indexed" if seen else "unindexed", f"place {published.seq} of the feed, index at {at[1]}"
