"""Pins as they stand alone, without a decision that asked for them: of records that are there or yet to come."""

from __future__ import annotations

from catalog.connection import Connection
from dms import pinning
from dms.memory import Memory
from dms.pinning import Named


async def pin(conn: Connection, a: Named, b: Named, verdict: str, memory: Memory) -> int:
    """Pin two records together (`must`) or apart (`cannot`), and let the clusters follow; the pin's number."""
    number: int = await conn.fetchval(
        """insert into pin (source_a, local_id_a, source_b, local_id_b, verdict, who, why)
           values ($1, $2, $3, $4, $5, 'tester', 'a test') returning pin""",
        *a,
        *b,
        verdict,
    )
    await pinning.follow(conn, [a, b], memory)
    return number


async def unpin(conn: Connection, number: int, memory: Memory) -> None:
    """Take a pin out."""
    row = await conn.fetchrow("delete from pin where pin = $1 returning *", number)
    await pinning.follow(conn, [(row[f"source_{side}"], row[f"local_id_{side}"]) for side in "ab"], memory)
