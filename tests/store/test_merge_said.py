"""What people say of merged records: the base, and authority ids that contradict."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import authority_conflicts, base_choices, changes, packing, renaming
from catalog.authority_conflicts import Contradiction
from catalog.database.pool import Database
from catalog.model import Published, cluster_id
from config.errors import Conflict, Misconfigured, Refused
from dms import contributors_of
from protocols import iso2709, marc
from protocols.marc import Record
from services.deciding import basing
from tests import builders
from tests.pipeline import Catalogue

NODE = "CN-TST"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open(NODE)


def raw(local_id: str, subject: str = "历史", *, link: str = "", title: str = "园冶注释") -> bytes:
    record = builders.a_cnmarc(title=title, isbn=builders.isbn13(501), local_id=local_id)
    pairs = [("a", subject)] + ([("3", link)] if link else [])
    kept = [each for each in record.fields if each[0] != "606"]
    at = next((n for n, (tag, _) in enumerate(kept) if tag > "606"), len(kept))
    kept.insert(at, ("606", marc.field("0 ", pairs)))
    return iso2709.write(Record(record.leader, tuple(kept)))


async def shown(catalogue: Catalogue) -> Published:
    async with catalogue.database.connection() as conn:
        (one,) = [each for each in await changes.after(conn, 0, 10) if not each.deleted]
    return one


async def waiting(catalogue: Catalogue, *, settled: bool = False) -> list[Contradiction]:
    async with catalogue.database.connection() as conn:
        return await authority_conflicts.listing(conn, 10, settled=settled)


async def base(catalogue: Catalogue) -> tuple[str, str]:
    async with catalogue.database.connection() as conn:
        found = await contributors_of.cluster(conn, await shown(catalogue))
    assert found is not None
    return found.base, found.decided


async def test_ids_that_contradict_wait_until_they_agree(catalogue: Catalogue) -> None:
    await catalogue.source("b", library="OTHER")
    await catalogue.load("a", [raw("1", link="(CAL)S1")])
    await catalogue.load("b", [raw("1", link="(CAL)S2")])
    (one,) = await waiting(catalogue)
    assert (one.tag, one.heading, one.file) == ("606", "$a 历史", "CAL")
    assert (one.a, one.id_a, one.library_a, one.b, one.id_b, one.library_b) == (
        "a/1",
        "s1",
        "LIB",
        "b/1",
        "s2",
        "OTHER",
    )
    assert one.cluster == (await shown(catalogue)).cluster
    await catalogue.load("c", [raw("1", link="(CAL)S1", title="园冶 注释")])
    assert [each.conflict for each in await waiting(catalogue)] == [one.conflict]
    await catalogue.load("b", [raw("1", link="(CAL)S1")])
    assert not await waiting(catalogue, settled=True)


async def test_what_was_settled_is_not_asked_again(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("1", link="(CAL)S1")])
    await catalogue.load("b", [raw("1", link="(CAL)S2")])
    (one,) = await waiting(catalogue)
    async with catalogue.database.transaction() as conn:
        await authority_conflicts.settle(conn, one.conflict, who="li", why="S2 was merged into S1")
        with pytest.raises(Conflict, match="S2 was merged"):
            await authority_conflicts.settle(conn, one.conflict, who="li", why="again")
    await catalogue.load("c", [raw("1", "地理", link="(CAL)S9")])
    assert not await waiting(catalogue)
    (settled,) = await waiting(catalogue, settled=True)
    assert (settled.conflict, settled.state, settled.who) == (one.conflict, "settled", "li")


async def test_the_base_is_the_one_that_a_person_chose(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("1")])
    await catalogue.load("b", [raw("1", title="園冶注釋")])
    assert await base(catalogue) == ("a/1", "key")
    async with catalogue.database.transaction() as conn:
        with pytest.raises(Refused):
            await basing.choose(conn, NODE, "b/1", who="li", why="x", within=frozenset({"ELSEWHERE"}))
        with pytest.raises(Misconfigured, match="source/local id"):
            ident = cluster_id(NODE, (await shown(catalogue)).cluster)
            await basing.choose(conn, NODE, ident, who="li", why="x", within=None)
        await basing.choose(conn, NODE, "b/1", who="li", why="fuller", within=None)
    await catalogue.settle()
    assert await base(catalogue) == ("b/1", "pinned")
    title = packing.unpack((await shown(catalogue)).body).first("200") or ""
    assert marc.value(title, "a") == "園冶注釋"
    await catalogue.load("b", [raw("1", "地理", title="園冶注釋")])
    assert await base(catalogue) == ("b/1", "pinned")
    async with catalogue.database.transaction() as conn:
        await basing.choose(conn, NODE, "a/1", who="li", why="no, this", within=None)
        await basing.leave(conn, NODE, "b/1", why="the policy is right", within=None)
        with pytest.raises(Conflict):
            await basing.leave(conn, NODE, "b/1", why="again", within=None)
    await catalogue.settle()
    assert await base(catalogue) == ("a/1", "key")


async def test_what_was_said_is_about_the_same_records_after_they_got_new_ids(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("1", link="(CAL)S1")])
    await catalogue.load(
        "b", [raw("1", link="(CAL)S2"), raw("2", "地理", title="园冶 注释"), raw("3", title="园冶注释。")]
    )
    source = await catalogue.source("b")
    (one,) = await waiting(catalogue)
    async with catalogue.database.transaction() as conn:
        await authority_conflicts.settle(conn, one.conflict, who="li", why="x")
        for name in ("b/2", "b/3"):
            await base_choices.choose(conn, (source.no, name[2:]), library="", who="li", why=name)
        await renaming.point(conn, source.no, {"1": "2", "2": "1", "3": "1"})
        (settled,) = await authority_conflicts.listing(conn, 10, settled=True)
        assert (settled.conflict, settled.a, settled.b, settled.state) == (one.conflict, "a/1", "b/2", "settled")
        rows = await conn.fetch("select local_id, why from base_choice")
    assert [tuple(row) for row in rows] == [("1", "b/2")]
