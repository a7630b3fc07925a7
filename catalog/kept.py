"""What is really kept of what peers told: the bytes, to be compared with the ledger (store)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.connection import Connection


async def records(conn: Connection, source: int, after: str, limit: int) -> list[Any]:
    """(local_id, dictionary, body) of a source's records behind a local id, in its order."""
    rows: list[Any] = await conn.fetch(
        """select local_id, dictionary, body from record where source = $1 and local_id > $2
           order by local_id limit $3""",
        source,
        after,
        limit,
    )
    return rows


async def without_record(conn: Connection, peer: int, channel: str, kind: int, source: int) -> list[str]:
    """Ids that the ledger says stand, of which there is neither a record nor a case in quarantine."""
    rows = await conn.fetch(
        """select h.id from heard h where h.peer = $1 and h.channel = $2 and h.kind = $3 and h.digest is not null
           and not h.gone and not exists (select from record r where r.source = $4 and r.local_id = h.id)
           and not exists (select from quarantine q where q.source = $4 and q.local_id = h.id)""",
        peer,
        channel,
        kind,
        source,
    )
    return [row["id"] for row in rows]


async def without_version(conn: Connection, peer: int, channel: str, kind: int) -> list[str]:
    """The same of received versions."""
    rows = await conn.fetch(
        """select h.id from heard h where h.peer = $1 and h.channel = $2 and h.kind = $3 and h.digest is not null
           and not exists (select from received r where r.peer = $1 and r.id = h.id)
           and not exists (select from quarantine q join peer p on p.source = q.source
                           where p.peer = $1 and q.local_id = h.id)""",
        peer,
        channel,
        kind,
    )
    return [row["id"] for row in rows]


async def unplaced(conn: Connection, source: int) -> bool:
    """Is anything of the source still on its way through PREPARE and PLACE?"""
    found: bool = await conn.fetchval(
        "select exists (select from load where source = $1 and state in ('landing', 'preparing', 'held', 'placing'))",
        source,
    )
    return found


async def of_heard(conn: Connection, peer: int, channel: str, kind: int, idents: Sequence[str]) -> dict[str, bytes]:
    """Digests of the ledger by id, of what stands."""
    rows = await conn.fetch(
        """select id, digest from heard where peer = $1 and channel = $2 and kind = $3 and id = any($4::text[])
           and digest is not null""",
        peer,
        channel,
        kind,
        list(idents),
    )
    return {row["id"]: row["digest"] for row in rows}
