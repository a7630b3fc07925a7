"""Taking: a segment of a peer is judged and applied, in one transaction with the stream's cursor (shell).

Where a change lands is a table. A child's bibs land in the inbox as one unit of a load of their own: what the unit
holds is the packed list of the kept changes. A parent's bibs become received versions.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalog import arrivals, bodies, corrections, directory, inbox, ledgers, loads, payload, quarantine, received
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.model import LoadState, cluster_number, unique
from catalog.payload import Bib, Change, Kind
from catalog.quarantine import Case
from catalog.received import Received
from catalog.work import units
from catalog.work.queue import Queue
from config.errors import BadRecord, Conflict, Misconfigured
from exchange import consumer, manifest, raws, spares
from exchange.consumer import Judged, Place, Plan, Poison, Verdict
from exchange.ends import Me, Peer
from exchange.model import Cursor, Key, Leaf

CARRIER = "packed"  # of loads whose units hold changes
PACKED = 4  # the same, as a number


class Misplaced(Conflict):
    """A segment does not follow on what was applied; `cursor` says where the stream stands."""

    code = "misplaced-segment"

    def __init__(self, message: str, cursor: Cursor) -> None:
        super().__init__(message)
        self.cursor = cursor


@dataclass(slots=True)
class _Reader:
    """Reads payloads once: the core asks whether they can be read, landing what they say."""

    bibs: dict[str, Bib] = field(default_factory=dict)
    notices: dict[tuple[int, str], object] = field(default_factory=dict)

    def read(self, change: Change) -> None:
        """BadRecord if the payload is not what its kind says."""
        if change.kind == Kind.BIB:
            self.bibs[change.id] = payload.bib(change.payload)
            return
        decode = NOTICES.get(change.kind)
        if decode is None:
            raise BadRecord(f"this release can do nothing with a notice of kind {change.kind}")
        self.notices[change.kind, change.id] = decode(change.payload)


NOTICES: Mapping[int, Callable[[bytes], object]] = {
    Kind.LIBRARY: payload.entry,
    Kind.CORRECTION: payload.correction,
    Kind.RECEIPT: payload.receipt,
    Kind.RAW: payload.raw,
}


@dataclass(frozen=True, slots=True)
class _Landing:
    """What landing writes, made ready before the transaction."""

    plan: Plan
    reader: _Reader
    before: frozenset[Key]  # what stood in the ledger of these keys
    fresh: bool  # nothing was heard of them before
    unit: bytes = b""  # compressed
    size: int = 0  # bytes of the unit before
    received: tuple[Received, ...] = ()


async def take(
    database: Database, queue: Queue, me: Me, peer: Peer, channel: str, signed: bytes, content: bytes
) -> Cursor:
    """Apply a segment; where the stream stands then. One that is applied already changes nothing.

    Misplaced if it doesn't follow on the cursor; Damaged, Untrusted or Incompatible if it can't be taken at all.
    """
    while True:
        async with database.connection() as conn:
            cursor = Cursor(*await arrivals.cursor(conn, peer.no, channel))
        judged = consumer.judge(
            signed, cursor=cursor, me=me.symbol, peer=peer.symbol, channel=channel, trusted=peer.trusted
        )
        if judged.verdict is Verdict.DONE:
            return cursor
        if judged.verdict is not Verdict.NEXT:
            raise Misplaced(f"the stream {channel} of {peer.symbol} stands at another place", cursor)
        landing = await _ready(database, me, peer, channel, judged, cursor, content)
        async with database.transaction() as conn:
            if Cursor(*await arrivals.lock(conn, peer.no, channel)) == cursor:
                await _apply(conn, queue, me, peer, channel, landing)
                return landing.plan.cursor
        # Another process was quicker: look again at what the segment is by now.


async def _ready(
    database: Database, me: Me, peer: Peer, channel: str, judged: Judged, cursor: Cursor, content: bytes
) -> _Landing:
    """Everything that needs no lock; it holds as long as the cursor stands."""
    verifier = peer.trusted[judged.manifest.suite]
    told = await asyncio.to_thread(manifest.unpack, judged.manifest, content, verifier)
    async with database.connection() as conn:
        if peer.role == "child":
            told = replace(told, changes=await spares.whole(conn, peer, told.changes))
        keys = [(change.kind, change.id) for change in told.changes]
        entries = await ledgers.of(conn, Ledger.HEARD, peer.no, channel, keys)
    reader = _Reader()

    def make() -> _Landing:
        heard = {entry[:2]: Leaf(*entry) for entry in entries}
        plan = consumer.plan(judged, cursor, told, heard, peer.role, reader.read)
        landed = plan.landing.get(Place.INBOX, ())
        packed = payload.encode(landed) if landed else b""
        versions = tuple(_version(me, change, reader) for change in plan.landing.get(Place.RECEIVED, ()))
        unit = bodies.pass_on(packed) if packed else b""
        before = frozenset(key for key, line in heard.items() if line.digest is not None)
        return _Landing(plan, reader, before, not entries, unit, len(packed), versions)

    return await asyncio.to_thread(make)


def _version(me: Me, change: Change, reader: _Reader) -> Received:
    if not change.payload:
        return Received(id=change.id, redirect=change.redirect)
    bib = reader.bibs[change.id]
    mine = (cluster_number(ident, me.symbol) for ident in bib.yours)
    return Received(
        id=change.id,
        redirect=change.redirect,
        payload=bodies.shrink(change.payload),
        libraries=unique(sorted(held.library for held in bib.holdings)),
        clusters=tuple(sorted({number for number in mine if number is not None})),
    )


async def _apply(conn: Connection, queue: Queue, me: Me, peer: Peer, channel: str, landing: _Landing) -> None:
    plan = landing.plan
    if set(plan.landing) - set(LAND):
        raise Misconfigured(f"this node can't take in what {peer.symbol} hands over on {channel}")
    await ledgers.write(conn, Ledger.HEARD, peer.no, channel, plan.heard, fresh=landing.fresh)
    await _mark_gone(conn, peer, channel, landing)
    for place, changes in plan.landing.items():
        await LAND[place](conn, queue, peer, landing, changes)
    if plan.poison:
        await _set_apart(conn, peer, plan.poison)
    await arrivals.move(conn, peer.no, channel, plan.base, plan.cursor)


async def _mark_gone(conn: Connection, peer: Peer, channel: str, landing: _Landing) -> None:
    """Tell tombstones with redirects in the ledger, where there are any or may have been."""
    changes = [change for landed in landing.plan.landing.values() for change in landed]
    redirected = {(change.kind, change.id) for change in changes if change.redirect and not change.payload}
    if redirected or not landing.fresh:
        keys = [(change.kind, change.id) for change in changes]
        await ledgers.mark_gone(conn, peer.no, channel, keys, redirected=redirected)


async def _to_inbox(conn: Connection, queue: Queue, peer: Peer, landing: _Landing, changes: Sequence[Change]) -> None:
    """One unit of a load of its own, given over to PREPARE at once."""
    if peer.source is None:
        raise Misconfigured(f"{peer.symbol} has no source to take its records: let it join anew")
    place = landing.plan.cursor
    load = await loads.begin(
        conn,
        peer.source,
        await arrivals.library(conn, peer.source),
        mode="feed",
        origin=f"{peer.symbol} {place.epoch}:{place.seq}",
        fingerprint=place.link,
        carrier=CARRIER,
        encoding="utf-8",
        assured=True,
    )
    unit = await inbox.land(
        conn, load.load, position=0, ordinal=0, payload=landing.unit, expected=0, landed=landing.size
    )
    await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))
    await units.announce(queue, conn, load.load, [unit])


async def _to_received(
    conn: Connection, queue: Queue, peer: Peer, landing: _Landing, changes: Sequence[Change]
) -> None:
    await received.put(conn, peer.no, landing.received)


async def _to_notices(conn: Connection, queue: Queue, peer: Peer, landing: _Landing, changes: Sequence[Change]) -> None:
    read = landing.reader.notices
    here = {(change.kind, change.id): read[change.kind, change.id] for change in changes if change.payload}
    gone = [change for change in changes if not change.payload]
    entries = {ident: told for (_, ident), told in here.items() if isinstance(told, payload.Entry)}
    theirs = [ident for kind, ident in landing.before if kind == Kind.LIBRARY]
    await directory.take(conn, entries, peer=peer.symbol, role=peer.role, theirs=theirs)
    offers = {ident: told for (_, ident), told in here.items() if isinstance(told, payload.Correction)}
    await corrections.offered(conn, peer.no, offers)
    await corrections.withdrawn(conn, peer.no, [change.id for change in gone if change.kind == Kind.CORRECTION])
    answers = {ident: told for (_, ident), told in here.items() if isinstance(told, payload.Receipt)}
    await corrections.answered(conn, peer.no, answers)


async def _to_handover(
    conn: Connection, queue: Queue, peer: Peer, landing: _Landing, changes: Sequence[Change]
) -> None:
    """Source records of a library that this node takes over. What the old host lacks was brought here since, or is not
    brought back: nothing is deleted by its word.
    """
    read = landing.reader.notices
    told = {change.id: read[change.kind, change.id] for change in changes if change.payload}
    place = landing.plan.cursor
    raw = {ident: each for ident, each in told.items() if isinstance(each, payload.Raw)}
    await raws.land(conn, queue, peer, f"{place.epoch}:{place.seq}", raw)


Land = Callable[[Connection, Queue, Peer, _Landing, Sequence[Change]], Awaitable[None]]
LAND: Mapping[Place, Land] = {
    Place.INBOX: _to_inbox,
    Place.RECEIVED: _to_received,
    Place.NOTICES: _to_notices,
    Place.HANDOVER: _to_handover,
}


async def _set_apart(conn: Connection, peer: Peer, poison: Sequence[Poison]) -> None:
    """Into quarantine, where a person finds it by the peer's name."""
    source = peer.source if peer.source is not None else await arrivals.source_of(conn, peer.no, peer.symbol)
    library = await arrivals.library(conn, source)
    await quarantine.put(conn, [_case(source, library, n, each) for n, each in enumerate(poison, 1)])


def _case(source: int, library: str, ordinal: int, poison: Poison) -> Case:
    ident = poison.change.id if poison.change else ""
    return Case(
        source=source,
        library=library,
        load=0,
        position=0,
        ordinal=ordinal,
        local_id=ident,
        verdict="unreadable",
        rule="poison",
        reason=poison.reason,
        carrier=PACKED,
        digest=hashlib.blake2b(ident.encode() + b"\0" + poison.body, digest_size=16).digest(),
        body=bodies.shrink(poison.body),
    )
