"""PLACE: prepared items become records, holdings and changes of the signature graph (shell).

One transaction a batch, fenced by the matcher's lease: what was placed and that it was placed commit together, so a
batch that is done twice after a crash finds its units gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from catalog import (
    authority,
    batch_moves,
    batches,
    bodies,
    clusters,
    dictionaries,
    holdings,
    inbox,
    loads,
    pins,
    quality,
    quarantine,
    records,
    renaming,
)
from catalog.connection import Connection
from catalog.inbox import PreparedUnit
from catalog.loads import Load
from catalog.model import Source
from catalog.records import Standing, Values
from dms import attaching, graph, mfhd, pinning, sharing
from dms.graph import Move
from dms.memory import Memory
from dms.pipeline import Item, Prepared, Signed, decode_orders, decode_prepared
from dms.rules.model import Kind


class Arrival(NamedTuple):
    """An item that changes something, with its signature and what stands in its place."""

    item: Item
    signed: Signed | None
    standing: Standing | None


async def place(
    conn: Connection, load: Load, source: Source, units: Sequence[PreparedUnit], memory: Memory
) -> Counter[str]:
    """Place prepared units of one load in the caller's transaction; what was counted."""
    counts: Counter[str] = Counter()
    pairs = []
    for unit in units:
        prepared = decode_prepared(bodies.grow(unit.prepared))
        if prepared.items and prepared.profile != sharing.digest(source):
            prepared = await _shared_anew(conn, source, prepared)
        pairs += _items(unit, prepared)
    standing = await records.standing(conn, source.no, [item.local_id for item, _ in pairs])
    arrivals = []
    rescored = []
    for item, signed in pairs:
        there = standing.get(item.local_id)
        if item.same:
            counts["unchanged"] += 1
            rescored.append((item.local_id, item.digest, item.score))
        elif (there is None and item.deleted) or (
            there is not None and there.digest == item.digest and not item.deleted
        ):
            counts["unchanged"] += 1
        else:
            counts["deleted" if item.deleted else "added" if there is None else "updated"] += 1
            arrivals.append(Arrival(item, signed, there))
    if arrivals:
        await _write(conn, load, source, arrivals, memory)
    if rescored:  # the score is part of which record a cluster is shown by
        before = await quality.sums(conn, source.no, [local_id for local_id, _, _ in rescored])
        sids = await records.rescore(conn, source.no, rescored)
        after = await quality.sums(conn, source.no, [local_id for local_id, _, _ in rescored])
        await quality.stand(conn, source.no, before, after)
        await clusters.soil(conn, set((await clusters.membership(conn, sids)).values()))
    await inbox.discard(conn, load.load, [unit.unit for unit in units])
    await loads.count(conn, load.load, counts)
    memory.forget()
    return counts


async def _shared_anew(conn: Connection, source: Source, prepared: Prepared) -> Prepared:
    """The unit by the profile that the source has now: it was given another one since the unit was prepared."""
    known = await dictionaries.of(conn, {item.dictionary for item in prepared.items})
    items = []
    for item in prepared.items:
        if not item.deleted and not item.same and item.visibility in sharing.BY_PROFILE:
            raw = bodies.open_body(item.body, item.dictionary, known)
            shared = sharing.of_kept(source, raw, item.carrier, item.encoding)
            item = msgspec.structs.replace(item, visibility=int(shared))
        items.append(item)
    return msgspec.structs.replace(prepared, items=items)


def _items(unit: PreparedUnit, prepared: Prepared) -> list[tuple[Item, Signed | None]]:
    """A unit's items with their signatures, without those that judging dropped and with the ids and parents that it
    gave.
    """
    orders = decode_orders(unit.orders) if unit.orders else None
    dropped = set(orders.drop) if orders else set()
    renamed = dict(orders.rename) if orders else {}
    parents = dict(orders.parents) if orders else {}
    found = []
    for i, item in enumerate(prepared.items):
        if i in dropped:
            continue
        if i in renamed:
            item = msgspec.structs.replace(item, local_id=renamed[i])
        if i in parents:
            item = msgspec.structs.replace(item, parent=parents[i])
        elif item.parent == mfhd.FOLLOWS:
            item = msgspec.structs.replace(item, parent=orders.lead if orders else "")
        found.append((item, prepared.signatures[item.signature] if item.signature >= 0 else None))
    return found


async def _write(conn: Connection, load: Load, source: Source, arrivals: list[Arrival], memory: Memory) -> None:
    replaced = [a.item.local_id for a in arrivals if a.standing is not None]
    deleted = [a.item.local_id for a in arrivals if a.item.deleted]
    fed = load.mode == "feed"
    gone = [a for a in arrivals if a.item.redirect and a.standing]
    heired = await _repoint(conn, source.no, gone) if gone else set()
    if replaced and not fed:  # what a node told is never undone: it tells itself what is right
        await records.remember(conn, load.load, source.no, replaced)
    apart, loosened = await _pinned(conn, source.no, arrivals)
    loosened |= {a.standing.sid for a in gone if a.standing and a.standing.sid is not None}
    moves = [_move(a, source.name, apart) for a in arrivals]
    taken = await graph.take(conn, moves)
    rows = [
        _values(load, source, a.item, sid) for a, sid in zip(arrivals, taken.sids, strict=True) if not a.item.deleted
    ]
    before = await quality.sums(conn, source.no, replaced) if replaced else quality.Sums()
    await records.put(conn, rows, fresh=not replaced)
    await quality.stand(conn, source.no, before, quality.Sums.of([row[-1] for row in rows]))
    held = [(source.no, a.item.local_id, n, *told) for a in arrivals for n, told in enumerate(a.item.holdings, 1)]
    await holdings.replace(conn, source.no, replaced, held)
    if await renaming.any_of_source(conn, source.no):
        await renaming.name_copies(conn, source.no, [a.item.local_id for a in arrivals if not a.item.deleted])
    headings = [(a.item.local_id, *a.item.heading) for a in arrivals if a.item.heading]
    named = [a.item.local_id for a in arrivals if a.standing and a.standing.kind == Kind.AUTHORITY]
    await authority.replace(conn, source.no, source.library, named, headings)
    if deleted:
        await records.delete(conn, source.no, deleted)
    await batches.end(conn, source.no, load.load, {a.item.local_id: a.item.dropped for a in arrivals if a.item.dropped})
    if load.mode == "move":
        host = load.origin.partition(" ")[0]
        brought = {a.item.local_id: a.item.edits for a in arrivals if not a.item.deleted}
        await batch_moves.adopt(conn, source.no, source.library, load.load, host, brought)
    if fed or load.mode == "move":
        await pins.follow_origins(conn, source.no, [a.item.local_id for a in arrivals])
    await quarantine.add_findings(
        conn,
        [
            (load.load, source.no, source.library, a.item.local_id, a.item.ordinal, rule, detail)
            for a in arrivals
            for rule, detail in a.item.findings
        ],
    )
    left = await clusters.membership(conn, [a.standing.sid for a in gone if a.standing and a.standing.sid])
    dirty = await graph.settle(conn, taken, memory, loosened)
    dirty |= await attaching.follow(conn, load, source, [(a.item, a.standing) for a in arrivals])
    await clusters.soil(conn, dirty)
    heired -= {a.item.local_id for a in arrivals}  # those have followed
    if heired:
        await pinning.follow(conn, [(source.no, heir) for heir in sorted(heired)], memory)
    if left:
        await _redirect(conn, source.no, gone, left)


async def _repoint(conn: Connection, source: int, gone: Sequence[Arrival]) -> set[str]:
    """Pins of records that others took over go to those, and so does what people said of them; the local ids of these
    others, of those that have pins."""
    heirs = {a.item.local_id: a.item.redirect for a in gone}
    await renaming.words(conn, source, heirs)
    return await pins.repoint(conn, source, heirs) if await pins.any_pin(conn) else set()


async def _redirect(conn: Connection, source: int, gone: Sequence[Arrival], left: Mapping[int, int]) -> None:
    """A cluster of nothing but a record that another took over leads to that other's cluster. `left`: by signature."""
    there = await records.standing(conn, source, {a.item.redirect for a in gone})
    now = await clusters.membership(conn, {one.sid for one in there.values() if one.sid is not None})
    empty = set(left.values()) - await clusters.peopled(conn, left.values())
    heirs = {}
    for a in gone:
        heir = there.get(a.item.redirect)
        old = left.get(a.standing.sid) if a.standing and a.standing.sid else None
        if heir is not None and heir.sid in now and old in empty:
            heirs[old] = now[heir.sid]
    await clusters.redirect(conn, heirs)


async def _pinned(conn: Connection, source: int, arrivals: Sequence[Arrival]) -> tuple[set[str], set[int]]:
    """Local ids under a cannot-link, and the signatures that pinned records had so far."""
    if not await pins.any_pin(conn):
        return set(), set()
    local_ids = [a.item.local_id for a in arrivals]
    named = await pins.named(conn, source, local_ids)
    had = {a.standing.sid for a in arrivals if a.standing and a.item.local_id in named}
    return await pins.kept_apart(conn, source, local_ids), {sid for sid in had if sid is not None}


def _move(arrival: Arrival, source: str, apart: Collection[str]) -> Move:
    """A record under a cannot-link gets a signature of its own, however equal its features. A holdings record has its
    parent's, without being one of its records.
    """
    old = arrival.standing.sid if arrival.standing and arrival.standing.kind != Kind.HOLDINGS else None
    signed = arrival.signed
    if signed is not None and arrival.item.local_id in apart:
        signed = pinning.own_signature(signed, source, arrival.item.local_id)
    return Move(old, signed)


def _values(load: Load, source: Source, item: Item, sid: int | None) -> Values:
    return (
        source.no,
        item.local_id,
        source.library,
        sid,
        item.load or load.load,
        item.format,
        item.carrier,
        item.encoding,
        item.visibility,
        item.dictionary,
        item.digest,
        item.stamp,
        item.title_hash,
        item.body,
        item.kind,
        item.parent,
        item.score,
    )
