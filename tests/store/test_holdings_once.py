"""A holding that reaches a node by two paths counts, is listed and is summed up once."""

from __future__ import annotations

import pytest

from catalog import holdings
from catalog.connection import Connection
from catalog.model import Holding
from tests import builders, stocked
from tests.builders import SZL, TJU
from tests.stocked import Stock

FAR = Holding(library="CN-FAR", call_number="I247/1", item="F1", location="总馆", status="在架")


@pytest.fixture
async def paths(conn: Connection) -> Connection:
    """One cluster: two copies of our own in TJU; FAR's copies F1 and F2 by a child, and F1 by another child too."""
    await stocked.open_house(conn)
    ours = (builders.a_holding(TJU, item="T1"), builders.a_holding(TJU, item="T2"))
    await stocked.stock(conn, [Stock(record=builders.a_marc21(), holdings=(*ours, builders.a_holding(SZL, item="S1")))])
    for child, items in (("DOMAIN-A", ("F1", "F2")), ("DOMAIN-B", ("F1",))):
        await conn.execute("insert into library (symbol, name) values ($1, $1)", child)
        source = await conn.fetchval("insert into source (name, library) values ($1, $1) returning source", child)
        await conn.execute(
            """insert into record select $1, 'x', $2, sid, load, format, carrier, encoding, visibility, dictionary,
                   digest, stamp, title_hash, body from record limit 1""",
            source,
            child,
        )
        for n, item in enumerate(items):
            await conn.execute(
                """insert into holding (source, local_id, n, library, call_number, item, location, status, note, origin)
                   values ($1, 'x', $2, $3, $4, $5, $6, $7, '', $8)""",
                source, n, FAR.library, FAR.call_number, item, FAR.location, FAR.status, f"FAR/main/7#{item}",
            )  # fmt: skip
    return conn


def items(held: list[tuple[str, str, Holding]]) -> list[tuple[str, str, str]]:
    return [(source, holding.library, holding.item) for source, _, holding in held]


async def test_a_cluster_lists_each_origin_once_and_all_that_is_ours(paths: Connection) -> None:
    found = items(await holdings.of_cluster(paths, 1))
    assert [(library, item) for _, library, item in found] == [
        ("CN-FAR", "F1"), ("CN-FAR", "F2"), ("CN-SZL", "S1"), ("CN-TJU", "T1"), ("CN-TJU", "T2"),
    ]  # fmt: skip


async def test_an_export_writes_each_origin_once(paths: Connection) -> None:
    everything = [row["source"] for row in await paths.fetch("select source from source")]
    async with paths.transaction():
        found = [(r["source"], r["item"]) async for r in holdings.visible(paths, everything)]
    assert found == [("DOMAIN-A", "F1"), ("DOMAIN-A", "F2"), ("cn-szl", "S1"), ("cn-tju", "T1"), ("cn-tju", "T2")]


async def test_all_holdings_are_counted_once(paths: Connection) -> None:
    """F1 came twice; T1, T2 and S1 are ours. A hosted copy that moves is still here when the child has told it too."""
    assert await paths.fetchval("select count(*) from holding") == 6
    assert await holdings.count(paths) == 5
    row = await paths.fetchrow(
        "select h.*, s.name from holding h join source s using (source) where h.library = 'CN-SZL' and h.origin = ''"
    )
    child = await paths.fetchval("select source from source where name = 'DOMAIN-A'")
    await paths.execute(
        """insert into holding (source, local_id, n, library, call_number, item, location, status, note, origin)
           values ($1, 'x', 9, 'CN-SZL', '', '', '', '', '', $2)""",
        child,
        f"CN-SZL/{row['name']}/{row['local_id']}#{row['n']}",
    )
    assert await holdings.count(paths) == 5


async def test_a_second_path_changes_nothing_of_the_summary_and_a_change_does(paths: Connection) -> None:
    before = await holdings.summary(paths, [1])
    assert before[1][0] == ("CN-FAR", "CN-SZL", "CN-TJU")
    await paths.execute("delete from holding using source s where s.source = holding.source and s.name = 'DOMAIN-B'")
    assert await holdings.summary(paths, [1]) == before
    await paths.execute("update holding set call_number = 'I247/2' where item = 'F1'")
    changed = await holdings.summary(paths, [1])
    assert changed[1][0] == before[1][0] and changed[1][1] != before[1][1]


async def test_equal_copies_of_our_own_are_two(paths: Connection) -> None:
    before = await holdings.summary(paths, [1])
    await paths.execute("update holding set item = 'T1' where item = 'T2'")
    assert [each[2] for each in items(await holdings.of_cluster(paths, 1)) if each[1] == "CN-TJU"] == ["T1", "T1"]
    assert (await holdings.summary(paths, [1]))[1][1] != before[1][1]
