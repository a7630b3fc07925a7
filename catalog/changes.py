"""The change feed `clusters`: the latest published state of each cluster, in commit order (store).

The counter row is taken as the last statement before commit: a writer holds it until its rows are visible, so a reader
that asks for `seq > cursor` never skips a late commit (docs/promises.md; the naive serial lost up to 44 % of rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from catalog import holdings
from catalog.clusters import PUBLISHED, SEEN, published
from catalog.connection import Connection
from catalog.model import Published

FEED = "clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A cluster's new state on its way into the feed.

    One that is deleted and has an outward form is a stub: no output shows more than a tombstone of it, other nodes are
    told what it is matched by, and its holdings (catalog.stub).
    """

    cluster: int
    deleted: bool
    redirect: int | None
    format: int
    fingerprint: bytes  # 16 bytes over all that is seen of it; none of a tombstone
    libraries: tuple[str, ...]
    dictionary: int
    content: bytes | None  # None: as published
    outward: bytes | None = None  # with content: what may leave the node, where that differs; empty = nothing
    memo: bytes = b""  # how it came about (dms.merge_many); kept in one column, after the fingerprint


async def publish(conn: Connection, versions: Sequence[Version]) -> None:
    """Write new states with the next places in the feed. Call it last in the transaction.

    A state's time is that of its last change in any output, so that harvesters aren't told of stubs: 1970 where there
    was none.
    """
    if not versions:
        return
    last = await conn.fetchval("update feed set last = last + $2 where name = $1 returning last", FEED, len(versions))
    # One array parameter a column; libraries travel as text because unnest flattens arrays of arrays.
    await conn.execute(
        """insert into merged (cluster, seq, at, deleted, redirect, format, fingerprint, libraries, dictionary, content,
               outward)
           select v.cluster, v.seq,
                  case when v.deleted and v.outward is not null then 'epoch' else clock_timestamp() end,
                  v.deleted, v.redirect, v.format, v.fingerprint,
                  coalesce(string_to_array(nullif(v.libraries, ''), chr(9)), '{}'),
                  coalesce(v.dictionary, (select m.dictionary from merged m where m.cluster = v.cluster)),
                  coalesce(v.content, (select m.content from merged m where m.cluster = v.cluster)),
                  case when v.content is not null then v.outward
                       else (select m.outward from merged m where m.cluster = v.cluster) end
           from unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::bigint[], $5::smallint[], $6::bytea[],
                       $7::text[], $8::int[], $9::bytea[], $10::bytea[])
                v (cluster, seq, deleted, redirect, format, fingerprint, libraries, dictionary, content, outward)
           on conflict (cluster) do update set seq = excluded.seq, deleted = excluded.deleted,
               at = case when merged.deleted and excluded.deleted
                              and (merged.at = 'epoch' or merged.redirect is not distinct from excluded.redirect)
                         then merged.at else clock_timestamp() end,
               redirect = excluded.redirect, format = excluded.format, fingerprint = excluded.fingerprint,
               libraries = excluded.libraries, dictionary = excluded.dictionary, content = excluded.content,
               outward = excluded.outward,
               former = array(select distinct left_ from unnest(merged.libraries || merged.former) left_
                              where left_ <> all (excluded.libraries))""",
        [v.cluster for v in versions],
        list(range(last - len(versions) + 1, last + 1)),
        [v.deleted for v in versions],
        [v.redirect for v in versions],
        [v.format for v in versions],
        [v.fingerprint + v.memo for v in versions],
        ["\t".join(v.libraries) for v in versions],
        [v.dictionary if v.content is not None else None for v in versions],
        [v.content for v in versions],
        [v.outward for v in versions],
    )


async def memos(conn: Connection, clusters: Sequence[int]) -> dict[int, bytes]:
    """How the published states came about, by cluster."""
    rows = await conn.fetch(
        "select cluster, substring(fingerprint from 17) memo from merged where cluster = any($1::bigint[])",
        list(clusters),
    )
    return {row["cluster"]: row["memo"] for row in rows}


async def fingerprints(conn: Connection, clusters: Sequence[int]) -> dict[int, tuple[bytes, bool, int | None]]:
    """(fingerprint, deleted, redirect) by cluster, to publish only what changed."""
    rows = await conn.fetch(
        """select cluster, substring(fingerprint for 16) fingerprint, deleted, redirect from merged
           where cluster = any($1::bigint[])""",
        list(clusters),
    )
    return {row["cluster"]: (row["fingerprint"], row["deleted"], row["redirect"]) for row in rows}


async def head(conn: Connection) -> tuple[int, int]:
    """(epoch, last place) of the feed."""
    row = await conn.fetchrow("select epoch, last from feed where name = $1", FEED)
    return row["epoch"], row["last"]


async def after(conn: Connection, seq: int, limit: int) -> list[Published]:
    """The next states after a place in the feed, with what libraries know them by."""
    rows = await conn.fetch(
        f"select {PUBLISHED} from merged m where m.seq > $1 order by m.seq limit $2",
        seq,
        limit,
    )
    shelved = await holdings.shelved(conn, [row["cluster"] for row in rows if not row["deleted"]])
    return [msgspec.structs.replace(one, shelved=shelved.get(one.cluster, ())) for one in await published(conn, rows)]


async def changed(conn: Connection, seq: int, limit: int) -> list[int]:
    """Clusters whose states come after a place in the feed."""
    rows = await conn.fetch("select cluster from merged where seq > $1 order by seq limit $2", seq, limit)
    return [row["cluster"] for row in rows]


async def page(
    conn: Connection,
    *,
    after: tuple[datetime, int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    library: str | None = None,
    limit: int,
) -> list[Published]:
    """States by (at, cluster) for harvesters, tombstones included; `since` and `until` are inclusive.

    With `library`: what it holds, and what it held once.
    """
    at, cluster = after or (datetime(1970, 1, 1, tzinfo=UTC), 0)
    rows = await conn.fetch(
        f"""select {PUBLISHED} from merged m
            where (m.at, m.cluster) > ($1, $2) and {SEEN} and ($3::timestamptz is null or m.at >= $3)
              and ($4::timestamptz is null or m.at <= $4) and ($5::text is null or $5 = any(m.libraries || m.former))
            order by m.at, m.cluster limit $6""",
        at,
        cluster,
        since,
        until,
        library,
        limit,
    )
    return await published(conn, rows)


async def earliest(conn: Connection) -> datetime:
    """Time of the earliest state, or now in an empty catalogue."""
    found: datetime = await conn.fetchval(f"select coalesce(min(m.at), now()) from merged m where {SEEN}")
    return found


async def horizon(conn: Connection) -> datetime:
    """Every state older than this is committed: the feed row is locked while states are written, so wait for it.

    A state's time is taken after its writer got the feed row; whoever holds that row now has written nothing older.
    """
    found: datetime = await conn.fetchval("select feed_horizon($1)", FEED)
    return found
