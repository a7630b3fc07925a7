"""What a child node tells becomes source records here: with everybody's holdings, in order, and never undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from catalog import (
    base_choices,
    bodies,
    changes,
    decisions,
    dictionaries,
    holdings,
    inbox,
    loads,
    original,
    payload,
    quarantine,
    records,
)
from catalog.database import pool
from catalog.database.pool import Database
from catalog.model import Carrier, LoadState, Visibility
from catalog.payload import Bib, Change, Kind, Level
from catalog.work import units
from config.errors import Conflict
from dms.worker import Preparing
from protocols.marc import Record
from tests import builders, fed, pins
from tests.fed import CHILD, OTHER, gone, ident, told
from tests.pipeline import Catalogue, Inline
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open("CN-DOM")


async def rows(catalogue: Catalogue, child: str = CHILD) -> Mapping[str, records.Row]:
    source = await catalogue.source(child)
    async with catalogue.database.connection() as conn:
        return {row.local_id: row for row in await records.behind(conn, source.no, "", 1000)}


async def groups(catalogue: Catalogue) -> list[str]:
    """Clusters as "source/number source/number", in order, whatever is shown of them."""
    async with catalogue.database.connection() as conn:
        found = await conn.fetch(
            """select string_agg(s.name || '/' || regexp_replace(r.local_id, '^.*\\.0*', ''), ' '
                                 order by s.name, r.local_id) names
               from record r join source s using (source) join membership m using (sid) group by m.cluster"""
        )
    return sorted(row["names"] for row in found)


async def test_a_told_bib_is_a_record_of_the_child_with_everybodys_holdings(catalogue: Catalogue) -> None:
    copies = (fed.held(1), fed.held(7, OTHER, item="S1", note="1999-"))
    change = told(1, holdings=copies)
    load = await fed.feed(catalogue, [change, told(2)])
    assert (load.state, load.added, load.records) == (LoadState.DONE, 2, 2)
    found = await rows(catalogue)
    assert set(found) == {ident(1), ident(2)}
    row = found[ident(1)]
    assert (row.carrier, row.library, row.digest) == (Carrier.PACKED, CHILD, change.digest)
    async with catalogue.database.connection() as conn:
        known = await dictionaries.every(conn)
        kept = await conn.fetch("select library, item, note, origin from holding where local_id = $1", ident(1))
        (one, _) = await changes.after(conn, 0, 10)
        shown = await holdings.of_cluster(conn, one.cluster)
    raw = bodies.open_body(row.body, row.dictionary, known)
    assert raw == change.payload, "what is kept can be compared with what was told"
    assert original.record(raw, row.carrier, row.encoding) == fed.a_record(1)
    assert [tuple(each) for each in kept] == [(h.library, h.item, h.note, h.origin) for h in copies]
    assert one.libraries == (OTHER, CHILD)
    assert [(held.library, held.item) for _, _, held in shown] == [(OTHER, "S1"), (CHILD, "")]


async def test_a_told_bib_meets_our_own_record_of_the_same_publication(catalogue: Catalogue) -> None:
    await catalogue.load("own", [builders.iso2709(fed.a_record(1, local_id="x"))])
    await fed.feed(catalogue, [told(1), told(2)])
    assert await groups(catalogue) == [f"{CHILD}/1 own/x", f"{CHILD}/2"]
    async with catalogue.database.connection() as conn:
        assert [one.libraries for one in await changes.after(conn, 0, 10)] == [(CHILD, "LIB"), (CHILD,)]


async def test_an_address_beside_copies_makes_no_electronic_book(catalogue: Catalogue) -> None:
    """A merged record has lost its 905; that copies were told with it says as much."""
    plain = fed.a_record(1)
    linked = Record(plain.leader, (*plain.fields, ("856", "40\x1fuhttps://ebook.example.org/1")))
    await catalogue.load("own", [builders.iso2709(fed.a_record(1, local_id="x"))])
    await fed.feed(catalogue, [told(1, record=linked), told(2)])
    assert await groups(catalogue) == [f"{CHILD}/1 own/x", f"{CHILD}/2"]


async def test_a_new_version_replaces_and_a_tombstone_deletes(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1), told(2)])
    await fed.feed(catalogue, [told(1, seq=3, title="园冶新诠"), gone(2, seq=4)])
    assert set(await rows(catalogue)) == {ident(1)}
    async with catalogue.database.connection() as conn:
        (one,) = [one for one in await changes.after(conn, 0, 10) if not one.deleted]
        before = await conn.fetchval("select count(*) from record_before")
    assert one.description is not None and one.description.title == "园冶新诠"
    assert before == 0, "the child has its own history"


async def test_telling_the_same_again_changes_nothing(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    head, before = await catalogue.head(), await catalogue.standing()
    load = await fed.feed(catalogue, [told(1, seq=9), gone(5, seq=9)])
    assert (load.unchanged, load.updated, load.deleted) == (2, 0, 0)
    assert (await catalogue.head(), await catalogue.standing()) == (head, before)


UNREADABLE = {
    "rubbish": b"\xc1\xff",
    "another format": payload.encode(Bib(9, 0, b"")),
    "another level": payload.encode(Bib(2, 9, b"")),
    "no record": payload.encode(Bib(2, 0, b"\xc1")),
    "a holding of nobody": payload.encode(Bib(2, 0, b"\x92\xa0\x90", (payload.Held("o/s/1#1", ""),))),
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_read_is_set_apart_and_the_rest_goes_on(catalogue: Catalogue, raw: bytes) -> None:
    bad = Change(int(Kind.BIB), ident(1), 1, 1, raw)
    load = await fed.feed(catalogue, [bad, told(2)])
    assert (load.state, load.unreadable, load.added) == (LoadState.DONE, 1, 1)
    source = await catalogue.source(CHILD)
    async with catalogue.database.connection() as conn:
        (case,) = await quarantine.of_record(conn, source.no, ident(1))
        body = (await quarantine.get(conn, case["id"]))["body"]
    assert (case["verdict"], case["rule"]) == ("unreadable", "unreadable") and bodies.grow(body) == raw
    await fed.feed(catalogue, [told(1, seq=2)])
    async with catalogue.database.connection() as conn:
        assert await quarantine.of_record(conn, source.no, ident(1)) == [], "a version that can be read settles it"


async def test_text_that_no_column_takes_is_cleaned_and_nothing_sticks(catalogue: Catalogue) -> None:
    load = await fed.feed(catalogue, [told(1, holdings=[fed.held(1, item="a\0b", note="n\0")])])
    assert load.state is LoadState.DONE
    async with catalogue.database.connection() as conn:
        assert await conn.fetchval("select item from holding") == "ab"


async def test_feed_loads_of_a_source_are_placed_in_their_order(catalogue: Catalogue) -> None:
    """The second is prepared first, and still waits for the first."""
    first = await fed.feed(catalogue, [told(1, title="第一版")], settle=False)
    second = await fed.feed(catalogue, [told(1, seq=2, title="第二版")], settle=False)
    other = await fed.feed(catalogue, [told(1, child=OTHER)], child=OTHER, settle=False)
    preparing = Preparing(catalogue.database, Inline(), asyncio.Event())
    for load in (second, other):
        await preparing.handle(units.encode(load.load, 0))
    while await catalogue.matcher.step():
        pass
    states = [(await catalogue.again(load.load)).state for load in (first, second, other)]
    assert states == [LoadState.PREPARING, LoadState.PREPARING, LoadState.DONE], "other sources don't wait"
    await catalogue.settle()
    async with catalogue.database.connection() as conn:
        titles = {one.description.title for one in await changes.after(conn, 0, 10) if one.description}
    assert "第二版" in titles and "第一版" not in titles


async def test_feed_loads_are_not_listed_undone_or_kept_for_ever(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dms.matcher.FEED_LOADS", 2)
    own = await catalogue.load("own", [builders.iso2709(fed.a_record(9, local_id="x"))])
    for seq in range(1, 6):
        load = await fed.feed(catalogue, [told(1, seq=seq, title=f"第{seq}版园冶")])
    async with catalogue.database.connection() as conn:
        assert [each.load for each in await loads.recent(conn)] == [own.load]
        every = await loads.recent(conn, feeds=True)
    assert [each.load for each in every] == [load.load, load.load - 1, own.load]
    with pytest.raises(Conflict, match="another node told"):
        await catalogue.undo(load.load)


async def test_units_that_were_placed_are_gone(catalogue: Catalogue) -> None:
    load = await fed.feed(catalogue, [told(1)])
    async with catalogue.database.connection() as conn:
        assert await inbox.unprepared(conn, load.load) == [] and await inbox.ready(conn, load.load, 1) == []


async def pin(catalogue: Catalogue, a: tuple[str, str], b: tuple[str, str], verdict: str) -> None:
    async with catalogue.database.transaction() as conn:
        named = [((await catalogue.source(name)).no, local_id) for name, local_id in (a, b)]
        await pins.pin(conn, named[0], named[1], verdict, catalogue.matcher.memory)
    await catalogue.settle()


@pytest.mark.parametrize("order", ["one segment", "heir first", "heir last"])
async def test_pins_follow_a_record_that_another_took_over(catalogue: Catalogue, order: str) -> None:
    await catalogue.load("own", [builders.iso2709(fed.a_record(8, local_id="x"))])
    await fed.feed(catalogue, [told(1), told(2)])
    await pin(catalogue, (CHILD, ident(1)), ("own", "x"), "must")
    await pin(catalogue, (CHILD, ident(1)), (CHILD, ident(2)), "cannot")
    news = [[gone(1, heir=3), told(3, seq=3)]]
    if order != "one segment":
        news = [[each] for each in (news[0] if order == "heir last" else reversed(news[0]))]
    for each in news:
        await fed.feed(catalogue, each)
    assert await groups(catalogue) == [f"{CHILD}/2", f"{CHILD}/3 own/x"]
    async with catalogue.database.connection() as conn:
        named = await conn.fetch("select local_id_a, local_id_b from pin order by verdict")
    assert [tuple(row) for row in named] == [(ident(3), ident(2)), (ident(3), "x")]
    await fed.feed(catalogue, [gone(3, seq=5, heir=2)])
    async with catalogue.database.connection() as conn:
        assert await conn.fetchval("select count(*) from pin where verdict = 'cannot'") == 0, (
            "nothing is apart from itself"
        )


async def test_what_people_said_of_a_record_is_said_of_its_heir(catalogue: Catalogue) -> None:
    await catalogue.load("own", [builders.iso2709(fed.a_record(1, local_id="x"))])
    await fed.feed(catalogue, [told(1), told(2)])
    child = (await catalogue.source(CHILD)).no
    own = (await catalogue.source("own")).no
    async with catalogue.database.transaction() as conn:
        word = {"library": "", "who": "t", "why": "in hand"}
        await base_choices.choose(conn, (child, ident(1)), **word)
        split = await decisions.add(conn, "split", [(child, ident(1))], [(own, "x")], clusters=[], **word)
    await catalogue.settle()
    assert await groups(catalogue) == [f"{CHILD}/1", f"{CHILD}/2", "own/x"]
    await fed.feed(catalogue, [gone(1, heir=3), told(3, seq=3, record=fed.a_record(1))])
    assert await groups(catalogue) == [f"{CHILD}/2", f"{CHILD}/3", "own/x"]
    async with catalogue.database.connection() as conn:
        assert (await decisions.get(conn, split.decision)).records == ((child, ident(3)),)
        there = await decisions.clusters_of(conn, [(child, ident(3))])
        (chosen,) = await base_choices.of_cluster(conn, there[child, ident(3)][0])
    assert (chosen.local_id, chosen.why) == (ident(3), "in hand")
    async with catalogue.database.transaction() as conn:
        await decisions.take_back(conn, split.decision, who="t", why="the same")
    await catalogue.settle()
    assert await groups(catalogue) == [f"{CHILD}/2", f"{CHILD}/3 own/x"]


async def test_a_split_between_two_children_survives_their_sending_again_and_a_rebuild(
    catalogue: Catalogue, server: Postgres, home: Path
) -> None:
    await fed.feed(catalogue, [told(1), told(2)])
    await fed.feed(catalogue, [told(1, child=OTHER), told(2, child=OTHER)], child=OTHER)
    together = [f"{OTHER}/1 {CHILD}/1", f"{OTHER}/2 {CHILD}/2"]
    assert await groups(catalogue) == together
    one, other = [((await catalogue.source(each)).no, ident(1, each)) for each in (CHILD, OTHER)]
    async with catalogue.database.transaction() as conn:
        await decisions.add(conn, "split", [one], [other], clusters=[], library="", who="t", why="two printings")
    await catalogue.settle()
    apart = sorted([f"{CHILD}/1", f"{OTHER}/1", together[1]])
    assert await groups(catalogue) == apart
    for number, news in enumerate((
        [told(1, seq=5, f300="  $a读过")],  # it reads otherwise
        [told(1, seq=6), told(2, seq=7)],  # as at first, and all of it
        [gone(1, seq=8)],  # taken away and told anew
        [told(1, seq=9)],
    )):  # fmt: skip
        await fed.feed(catalogue, news)
        assert await groups(catalogue) == (apart if number != 2 else [each for each in apart if each != f"{CHILD}/1"])
    await fed.feed(catalogue, [told(1, seq=4, child=OTHER), told(3, seq=5, child=OTHER)], child=OTHER)
    await fed.feed(catalogue, [told(3, seq=10)])
    want = sorted([*apart, f"{OTHER}/3 {CHILD}/3"])
    assert await groups(catalogue) == want
    # Everything sent anew, the other child first, to a node that has nothing but the pins.
    async with server.fresh() as dsn, pool.open(home, dsn) as database:
        rebuilt = await Catalogue(database).open("CN-DOM")
        await pin(rebuilt, (OTHER, ident(1, OTHER)), (CHILD, ident(1)), "cannot")
        await fed.feed(rebuilt, [told(n, child=OTHER) for n in (3, 2, 1)], child=OTHER)
        await fed.feed(rebuilt, [told(n) for n in (1, 2, 3)])
        assert await groups(rebuilt) == want


async def test_a_cluster_left_empty_leads_to_the_heirs(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1), told(2)])
    async with catalogue.database.connection() as conn:
        before = {one.body: one.cluster for one in await changes.after(conn, 0, 10)}
    first, second = before.values()
    await fed.feed(catalogue, [gone(1, heir=2)])
    async with catalogue.database.connection() as conn:
        (stone,) = [one for one in await changes.after(conn, 0, 10) if one.deleted]
        heirs = await conn.fetch("select old, new from redirect")
    assert [tuple(row) for row in heirs] == [(first, second)]
    assert stone.cluster == first and stone.redirect


async def test_a_stub_is_matched_and_gives_its_holdings_and_nothing_else(catalogue: Catalogue) -> None:
    stub = told(1, level=Level.HOLDINGS, f300="  $a金丝雀")
    await fed.feed(catalogue, [stub])
    async with catalogue.database.connection() as conn:
        assert all(one.deleted for one in await changes.after(conn, 0, 10)), "alone it is published nowhere"
    found = await rows(catalogue)
    assert found[ident(1)].visibility == Visibility.HOLDINGS
    await catalogue.load("own", [builders.iso2709(fed.a_record(1, local_id="x"))])
    async with catalogue.database.connection() as conn:
        (one,) = await changes.after(conn, 0, 10)
        shown: list[Any] = await holdings.of_cluster(conn, one.cluster)
    assert one.libraries == (CHILD, "LIB") and "金丝雀".encode() not in one.body
    assert sorted(source for source, _, _ in shown) == [CHILD, "own"]
    own = await catalogue.source("own")
    async with catalogue.database.connection() as conn:
        last = await loads.last_done(conn, own.no)
    assert last is not None
    await catalogue.undo(last)
    async with catalogue.database.connection() as conn:
        (one,) = await changes.after(conn, 0, 10)
    assert one.deleted, "what is left of the cluster is published nowhere"
