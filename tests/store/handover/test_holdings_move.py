"""Holdings records move with their library: what everybody sees of its copies is the same before and after."""

from __future__ import annotations

from catalog import sheets
from protocols import marc
from protocols.marc import Record
from tests import builders, moving
from tests.moving import SZU, Living

LEADER = "00000nx  a2200000zi 4500"


def a_title(number: int) -> Record:
    return builders.a_cnmarc(
        local_id=f"t{number}",
        title=f"园冶注释第{number}种",
        isbn=builders.isbn13(number),
        f905=f"  $aSZU$dTU-{number}$e1",
    )


def an_mfhd(number: int, of: int | None) -> Record:
    fields = [("001", f"m{number}")] + ([("004", f"t{of}")] if of else [])
    fields += [("852", marc.field("0 ", [("b", "NORTH"), ("h", f"TU-{number}/1")]))]
    fields += [("876", marc.field("  ", [("p", f"item{number}")]))]
    return Record(LEADER, tuple(fields))


async def test_holdings_records_move_with_their_library(domain: Living, own: Living) -> None:
    placed = [record for n in range(1, 6) for record in (a_title(n), an_mfhd(n, None))]
    await domain.load("szu", placed, SZU.symbol)
    async with domain.stand.database.transaction() as conn:
        base = await domain.catalogue.source("szu", SZU.symbol)
        await sheets.companion(conn, base, "call-number")
    await domain.load("szu-holdings", [an_mfhd(n, None) for n in range(3, 8)], SZU.symbol)
    before = await domain.held(SZU.symbol), await domain.counted(SZU.symbol), await domain.origins(SZU.symbol)
    assert len(before[0]) == 13
    sent = await domain.records(SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await own.records(SZU.symbol) == sent
    assert await own.held(SZU.symbol) == before[0]
    assert (await domain.held(SZU.symbol), await domain.counted(SZU.symbol)) == before[:2]
    changed = await own.load("szu", [an_mfhd(1, 2)], SZU.symbol)
    assert changed.updated == 1, "it is known again where it is now"
