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


async def follow(conn: Connection, named: Sequence[Named], memory: Memory) -> None:
    """Sign these records again by the pins that stand now."""
    by_source: dict[int, list[str]] = {}
    for source, local_id in named:
        by_source.setdefault(source, []).append(local_id)
    sids: dict[Named, int] = {}
    alone: set[Named] = set()
    for source, local_ids in by_source.items():
        there = await records.standing(conn, source, local_ids)
        sids |= {(source, local_id): one.sid for local_id, one in there.items() if one.sid is not None}
        alone |= {(source, local_id) for local_id in await pins.kept_apart(conn, source, local_ids)}
    known = await signatures.features(conn, set(sids.values()))
    names = {int(each.no): each.name for each in await sources.every(conn)} if alone else {}
    found = [name for name in named if name in sids]
    moves: list[Move] = []
    for name in found:
        packed = known[sids[name]]
        features = matching.unpack(packed)
        signed = Signed(matching.signature(packed), packed, match_keys.keys(features), matching.uses(features))
        if name in alone:
            signed = own_signature(signed, names[name[0]], name[1])
        moves.append(Move(sids[name], signed))
    taken = await graph.take(conn, moves)
    await records.resign(conn, [(*name, sid) for name, sid in zip(found, taken.sids, strict=True) if sid is not None])
    await attached.resign(conn, found)
    loosened = {one.old for one in moves if one.old is not None}
    await clusters.soil(conn, await graph.settle(conn, taken, memory, loosened))


def own_signature(signed: Signed, source: str, local_id: str) -> Signed:
    """The same features under a digest that no other record has."""
    digest = matching.signature(signed.features, f"{source}\x1f{local_id}".encode())
    return Signed(digest, signed.features, signed.keys, signed.uses)
