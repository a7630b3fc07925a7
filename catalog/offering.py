"""Patches offered to the owners of single records, and offers that time has overtaken (store)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import zstandard

from catalog import corrections, notices, patches, payload
from catalog.connection import Connection
from catalog.notices import Notice
from catalog.patches import FieldChange
from catalog.payload import Kind
from config.errors import TianluError


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A patch of one record, for its owner."""

    local_id: str
    changes: Sequence[FieldChange]
    why: str
    who: str
    library: str = ""  # here, that offers it; "" = the node
    batch: int | None = None


async def offer(conn: Connection, symbol: str, source: int, offers: Sequence[Offer]) -> int:
    """Offer patches to whoever writes the records of a source: the child whose node feeds it, else its library here.
    How many are new. Takes places in the feed of notices: call it last in the transaction.
    """
    peer = await conn.fetchval("select peer from peer where source = $1 and role = 'child'", source)
    news = []
    for one in offers:
        patches.check_all(one.changes)
        name = f"{symbol}:{secrets.token_hex(8)}/{one.local_id}"
        told = corrections.patch_of(one.local_id, one.changes, one.why, one.who)
        await corrections.enter(conn, peer, {name: told}, outward=peer is not None)
        await conn.execute(
            "update correction set library = $2, batch = $3, source = case when $5 then $4::int end where id = $1",
            name,
            one.library,
            one.batch,
            source,
            peer is None,
        )
        if peer is not None:
            news.append(Notice(kind=Kind.CORRECTION, id=name, payload=payload.encode(told), peer=peer))
    await notices.publish(conn, news)
    return len(offers)


async def supersede(conn: Connection, limit: int = 500) -> int:
    """Open corrections of fields that are no longer as was expected are stale: whoever offers them is told. How many.
    Call it last in the transaction.
    """
    rows = await conn.fetch(
        f"""select {corrections.COLUMNS} from correction where state = 'open' and not outward
            order by at desc, id limit $1 for update""",
        limit,
    )
    count = 0
    for row in rows:
        entry = corrections.Entry(**dict(row))
        try:
            found, reason = patches.state(await corrections.fields_of(conn, entry), entry.fields)
        except (TianluError, zstandard.ZstdError, KeyError):  # whoever decides on it will see
            continue
        if found == patches.OVER:
            await corrections.settle(conn, entry, "stale", [], reason=f"changed since: {reason}")
            count += 1
    return count


async def withdraw(conn: Connection, batch: int) -> None:
    """What a batch offered and nobody has decided on is offered no longer. Call it last in the transaction."""
    rows = await conn.fetch(
        """update correction set state = 'stale', reason = 'withdrawn', decided_at = now()
           where batch = $1 and state = 'open' returning id, peer""",
        batch,
    )
    gone = [Notice(kind=Kind.CORRECTION, id=row["id"], payload=b"", peer=row["peer"]) for row in rows if row["peer"]]
    await notices.publish(conn, gone)


async def answers(conn: Connection, batch: int) -> dict[str, int]:
    """What became of the patches that a batch offered: how many of each state."""
    rows = await conn.fetch("select state, count(*) n from correction where batch = $1 group by state", batch)
    return {row["state"]: row["n"] for row in rows}
