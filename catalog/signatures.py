"""The signature graph's rows: distinct signatures, their match keys, identifier uses and edges (store).

One round trip a batch: every function takes and gives whole sets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from catalog.connection import Connection

Edge = tuple[int, int, int, int, str, bytes]  # a < b, score, ruleset, verdict, packed reasons


async def known(conn: Connection, digests: Collection[bytes]) -> dict[bytes, int]:
    """Signature numbers by digest, for the digests that are there."""
    rows = await conn.fetch("select digest, sid from signature where digest = any($1::bytea[])", list(digests))
    return {row["digest"]: row["sid"] for row in rows}


async def reserve(conn: Connection, count: int) -> list[int]:
    """New signature numbers."""
    rows = await conn.fetch("select nextval('signature_sid') n from generate_series(1, $1)", count)
    return [row["n"] for row in rows]


async def add(conn: Connection, rows: Sequence[tuple[int, bytes, bytes, int]]) -> None:
    """Enter (sid, digest, features, number of records) rows."""
    await conn.copy_records_to_table("signature", records=rows, columns=["sid", "digest", "features", "records"])


async def recount(conn: Connection, deltas: Mapping[int, int]) -> list[int]:
    """Add to the number of records of each signature; the signatures that have none left."""
    rows = await conn.fetch(
        """update signature s set records = records + d.delta from unnest($1::bigint[], $2::int[]) d (sid, delta)
           where s.sid = d.sid returning s.sid, s.records""",
        list(deltas),
        list(deltas.values()),
    )
    return [row["sid"] for row in rows if row["records"] <= 0]


async def drop(conn: Connection, keys: Mapping[int, Sequence[int]]) -> None:
    """Remove signatures that no record has, given with their keys; their edges and membership go too."""
    sids = list(keys)
    await conn.execute(
        "delete from match_key m using unnest($1::bigint[], $2::bigint[]) k (key, sid) "
        "where m.key = k.key and m.sid = k.sid",
        [key for sid in sids for key in keys[sid]],
        [sid for sid in sids for _ in keys[sid]],
    )
    for statement in (
        "delete from edge where a = any($1::bigint[])",
        "delete from edge where b = any($1::bigint[])",
        "delete from membership where sid = any($1::bigint[])",
        "delete from signature where sid = any($1::bigint[])",
    ):
        await conn.execute(statement, sids)


async def features(conn: Connection, sids: Collection[int]) -> dict[int, bytes]:
    """Packed features by signature number."""
    rows = await conn.fetch("select sid, features from signature where sid = any($1::bigint[])", list(sids))
    return {row["sid"]: row["features"] for row in rows}


async def add_keys(conn: Connection, rows: Iterable[tuple[int, int]]) -> None:
    """Enter (key, sid) rows, which must be new. Sorted, so that the index is walked once."""
    await conn.copy_records_to_table("match_key", records=sorted(rows), columns=["key", "sid"])


async def holders(conn: Connection, keys: Iterable[int], limit: int | None = None) -> dict[int, list[int]]:
    """Signatures by key; at most `limit` of each, which is enough to know a hub without reading it whole."""
    rows = await conn.fetch(
        """select k.key, m.sid from unnest($1::bigint[]) k (key)
           cross join lateral (select sid from match_key where key = k.key limit $2) m""",
        sorted(keys),
        limit,
    )
    found: dict[int, list[int]] = {}
    for key, sid in rows:
        found.setdefault(key, []).append(sid)
    return found


async def use(conn: Connection, deltas: Mapping[tuple[int, int], int]) -> set[int]:
    """Add to the live (identifier, token) counts; the identifiers whose ambiguity flipped.

    An identifier is ambiguous while more than one token (title beginning and volume) uses it.
    """
    if not deltas:
        return set()
    identifiers = sorted({identifier for identifier, _ in deltas})
    before = await ambiguous(conn, identifiers)
    keys = sorted(deltas)
    await conn.execute(
        """insert into identifier_use (identifier, token, n) select * from unnest($1::bigint[], $2::bigint[], $3::int[])
           on conflict (identifier, token) do update set n = identifier_use.n + excluded.n""",
        [identifier for identifier, _ in keys],
        [token for _, token in keys],
        [deltas[key] for key in keys],
    )
    if any(delta < 0 for delta in deltas.values()):
        await conn.execute("delete from identifier_use where identifier = any($1::bigint[]) and n <= 0", identifiers)
    return before ^ await ambiguous(conn, identifiers)


async def ambiguous(conn: Connection, identifiers: Collection[int]) -> set[int]:
    """Those of the identifiers that more than one token uses."""
    rows = await conn.fetch(
        "select identifier from identifier_use where identifier = any($1::bigint[]) "
        "group by identifier having count(*) > 1",
        list(identifiers),
    )
    return {row["identifier"] for row in rows}


async def ambiguous_after(conn: Connection, deltas: Mapping[tuple[int, int], int]) -> set[int]:
    """Those of the identifiers of these (identifier, token) counts that are ambiguous once the counts are added."""
    keys = sorted(deltas)
    rows = await conn.fetch(
        """select identifier from (
               select identifier, token from (
                   select identifier, token, n from identifier_use where identifier = any($1::bigint[])
                   union all select * from unnest($1::bigint[], $2::bigint[], $3::int[])
               ) uses group by identifier, token having sum(n) > 0
           ) live group by identifier having count(*) > 1""",
        [identifier for identifier, _ in keys],
        [token for _, token in keys],
        [deltas[key] for key in keys],
    )
    return {row["identifier"] for row in rows}


async def only(conn: Connection, sid: int) -> bytes | None:
    """Packed features of a signature that one record alone has; None if others have it too."""
    found: bytes | None = await conn.fetchval("select features from signature where sid = $1 and records = 1", sid)
    return found


async def edges(conn: Connection, sids: Collection[int], *, verdict: str | None = None) -> list[Edge]:
    """Edges that touch any of the signatures, of one verdict or of all."""
    rows = await conn.fetch(
        """select a, b, score, ruleset, verdict, reasons from edge
           where a = any($1::bigint[]) and ($2::text is null or verdict = $2)
           union
           select a, b, score, ruleset, verdict, reasons from edge
           where b = any($1::bigint[]) and ($2::text is null or verdict = $2)""",
        list(sids),
        verdict,
    )
    return [(r["a"], r["b"], r["score"], r["ruleset"], r["verdict"], r["reasons"]) for r in rows]


async def put_edges(conn: Connection, gone: Iterable[tuple[int, int]], new: Sequence[Edge]) -> None:
    """Remove and enter edges."""
    pairs = list(gone)
    if pairs:
        await conn.execute(
            "delete from edge e using unnest($1::bigint[], $2::bigint[]) g (a, b) where e.a = g.a and e.b = g.b",
            [a for a, _ in pairs],
            [b for _, b in pairs],
        )
    if new:
        await conn.copy_records_to_table(
            "edge", records=new, columns=["a", "b", "score", "ruleset", "verdict", "reasons"]
        )
