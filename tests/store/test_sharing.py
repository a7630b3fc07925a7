"""A source's profile holds for the records that are there and for all to come, in every output and at every peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import bodies, changes, clusters, outward, packing, payload, peers, sources
from catalog.database.pool import Database
from catalog.model import Published, Visibility, cluster_id
from catalog.payload import CLUSTERS, Bib, Kind
from catalog.work import units
from dms import resharing
from dms.worker import Preparing
from exchange import ends, feed
from tests import builders, exchanging, fed, stocked
from tests.fed import CHILD, OTHER, ident, told
from tests.pipeline import Catalogue, Inline
from tests.store.test_visibility import everything_out

NODE = stocked.SYMBOL


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open(NODE)


def raw(number: int, local_id: str = "", **given: object) -> bytes:
    known = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number)}
    return builders.iso2709(builders.a_cnmarc(**(known | {"local_id": local_id or f"n{number}"} | given)))


async def share(catalogue: Catalogue, name: str, **profile: object) -> None:
    source = await catalogue.source(name)
    async with catalogue.database.transaction() as conn:
        await sources.share(conn, source.no, profile)
        await clusters.soil_source(conn, source.no)
    await catalogue.settle()


async def shown(catalogue: Catalogue) -> list[Published]:
    async with catalogue.database.connection() as conn:
        return [one for one in await changes.after(conn, 0, 1000) if not one.deleted]


async def states(catalogue: Catalogue) -> list[outward.State]:
    async with catalogue.database.connection() as conn:
        return await outward.after(conn, 0, 1000)


async def visibilities(catalogue: Catalogue, name: str) -> list[Visibility]:
    source = await catalogue.source(name)
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select visibility from record where source = $1 order by local_id", source.no)
    return [Visibility(row["visibility"]) for row in rows]


async def peer(catalogue: Catalogue, symbol: str, role: str) -> ends.Peer:
    """A peer of the node; a child with the source of its name."""
    source = (await catalogue.source(symbol, library=symbol)).no if role == "child" else None
    async with catalogue.database.connection() as conn:
        await conn.execute(
            """insert into peer (symbol, role, path, suite, key, source)
               values ($1, $2, 'uplink', 'ed25519-sha256-blake3', $3, $4) on conflict do nothing""",
            symbol,
            role,
            exchanging.a_key(3).public,
            source,
        )
        return ends.peer(await peers.get(conn, symbol))


async def leaving(catalogue: Catalogue, to: ends.Peer) -> dict[int, Bib]:
    """What a peer gets of each cluster."""
    me = ends.me(NODE, lambda: exchanging.a_key(1))
    async with catalogue.database.connection() as conn:
        numbers = [row["cluster"] for row in await conn.fetch("select cluster from merged order by 1")]
        keys = [(int(Kind.BIB), cluster_id(NODE, number)) for number in numbers]
        found = await feed.current(conn, me, to, CLUSTERS, keys)
    return {n: payload.bib(one.payload) for n, one in zip(numbers, found, strict=True) if one.payload}


async def test_a_profile_takes_effect_on_what_is_there_and_is_taken_back(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resharing, "BATCH", 2)
    await catalogue.load("s", [raw(n, f300=f"  $a{'内部资料' if n == 3 else '公开'}") for n in range(1, 6)])
    before = await shown(catalogue)
    await share(catalogue, "s", hide=["300$a=内部资料"])
    assert (await visibilities(catalogue, "s")).count(Visibility.PRIVATE) == 1
    assert len(await shown(catalogue)) == 4
    await share(catalogue, "s", level="nothing")
    assert await shown(catalogue) == []
    await share(catalogue, "s", level="holdings")
    assert set(await visibilities(catalogue, "s")) == {Visibility.HOLDINGS} and await shown(catalogue) == []
    await share(catalogue, "s")
    after = await shown(catalogue)
    assert [(one.cluster, one.body) for one in after] == [(one.cluster, one.body) for one in before]


async def test_what_the_library_suppressed_stays_so_under_any_profile(catalogue: Catalogue) -> None:
    await catalogue.source("s", mapping={"suppress": "942$n=1"})
    await catalogue.load("s", [raw(1, f942="  $n1"), raw(2)])
    await share(catalogue, "s", level="nothing")
    await share(catalogue, "s", level="holdings")
    assert await visibilities(catalogue, "s") == [Visibility.SUPPRESSED, Visibility.HOLDINGS]


async def test_it_goes_on_where_it_was_stopped(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resharing, "BATCH", 2)
    await catalogue.load("s", [raw(n) for n in range(1, 8)])
    source = await catalogue.source("s")
    async with catalogue.database.transaction() as conn:
        await sources.share(conn, source.no, {"level": "nothing"})
    assert await catalogue.matcher.place_next()
    async with catalogue.database.connection() as conn:
        place = await sources.sharing_from(conn, source.no)
    assert place == "n2" and (await visibilities(catalogue, "s")).count(Visibility.PRIVATE) == 2
    async with catalogue.database.transaction() as conn:  # another profile meanwhile: from the first one on
        await sources.share(conn, source.no, {"level": "holdings"})
    await catalogue.settle()
    assert set(await visibilities(catalogue, "s")) == {Visibility.HOLDINGS}
    async with catalogue.database.connection() as conn:
        assert await sources.sharing_from(conn, source.no) is None


async def test_records_that_were_prepared_under_the_old_profile_come_under_the_new(catalogue: Catalogue) -> None:
    load = await catalogue.load("s", [raw(1), raw(2, f300="  $a内部资料")], place=False)
    await fed.feed(catalogue, [told(7, f300="  $a内部资料")], settle=False)
    preparing = Preparing(catalogue.database, Inline(), asyncio.Event())
    await preparing.handle(units.encode(load.load, 0))
    await preparing.handle(units.encode(load.load + 1, 0))
    for name in ("s", CHILD):
        source = await catalogue.source(name)
        async with catalogue.database.transaction() as conn:
            await sources.share(conn, source.no, {"hide": ["300=内部资料"]})
            await sources.shared_up_to(conn, await sources.get(conn, name), None)  # nothing was there to look at
    await catalogue.settle()
    assert await visibilities(catalogue, "s") == [Visibility.PUBLIC, Visibility.PRIVATE]
    assert await visibilities(catalogue, CHILD) == [Visibility.PRIVATE]


async def test_new_records_and_new_versions_come_under_the_profile(catalogue: Catalogue) -> None:
    await catalogue.source("s")
    await share(catalogue, "s", hide=["3..=内部资料"])
    await catalogue.load("s", [raw(1), raw(2, f300="  $a内部资料")])
    assert await visibilities(catalogue, "s") == [Visibility.PUBLIC, Visibility.PRIVATE]
    await catalogue.load("s", [raw(1, f300="  $a内部资料"), raw(2)])
    assert await visibilities(catalogue, "s") == [Visibility.PRIVATE, Visibility.PUBLIC]


async def test_a_childs_records_come_under_the_profile_that_they_have_here(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1), told(2, f300="  $a内部资料")])
    await share(catalogue, CHILD, hide=["300=内部资料"])
    assert await visibilities(catalogue, CHILD) == [Visibility.PUBLIC, Visibility.PRIVATE]
    await share(catalogue, CHILD)
    assert await visibilities(catalogue, CHILD) == [Visibility.PUBLIC, Visibility.PUBLIC]


async def test_dropped_fields_stay_here_and_a_change_of_that_alone_is_news(catalogue: Catalogue) -> None:
    await catalogue.load("s", [raw(1, f300="  $a金丝雀")])
    (before,) = await states(catalogue)
    assert before.outward is None
    await share(catalogue, "s", drop=["300$a"])
    (state,) = await states(catalogue)
    assert state.seq > before.seq and state.outward
    body, _ = packing.unpack_content(bodies.grow(state.outward))
    assert packing.unpack(body).first("300") is None and packing.unpack(body).first("200")
    (one,) = await shown(catalogue)
    assert packing.unpack(one.body).first("300") is None and one.body == body, "what all outputs are made of"
    body, _ = packing.unpack_content(bodies.grow(state.content))
    assert packing.unpack(body).first("300"), "it is kept"
    head = await catalogue.head()
    await share(catalogue, "s", drop=["300"])
    assert await catalogue.head() == head, "the same leaves: nothing to tell"
    await catalogue.load("t", [raw(1, f300="  $a金丝雀")])
    (state,) = await states(catalogue)
    assert state.outward is None, "another source shares it"
    await share(catalogue, "s")
    assert (await states(catalogue))[0].outward is None


async def test_item_numbers_stay_here_unless_they_are_shared(catalogue: Catalogue) -> None:
    await catalogue.load("s", [raw(1, holdings=[builders.a_holding(item="C0001")])])
    parent = await peer(catalogue, "CN-TOP", "parent")
    (bib,) = (await leaving(catalogue, parent)).values()
    assert [(held.item, held.call_number != "") for held in bib.holdings] == [("", True)]
    head = await catalogue.head()
    await share(catalogue, "s", items=True)
    (bib,) = (await leaving(catalogue, parent)).values()
    assert [held.item for held in bib.holdings] == ["C0001"] and await catalogue.head() == head + 1
    await fed.feed(catalogue, [told(2, holdings=[fed.held(2, item="S9")])])
    assert ["S9"] in [[held.item for held in b.holdings] for b in (await leaving(catalogue, parent)).values()], (
        "what a child shared is passed on"
    )


async def test_another_childs_record_in_a_cluster_is_news(catalogue: Catalogue) -> None:
    """Its own holdings came by the first one already: but it must hear of what became of its record."""
    first = await peer(catalogue, CHILD, "child")
    second = await peer(catalogue, OTHER, "child")
    await fed.feed(catalogue, [told(1)])
    head = await catalogue.head()
    (number,) = await leaving(catalogue, first)
    assert await leaving(catalogue, second) == {}
    await fed.feed(catalogue, [told(1, child=OTHER, holdings=[fed.held(1)])], child=OTHER)
    assert await catalogue.head() == head + 1
    assert (await leaving(catalogue, second))[number].yours == (ident(1, OTHER),)
    await fed.feed(catalogue, [fed.gone(1, child=OTHER)], child=OTHER)
    assert await catalogue.head() == head + 2


CANARY = "金丝雀"
SHELF = "CANARY-SHELF"


@pytest.mark.parametrize("how", ["hidden", "nothing", "holdings", "dropped"])
async def test_the_canary_is_in_no_output_and_at_no_peer(catalogue: Catalogue, home: Path, how: str) -> None:
    """A record that sings beside one of another source that is shared; a child's record is with them."""
    child = await peer(catalogue, CHILD, "child")
    parent = await peer(catalogue, "CN-TOP", "parent")
    shelf = "A1" if how in ("holdings", "dropped") else SHELF
    await catalogue.source("p")
    profiles: dict[str, dict[str, object]] = {
        "hidden": {"hide": ["300$a=金丝"]},
        "nothing": {"level": "nothing"},
        "holdings": {"level": "holdings"},
        "dropped": {"drop": ["300", "010$d"]},
    }
    singing = [
        raw(n, f300=f"  $a{CANARY}", f010=f"  $a{builders.isbn13(500 + n)}$d{CANARY}1.00",
            f905=f"  $aLIB$bC{n}$d{shelf}$e2")
        for n in (1, 5)
    ]  # fmt: skip
    await catalogue.load("p", singing)
    assert CANARY in await everything_out(catalogue, home / "control"), "the control: without a profile it sings"
    await catalogue.load("a", [raw(1, "seen"), raw(2, "other")])
    await fed.feed(catalogue, [told(1), told(5)])
    await share(catalogue, "p", **profiles[how])
    told_of = [bib for to in (parent, child) for bib in (await leaving(catalogue, to)).values()]
    assert len(told_of) >= 4
    for bib in told_of:
        assert CANARY.encode() not in bib.body + bib.description and SHELF not in str(bib.holdings)
    for state in await states(catalogue):
        if state.outward is not None:
            assert CANARY.encode() not in bodies.grow(state.outward)
    text = await everything_out(catalogue, home / "now")
    assert CANARY not in text and SHELF not in text and "other" in text
    assert ("A1" in text) == (how in ("holdings", "dropped")), "holdings that are shared are shown"


async def test_a_record_that_nothing_is_left_of_is_gone(catalogue: Catalogue) -> None:
    parent = await peer(catalogue, "CN-TOP", "parent")
    await catalogue.load("s", [raw(1)])
    await share(catalogue, "s", drop=["..."])
    assert await shown(catalogue) == [] and await leaving(catalogue, parent) == {}
    await share(catalogue, "s")
    assert len(await shown(catalogue)) == 1 == len(await leaving(catalogue, parent))
