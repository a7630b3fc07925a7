"""Corrections of several fields, and between libraries of a node: accepted, refused, superseded; told to both sides."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import (
    batch_records,
    bodies,
    changes,
    corrections,
    dictionaries,
    offering,
    original,
    packing,
    patches,
    payload,
)
from catalog.corrections import Entry
from catalog.database.pool import Database
from catalog.model import Published
from catalog.patches import Unsound
from catalog.payload import Correction, Kind
from tests import fed
from tests.fed import CHILD, told
from tests.pipeline import Catalogue
from tests.store.test_batches import CHANGE, NEW, OLD, change, counts, go_on, raw, undo

NODE = "CN-DOM"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    """A domain with records of two libraries of its own and a child's."""
    made = await Catalogue(database).open(NODE)
    await made.source("a", "LIB")
    await made.source("b", "OTHER")
    source = await made.source(CHILD, library=CHILD)
    async with database.connection() as conn:
        await conn.execute(
            """insert into peer (symbol, role, path, suite, key, source)
               values ($1, 'child', 'uplink', 'ed25519-sha256-blake3', '', $2)""",
            CHILD,
            source.no,
        )
        await conn.execute(
            """insert into peer (symbol, role, path, suite, key)
               values ('CN-TOP', 'parent', 'uplink', 'ed25519-sha256-blake3', '')"""
        )
    yield made


async def shown(catalogue: Catalogue) -> Published:
    async with catalogue.database.connection() as conn:
        (one,) = [one for one in await changes.after(conn, 0, 100) if not one.deleted]
    return one


async def listed(catalogue: Catalogue, *within: str) -> list[Entry]:
    async with catalogue.database.connection() as conn:
        return await corrections.listing(conn, decided=True, within=within or None)


async def offered(catalogue: Catalogue) -> list[tuple[str, Correction]]:
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select id, payload from notice where kind = $1 order by id", int(Kind.CORRECTION))
    return [(row["id"], payload.correction(row["payload"])) for row in rows if row["payload"]]


async def test_several_fields_are_one_patch_here_and_below(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    one = await shown(catalogue)
    fields = packing.unpack(one.body).fields
    old = dict(fields)["200"]
    gone = next((tag, text) for tag, text in fields if tag == "210")
    patch = [("200", old, old + "·甲"), ("210", gone[1], ""), ("300", "", "  \x1fa附光盘")]
    async with catalogue.database.transaction() as conn:
        _, children = await corrections.make(conn, NODE, one.cluster, patch, why="错字", who=NODE)
    await catalogue.settle()
    after = packing.unpack((await shown(catalogue)).body).fields
    assert ("200", old + "·甲") in after and gone not in after and ("300", "  \x1fa附光盘") in after
    assert [tag for tag, _ in after] == sorted(tag for tag, _ in after)
    ((_, told_down),) = await offered(catalogue)
    assert children == 1 and told_down.changes == tuple(patch)
    with pytest.raises(Unsound):  # what a node that knows no such patch makes of it: it refuses the whole
        patches.check(told_down.tag, told_down.old, told_down.new)


async def test_a_parents_patch_is_taken_whole_or_not_at_all(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    one = await shown(catalogue)
    title = packing.unpack(one.body).first("200") or ""
    async with catalogue.database.transaction() as conn:
        parent = await conn.fetchval("select peer from peer where role = 'parent'")
        right = corrections.patch_of(one.id, [("200", title, title + "·甲"), ("300", "", "  \x1fax")], "", "TOP")
        wrong = corrections.patch_of(one.id, [("200", title, "1 \x1fa乙"), ("606", "0 \x1fa别的", "")], "", "TOP")
        await corrections.offered(conn, parent, {"TOP:1": right, "TOP:2": wrong})
        assert await offering.supersede(conn) == 1, "found before anybody decides"
    async with catalogue.database.transaction() as conn:
        assert await corrections.accept(conn, NODE, "TOP:1", who="account:wang") == "accepted"
    await catalogue.settle()
    fields = packing.unpack((await shown(catalogue)).body).fields
    assert ("200", title + "·甲") in fields and ("300", "  \x1fax") in fields
    found = {one.id: (one.state, one.reason, one.decided_by) for one in await listed(catalogue)}
    assert found == {"TOP:1": ("accepted", "", "account:wang"), "TOP:2": ("stale", "changed since: 606", "")}
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select id, payload from notice where kind = $1 order by id", int(Kind.RECEIPT))
    told_up = {row["id"]: payload.receipt(row["payload"]) for row in rows}
    assert (told_up["TOP:2"].state, told_up["TOP:2"].why) == ("stale", "changed since: 606")


async def test_another_librarys_records_are_offered_the_change(catalogue: Catalogue) -> None:
    await catalogue.load("b", [raw(1), raw(2), raw(3)])
    source = (await catalogue.source("b")).no
    made = await change(catalogue, source=source, within=["LIB"])
    assert await counts(catalogue, made) == {"offered": 3}
    assert {(one.state, one.library, one.offerer, one.symbol) for one in await listed(catalogue, "OTHER")} == {
        ("open", "OTHER", "LIB", "OTHER")
    }
    mine = sorted(await listed(catalogue, "LIB"), key=lambda one: one.target)
    assert [one.target for one in mine] == ["n1", "n2", "n3"], "whoever offers it sees it too"
    assert await listed(catalogue, "CN-ELSE") == []
    async with catalogue.database.transaction() as conn:
        assert await corrections.accept_open(conn, NODE) == 0, "only what parents offer is accepted without a person"
        assert await corrections.accept(conn, NODE, mine[0].id, who="account:li") == "accepted"
        await corrections.refuse(conn, mine[1].id, why="按本馆词表", who="account:li")
    await go_on(catalogue)
    assert await _subjects(catalogue, source, "n1") == [NEW] and await _subjects(catalogue, source, "n2") == [OLD]
    await catalogue.load("b", [raw(3, f606="0 \x1fa目录学")])
    async with catalogue.database.transaction() as conn:
        assert await offering.supersede(conn) == 1
    states = {one.target: (one.state, one.reason) for one in await listed(catalogue, "LIB")}
    async with catalogue.database.connection() as conn:
        assert await offering.answers(conn, made.batch) == {"accepted": 1, "refused": 1, "stale": 1}
    assert states == {
        "n1": ("accepted", ""),
        "n2": ("refused", "按本馆词表"),
        "n3": ("stale", "changed since: 606"),
    }


async def _subjects(catalogue: Catalogue, source: int, local_id: str) -> list[str]:
    async with catalogue.database.connection() as conn:
        rows = await batch_records.rows(conn, source, [local_id])
        record = original.record(
            bodies.open_body(
                rows[local_id].body,
                rows[local_id].dictionary,
                await dictionaries.of(conn, {rows[local_id].dictionary}),
            ),
            rows[local_id].carrier,
            rows[local_id].encoding,
        )
    return [text[4:] for text in record.all("606")]


async def test_a_childs_records_are_offered_the_change_and_undo_withdraws_it(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1, f606=f"0 $a{OLD}")])
    source = (await catalogue.source(CHILD)).no
    made = await change(catalogue, CHANGE, source=source)
    assert await counts(catalogue, made) == {"offered": 1}
    ((ident, offer),) = await offered(catalogue)
    assert (offer.tag, offer.old, offer.new) == ("606", f"0 \x1fa{OLD}", f"0 \x1fa{NEW}")
    await undo(catalogue, made)
    assert await offered(catalogue) == []
    ((entry),) = await listed(catalogue)
    assert (entry.id, entry.state, entry.reason, entry.batch) == (ident, "stale", "withdrawn", made.batch)
