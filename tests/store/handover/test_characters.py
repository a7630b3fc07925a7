"""A source's table of private-use characters goes with it to its library's own node, and its records are read by it."""

from __future__ import annotations

from catalog import bodies, dictionaries, original, sources
from protocols.charsets import private
from protocols.marc import value
from tests import builders, moving
from tests.moving import SZU, Living

PRIVATE = "\ue123"


async def titles(living: Living) -> list[tuple[str, str]]:
    async with living.stand.database.connection() as conn:
        known = await dictionaries.every(conn)
        rows = await conn.fetch("select carrier, encoding, dictionary, body from record where local_id = 'own'")
    found = []
    for row in rows:
        raw = bodies.open_body(row["body"], row["dictionary"], known)
        record = original.record(raw, row["carrier"], row["encoding"])
        found.append((row["encoding"], value(record.first("200") or "", "a")))
    return found


async def test_a_table_moves_with_its_source(domain: Living, own: Living) -> None:
    source = await domain.catalogue.source("szu", SZU.symbol)
    async with domain.stand.database.transaction() as conn:
        table = await dictionaries.add_characters(conn, private.body("E123\t堃\n"))
        await sources.set_characters(conn, source.no, table)
    odd = builders.iso2709(builders.a_cnmarc(title=f"天工开物 {PRIVATE}", local_id="own"))
    await domain.catalogue.load("szu", [odd])
    assert await titles(domain) == [(f"utf-8/{table}", "天工开物 堃")]
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await titles(own) == [(f"utf-8/{table}", "天工开物 堃")]
    async with own.stand.database.connection() as conn:
        assert (await sources.get(conn, "szu")).characters == table
        assert await conn.fetchval("select count(*) from dictionary where dictionary = $1", table) == 1
