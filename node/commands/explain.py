"""`tianlu explain ID`: why a record is visible or not, step by step along its walk."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from typing import Any

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
from catalog.model import CARRIER_NAMES, Carrier, Source, Verdict, Visibility, cluster_id, cluster_number
from catalog.records import Row
from config import sentences
from config.errors import NotFound
from dms import quality_of, quality_scope, quality_texts
from dms.match import reasons
from dms.rules import catalogue
from dms.rules.score import BEST
from node import app, decided, indexed, words
from node.app import Node
from node.context import Context
from services.cataloguing import patch
from services.deciding import sides, told
from services.discovery import record
from services.returning import previews

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
                _cluster(conn, node, number, context) if number else _record(conn, node, args.id, context)
            )
        ]
        steps += await _decided(conn, node, args.id, context)
    if not steps:
        raise NotFound(f"nothing is known of {args.id}: not loaded, not in quarantine, never a cluster")
    for step, text in steps:
        if context.out.json:
            context.out.item({"step": step, "told": text})
        else:
            context.out.fact(step, text)
    return 0


async def _decided(conn: Connection, node: Node, ident: str, context: Context) -> list[Step]:
    """What people decided about the record, or about the records of the cluster."""
    with contextlib.suppress(NotFound):  # it is in no cluster
        side = await sides.find(conn, node.symbol, ident)
        own = [side.record] if "/" in ident else [each.record for each in await sides.members(conn, side.cluster)]
        return [("decision", decided.said(context, one)) for one in await decisions.of_records(conn, own)]
    return []


async def _record(conn: Connection, node: Node, ident: str, context: Context) -> AsyncIterator[Step]:
    name, _, local_id = ident.partition("/")
    source = await sources.get(conn, name)
    for case in await quarantine.of_record(conn, source.no, local_id):
        whole = await quarantine.get(conn, case["id"])
        reason = previews.reason(whole, await quality_scope.of_library(conn, source.library), context.lang)
        told = {"case": case["id"], "load": case["load"], "rule": case["rule"], "reason": reason}
        yield "quarantine", context.text("explain_case", verdict=words.word(case["verdict"], context.lang), **told)
    row = await records.named(conn, source.no, local_id)
    lead = await record.now_named(conn, name, local_id)
    async for step in _rekeyed(conn, source, row.local_id if row else local_id, context):
        yield step
    new = lead.became[-1].new if lead is not None else None
    if lead is not None and new is not None and await records.get(conn, source.no, new) is not None:
        async for step in _record(conn, node, lead.ident, context):
            yield step
        return
    waiting = await loads.open_of_source(conn, source.no)
    if waiting is not None:
        why = sentences.told(waiting.reason, context.lang)
        about = ("：" if context.lang == "zh" else ": ") + why if why else ""
        state = words.word(waiting.state.value, context.lang)
        yield "load", context.text("explain_waiting_load", load=waiting.load, state=state, about=about)
    if row is None:
        by = await records.last_replaced(conn, source.no, local_id)
        if by is not None:
            yield "deleted", context.text("explain_deleted_by", load=by)
        if lead is not None and (number := cluster_number(lead.ident, node.symbol)):
            yield "cluster", context.text("explain_was_in", id=lead.ident)
            async for step in _cluster(conn, node, number, context):
                yield step
        return
    told = {"record": f"{source.name}/{row.local_id}", "library": row.library, "load": row.load}
    carrier = CARRIER_NAMES[Carrier(row.carrier)]
    yield "record", context.text("explain_record", carrier=carrier, encoding=row.encoding, **told)
    async for step in _quality(conn, source, row, context):
        yield step
    if row.visibility == Visibility.HOLDINGS:
        yield "holdings", context.text("explain_only_holdings")
    elif not visibility.is_visible(row.visibility):
        yield (
            "hidden",
            context.text("explain_hidden", reason=words.word(visibility.reason(row.visibility), context.lang)),
        )
    async for step in _placed(conn, node, source, row, context):
        yield step


async def _rekeyed(conn: Connection, source: Source, local_id: str, context: Context) -> AsyncIterator[Step]:
    """What became of an id when the library moved to another system, and which ids a record had before."""
    for one in await rekeys.became(conn, source.no, local_id):
        key = "explain_gone" if one.new is None else "explain_became"
        yield "rekeyed", context.text(key, new=f"{source.name}/{one.new}", **_rekeying(source, one, context.lang))
    for one in await rekeys.formerly(conn, source.no, local_id):
        yield "formerly", context.text("explain_formerly", **_rekeying(source, one, context.lang))


def _rekeying(source: Source, one: rekeys.Became, lang: str) -> dict[str, object]:
    told = {"old": f"{source.name}/{one.old}", "rekey": one.rekey, "at": f"{one.at:%Y-%m-%d}"}
    return told | {"evidence": sentences.told(one.evidence, lang)}


async def _quality(conn: Connection, source: Source, row: Row, context: Context) -> AsyncIterator[Step]:
    """What reading it and its load told, what was mended of it, and what the rules say of it now."""
    known = catalogue.rules()
    for finding in await quarantine.findings_of(conn, source.no, row.local_id):
        if finding["rule"] not in known:  # the others are told by the rules
            yield "finding", f"{finding['rule']}: {sentences.told(finding['detail'], context.lang)}"
    found = await quality_of.opinion(conn, row)
    for rule, tag, _, before, after in found.came.receipts:
        change = {"before": patch.shown(before), "after": patch.shown(after)}
        yield "mended", context.text("explain_mended", tag=tag, rule=rule, **change)
    then = "" if row.score is None else context.text("explain_score_then", score=row.score)
    yield "score", context.text("explain_score", score=found.score, best=BEST) + then
    for one in found.findings[:MOST_FINDINGS]:
        yield found.level(one).name.lower(), f"{one.rule}: {quality_texts.told(one, context.lang)}"
    if len(found.findings) > MOST_FINDINGS:
        yield "finding", context.text("explain_more", count=len(found.findings) - MOST_FINDINGS)


async def _attached(conn: Connection, node: Node, row: Row, context: Context) -> AsyncIterator[Step]:
    """What a holdings record is attached to, or what it waits for."""
    for one in await holdings.of_record(conn, row.source, row.local_id):
        told = (one.library, one.location, one.call_number, one.item, one.status, one.note)
        yield "copy", " | ".join(filter(None, told))
    kind, _, value = row.parent.partition(":")
    called = words.heading(kind, context.lang)
    yield "names", context.text("explain_names" if value else "explain_names_none", kind=called, value=value)
    parent = await attached.parent_of(conn, row.source, row.local_id)
    if parent is None:
        for finding in await quarantine.findings_of(conn, row.source, row.local_id):
            if finding["rule"] in attached.WAITING:
                yield "waiting", f"{finding['rule']}: {sentences.told(finding['detail'], context.lang)}"
        return
    yield "attached", context.text("explain_attached", record="/".join(parent))
    if row.sid is None:
        yield "hidden", context.text("explain_parent_hidden")
        return
    cluster = (await clusters.membership(conn, [row.sid])).get(row.sid)
    if cluster is not None:
        yield "cluster", cluster_id(node.symbol, cluster)


async def _placed(conn: Connection, node: Node, source: Source, row: Row, context: Context) -> AsyncIterator[Step]:
    if row.kind == attached.HOLDINGS:
        async for step in _attached(conn, node, row, context):
            yield step
        return
    held = await attached.of_parent(conn, source.no, row.local_id)
    if held:
        named = ", ".join("/".join(one) for one in held[:MOST_EDGES])
        yield "holdings", context.text("explain_held_also", records=named)
    if row.sid is None:
        yield "unmatched", context.text("explain_unmatched")
        return
    cluster = (await clusters.membership(conn, [row.sid])).get(row.sid)
    if cluster is None:
        yield "queued", context.text("explain_to_place")
        return
    yield "cluster", cluster_id(node.symbol, cluster)
    twins = await clusters.twins(conn, row.sid, MOST_EDGES)
    others = [name for name in twins if name != f"{source.name}/{row.local_id}"]
    if others:
        yield "joined", context.text("explain_twins", records=", ".join(others))
    async for step in _edges(conn, node, row.sid, cluster, f"{source.name}/{row.local_id}", context):
        yield step
    async for step in _cluster(conn, node, cluster, context):
        yield step


async def _edges(
    conn: Connection, node: Node, sid: int, cluster: int, name: str, context: Context
) -> AsyncIterator[Step]:
    """Why it is with its neighbours, best first; and with which it is not although the rules would join the two."""
    found = sorted(await signatures.edges(conn, [sid]), key=lambda edge: -edge[2])[:MOST_EDGES]
    near = [edge[1] if edge[0] == sid else edge[0] for edge in found]
    names, places = await clusters.examples(conn, near), await clusters.membership(conn, near)
    for a, b, score, _, verdict, packed in found:
        other = b if a == sid else a
        why = "; ".join(told.sentences(reasons.unpack(packed), context.lang))
        there, where = names.get(other, "?"), places.get(other, cluster)
        if verdict == Verdict.JOIN and where != cluster:
            yield (
                Verdict.APART,
                context.text("explain_parted", record=there, id=cluster_id(node.symbol, where), score=score, name=name),
            )
        else:
            yield verdict, f"{there} ({score}): {why}"


async def _cluster(conn: Connection, node: Node, cluster: int, context: Context) -> AsyncIterator[Step]:
    heir = (await clusters.heirs(conn, [cluster])).get(cluster)
    if heir is not None:
        yield "redirect", context.text("explain_heir", id=cluster_id(node.symbol, heir))
    if cluster in await clusters.marked(conn, [cluster]):
        yield "queued", context.text("explain_to_merge")
    published = (await clusters.many(conn, [cluster])).get(cluster)
    if published is None:
        return
    if published.deleted:
        yield "deleted", context.text("explain_tombstone", seq=published.seq)
        return
    for tag, old, new in (await amendments.of(conn, [cluster])).get(cluster, ()):
        yield "corrected", context.text("explain_to_correct", tag=tag, old=patch.shown(old), new=patch.shown(new))
    members = await clusters.members(conn, [cluster])
    named = ", ".join(f"{m['source']}/{m['local_id']}" for m in members[:20])
    yield "merged", context.text("explain_merged", count=len(members), records=named)
    epoch, _ = await changes.head(conn)
    at = indexed.place(node)
    seen = at[0] == epoch and at[1] >= published.seq
    yield "indexed" if seen else "unindexed", context.text("explain_feed", seq=published.seq, at=at[1])
