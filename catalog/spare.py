"""Bibs that a library's new node will tell and this one can put together itself, by proof of their payload (store)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from catalog.connection import Connection


async def put(conn: Connection, peer: int, payloads: Mapping[bytes, bytes]) -> None:
    """Keep payloads (zstd) by their proof."""
    await conn.execute(
        """insert into spare (peer, digest, payload) select $1, * from unnest($2::bytea[], $3::bytea[])
           on conflict do nothing""",
        peer,
        list(payloads),
        list(payloads.values()),
    )


async def have(conn: Connection, peer: int, digests: Collection[bytes]) -> set[bytes]:
    """Those of the proofs whose payload is here."""
    rows = await conn.fetch(
        "select digest from spare where peer = $1 and digest = any($2::bytea[])", peer, list(digests)
    )
    return {row["digest"] for row in rows}


async def get(conn: Connection, peer: int, digests: Collection[bytes]) -> dict[bytes, bytes]:
    """The payloads (zstd) of these proofs, where they are here."""
    rows = await conn.fetch(
        "select digest, payload from spare where peer = $1 and digest = any($2::bytea[])", peer, list(digests)
    )
    return {row["digest"]: row["payload"] for row in rows}


async def forget(conn: Connection, peer: int) -> None:
    """The hand-over is over, or begins anew."""
    await conn.execute("delete from spare where peer = $1", peer)
