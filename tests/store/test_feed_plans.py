"""Placing what a child told, and merging, read by index, however many records and pins there are."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from catalog import amendments, clusters, loads, pins, records
from catalog.connection import Connection

ROWS = 20_000
LARGE = {"record", "holding", "membership", "pin", "amendment", "redirect", "load"}
SOME = range(500, 900)
IDS = [f"k{n}" for n in SOME]

READS: dict[str, Callable[[Connection], Awaitable[object]]] = {
    "origins": lambda conn: pins.follow_origins(conn, 1, IDS),
    "must": lambda conn: pins.between_signatures(conn, SOME, "must"),
    "pinned": lambda conn: pins.signatures_pinned(conn, SOME),
    "named": lambda conn: pins.named(conn, 1, IDS),
    "apart": lambda conn: pins.kept_apart(conn, 1, IDS),
    "heirs": lambda conn: pins.repoint(conn, 1, {"k500": "k600"}),
    "told": lambda conn: clusters.told(conn, SOME),
    "peopled": lambda conn: clusters.peopled(conn, SOME),
    "amendments": lambda conn: amendments.of(conn, SOME),
    "behind": lambda conn: records.behind(conn, 1, "k500", 400),
    "first open": loads.first_open,
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["no statistics", "statistics"])
async def test_nothing_large_is_read_whole(conn: Connection, analyzed: bool) -> None:
    await conn.execute("insert into library (symbol, name) values ('L', 'L')")
    await conn.execute("insert into source (name, library) values ('a', 'L'), ('b', 'L')")
    numbers = f"generate_series(1, {ROWS}) g"
    for statement in (
        f"""insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility, dictionary,
                digest, stamp, title_hash, body)
            select s, 'k' || g, 'L', g, 1, 2, 4, 'utf-8', 0, 0, '', '', 0, ''
            from {numbers}, generate_series(1, 2) s""",
        f"""insert into holding (source, local_id, n, library, call_number, item, location, status, note, origin)
            select s, 'k' || g, 1, 'L', '', '', '', '', '', 'o' || g from {numbers}, generate_series(1, 2) s""",
        f"insert into membership (sid, cluster) select g, g from {numbers}",
        f"""insert into pin (source_a, local_id_a, source_b, local_id_b, verdict, who, why, auto)
            select 1, 'k' || g, 2, 'k' || g, 'must', '', '', true from {numbers}""",
        f"insert into amendment (cluster, tag, old, new, correction) select g, '200', '', '', '' from {numbers}",
        f"insert into redirect (old, new) select g + {ROWS}, g from {numbers}",
        f"""insert into load (source, library, mode, origin, fingerprint, carrier, state)
            select 1, 'L', 'feed', '', '', 'packed', 'done' from {numbers}""",
    ):
        await conn.execute(statement)
    if analyzed:
        await conn.execute("analyze")
    for name, read in READS.items():
        plans = await plans_of(conn, read)
        whole = {table for plan in plans for table in re.findall(r"Seq Scan on (\w+)", plan)} & LARGE
        assert plans and not whole, (name, plans)


async def plans_of(conn: Connection, read: Callable[[Connection], Awaitable[object]]) -> list[str]:
    """How the server goes about the statements of a read."""
    plans: list[str] = []

    class Listening:
        async def fetch(self, query: str, *args: object) -> list[object]:
            plans.append("\n".join(row[0] for row in await conn.fetch("explain " + query, *args)))
            return []

        async def execute(self, query: str, *args: object) -> str:
            await self.fetch(query, *args)
            return ""

    await read(Listening())
    return plans
