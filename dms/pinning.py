"""Pins take effect: the records that a pin names get the signatures it asks for, and their clusters follow (shell)."""

from __future__ import annotations

from collections.abc import Sequence

from catalog import attached, clusters, pins, records, signatures, sources
from catalog.connection import Connection
from dms import graph
from dms.graph import Move
from dms.match import features as matching
from dms.match import keys as match_keys
from dms.memory import Memory
from dms.pipeline import Signed

Named = tuple[int, str]  # source number, local id


async def pin(conn: Connection, a: Named, b: Named, verdict: str, *, who: str, why: str, memory: Memory) -> int:
    """Pin two records together (`must`) or apart (`cannot`), and let the clusters follow. Needs the matcher's lease."""
    number = await pins.add(conn, a, b, verdict, who=who, why=why)
    await follow(conn, [a, b], memory)
    return number


async def unpin(conn: Connection, number: int, memory: Memory) -> None:
    """Take a pin out: records that it held apart fold back into their common signature."""
    held = await pins.remove(conn, number)
    if held:
        await follow(conn, held, memory)


async def follow(conn: Connection, named: Sequence[Named], memory: Memory) -> None:
    """Sign these records again by the pins that stand now."""
    moves: list[Move] = []
    found: list[Named] = []
    for source, local_id in named:
        row = await records.get(conn, source, local_id)
        if row is None or row.sid is None:
            continue
        packed = (await signatures.features(conn, [row.sid]))[row.sid]
        features = matching.unpack(packed)
        signed = Signed(matching.signature(packed), packed, match_keys.keys(features), matching.uses(features))
        if await pins.kept_apart(conn, source, [local_id]):
            signed = own_signature(signed, (await sources.by_number(conn, source)).name, local_id)
        moves.append(Move(row.sid, signed))
        found.append((source, local_id))
    taken = await graph.take(conn, moves)
    await records.resign(conn, [(*name, sid) for name, sid in zip(found, taken.sids, strict=True) if sid is not None])
    await attached.resign(conn, found)
    loosened = {one.old for one in moves if one.old is not None}
    await clusters.soil(conn, await graph.settle(conn, taken, memory, loosened))


def own_signature(signed: Signed, source: str, local_id: str) -> Signed:
    """The same features under a digest that no other record has."""
    digest = matching.signature(signed.features, f"{source}\x1f{local_id}".encode())
    return Signed(digest, signed.features, signed.keys, signed.uses)
