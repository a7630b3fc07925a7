"""Ledgers of the exchange: the latest (epoch, seq, digest) by key, as told to a peer and as heard from one (store).

Both have one shape, so that two nodes can compare them: what one told, the other has heard.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

import numpy as np

from catalog.connection import Connection
from catalog.payload import bucket

Key = tuple[int, str]  # kind, id
Entry = tuple[int, str, int, int, bytes | None]  # kind, id, epoch, seq, digest (None = gone)

COLUMNS = ("peer", "channel", "kind", "id", "epoch", "seq", "digest", "bucket")


class Ledger(StrEnum):
    """Which one: also the table's name."""

    TOLD = "told"
    HEARD = "heard"


async def of(conn: Connection, ledger: Ledger, peer: int, channel: str, keys: Sequence[Key]) -> list[Entry]:
    """The entries of these keys, where there are any."""
    rows = await conn.fetch(
        f"""select l.kind, l.id, l.epoch, l.seq, l.digest from unnest($3::smallint[], $4::text[]) k (kind, id)
            join {ledger.value} l on l.peer = $1 and l.channel = $2 and l.kind = k.kind and l.id = k.id""",
        peer,
        channel,
        [kind for kind, _ in keys],
        [ident for _, ident in keys],
    )
    return [tuple(row) for row in rows]


async def known(conn: Connection, ledger: Ledger, peer: int, channel: str, kind: int, ids: Collection[str]) -> set[str]:
    """Those of the ids that have an entry."""
    async with conn.transaction():
        await conn.execute("set local enable_seqscan = off")
        # Not a join: its plan, made while the ledger was empty and kept for long, compared each id with each entry.
        rows = await conn.fetch(
            f"select id from {ledger.value} where peer = $1 and channel = $2 and kind = $3 and id = any($4::text[])",
            peer,
            channel,
            kind,
            list(ids),
        )
    return {row["id"] for row in rows}


async def some(conn: Connection, ledger: Ledger, peer: int, channel: str, kind: int, limit: int) -> list[str]:
    """Ids that have an entry, `limit` at most."""
    rows = await conn.fetch(
        f"select id from {ledger.value} where peer = $1 and channel = $2 and kind = $3 order by id limit $4",
        peer,
        channel,
        kind,
        limit,
    )
    return [row["id"] for row in rows]


async def write(
    conn: Connection, ledger: Ledger, peer: int, channel: str, entries: Sequence[Entry], *, fresh: bool = False
) -> None:
    """Write entries over what is there; `fresh` = none of the keys is there, so they are copied in."""
    if not entries:
        return
    if fresh:
        await conn.copy_records_to_table(
            ledger.value,
            records=[(peer, channel, *entry, bucket(entry[0], entry[1])) for entry in entries],
            columns=list(COLUMNS),
        )
        return
    await conn.execute(
        f"""insert into {ledger.value} (peer, channel, kind, id, epoch, seq, digest, bucket)
            select $1, $2, * from unnest($3::smallint[], $4::text[], $5::bigint[], $6::bigint[], $7::bytea[],
                $8::smallint[])
            on conflict (peer, channel, kind, id) do update set epoch = excluded.epoch, seq = excluded.seq,
                digest = excluded.digest""",
        peer,
        channel,
        *(list(column) for column in zip(*entries, strict=True)),
        [bucket(entry[0], entry[1]) for entry in entries],
    )


async def mark_gone(
    conn: Connection, peer: int, channel: str, keys: Sequence[Key], *, redirected: Collection[Key]
) -> None:
    """Of these keys that were heard of, the `redirected` are gone, though they have a digest."""
    await conn.execute(
        """update heard h set gone = k.gone from unnest($3::smallint[], $4::text[], $5::boolean[]) k (kind, id, gone)
           where h.peer = $1 and h.channel = $2 and h.kind = k.kind and h.id = k.id and h.gone <> k.gone""",
        peer,
        channel,
        [kind for kind, _ in keys],
        [ident for _, ident in keys],
        [key in redirected for key in keys],
    )


async def leaves(conn: Connection, ledger: Ledger, peer: int, channel: str, buckets: Collection[int]) -> list[Entry]:
    """Every entry of these buckets, in order of kind and id."""
    rows = await conn.fetch(
        f"""select kind, id, epoch, seq, digest from {ledger.value}
            where peer = $1 and channel = $2 and bucket = any($3::smallint[]) order by kind, id collate "C" """,
        peer,
        channel,
        list(buckets),
    )
    return [tuple(row) for row in rows]


async def sums(conn: Connection, ledger: Ledger, peer: int, channel: str) -> dict[int, bytes]:
    """By bucket, the exclusive or of the digests of all that stands there (16 bytes); empty buckets are left out."""
    rows = await conn.fetch(
        f"""select bucket, string_agg(digest, ''::bytea) digests from {ledger.value}
            where peer = $1 and channel = $2 and digest is not null group by bucket""",
        peer,
        channel,
    )
    return {row["bucket"]: _fold(row["digests"]) for row in rows}


def _fold(digests: bytes) -> bytes:
    words = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)
    return bytes(np.bitwise_xor.reduce(words, axis=0).tobytes())


async def top(conn: Connection, ledger: Ledger, peer: int, channel: str) -> tuple[int, int]:
    """The highest version, (0, 0) of an empty ledger."""
    row = await conn.fetchrow(
        f"""select epoch, max(seq) seq from {ledger.value} where peer = $1 and channel = $2
            group by epoch order by epoch desc limit 1""",
        peer,
        channel,
    )
    return (row["epoch"], row["seq"]) if row else (0, 0)


async def highest(conn: Connection, ledger: Ledger, peer: int, channel: str, kind: int) -> str:
    """The longest id of a kind, and of those the last: of cluster ids the newest; empty if there is none."""
    found: str | None = await conn.fetchval(
        f"""select id from {ledger.value} where peer = $1 and channel = $2 and kind = $3
            order by length(id) desc, id collate "C" desc limit 1""",
        peer,
        channel,
        kind,
    )
    return found or ""


async def correct(conn: Connection, ledger: Ledger, peer: int, channel: str, entries: Sequence[Entry]) -> None:
    """Give lines another digest: what is kept is not what they say."""
    await conn.execute(
        f"""update {ledger.value} l set digest = e.digest from unnest($3::smallint[], $4::text[], $5::bytea[])
                e (kind, id, digest)
            where l.peer = $1 and l.channel = $2 and l.kind = e.kind and l.id = e.id""",
        peer,
        channel,
        [entry[0] for entry in entries],
        [entry[1] for entry in entries],
        [entry[4] for entry in entries],
    )


async def reaches(conn: Connection, ledger: Ledger, peer: int, channel: str, count: int) -> bool:
    """Are there so many keys, tombstones and all?"""
    found: bool = await conn.fetchval(
        f"select count(*) >= $3 from (select from {ledger.value} where peer = $1 and channel = $2 limit $3) line",
        peer,
        channel,
        count,
    )
    return found


async def alive(conn: Connection, ledger: Ledger, peer: int, channel: str) -> int:
    """How many keys stand, tombstones not counted."""
    found: int = await conn.fetchval(
        f"select count(*) from {ledger.value} where peer = $1 and channel = $2 and digest is not null", peer, channel
    )
    return found


async def forget(conn: Connection, ledger: Ledger, peer: int, channel: str) -> None:
    """Start the ledger anew."""
    await conn.execute(f"delete from {ledger.value} where peer = $1 and channel = $2", peer, channel)
