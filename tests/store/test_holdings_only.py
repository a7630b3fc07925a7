"""A source that shares holdings only: parents learn what the library holds, and no output says more than that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from catalog import bodies, changes, clusters, dictionaries, holdings, packing, payload, received, sources, stub
from catalog.model import Format, Visibility, cluster_id
from catalog.payload import Level
from exchange import outward
from tests import builders, linked
from tests.exchanging import pass_on
from tests.linked import LEAF, MIDDLE, TOP, Tier, flow
from tests.postgres import Postgres
from tests.store.test_visibility import everything_out

CANARY = "金丝雀"
TITLE = "园冶注释第1种"


@pytest_asyncio.fixture
async def tiers(server: Postgres, home: Path) -> AsyncIterator[tuple[Tier, Tier, Tier]]:
    async with linked.tiers(server, home) as made:
        yield made


def raw(number: int = 1, *, shelf: str = "TU/1", sings: bool = True, library: str = "LIB") -> bytes:
    """A record that sings wherever it isn't matched by."""
    song = {
        "f010": f"  $a{builders.isbn13(500 + number)}$d{CANARY}12.00", "f300": f"  $a{CANARY}", "f330": f"  $a{CANARY}",
        "f606": f"0 $a{CANARY}", "f690": f"  $a{CANARY}",
        "f901": f"  $a{CANARY}", "f905": f"  $a{library}$bC{number}$d{shelf}",
    }  # fmt: skip
    plain = {"f905": f"  $a{library}$bX{number}$dK/{number}"}
    return builders.iso2709(
        builders.a_cnmarc(
            title=f"园冶注释第{number}种",
            isbn=builders.isbn13(500 + number),
            local_id=f"n{number}",
            **(song if sings else plain),
        )
    )


async def share(tier: Tier, **profile: object) -> None:
    """Give the library's source a profile, as `tianlu source share` does."""
    source = await tier.catalogue.source("opac")
    async with tier.catalogue.database.transaction() as conn:
        await sources.share(conn, source.no, profile)
    await tier.catalogue.settle()


async def kept(tier: Tier, child: str) -> list[tuple[Visibility, bytes]]:
    """What a node keeps of a child's records."""
    source = await tier.catalogue.source(child)
    async with tier.catalogue.database.connection() as conn:
        known = await dictionaries.every(conn)
        rows = await conn.fetch("select visibility, body, dictionary from record where source = $1", source.no)
    return [(Visibility(r["visibility"]), bodies.open_body(r["body"], r["dictionary"], known)) for r in rows]


async def held(tier: Tier) -> list[tuple[str, str]]:
    """(library, call number) of what is shown with the one record of a node."""
    one = await tier.one()
    async with tier.catalogue.database.connection() as conn:
        return sorted((each.library, each.call_number) for _, _, each in await holdings.of_cluster(conn, one.cluster))


async def unseen(tier: Tier, symbol: str, home: Path) -> None:
    """Nothing of the record is in any output of the node, as if it were not there."""
    async with tier.catalogue.database.connection() as conn:
        assert await changes.page(conn, limit=10) == [], "harvesters hear of it neither"
        assert await changes.earliest(conn) > datetime(2000, 1, 1, tzinfo=UTC)
        numbers = [row["cluster"] for row in await conn.fetch("select distinct cluster from membership")]
        assert numbers, "the control: it is there"
        assert [await clusters.resolve(conn, cluster_id(symbol, number)) for number in numbers] == [None]
    text = await everything_out(tier.catalogue, home)
    assert CANARY not in text and TITLE not in text


async def test_parents_learn_of_holdings_and_show_them_with_a_record_that_others_describe(
    tiers: tuple[Tier, Tier, Tier], home: Path
) -> None:
    top, middle, leaf = tiers
    await leaf.catalogue.source("opac")
    await share(leaf, level="holdings")
    await leaf.catalogue.load("opac", [raw()])
    told = [*await flow(top, middle, leaf)]
    for tier, symbol in ((leaf, LEAF), (middle, MIDDLE), (top, TOP)):
        await unseen(tier, symbol, home / symbol)
    for tier, child in ((middle, LEAF), (top, MIDDLE)):
        ((visibility, body),) = await kept(tier, child)
        bib = payload.bib(body)
        assert visibility == Visibility.HOLDINGS and bib.level == Level.HOLDINGS and not bib.description
        assert [each.call_number for each in bib.holdings] == ["TU/1"]
        assert {tag for tag, _ in packing.unpack(bib.body).fields} <= stub.TAGS[Format.CNMARC]

    await middle.catalogue.load("own", [raw(sings=False)])
    told += await flow(top, middle, leaf)
    for tier in (middle, top):
        assert [shelf for _, shelf in await held(tier)] == ["K/1", "TU/1"], "another library describes what both hold"
    async with leaf.catalogue.database.connection() as conn:
        (number,) = [row["cluster"] for row in await conn.fetch("select cluster from membership")]
        ((_, version),) = await received.of_cluster(conn, number)
    assert TITLE.encode() in payload.bib(bodies.grow(version.payload)).body

    await leaf.catalogue.load("opac", [raw(shelf="TU/2")])
    told += await flow(top, middle, leaf)
    assert [shelf for _, shelf in await held(top)] == ["K/1", "TU/2"], "a change of the holdings alone is told"
    assert told and not any(CANARY.encode() in bodies.grow(content) for content in told)


async def test_parents_hear_when_the_profile_changes_and_when_the_record_goes(tiers: tuple[Tier, Tier, Tier]) -> None:
    top, middle, leaf = tiers
    await middle.catalogue.load("own", [raw(sings=False)])
    load = await leaf.catalogue.load("opac", [raw()])
    seen = {}
    for level in ("all", "holdings", "nothing", "holdings", "all", "holdings"):
        await share(leaf, level=level)
        await flow(top, middle, leaf)
        seen[level] = [visibility for visibility, _ in await kept(middle, LEAF)]
        shelves = [shelf for _, shelf in await held(top)]
        assert shelves == (["K/1"] if level == "nothing" else ["K/1", "TU/1"]), level
    assert seen == {"all": [Visibility.PUBLIC], "holdings": [Visibility.HOLDINGS], "nothing": []}
    head = await leaf.catalogue.head()
    assert await flow(top, middle, leaf) == [] and await leaf.catalogue.head() == head, "nothing goes round"
    async with leaf.catalogue.database.connection() as conn:
        (stone,) = await changes.page(conn, limit=10)
    assert stone.deleted and not stone.body, "who harvested it hears that it is gone"
    await leaf.catalogue.undo(load.load)
    await flow(top, middle, leaf)
    assert await kept(middle, LEAF) == [] and [shelf for _, shelf in await held(top)] == ["K/1"]


async def test_a_stub_is_one_as_long_as_nobody_shares_the_record(tiers: tuple[Tier, Tier, Tier]) -> None:
    """Sources of one library: the cluster is described as soon as one of them shares it, and then no more."""
    top, middle, leaf = tiers
    await leaf.catalogue.source("opac")
    await share(leaf, level="holdings", drop=["210"])
    await leaf.catalogue.load("opac", [raw()])
    await flow(top, middle, leaf)
    ((_, body),) = await kept(middle, LEAF)
    record = packing.unpack(payload.bib(body).body)
    assert record.first("200") and record.first("210") is None, "what is kept back isn't in a stub either"
    load = await leaf.catalogue.load("shared", [raw(sings=False)])
    await flow(top, middle, leaf)
    ((visibility, body),) = await kept(middle, LEAF)
    assert visibility == Visibility.PUBLIC and CANARY.encode() not in body
    assert [shelf for _, shelf in await held(middle)] == ["K/1", "TU/1"]
    await leaf.catalogue.undo(load.load)
    await flow(top, middle, leaf)
    ((visibility, body),) = await kept(middle, LEAF)
    assert visibility == Visibility.HOLDINGS
    assert [each.call_number for each in payload.bib(body).holdings] == ["TU/1"]


async def test_a_policy_narrows_stubs_as_it_narrows_records(tiers: tuple[Tier, Tier, Tier]) -> None:
    _, middle, leaf = tiers
    await leaf.catalogue.source("opac")
    await share(leaf, level="holdings")
    await leaf.catalogue.load("opac", [raw()])
    end = leaf.ends[MIDDLE]
    for policy, count in (({"sources": ["other"]}, 0), ({"libraries": ["CN-X"]}, 0), ({"sources": ["opac"]}, 1)):
        published = str(policy)
        end.peer = replace(end.peer, policy=outward.policy(policy), published=published)
        await pass_on(end, middle.ends[LEAF])
        await middle.catalogue.settle()
        assert len(await kept(middle, LEAF)) == count, policy
