"""Corrections: patches offered to the owner of a record, and what became of them (store).

A node that corrects a record amends its own merged record and offers the same patch to every child whose record in that
cluster has that very field. The child decides; what it accepts it amends and offers on to its own children. The answer
goes back up as a receipt, the corrected record by the feed.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import zstandard

from catalog import amendments, bodies, clusters, dictionaries, notices, original, packing, payload
from catalog.connection import Connection
from catalog.model import cluster_id
from catalog.notices import Notice
from catalog.payload import Correction, Kind, Receipt
from catalog.visibility import HOLDS
from config.errors import BadRecord, Conflict, NotFound, Retry, TianluError
from protocols import marc

log = logging.getLogger(__name__)

LONGEST = 9_999  # bytes of a field (ISO 2709)
COLUMNS = "id, peer, outward, target, tag, expected, old, new, why, who, state, at, decided_at"
_KNOWN = """select c.*, coalesce(p.symbol, '') symbol, coalesce(correction_library(c.outward, c.peer), '') library
            from correction c left join peer p using (peer)"""
_TAG = re.compile(r"[0-9A-Z]{3}")
_NUMBERS = ("001", "003", "005")  # not part of a merged record
_STRANGE = re.compile("[\0-\x1e\x7f\ud800-\udfff]")


class Unsound(BadRecord):
    """A patch that would not leave a field behind."""

    code = "unsound-correction"
    exit_code = 2  # whoever writes one gave a wrong argument


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
    symbol: str = ""  # of the peer
    library: str = ""  # whose it is to see: of the child that it is offered to, else this node's


def check(tag: str, old: str, new: str) -> None:
    """Raise Unsound if a field with this tag can't have the new text, or the patch changes nothing."""
    if not _TAG.fullmatch(tag) or tag in _NUMBERS:
        raise Unsound(f"field {tag!r} is not one that can be corrected")
    if any(_STRANGE.search(text) for text in (old, new)):
        raise Unsound("a field can't hold control characters")
    if old == new:
        raise Unsound("the new text is the old one")
    if not 0 < len(new.encode()) <= LONGEST:
        raise Unsound(f"a field has 1 to {LONGEST} bytes")
    if not marc.is_control(tag):
        _, *parts = new[2:].split(marc.DELIMITER)
        if new[2:3] != marc.DELIMITER or not all(len(part) > 1 for part in parts):
            raise Unsound("a field has two indicators and subfields with a code and a value")


async def make(
    conn: Connection, symbol: str, cluster: int, tag: str, old: str, new: str, *, why: str, who: str
) -> tuple[str, int]:
    """Correct a merged record of this node and offer the patch to the children; its id, and to how many. Takes places
    in the feed of notices: call it last in the transaction.
    """
    check(tag, old, new)
    ident = f"{symbol}:{secrets.token_hex(8)}"
    patch = Correction(cluster_id(symbol, cluster), tag, _digest(old), old, new, why, who)
    await _enter(conn, None, {ident: patch}, state="accepted")
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
            check(offer.tag, offer.old, offer.new)
            if offer.expected != _digest(offer.old) or _STRANGE.search(offer.target + offer.why + offer.who):
                raise Unsound("what is expected is not what is shown")
            sound[ident] = offer
        except Unsound:
            refused.append(_receipt(ident, peer, "refused"))
    await _enter(conn, peer, sound)
    await notices.publish(conn, refused)


async def withdrawn(conn: Connection, peer: int, idents: Sequence[str]) -> None:
    """The parent no longer offers these: they are stale unless decided on."""
    await conn.execute(
        """update correction set state = 'stale', decided_at = now()
           where id = any($2::text[]) and peer = $1 and not outward and state = 'open'""",
        peer,
        list(idents),
    )


async def answered(conn: Connection, peer: int, states: Mapping[str, str]) -> None:
    """What a child made of the corrections that we offered it, by id. It may come back to a stale one."""
    await conn.execute(
        """update correction c set state = a.state, decided_at = now() from unnest($2::text[], $3::text[]) a (id, state)
           where c.id = a.id and c.peer = $1 and c.outward and c.state in ('open', 'stale')
             and a.state in ('accepted', 'refused', 'stale')""",
        peer,
        list(states),
        list(states.values()),
    )


async def accept(conn: Connection, symbol: str, ident: str) -> str:
    """Do what a parent offers: `accepted`, or `stale` where the field is not as it was. Tells the parent, and offers
    the patch on to the children. Takes places in the feed of notices: call it last in the transaction.
    """
    entry = await _undecided(conn, ident)
    published = await clusters.resolve(conn, entry.target)
    fields = packing.unpack(published.body).fields if published and not published.deleted else ()
    offers: list[Notice] = []
    state = "stale"
    if published and (entry.tag, entry.old) in fields:
        patch = Correction(published.id, entry.tag, entry.expected, entry.old, entry.new, entry.why, entry.who)
        offers = await _amend(conn, published.cluster, ident, patch)
        state = "accepted"
    elif (entry.tag, entry.new) in fields:
        state = "accepted"  # somebody here was quicker
    await _decide(conn, entry, state, offers)
    return state


async def refuse(conn: Connection, ident: str) -> None:
    """Leave the record as it is, and tell the parent. Call it last in the transaction."""
    await _decide(conn, await _undecided(conn, ident), "refused", [])


async def accept_open(conn: Connection, symbol: str, limit: int = 100) -> int:
    """Accept whatever parents have offered and nobody has decided on; how many were looked at. Call it last in the
    transaction.

    One that fails, because a body can't be read, doesn't stop the others: it becomes a stale one, for a person.
    """
    rows = await conn.fetch(
        "select id from correction where state = 'open' and not outward order by at, id limit $1", limit
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


async def listing(conn: Connection, *, decided: bool = False, within: Collection[str] | None = None) -> list[Entry]:
    """Corrections that wait for somebody here: offered and not decided on, stale ones, and those that a child refused
    or found stale. With `decided`: all. Those of some libraries, if told. Newest first.
    """
    rows = await conn.fetch(
        f"""select {COLUMNS}, symbol, library from ({_KNOWN}) c
            where ($1 or state = 'stale' or (state = 'open' and not outward) or (state = 'refused' and outward))
              and ($2::text[] is null or library = any($2))
            order by at desc, id""",
        decided,
        None if within is None else sorted(within),
    )
    return [Entry(**dict(row)) for row in rows]


async def get(conn: Connection, ident: str) -> Entry:
    """The correction with this id, or NotFound."""
    row = await conn.fetchrow(f"select {COLUMNS}, symbol, library from ({_KNOWN}) c where id = $1", ident)
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


async def _decide(conn: Connection, entry: Entry, state: str, offers: Sequence[Notice]) -> None:
    assert entry.peer is not None
    await conn.execute("update correction set state = $2, decided_at = now() where id = $1", entry.id, state)
    await notices.publish(conn, [_receipt(entry.id, entry.peer, state), *offers])


async def _amend(conn: Connection, cluster: int, ident: str, patch: Correction) -> list[Notice]:
    """Amend our own record; the offers to the children whose record in the cluster has that very field."""
    await amendments.add(conn, cluster, (patch.tag, patch.old, patch.new), ident)
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
            offer = Correction(row["local_id"], patch.tag, patch.expected, patch.old, patch.new, patch.why, patch.who)
            name = f"{ident}/{row['local_id']}"
            await _enter(conn, row["peer"], {name: offer}, outward=True)
            news.append(Notice(kind=Kind.CORRECTION, id=name, payload=payload.encode(offer), peer=row["peer"]))
    return news


def _has(row: Any, known: Mapping[int, bytes], patch: Correction) -> bool:
    raw = bodies.open_body(row["body"], row["dictionary"], known)
    try:
        return (patch.tag, patch.old) in original.record(raw, row["carrier"], row["encoding"]).fields
    except BadRecord:
        return False


async def _enter(
    conn: Connection,
    peer: int | None,
    corrections: Mapping[str, Correction],
    *,
    outward: bool = False,
    state: str = "open",
) -> None:
    offers = list(corrections.values())
    await conn.execute(
        """insert into correction (id, peer, outward, state, decided_at, target, tag, expected, old, new, why, who)
           select c.id, $1, $2, $3, case when $3 <> 'open' then now() end,
               c.target, c.tag, c.expected, c.old, c.new, c.why, c.who
           from unnest($4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[],
                       $11::text[]) c (id, target, tag, expected, old, new, why, who)
           on conflict do nothing""",
        peer,
        outward or peer is None,
        state,
        list(corrections),
        *([getattr(offer, name) for offer in offers] for name in Correction.__struct_fields__),
    )


def _receipt(ident: str, peer: int, state: str) -> Notice:
    return Notice(kind=Kind.RECEIPT, id=ident, payload=payload.encode(Receipt(state)), peer=peer)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
