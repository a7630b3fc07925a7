"""Corrections: patches offered to the owner of a record, and what became of them (store).

A node that corrects a record amends its own merged record and offers the same patch to every child whose record in that
cluster has that very field. The child decides; what it accepts it amends and offers on to its own children. The answer
goes back up as a receipt, the corrected record by the feed.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import zstandard

from catalog import (
    amendments,
    batch_records,
    batches,
    bodies,
    clusters,
    dictionaries,
    notices,
    original,
    packing,
    patches,
    payload,
    records,
)
from catalog.connection import Connection
from catalog.model import cluster_id
from catalog.notices import Notice
from catalog.patches import FieldChange, Unsound
from catalog.payload import Correction, Kind, Receipt
from catalog.visibility import HOLDS
from config.errors import BadRecord, Conflict, NotFound, Retry, TianluError

log = logging.getLogger(__name__)

MOST = 1000  # of a list
LONGEST = 500  # characters of a reason
PLAIN = ("target", "tag", "expected", "old", "new", "why", "who")

COLUMNS = (
    "id, peer, outward, target, tag, expected, old, new, why, who, state, at, decided_at, changes, source, batch,"
    " reason, decided_by"
)
_KNOWN = """select c.*, coalesce(p.symbol, s.library, '') symbol, c.library offerer, coalesce(s.name, '') source_name,
                coalesce(s.library, correction_library(c.outward, c.peer), '') owner
            from correction c left join peer p using (peer) left join source s on s.source = c.source"""
_ALL = f"{COLUMNS}, symbol, offerer, source_name, owner as library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of table `correction`. Its parts are those of catalog.payload.Correction."""

    id: str
    peer: int | None  # the child it was offered to, or the parent that offers it; None = made here
    outward: bool  # we offer it
    target: str
    tag: str
    expected: bytes
    old: str
    new: str
    why: str
    who: str
    state: str  # open, accepted, refused, stale
    at: datetime
    decided_at: datetime | None
    changes: Sequence[Sequence[str]] = ()  # of several fields, or with one that is put in or goes
    source: int | None = None  # offered to a library here: of this source
    batch: int | None = None  # that it comes from or that carries it out
    reason: str = ""  # why it was refused, or what isn't as it was
    decided_by: str = ""
    symbol: str = ""  # of the peer, or the library here that it is offered to
    offerer: str = ""  # library here that offers it; "" = this node, or a parent
    source_name: str = ""
    library: str = ""  # whose it is to decide: of the child that it is offered to, of the source, else this node's

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """What it changes."""
        if self.changes:
            return tuple((tag, old, new) for tag, old, new in self.changes)
        return ((self.tag, self.old, self.new),)


async def make(
    conn: Connection, symbol: str, cluster: int, changes: Sequence[FieldChange], *, why: str, who: str
) -> tuple[str, int]:
    """Correct a merged record of this node and offer the patch to the children; its id, and to how many. Takes places
    in the feed of notices: call it last in the transaction.
    """
    patches.check_all(changes)
    ident = f"{symbol}:{secrets.token_hex(8)}"
    patch = patch_of(cluster_id(symbol, cluster), changes, why, who)
    await enter(conn, None, {ident: patch}, state="accepted")
    offers = await _amend(conn, cluster, ident, patch)
    await notices.publish(conn, offers)
    return ident, len(offers)


async def offered(conn: Connection, peer: int, corrections: Mapping[str, Correction]) -> None:
    """Keep what a parent offers, by id, until it is decided on; one that is here already stays as it is. What can't be
    right is refused at once.
    """
    sound, refused = {}, []
    for ident, offer in corrections.items():
        try:
            changes = offer.changes or ((offer.tag, offer.old, offer.new),)
            patches.check_all(changes)
            if offer.expected != patches.digest(changes) or patches.is_strange(offer.target + offer.why + offer.who):
                raise Unsound("what is expected is not what is shown")
            sound[ident] = offer
        except Unsound:
            refused.append(_receipt(ident, peer, "refused", "it can't be right"))
    await enter(conn, peer, sound)
    await notices.publish(conn, refused)


async def withdrawn(conn: Connection, peer: int, idents: Sequence[str]) -> None:
    """The parent no longer offers these: they are stale unless decided on."""
    await conn.execute(
        """update correction set state = 'stale', decided_at = now()
           where id = any($2::text[]) and peer = $1 and not outward and state = 'open'""",
        peer,
        list(idents),
    )


async def answered(conn: Connection, peer: int, answers: Mapping[str, Receipt]) -> None:
    """What a child made of the corrections that we offered it, by id. It may come back to a stale one."""
    await conn.execute(
        """update correction c set state = a.state, reason = a.reason, decided_by = a.who, decided_at = now()
           from unnest($2::text[], $3::text[], $4::text[], $5::text[]) a (id, state, reason, who)
           where c.id = a.id and c.peer = $1 and c.outward and c.state in ('open', 'stale')
             and a.state in ('accepted', 'refused', 'stale')""",
        peer,
        list(answers),
        [one.state for one in answers.values()],
        [_plain(one.why) for one in answers.values()],
        [_plain(one.who) for one in answers.values()],
    )


async def accept(conn: Connection, symbol: str, ident: str, *, who: str = "") -> str:
    """Do what is offered: `accepted`, or `stale` where a field is not as it was. Tells whoever offered it, and offers
    a parent's patch on to the children. Takes places in the feed of notices: call it last in the transaction.
    """
    entry = await _undecided(conn, ident)
    found, reason = patches.state(await fields_of(conn, entry), entry.fields)
    offers: list[Notice] = []
    state = "stale" if found == patches.OVER else "accepted"  # done: somebody here was quicker
    if found == patches.HOLDS and entry.source is not None:
        await _change_here(conn, entry, who)
    elif found == patches.HOLDS:
        published = await clusters.resolve(conn, entry.target)
        if published is None:
            raise NotFound(f"there is no record {entry.target} here")
        patch = patch_of(published.id, entry.fields, entry.why, entry.who)
        offers = await _amend(conn, published.cluster, ident, patch)
    await settle(conn, entry, state, offers, reason=f"changed since: {reason}" if reason else "", who=who)
    return state


async def refuse(conn: Connection, ident: str, *, why: str = "", who: str = "") -> None:
    """Leave the record as it is, and tell whoever offered it why. Call it last in the transaction."""
    await settle(conn, await _undecided(conn, ident), "refused", [], reason=why, who=who)


async def accept_open(conn: Connection, symbol: str, limit: int = 100) -> int:
    """Accept whatever parents have offered and nobody has decided on; how many were looked at. Call it last in the
    transaction.

    One that fails, because a body can't be read, doesn't stop the others: it becomes a stale one, for a person.
    """
    rows = await conn.fetch(
        "select id from correction where state = 'open' and not outward and peer is not null order by at, id limit $1",
        limit,
    )
    for row in rows:
        try:
            async with conn.transaction():
                await accept(conn, symbol, row["id"])
        except Retry:
            raise
        except (TianluError, zstandard.ZstdError, KeyError) as error:  # KeyError: the body's dictionary isn't there
            log.error("correction %s could not be accepted and waits for a person: %s", row["id"], error)
            await conn.execute("update correction set state = 'stale', decided_at = now() where id = $1", row["id"])
    return len(rows)


async def listing(
    conn: Connection, *, decided: bool = False, within: Collection[str] | None = None, limit: int = MOST
) -> list[Entry]:
    """Corrections that wait for somebody here: offered and not decided on, stale ones, and those that a child refused
    or found stale. With `decided`: all. Those that some libraries decide on or offer, if told. Newest first.
    """
    rows = await conn.fetch(
        f"""select {_ALL} from ({_KNOWN}) c
            where ($1 or state = 'stale' or (state = 'open' and not outward)
                   or (state = 'refused' and (outward or offerer <> '')))
              and ($2::text[] is null or owner = any($2) or offerer = any($2))
            order by at desc, id limit $3""",
        decided,
        None if within is None else sorted(within),
        limit,
    )
    return [Entry(**dict(row)) for row in rows]


async def get(conn: Connection, ident: str) -> Entry:
    """The correction with this id, or NotFound."""
    row = await conn.fetchrow(f"select {_ALL} from ({_KNOWN}) c where id = $1", ident)
    if row is None:
        raise NotFound(f"there is no correction {ident} (tianlu review list)")
    return Entry(**dict(row))


async def _undecided(conn: Connection, ident: str) -> Entry:
    row = await conn.fetchrow(f"select {COLUMNS} from correction where id = $1 for update", ident)
    if row is None:
        raise NotFound(f"there is no correction {ident} (tianlu review list)")
    entry = Entry(**dict(row))
    if entry.outward:
        raise Conflict(f"correction {ident} was made here; it is for those to decide that it was offered to")
    if entry.state not in ("open", "stale"):
        raise Conflict(f"correction {ident} is {entry.state} already")
    return entry


async def settle(
    conn: Connection, entry: Entry, state: str, offers: Sequence[Notice], *, reason: str = "", who: str = ""
) -> None:
    """It is decided: told to the parent that offers it, with what is offered on."""
    reason = _plain(reason)
    await conn.execute(
        "update correction set state = $2, reason = $3, decided_by = $4, decided_at = now() where id = $1",
        entry.id,
        state,
        reason,
        who,
    )
    receipts = [] if entry.peer is None else [_receipt(entry.id, entry.peer, state, reason, who)]
    await notices.publish(conn, [*receipts, *offers])


async def fields_of(conn: Connection, entry: Entry) -> tuple[tuple[str, str], ...]:
    """Fields of the record that it is about, as they stand; none where there is none."""
    if entry.source is not None:
        row = await records.get(conn, entry.source, entry.target)
        if row is None:
            return ()
        raw = bodies.open_body(row.body, row.dictionary, await dictionaries.of(conn, {row.dictionary}))
        return original.record(raw, row.carrier, row.encoding).fields
    published = await clusters.resolve(conn, entry.target)
    return packing.unpack(published.body).fields if published and not published.deleted else ()


async def _change_here(conn: Connection, entry: Entry, who: str) -> None:
    """Workers carry it out as a batch of one record."""
    assert entry.source is not None
    library = await conn.fetchval("select library from source where source = $1", entry.source)
    made = await batches.add(
        conn, "[]", f"correction {entry.id}", rule="", who=who, why=entry.why or entry.id, within=[library]
    )
    await batch_records.choose(conn, made.batch, [(entry.source, entry.target)])
    edits = [(tag, 1 if old else 0, old, new) for tag, old, new in entry.fields]
    fate = batches.Fate(local_id=entry.target, state="due", edits=edits, ended=[0] * len(edits))
    await batches.settle(conn, made.batch, entry.source, [fate])


async def _amend(conn: Connection, cluster: int, ident: str, patch: Correction) -> list[Notice]:
    """Amend our own record; the offers to the children whose record in the cluster has that very field."""
    for change in _changes(patch):
        await amendments.add(conn, cluster, change, ident)
    await clusters.soil(conn, [cluster])
    rows = await conn.fetch(
        f"""select p.peer, r.local_id, r.carrier, r.encoding, r.dictionary, r.body
            from membership m join record r using (sid) join peer p on p.source = r.source
            where m.cluster = $1 and p.role = 'child' and p.state <> 'revoked' and {HOLDS}
            order by p.peer, r.local_id""",
        cluster,
    )
    known = await dictionaries.of(conn, {row["dictionary"] for row in rows})
    news = []
    for row in rows:
        if _has(row, known, patch):
            offer = patch_of(row["local_id"], _changes(patch), patch.why, patch.who)
            name = f"{ident}/{row['local_id']}"
            await enter(conn, row["peer"], {name: offer}, outward=True)
            news.append(Notice(kind=Kind.CORRECTION, id=name, payload=payload.encode(offer), peer=row["peer"]))
    return news


def _has(row: Any, known: Mapping[int, bytes], patch: Correction) -> bool:
    raw = bodies.open_body(row["body"], row["dictionary"], known)
    try:
        fields = original.record(raw, row["carrier"], row["encoding"]).fields
        return patches.state(fields, _changes(patch))[0] == patches.HOLDS
    except BadRecord:
        return False


async def enter(
    conn: Connection,
    peer: int | None,
    corrections: Mapping[str, Correction],
    *,
    outward: bool = False,
    state: str = "open",
) -> None:
    """Keep corrections by id; those that are here stay as they are."""
    offers = list(corrections.values())
    await conn.execute(
        """insert into correction (id, peer, outward, state, decided_at, target, tag, expected, old, new, why, who,
               changes)
           select c.id, $1, $2, $3, case when $3 <> 'open' then now() end,
               c.target, c.tag, c.expected, c.old, c.new, c.why, c.who, c.changes::jsonb
           from unnest($4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[],
                       $11::text[], $12::text[]) c (id, target, tag, expected, old, new, why, who, changes)
           on conflict do nothing""",
        peer,
        outward or state == "accepted",
        state,
        list(corrections),
        *([getattr(offer, name) for offer in offers] for name in PLAIN),
        [json.dumps(offer.changes) for offer in offers],
    )


def patch_of(target: str, changes: Sequence[FieldChange], why: str, who: str) -> Correction:
    """As it is told. More than another text for one field is told in a form that a node which doesn't know it refuses
    whole: it must not do half of it."""
    if patches.is_plain(changes):
        ((tag, old, new),) = changes
        return Correction(target, tag, patches.digest(changes), old, new, why, who)
    return Correction(target, "", patches.digest(changes), "", "", why, who, tuple(changes))


def _changes(patch: Correction) -> tuple[FieldChange, ...]:
    return patch.changes or ((patch.tag, patch.old, patch.new),)


def _plain(text: str) -> str:
    return text[:LONGEST] if not patches.is_strange(text) else ""


def _receipt(ident: str, peer: int, state: str, why: str = "", who: str = "") -> Notice:
    return Notice(kind=Kind.RECEIPT, id=ident, payload=payload.encode(Receipt(state, why, who)), peer=peer)
