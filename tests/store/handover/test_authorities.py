"""Authority records and templates of a hosted library go with it to its own node."""

from __future__ import annotations

from catalog import authority, heading, sources
from tests import moving
from tests.moving import SZU, Living
from tests.store.test_authority import LU_XUN


async def found(living: Living) -> list[tuple[str, str]]:
    async with living.stand.database.connection() as conn:
        _, rows = await authority.find(conn, heading.asked("周樹人"))
    return [(row.library, row.heading) for row in rows]


async def test_authorities_and_templates_move_with_their_library(domain: Living, own: Living) -> None:
    await domain.catalogue.source("szu", SZU.symbol, template="books-zh")
    await domain.load("szu", [*moving.titles(1, 3), LU_XUN], SZU.symbol)
    assert await found(domain) == [(SZU.symbol, "魯迅, 1881-1936")]
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await found(own) == [(SZU.symbol, "魯迅, 1881-1936")]
    assert await found(domain) == []
    async with own.stand.database.connection() as conn:
        assert (await sources.get(conn, "szu")).template == "books-zh"
