"""Looking at what is really kept of a peer's records, so that a byte that flipped at rest is found (shell).

The ledger says what was heard. Where the kept bytes say something else, the ledger is corrected; the reconcile that
follows then finds the difference, and the producer tells these records anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import zstandard

from catalog import arrivals, bodies, dictionaries, kept, ledgers, quarantine, received
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.payload import CLUSTERS, Change, Kind
from config.errors import Retry
from exchange.ends import Peer
from exchange.model import Leaf
from exchange.reconcile import corrected

PAGE = 5000  # records


class StillPlacing(Retry):
    """What the peer sent last is not placed yet."""

    code = "still-placing"


async def recount(database: Database, peer: Peer, channel: str) -> int:
    """Correct the ledger of a stream by what is kept; how many lines. Only bibs are kept as they came."""
    if channel != CLUSTERS:
        return 0
    async with database.transaction() as conn:
        await arrivals.lock(conn, peer.no, channel)  # nothing is applied meanwhile
        if peer.role == "parent":
            return await _versions(conn, peer)
        if peer.source is None:
            return 0
        if await kept.unplaced(conn, peer.source):
            raise StillPlacing(f"records of {peer.symbol} are still being placed: ask again when they are")
        return await _records(conn, peer, peer.source)


async def _records(conn: Connection, peer: Peer, source: int) -> int:
    wrong = [
        Leaf(Kind.BIB, ident, 0, 0, None)
        for ident in await kept.without_record(conn, peer.no, CLUSTERS, Kind.BIB, source)
    ]
    known = await dictionaries.every(conn)
    returned = await quarantine.named(conn, source)  # of these an earlier version may stand
    last = ""
    while rows := await kept.records(conn, source, last, PAGE):
        last = rows[-1]["local_id"]
        rows = [row for row in rows if row["local_id"] not in returned]
        digests = await asyncio.to_thread(_of_records, rows, known)
        wrong += await _wrong(conn, peer, digests)
    return await _correct(conn, peer, wrong)


async def _versions(conn: Connection, peer: Peer) -> int:
    wrong = [
        Leaf(Kind.BIB, ident, 0, 0, None) for ident in await kept.without_version(conn, peer.no, CLUSTERS, Kind.BIB)
    ]
    last = ""
    while rows := await received.kept(conn, peer.no, last, PAGE):
        last = rows[-1][0]
        digests = await asyncio.to_thread(_of_versions, rows)
        wrong += await _wrong(conn, peer, digests)
    return await _correct(conn, peer, wrong)


async def _wrong(conn: Connection, peer: Peer, digests: Mapping[str, bytes | None]) -> list[Leaf]:
    said = await kept.of_heard(conn, peer.no, CLUSTERS, Kind.BIB, list(digests))
    lines = (corrected(Leaf(Kind.BIB, ident, 0, 0, digest), digests[ident]) for ident, digest in said.items())
    return [line for line in lines if line is not None]


async def _correct(conn: Connection, peer: Peer, wrong: Sequence[Leaf]) -> int:
    await ledgers.correct(conn, Ledger.HEARD, peer.no, CLUSTERS, wrong)
    return len(wrong)


def _of_records(rows: Sequence[Any], known: Mapping[int, bytes]) -> dict[str, bytes | None]:
    return {
        row["local_id"]: _digest(row["local_id"], "", row["body"], known.get(row["dictionary"], b"")) for row in rows
    }


def _of_versions(rows: Sequence[tuple[str, str, bytes]]) -> dict[str, bytes | None]:
    return {ident: _digest(ident, redirect, body, b"") for ident, redirect, body in rows}


def _digest(ident: str, redirect: str, body: bytes, dictionary: bytes) -> bytes | None:
    """Of the change that brought these bytes; None if they can't be read."""
    try:
        payload = bodies.grow(body, dictionary) if body else b""
    except zstandard.ZstdError:
        return None
    return Change(Kind.BIB, ident, 0, 0, payload, redirect).digest
