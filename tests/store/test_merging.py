"""A round of merging reads what belongs to its clusters and nothing else, and keeps what is known of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest_asyncio

from catalog import changes, clusters, holdings
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Published
from tests import builders
from tests.pipeline import Catalogue


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(local_id: str, **given: Any) -> bytes:
    told = {"title": "园冶注释", "isbn": builders.isbn13(501), "local_id": local_id} | given
    return builders.iso2709(builders.a_cnmarc(**told))


class Listening:
    """A connection that tells how the server goes about each statement."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.plans: list[str] = []

    async def fetch(self, query: str, *args: object) -> Sequence[Any]:
        rows = await self.conn.fetch("explain " + query, *args)
        self.plans.append("\n".join(row[0] for row in rows))
        return []


async def test_what_a_round_reads_is_found_by_index_without_statistics(conn: Connection) -> None:
    await conn.execute("insert into library (symbol, name) values ('L', 'L')")
    await conn.execute("insert into source (name, library) values ('s', 'L')")
    await conn.execute(
        """insert into record select 1, n::text, 'L', n, 1, 1, 1, 'utf-8', 0, 0, '', '', 0, ''
           from generate_series(1, 5000) n"""
    )
    await conn.execute(
        "insert into holding select 1, n::text, 1, 'L', '', '', '', '', '' from generate_series(1, 5000) n"
    )
    await conn.execute("insert into membership select n, n from generate_series(1, 5000) n")
    listening = Listening(conn)
    some = list(range(1, 501))
    await clusters.members(cast(Connection, listening), some)
    await holdings.summary(cast(Connection, listening), some)
    assert len(listening.plans) == 2
    for plan in listening.plans:
        for table in ("record", "holding", "membership"):
            assert f"Seq Scan on {table}" not in plan, plan


async def test_a_record_that_adds_only_holdings_leaves_the_record_as_it_was(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("1")])
    (before,) = await states(catalogue)
    await catalogue.source("b", library="OTHER")
    await catalogue.load("b", [raw("1", holdings=[builders.a_holding()])])
    (after,) = await states(catalogue)
    assert after.seq > before.seq
    assert (after.body, after.description, after.format) == (before.body, before.description, before.format)
    assert set(after.libraries) > set(before.libraries)


async def states(catalogue: Catalogue) -> list[Published]:
    async with catalogue.database.connection() as conn:
        return await changes.after(conn, 0, 10)
