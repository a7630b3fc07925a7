"""Proofs instead of bodies: what a parent can put together itself isn't sent to it (shell).

While a library moves from its domain to a node of its own, the domain still has its records, and can tell what the new
node's merged records will be as long as nobody else's are merged with them. The node asks by proof of payload (`have`),
and tells those bibs as kind SAME. The ledgers of both ends hold digests of the whole changes all the same. A proof
that the parent can't open any more is a reconcile, which tells whole bodies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from catalog import bodies, handed, sources, spare
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Source
from catalog.outward import State
from catalog.payload import Change, Kind, proof
from catalog.records import Row
from catalog.visibility import is_visible
from config.errors import Conflict
from exchange import handover, parcels
from exchange.ends import Peer
from exchange.handover import Had, Have
from exchange.outward import Batch, Policy, render
from exchange.producer import Cut

Ask = Callable[[list[bytes]], Awaitable[set[bytes]]]  # which of these proofs the parent can open
Alone = Callable[[Sequence[Row], Mapping[int, bytes], tuple[str, ...]], Sequence[tuple[int, bytes] | None]]
"""Of each record the (format, zstd of the content) that leaves a node where a cluster of it alone is merged under this
drop list of its source; None where that fails or nothing leaves."""


def nobody(
    rows: Sequence[Row], known: Mapping[int, bytes], drop: tuple[str, ...]
) -> Sequence[tuple[int, bytes] | None]:
    """For a node that can't tell: all bodies travel."""
    return [None] * len(rows)


class Unproved(Conflict):
    """A proof is of what this node can't put together any more."""

    code = parcels.DUE


async def thin(after: Cut, have: Ask) -> Cut:
    """The same segments with proofs in the place of bibs that the parent has."""
    drafts = []
    for draft in after.drafts:
        proofs = {proof(change.payload): change for change in draft.changes if change.payload}
        asked = list(proofs)
        there: set[bytes] = set()
        for start in range(0, len(asked), handover.MOST_ASKED):
            there |= await have(asked[start : start + handover.MOST_ASKED])
        drafts.append(replace(draft, changes=tuple(_thinned(change, there) for change in draft.changes)))
    return replace(after, drafts=tuple(drafts))


def _thinned(change: Change, there: set[bytes]) -> Change:
    if change.kind != Kind.BIB or not change.payload:
        return change
    told = proof(change.payload)
    if told not in there:
        return change
    return msgspec.structs.replace(change, kind=Kind.SAME, payload=told)


async def whole(conn: Connection, peer: Peer, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes with bibs again. Unproved if a proof is of nothing that is here: then bodies must be sent."""
    proofs = [change.payload for change in changes if change.kind == Kind.SAME]
    if not proofs:
        return tuple(changes)
    found = await spare.get(conn, peer.no, proofs)
    if missing := len(set(proofs) - set(found)):
        raise Unproved(f"{missing} records are told by proofs of what is not here any more: tell them whole")
    return tuple(
        msgspec.structs.replace(change, kind=Kind.BIB, payload=bodies.grow(found[change.payload]))
        if change.kind == Kind.SAME
        else change
        for change in changes
    )


async def answer(conn: Connection, peer: Peer, asked: Have) -> Had:
    """Which of these proofs this node could open."""
    there = await spare.have(conn, peer.no, asked.proofs[: handover.MOST_ASKED])
    return Had(places=tuple(place for place, told in enumerate(asked.proofs) if told in there))


async def lay_in(
    database: Database, peer: Peer, source: Source, rows: Sequence[Row], known: Mapping[int, bytes], alone: Alone
) -> int:
    """Keep what the library's new node will tell of these records, should it merge each of them alone; how many."""
    shown = [row for row in rows if is_visible(row.visibility)]
    async with database.connection() as conn:
        drop = (await sources.drops(conn)).get(source.name, ())
    made = await asyncio.to_thread(alone, shown, known, drop)
    async with database.connection() as conn:
        held = await handed.holdings(conn, source, [row.local_id for row in shown])
    payloads = await asyncio.to_thread(_payloads, made, held)
    async with database.transaction() as conn:
        await spare.put(conn, peer.no, payloads)
    return len(payloads)


def _payloads(made: Sequence[tuple[int, bytes] | None], held: Sequence[object]) -> dict[bytes, bytes]:
    states = [
        State(
            cluster=number,
            seq=0,
            deleted=False,
            redirect=None,
            format=one[0],
            dictionary=0,
            content=one[1],
            outward=None,
        )
        for number, one in enumerate(made)
        if one is not None
    ]
    batch = Batch(epoch=0, symbol="", states=states, openers={}, holdings=held)
    told = [change.payload for change in render(batch, Policy())]
    return {proof(payload): bodies.shrink(payload) for payload in told}
