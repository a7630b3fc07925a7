"""Loads: twice is once, repeats of an id, deletions, full dumps, limits, undo. Over a real database, whole pipeline."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import bodies, clusters, quarantine
from catalog.database.pool import Database
from catalog.model import LoadState, cluster_id
from config.errors import Conflict
from tests import builders
from tests.pipeline import Catalogue

TITLES = (
    "天工开物图说", "梦溪笔谈校证", "齐民要术选读", "农政全书校注", "水经注疏证", "徐霞客游记选",
    "本草纲目拾遗", "营造法式注释", "考工记图说", "九章算术注解", "山海经校译", "洛阳伽蓝记",
    "东京梦华录笺", "武林旧事选注", "陶庵梦忆评注", "闲情偶寄今译", "长物志图考", "园冶注释本",
    "茶经校注集", "随园食单译", "扬州画舫录", "帝京景物略", "日下旧闻考", "广东新语注",
    "滇海虞衡志",
)  # fmt: skip


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(number: int, **given: object) -> bytes:
    """A CNMARC record of a title of its own, 001 = n<number>."""
    told = {
        "title": TITLES[number % len(TITLES)] + ("" if number < len(TITLES) else f"之{number}"),
        "isbn": builders.isbn13(40000 + number),
        "author": f"著者{chr(0x4E00 + number * 7)}",
        "local_id": f"n{number}",
    } | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def cases(catalogue: Catalogue) -> list[tuple[int, str, str, str]]:
    async with catalogue.database.connection() as conn:
        rows = await quarantine.listing(conn, source=None, rule=None, limit=100)
    return sorted((row["ordinal"], row["verdict"], row["rule"], row["local_id"]) for row in rows)


def named() -> list[bytes]:
    return [raw(n) for n in range(6)]


def nameless() -> list[bytes]:
    return [raw(1, local_id=""), raw(2), raw(1, local_id=""), raw(3, local_id=""), raw(1, local_id="")]


def chinese() -> list[bytes]:
    made = (builders.a_cnmarc(title=TITLES[n], local_id=f"g{n}", isbn=builders.isbn13(n)) for n in range(6))
    return [builders.iso2709(record, encoding="gb18030") for record in made]


def lines() -> list[bytes]:
    made = (builders.a_marc21(title=f"Walled gardens {n}", local_id=f"m{n}" if n else "") for n in (0, 1, 2, 0))
    return [builders.marcjson(record).strip() for record in made]


def elements() -> list[bytes]:
    made = (builders.a_cnmarc(title=TITLES[n], local_id=f"x{n}" if n else "") for n in (0, 1, 2, 0))
    return [builders.marcxml(record) for record in made]


@pytest.mark.parametrize(
    ("records", "carrier"),
    [
        (named(), "iso2709"),
        (nameless(), "iso2709"),
        (chinese(), "iso2709"),
        (lines(), "marcjson"),
        ([b"".join(e.partition(b"<record>")[1:]).replace(b"</collection>", b"") for e in elements()], "marcxml"),
    ],
    ids=["named", "nameless", "gb18030", "marcjson", "marcxml"],
)
@pytest.mark.parametrize("unit", [1000, 2])
async def test_loading_twice_changes_nothing(
    catalogue: Catalogue, records: list[bytes], carrier: str, unit: int
) -> None:
    first = await catalogue.load("a", records, carrier=carrier, unit=unit)
    assert (first.state, first.added, first.unreadable) == (LoadState.DONE, len(records), 0)
    before, head = await catalogue.standing(), await catalogue.head()
    assert len(before["records"]) == len(records)
    second = await catalogue.load("a", records, carrier=carrier, unit=unit)
    assert second.state is LoadState.DONE
    assert (second.records, second.unchanged, second.added, second.updated) == (len(records), len(records), 0, 0)
    assert await catalogue.standing() == before
    assert await catalogue.head() == head


async def test_equal_bytes_without_an_id_are_numbered(catalogue: Catalogue) -> None:
    await catalogue.load("a", nameless(), unit=2)
    names = sorted(row["local_id"].partition("#")[2] for row in (await catalogue.standing())["records"])
    assert names == ["", "1", "1", "2", "3"]


async def test_of_rivals_the_newest_wins_in_any_order(catalogue: Catalogue) -> None:
    rivals = [
        raw(1, title="天工开物旧本", stamp="20200101000000.0"),
        raw(1, title="天工开物新本", stamp="20240101000000.0"),
        raw(1, title="天工开物新本", stamp="20240101000000.0"),
        raw(2),
    ]
    for n, order in enumerate(itertools.permutations(rivals)):
        load = await catalogue.load(f"s{n}", order, unit=(1, 2, 1000)[n % 3])
        assert (load.records, load.added, load.superseded) == (4, 2, 2), (n, order)
    standing = {(row["local_id"], row["bytes"]) for row in (await catalogue.standing())["records"]}
    assert standing == {("n1", rivals[1]), ("n2", rivals[3])}
    async with catalogue.database.connection() as conn:
        found = await quarantine.findings_of(conn, 1, "n1")
        assert [row["rule"] for row in found] == ["id-repeated"]


async def test_records_that_lose_to_another_of_their_number_are_kept_with_what_came_back(catalogue: Catalogue) -> None:
    books = [raw(1, title=title) for title in ("天工开物", "梦溪笔谈", "梦溪笔谈", "长物志")]
    load = await catalogue.load("a", [*books, raw(2)], unit=2)
    assert (load.records, load.added, load.superseded, load.returned) == (5, 2, 1, 2)
    standing = {row["bytes"] for row in (await catalogue.standing())["records"]}
    async with catalogue.database.transaction() as conn:
        cases = [row async for row in quarantine.bodies(conn, source=None, rule="id-repeated")]
    lost = {bodies.grow(case["body"]) for case in cases}
    assert lost | standing == {*books, raw(2)} and not lost & standing, "every book is somewhere"
    for case in cases:
        start = case["position"]
        assert b"".join([*books, raw(2)])[start:].startswith(bodies.grow(case["body"]))
        assert [*books, raw(2)][case["ordinal"] - 1] == bodies.grow(case["body"])
    again = await catalogue.load("a", [*books, raw(2)], unit=1)
    assert (again.unchanged, again.returned) == (2, 2)
    await catalogue.load("a", [raw(1, title="天工开物"), raw(3, title="梦溪笔谈"), raw(4, title="长物志")])
    async with catalogue.database.connection() as conn:
        assert await quarantine.groups(conn) == [], "numbers of their own settle it"


async def test_of_rivals_of_one_moment_the_winner_does_not_depend_on_order(catalogue: Catalogue) -> None:
    rivals = [raw(1, title=f"天工开物{n}本") for n in "甲乙丙"]
    for n, order in enumerate(itertools.permutations(rivals)):
        await catalogue.load(f"s{n}", order, unit=1 + n % 3)
    assert len({row["bytes"] for row in (await catalogue.standing())["records"]}) == 1


@pytest.mark.parametrize("standing", [0, 1])
async def test_a_rival_that_stands_already_is_judged_like_the_others(catalogue: Catalogue, standing: int) -> None:
    rivals = [
        raw(1, title="天工开物旧本", stamp="20200101000000.0"),
        raw(1, title="天工开物新本", stamp="20240101000000.0"),
    ]
    await catalogue.load("a", [rivals[standing]])
    load = await catalogue.load("a", rivals, unit=1)
    assert [row["bytes"] for row in (await catalogue.standing())["records"]] == [rivals[1]]
    assert (load.records, load.superseded, load.updated, load.unchanged) == (2, 1, 1 - standing, standing)


def deleted(record: bytes) -> bytes:
    return record[:5] + b"d" + record[6:]


async def ids(catalogue: Catalogue) -> dict[str, str]:
    """Cluster id by local id."""
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select r.local_id, m.cluster from record r join membership m using (sid)")
    return {row["local_id"]: cluster_id("CN-TST", row["cluster"]) for row in rows}


async def test_the_last_record_leaves_a_tombstone_without_an_heir(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1), raw(2)])
    cluster = (await ids(catalogue))["n1"]
    load = await catalogue.load("a", [deleted(raw(1))])
    assert load.deleted == 1
    async with catalogue.database.connection() as conn:
        found = await clusters.resolve(conn, cluster)
    assert found is not None and found.deleted and not found.redirect and found.description is None
    assert set(await ids(catalogue)) == {"n2"}


async def test_deleting_what_is_not_there_changes_nothing(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    head = await catalogue.head()
    load = await catalogue.load("a", [deleted(raw(7))])
    assert (load.state, load.unchanged, load.deleted, await catalogue.head()) == (LoadState.DONE, 1, 0, head)


async def test_joined_and_split_clusters_stay_resolvable_through_chains(catalogue: Catalogue) -> None:
    """Three records of three titles become one, two at a time; every old id finds the cluster in the end."""
    for n, source in enumerate("abc", 1):
        await catalogue.load(source, [raw(n, local_id=f"n{n}")])
    old = await ids(catalogue)
    assert len(set(old.values())) == 3
    await catalogue.load("b", [raw(3, local_id="n2")])
    await catalogue.load("c", [raw(3, local_id="n3")])
    await catalogue.load("a", [raw(3, local_id="n1")])
    now = await ids(catalogue)
    assert len(set(now.values())) == 1
    async with catalogue.database.connection() as conn:
        for local_id, ident in old.items():
            found = await clusters.resolve(conn, ident)
            assert found is not None, local_id
            if not found.deleted:
                assert found.id == now[local_id]
    # And apart again: each record's new cluster is published, none resolves to nothing.
    await catalogue.load("b", [raw(2, local_id="n2")])
    await catalogue.load("c", [raw(5, local_id="n3")])
    apart = await ids(catalogue)
    assert len(set(apart.values())) == 3
    async with catalogue.database.connection() as conn:
        for ident in {*old.values(), *now.values(), *apart.values()}:
            assert await clusters.resolve(conn, ident) is not None


async def test_a_record_that_links_two_clusters_redirects_one_to_the_other(catalogue: Catalogue) -> None:
    """The joining record gone, the redirect stays, and the ids of both halves resolve."""
    left = raw(1, local_id="left", isbn=builders.isbn13(1), pages="")
    await catalogue.load("a", [left])
    right = raw(1, local_id="right", isbn=builders.isbn13(2), pages="")
    await catalogue.load("b", [right])
    both = await ids(catalogue)
    assert both["left"] != both["right"]
    await catalogue.load("b", [raw(1, local_id="right", isbn=builders.isbn13(1), pages="")])
    joined = await ids(catalogue)
    assert joined["left"] == joined["right"]
    async with catalogue.database.connection() as conn:
        for ident in both.values():
            found = await clusters.resolve(conn, ident)
            assert found is not None


async def test_a_full_load_deletes_what_is_absent(catalogue: Catalogue) -> None:
    records = [raw(n) for n in range(10)] + [raw(20, local_id=""), raw(20, local_id=""), raw(21, local_id="")]
    await catalogue.load("a", records, mode="full")
    load = await catalogue.load("a", records[2:], mode="full", unit=3)
    assert (load.state, load.deleted, load.unchanged) == (LoadState.DONE, 2, 11)
    left = {row["local_id"] for row in (await catalogue.standing())["records"]}
    assert "n0" not in left and "n1" not in left and len(left) == 11
    load = await catalogue.load("a", [*records[2:11], records[12]], mode="full", unit=3)
    assert (load.deleted, load.unchanged) == (1, 10), "one of two equal nameless records is absent"


async def test_a_returned_record_is_not_absent_from_a_full_load(database: Database) -> None:
    """The last good version stays when a newer one is returned."""
    catalogue = await Catalogue(database).open()
    await catalogue.load("a", [raw(n) for n in range(4)], mode="full")
    before = await catalogue.standing()
    load = await catalogue.load("a", [empty("n0"), *(raw(n) for n in range(1, 4))], mode="full")
    assert (load.state, load.returned, load.deleted) == (LoadState.DONE, 1, 0)
    assert await catalogue.standing() == before


def empty(local_id: str) -> bytes:
    """A record that nothing describes."""
    record = builders.a_cnmarc(
        local_id=local_id, isbn="", author="", pages="", f200="1 $e", f210=None, f606=None, f690=None, f801=None
    )
    return builders.iso2709(record)


async def test_the_same_file_in_another_encoding_is_a_change(catalogue: Catalogue) -> None:
    """Read wrongly once, it is not for ever `unchanged`."""
    data = b"".join(chinese())
    await catalogue.give("a", data, encoding="latin-1")
    right = await catalogue.give("a", data, encoding="gb18030")
    assert (right.updated, right.unchanged) == (6, 0)
    assert {row["encoding"] for row in (await catalogue.standing())["records"]} == {"gb18030"}


async def test_undo_restores_everything(catalogue: Catalogue) -> None:
    gb = [builders.iso2709(builders.a_cnmarc(title=TITLES[9], local_id="gb"), encoding="gb18030")]
    await catalogue.load("a", [*(raw(n) for n in range(8)), *nameless()[2:], *gb])
    await catalogue.load("b", [raw(n, local_id=f"b{n}") for n in range(5)])
    before = await catalogue.standing()
    changed = [
        raw(1, publisher="中华书局"),
        raw(2, title="另一种书"),
        raw(3, f905="  $aLIB$bT1$dN1$e2$sN1/2"),
        deleted(raw(4)),
        raw(12),
        raw(13, local_id=""),
        builders.iso2709(builders.a_cnmarc(title=TITLES[9], local_id="gb"), encoding="utf-8"),
    ]
    load = await catalogue.load("a", changed, unit=3)
    assert (load.added, load.updated, load.deleted) == (2, 4, 1)
    assert await catalogue.standing() != before
    back = await catalogue.undo(load.load)
    assert back.state is LoadState.DONE
    assert (await catalogue.again(load.load)).state is LoadState.UNDONE
    assert await catalogue.standing() == before
    again = await catalogue.load("a", changed, unit=2)
    assert (again.added, again.updated, again.deleted) == (2, 4, 1), "the same file can be loaded again"


async def test_loads_can_be_undone_one_after_the_other(catalogue: Catalogue) -> None:
    states, numbers = [await catalogue.standing()], []
    for records in ([raw(1), raw(2)], [raw(1, publisher="中华书局"), raw(3)], [deleted(raw(1)), raw(2, pages=3)]):
        numbers.append((await catalogue.load("a", records)).load)
        states.append(await catalogue.standing())
    for number in reversed(numbers):
        assert await catalogue.standing() == states.pop()
        await catalogue.undo(number)
    assert await catalogue.standing() == states.pop()


async def test_undo_of_a_full_load_brings_the_absent_back(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(n) for n in range(5)], mode="full")
    before = await catalogue.standing()
    load = await catalogue.load("a", [raw(9)], mode="full")
    assert (load.added, load.deleted) == (1, 5)
    await catalogue.undo(load.load)
    assert await catalogue.standing() == before


async def test_only_the_newest_load_can_be_undone(catalogue: Catalogue) -> None:
    first = await catalogue.load("a", [raw(1)])
    second = await catalogue.load("a", [raw(2)])
    await catalogue.load("b", [raw(3)])
    with pytest.raises(Conflict, match=f"load {second.load} of the same source came later"):
        await catalogue.undo(first.load)
    back = await catalogue.undo(second.load)
    with pytest.raises(Conflict, match="is itself an undo"):
        await catalogue.undo(back.load)
    with pytest.raises(Conflict, match="undone"):
        await catalogue.undo(second.load)


async def test_a_load_that_changed_nothing_can_be_undone(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    before = await catalogue.standing()
    same = await catalogue.load("a", [raw(1)])
    assert (await catalogue.undo(same.load)).state is LoadState.DONE
    assert await catalogue.standing() == before


async def test_a_changed_mapping_and_a_reload_give_other_holdings(catalogue: Catalogue) -> None:
    shelved = [raw(n, f998=f"  $cN{n}/1$bB{n}") for n in range(3)]
    await catalogue.load("a", shelved)
    assert {row[4] for row in (await catalogue.standing())["holdings"]} == {""}
    async with catalogue.database.transaction() as conn:
        mapping = '{"fields": [{"tag": "998", "call_number": ["c"], "item": ["b"]}]}'
        await conn.execute("update source set mapping = $1::text::jsonb", mapping)
    head = await catalogue.head()
    load = await catalogue.load("a", shelved)
    assert load.updated == 3
    assert [(row[4], row[5]) for row in (await catalogue.standing())["holdings"]] == [
        (f"N{n}/1", f"B{n}") for n in range(3)
    ]
    assert await catalogue.head() == head + 3


async def test_a_changed_call_number_is_published_and_leaves_the_merged_record(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1, f905="  $aLIB$bT1$dN1$e2$sN1/2"), raw(2)])
    before, head = await catalogue.standing(), await catalogue.head()
    await catalogue.load("a", [raw(1, f905="  $aLIB$bT1$dN1$e3$sN1/3")])
    after = await catalogue.standing()
    assert await catalogue.head() == head + 1
    assert after["holdings"] != before["holdings"]
    assert after["partition"] == before["partition"], "merged bytes, description and libraries are what they were"


async def test_two_loads_of_one_source_do_not_begin_at_once(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)], place=False)
    with pytest.raises(Conflict, match="at work"):
        await catalogue.give("a", raw(2))
    await catalogue.settle()
    assert (await catalogue.give("a", raw(2))).state is LoadState.DONE
