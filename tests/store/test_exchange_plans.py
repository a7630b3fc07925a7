"""The exchange reads by index, with statistics and without: a segment costs the same however large the catalogue is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from catalog import ledgers, outward, received
from catalog.connection import Connection
from catalog.ledgers import Ledger
from catalog.payload import CLUSTERS

ROWS = 50_000
LARGE = {"merged", "record", "holding", "membership", "told", "heard", "received", "received_of"}

SOME = range(500, 900)
KEYS = [(1, f"k{n}") for n in SOME]

READS: dict[str, Callable[[Connection], Awaitable[object]]] = {
    "feed": lambda conn: outward.after(conn, 500, 400),
    "feed of a child": lambda conn: outward.places(conn, 500, 5000, 1),
    "feed of another": lambda conn: outward.places(conn, 500, 5000, 3),
    "clusters of a child": lambda conn: outward.clusters_of(conn, 3, 50_000),
    "places of a child": lambda conn: outward.places_of(conn, range(1, 5000), 500),
    "some told": lambda conn: ledgers.some(conn, Ledger.TOLD, 1, CLUSTERS, 1, 5000),
    "told of it": lambda conn: ledgers.known(conn, Ledger.TOLD, 1, CLUSTERS, 1, [f"k{n}" for n in range(5000)]),
    "states": lambda conn: outward.of(conn, SOME),
    "holdings": lambda conn: outward.holdings(conn, SOME),
    "records of a child": lambda conn: outward.of_source(conn, SOME, 1),
    "of sources": lambda conn: outward.with_sources(conn, SOME, ["own"]),
    "told": lambda conn: ledgers.of(conn, Ledger.TOLD, 1, CLUSTERS, KEYS),
    "heard": lambda conn: ledgers.of(conn, Ledger.HEARD, 1, CLUSTERS, KEYS),
    "leaves": lambda conn: ledgers.leaves(conn, Ledger.TOLD, 1, CLUSTERS, range(20)),
    "received": lambda conn: received.of_cluster(conn, 700),
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["no statistics", "statistics"])
async def test_nothing_large_is_read_whole(conn: Connection, analyzed: bool) -> None:
    await conn.execute(
        "insert into node (symbol) values ('CN-TJU'); insert into library (symbol, name) values ('L', 'L')"
    )
    await conn.execute("insert into source (name, library) values ('own', 'L'), ('c2', 'L'), ('c3', 'L'), ('c4', 'L')")
    await conn.execute("insert into peer (symbol, role, path, suite, key) values ('P', 'parent', 'uplink', 'x', '')")
    numbers = f"generate_series(1, {ROWS}) g"
    for statement in (
        f"""insert into merged (cluster, seq, at, deleted, format, fingerprint, libraries, dictionary, content)
            select g, g, now(), false, 2, '', '{{}}', 0, '' from {numbers}""",
        f"""insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility, dictionary,
                digest, stamp, title_hash, body)
            select 1, 'k' || g, 'L', g, 1, 2, 1, 'utf-8', 0, 0, '', '', 0, '' from {numbers}""",
        f"""insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility, dictionary,
                digest, stamp, title_hash, body)
            select 2 + g % 3, 'k' || g, 'L', g, 1, 2, 4, 'utf-8', 0, 0, '', '', 0, '' from {numbers}""",  # of children
        f"""insert into holding (source, local_id, n, library, call_number, item, location, status, note)
            select 1, 'k' || g, 0, 'L', '', '', '', '', '' from {numbers}""",
        f"insert into membership (sid, cluster) select g, g from {numbers}",
        f"""insert into told (peer, channel, kind, id, epoch, seq, bucket)
            select 1, 'clusters', 1, 'k' || g, 1, g, g % 4096 from {numbers}""",
        "insert into heard (peer, channel, kind, id, epoch, seq, bucket) "
        "select peer, channel, kind, id, epoch, seq, bucket from told",
        f"insert into received (peer, id, payload) select 1, 'k' || g, 'x' from {numbers}",
        f"insert into received_of (cluster, peer, id) select g, 1, 'k' || g from {numbers}",
    ):
        await conn.execute(statement)
    if analyzed:
        await conn.execute("analyze")
    for name, read in READS.items():
        async with conn.transaction():
            before = await whole(conn)
            assert await read(conn), name
            assert await whole(conn) == before, name


async def whole(conn: Connection) -> dict[str, int]:
    """How often each large table was read from end to end."""
    rows = await conn.fetch(
        "select relname, seq_scan from pg_stat_xact_user_tables where relname = any($1::text[])", LARGE
    )
    return {row["relname"]: row["seq_scan"] for row in rows}
