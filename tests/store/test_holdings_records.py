"""Holdings records are shown with the bibliographic record that they name, in whatever order the two come and go."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from catalog import attached, changes, holdings, quarantine, sheets, sources
from catalog.database import pool
from catalog.database.pool import Database
from config.errors import Conflict, Misconfigured
from dms import packed, rechecking
from exchange import outward
from protocols import iso2709 as writer
from protocols import marc
from protocols.marc import Record
from tests import builders, data
from tests.pipeline import Catalogue
from tests.postgres import Postgres

LEADER = "00000nx  a2200000zi 4500"


def a_bib(number: str, title: str, **rest: Any) -> bytes:
    return builders.iso2709(builders.a_marc21(local_id=number, title=title, **rest))


def an_mfhd(
    number: str, of: str = "", *, item: str = "", call: str = "", leader: str = LEADER, held: str = ""
) -> bytes:
    fields = [("001", number)] if number else []
    fields += [("004", of)] if of else []
    fields.append(("852", marc.field("0 ", [("b", "MAIN"), ("h", call or f"PZ {number}")])))
    fields += [("866", marc.field(" 0", [("8", "0"), ("a", held)]))] if held else []
    fields += [("876", marc.field("  ", [("p", item)]))] if item else []
    return writer.write(Record(leader, tuple(fields)))


def as_deleted(raw: bytes) -> bytes:
    return raw[:5] + b"d" + raw[6:]


@pytest.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


Shown = dict[str, list[tuple[str, str, str]]]


async def shown(catalogue: Catalogue) -> Shown:
    """By bibliographic record (its cluster's first): (holdings record or own, item, call number) of what is shown."""
    found: Shown = {}
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch(
            """select cluster, min(local_id) name from record join membership using (sid)
               where kind = 0 group by 1"""
        )
        for row in rows:
            copies = await holdings.of_cluster(conn, row["cluster"])
            found[row["name"]] = sorted((name, held.item, held.call_number) for _, name, held in copies)
    return found


async def told(catalogue: Catalogue, source: str, local_id: str) -> list[str]:
    """Rules of what was found on a record."""
    async with catalogue.database.connection() as conn:
        no = (await sources.get(conn, source)).no
        return [
            row["rule"] for row in await quarantine.findings_of(conn, no, local_id) if row["rule"].startswith("hold")
        ]


BARE: dict[str, Any] = {"f852": None}


@pytest.mark.parametrize("first", ["bib", "holdings"])
async def test_a_holdings_record_is_shown_with_its_parent_whichever_comes_first(
    catalogue: Catalogue, first: str
) -> None:
    bib, held = a_bib("b1", "Field notes on salt", **BARE), an_mfhd("h1", "b1", item="i1")
    for raw in [bib, held] if first == "bib" else [held, bib]:
        await catalogue.load("one", [raw])
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ h1")]}
    assert await told(catalogue, "one", "h:h1") == []
    async with catalogue.database.connection() as conn:
        assert await holdings.count(conn) == 1


async def test_one_that_waits_is_told_and_kept(catalogue: Catalogue) -> None:
    load = await catalogue.load("one", [an_mfhd("h1", "b1", item="i1")])
    assert (load.added, load.returned) == (1, 0)
    assert await told(catalogue, "one", "h:h1") == [attached.NO_PARENT]
    async with catalogue.database.connection() as conn:
        no = (await sources.get(conn, "one")).no
        row = (await quarantine.findings_of(conn, no, "h:h1"))[0]
        assert "Parent MARC record is holding" in row["detail"] and "'b1'" in row["detail"]
        total, rows = await attached.waiting(conn, no, 10)
        assert (total, [(row["local_id"], row["ordinal"]) for row in rows]) == (1, [("h:h1", 1)])
    await catalogue.load("one", [a_bib("b1", "Salt")])
    assert await told(catalogue, "one", "h:h1") == []


async def test_a_parent_that_goes_leaves_its_holdings_waiting_and_finds_them_again(catalogue: Catalogue) -> None:
    bib, held = a_bib("b1", "Field notes on salt", **BARE), an_mfhd("h1", "b1", item="i1")
    await catalogue.load("one", [bib])
    await catalogue.load("two", [held])
    gone = await catalogue.load("one", [as_deleted(bib)])
    assert await shown(catalogue) == {}
    assert await told(catalogue, "two", "h:h1") == [attached.NO_PARENT]
    await catalogue.undo(gone.load)
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ h1")]}
    assert await told(catalogue, "two", "h:h1") == []


async def test_holdings_follow_a_parent_that_is_described_anew(catalogue: Catalogue) -> None:
    await catalogue.load("one", [a_bib("b1", "Field notes on salt", isbn=builders.isbn13(5), **BARE)])
    await catalogue.load("one", [an_mfhd("h1", "b1", item="i1")])
    await catalogue.load("one", [a_bib("b1", "A quite different book on rivers", isbn=builders.isbn13(6), **BARE)])
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ h1")]}


async def test_each_load_of_holdings_is_updated_deleted_and_undone_by_itself(catalogue: Catalogue) -> None:
    await catalogue.load("bibs", [a_bib("b1", "Salt", **BARE), a_bib("b2", "Rivers of sand", **BARE)])
    await catalogue.load("held", [an_mfhd("h1", "b1", item="i1"), an_mfhd("h2", "b2", item="i2")])
    head = await catalogue.head()
    moved = await catalogue.load("held", [an_mfhd("h1", "b2", item="i1")], mode="full")
    assert (moved.updated, moved.deleted) == (1, 1)
    assert await shown(catalogue) == {"b1": [("b1", "", "")], "b2": [("h:h1", "i1", "PZ h1")]}
    assert await catalogue.head() > head, "both clusters are published anew"
    await catalogue.undo(moved.load)
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ h1")], "b2": [("h:h2", "i2", "PZ h2")]}
    again = await catalogue.load("held", [an_mfhd("h1", "b1", item="i1"), an_mfhd("h2", "b2", item="i2")])
    assert again.unchanged == 2


async def test_a_copy_that_both_tell_of_counts_once(catalogue: Catalogue) -> None:
    both = builders.a_holding(item="i1", call_number="PZ1")
    bib = builders.iso2709(builders.a_marc21(local_id="b1", title="Salt", holdings=[both]))
    await catalogue.load("one", [bib, an_mfhd("h1", "b1", item="i1", call="PZ 1 .S2")])
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ 1 .S2")]}
    await catalogue.load("one", [as_deleted(an_mfhd("h1", "b1", item="i1"))])
    assert await shown(catalogue) == {"b1": [("b1", "i1", "PZ1")]}


@pytest.mark.parametrize("unit", [1, 2, 1000])
async def test_without_004_the_parent_is_the_record_before(catalogue: Catalogue, unit: int) -> None:
    bibs = [a_bib(f"b{n}", title, **BARE) for n, title in enumerate(("Salt", "Rivers of sand", "Glass and gold"))]
    held = [an_mfhd(f"h{n}", item=f"i{n}") for n in range(4)]
    file = [bibs[0], held[0], bibs[1], held[1], held[2], bibs[2], held[3]]
    await catalogue.load("one", file, unit=unit)
    want = {
        "b0": [("h:h0", "i0", "PZ h0")],
        "b1": [("h:h1", "i1", "PZ h1"), ("h:h2", "i2", "PZ h2")],
        "b2": [("h:h3", "i3", "PZ h3")],
    }
    assert await shown(catalogue) == want
    moved = await catalogue.load("one", [bibs[0], held[0], held[1], bibs[1], held[2]], unit=1000)
    assert (await shown(catalogue))["b0"] == [("h:h0", "i0", "PZ h0"), ("h:h1", "i1", "PZ h1")]
    await catalogue.undo(moved.load)
    assert await shown(catalogue) == want
    source = await catalogue.source("one")
    again = await rechecking.begin(catalogue.database, catalogue.queue, source.no, assured=False)
    await catalogue.settle()
    assert (await catalogue.again(again.load)).returned == 0
    assert await shown(catalogue) == want, "read by itself a record still knows what stood before it"


async def test_of_a_file_that_begins_with_holdings_these_have_no_parent(catalogue: Catalogue) -> None:
    await catalogue.load("one", [an_mfhd("h1"), a_bib("b1", "Salt", **BARE)])
    assert await shown(catalogue) == {"b1": [("b1", "", "")]}
    assert await told(catalogue, "one", "h:h1") == [attached.NO_PARENT]


async def test_behind_what_could_not_be_read_the_parent_is_not_guessed(catalogue: Catalogue) -> None:
    lost = (
        b"00090nam a2200025 a 4500" + b"rubbish that is no directory and no record at all, whoever reads it......\x1d"
    )
    await catalogue.load("one", [a_bib("b1", "Salt", **BARE), lost, an_mfhd("h1", item="i1")])
    assert await shown(catalogue) == {"b1": [("b1", "", "")]}


async def test_a_number_that_two_sources_have_is_no_guess(catalogue: Catalogue) -> None:
    await catalogue.load("one", [a_bib("b1", "Salt", **BARE)])
    await catalogue.load("two", [a_bib("b1", "Rivers of sand", **BARE)])
    await catalogue.load("three", [an_mfhd("h1", "b1", item="i1")])
    assert await told(catalogue, "three", "h:h1") == [attached.AMBIGUOUS]
    await catalogue.load("two", [as_deleted(a_bib("b1", "Rivers of sand", **BARE))])
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ h1")]}
    assert await told(catalogue, "three", "h:h1") == []


async def test_the_holdings_of_another_library_are_not_touched(catalogue: Catalogue) -> None:
    await catalogue.source("one", library="A")
    await catalogue.source("two", library="B")
    await catalogue.load("one", [a_bib("b1", "Salt", **BARE)])
    await catalogue.load("two", [an_mfhd("h1", "b1", item="i1")])
    assert await told(catalogue, "two", "h:h1") == [attached.NO_PARENT]


async def test_holdings_of_a_record_that_is_not_shared_are_not_shown(catalogue: Catalogue) -> None:
    source = await catalogue.source("one")
    await catalogue.load("one", [a_bib("b1", "Salt", **BARE)])
    await catalogue.load("two", [an_mfhd("h1", "b1", item="i1"), a_bib("b2", "Salt", **BARE)])
    assert await shown(catalogue) == {"b1": [("b2", "", ""), ("h:h1", "i1", "PZ h1")]}
    async with catalogue.database.transaction() as conn:
        await sources.share(conn, source.no, {"level": "nothing"})
    await catalogue.settle()
    assert await shown(catalogue) == {"b1": [("b2", "", "")]}
    async with catalogue.database.transaction() as conn:
        await sources.share(conn, source.no, {})
    await catalogue.settle()
    assert await shown(catalogue) == {"b1": [("b2", "", ""), ("h:h1", "i1", "PZ h1")]}


async def test_a_stream_of_records_each_followed_by_its_holdings(catalogue: Catalogue) -> None:
    raw = data.path("holdings/indexdata__reservoir/mfhd.marc").read_bytes()
    load = await catalogue.give("one", raw)
    assert load.added == 14
    found = await shown(catalogue)
    assert len(found) == 7
    assert [name for name, _, _ in found["ocm22544415"]] == ["h:203780362"]
    assert [name for name, _, _ in found["on1328230635"]] == ["h:385266588"]
    assert [item for _, item, _ in found["ocn244067492"]] == ["0111503615010", "0111503969961", "0111504406641"]


async def test_holdings_without_their_parent_are_told(catalogue: Catalogue) -> None:
    raw = data.path("holdings/indexdata__reservoir/mfhd-no-parent.marc").read_bytes()
    await catalogue.give("one", raw)
    assert await told(catalogue, "one", "h:203780362") == [attached.NO_PARENT]


async def test_more_copies_than_can_be_kept_are_told(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_HOLDINGS", 2)
    many = [builders.a_holding(item=f"i{n}") for n in range(5)]
    await catalogue.load("one", [builders.iso2709(builders.a_marc21(local_id="b1", holdings=many))])
    assert [item for _, item, _ in (await shown(catalogue))["b1"]] == ["i0", "i1"]
    assert await told(catalogue, "one", "b1") == ["holdings-too-many"]


async def test_what_is_shown_is_a_function_of_what_is_there(server: Postgres, home: Path) -> None:
    """Parents, holdings, updates and deletions in any order of records and loads end in the same, to the byte."""
    ends = []
    for order in range(3):
        async with server.fresh() as dsn, pool.open(home, dsn) as database:
            ends.append(await shuffled(await Catalogue(database).open(), random.Random(order)))
    assert all(end == ends[0] for end in ends)
    partition, found = ends[0]
    assert len(partition) == 4, "two have one title"
    assert [name for name, _, _ in found["b3"]] == ["h:h3", "h:h9", "h:m3"]
    assert [name for name, _, _ in found["b0"]] == ["h:h0", "h:h10", "h:h4", "h:h6", "h:m0", "h:m4"]


async def shuffled(catalogue: Catalogue, rng: random.Random) -> tuple[dict[frozenset[str], str], Shown]:
    """Load older versions of some records and two that go, then everything as it is in the end, in a random order."""
    titles = ("Salt", "Rivers of sand", "Glass and gold", "Night trains", "Salt")
    final = {("bibs", f"b{n}"): a_bib(f"b{n}", title, **BARE) for n, title in enumerate(titles)}
    final |= {("held", f"h{n}"): an_mfhd(f"h{n}", f"b{n % 6}", item=f"i{n}") for n in range(12)}
    final |= {("bibs", f"m{n}"): an_mfhd(f"m{n}", f"b{n}", held=f"v.{n}") for n in range(5)}
    before = {key: an_mfhd(key[1], "b2", item="x") for key in final if key[0] == "held"}
    before |= {key: a_bib(key[1], f"{key[1]} as it was", **BARE) for key in final if key[1][0] == "b"}
    extra = {("bibs", "b5"): a_bib("b5", "What is gone", **BARE), ("held", "h99"): an_mfhd("h99", "b1", item="i99")}
    first = [*rng.sample(sorted(before.items()), 8), *extra.items()]
    rng.shuffle(first)
    await load_all(catalogue, first, rng)
    rest = [*final.items(), *((key, as_deleted(raw)) for key, raw in extra.items())]
    rng.shuffle(rest)
    await load_all(catalogue, rest, rng)
    for n in (5, 11):
        assert await told(catalogue, "held", f"h:h{n}") == [attached.NO_PARENT]
    async with catalogue.database.connection() as conn:
        assert await holdings.count(conn) == 15, "12 + 5, without the two that wait"
        records = dict(await conn.fetch("select sid, count(*) from record where kind = 0 group by 1"))
        assert dict(await conn.fetch("select sid, records from signature")) == records
    return await catalogue.partition(), await shown(catalogue)


async def load_all(catalogue: Catalogue, some: list[tuple[tuple[str, str], bytes]], rng: random.Random) -> None:
    while some:
        part, some = some[: (size := rng.randint(1, 6))], some[size:]
        for source in sorted({source for (source, _), _ in part}):
            await catalogue.load(source, [raw for (name, _), raw in part if name == source], unit=rng.randint(1, 5))


async def test_sheets_of_holdings_share_what_their_source_shares(catalogue: Catalogue) -> None:
    base = await catalogue.source("main")
    async with catalogue.database.transaction() as conn:
        await sources.share(conn, base.no, {"items": True})
        made = await sheets.companion(conn, await sources.get(conn, "main"), None)
        assert made.sharing == {"items": True}
        await sources.share(conn, base.no, {"level": "holdings"})
        assert (await sources.get(conn, "main-holdings")).sharing == {"level": "holdings"}
        with pytest.raises(Misconfigured):
            await sheets.companion(conn, made, None)
    assert outward.policy({"sources": ["main"]}).sources == frozenset({"main", "main-holdings"})


async def test_a_name_that_another_source_has_is_refused(catalogue: Catalogue) -> None:
    base, _ = await catalogue.source("main"), await catalogue.source("main-holdings")
    async with catalogue.database.transaction() as conn:
        with pytest.raises(Conflict):
            await sheets.companion(conn, base, "barcode")


def lent(raw: bytes, number: str) -> str:
    return f"h:{number}#{hashlib.sha256(raw).hexdigest()[:8]}"


@pytest.mark.parametrize("unit", [1, 2, 1000])
@pytest.mark.parametrize("of", ["", "b1", "SYS-b1"])
async def test_holdings_records_that_bear_their_parents_number_are_all_kept(
    catalogue: Catalogue, of: str, unit: int
) -> None:
    bibs = [
        a_bib(f"b{n}", title, f035=marc.field("  ", [("a", f"SYS-b{n}")]), **BARE)
        for n, title in enumerate(("Salt", "Rivers of sand"))
    ]
    held = [an_mfhd("b1", of, item=f"i{n}") for n in range(3)]
    file = [bibs[0], an_mfhd("b0", of and "b0", item="i9"), bibs[1], *held]
    first = await catalogue.load("one", file, unit=unit)
    assert (first.added, first.superseded) == (6, 0)
    want = sorted((lent(raw, "b1"), f"i{n}", "PZ b1") for n, raw in enumerate(held))
    assert (await shown(catalogue))["b1"] == want
    again = await catalogue.load("one", [*file[:3], *reversed(held)], unit=unit)
    assert (again.unchanged, again.added, again.updated) == (6, 0, 0) or of == ""
    assert (await shown(catalogue))["b1"] == want
    source = await catalogue.source("one")
    await rechecking.begin(catalogue.database, catalogue.queue, source.no, assured=False)
    await catalogue.settle()
    assert (await shown(catalogue))["b1"] == want, "read by itself a record is still called so"


async def test_004_may_be_another_number_of_the_record_before(catalogue: Catalogue) -> None:
    bib = a_bib("b1", "Salt", f035=marc.field("  ", [("a", "SYS128")]), **BARE)
    await catalogue.load("one", [bib, an_mfhd("h1", "SYS128", item="i1"), an_mfhd("h2", "SYS129", item="i2")], unit=2)
    assert await shown(catalogue) == {"b1": [("h:h1", "i1", "PZ h1")]}
    assert await told(catalogue, "one", "h:h2") == [attached.NO_PARENT]


async def test_titles_with_holdings_records_of_the_same_number(catalogue: Catalogue) -> None:
    raw = data.path("marc21-bib/psu-libraries__psulib_traject/sample_psucat.mrc").read_bytes()
    await catalogue.give("one", raw)
    async with catalogue.database.connection() as conn:
        no = (await sources.get(conn, "one")).no
        assert (await attached.waiting(conn, no, 1))[0] == 0
        held = {each for each in raw.split(b"\x1d") if each[6:7] == b"y"}
        assert await conn.fetchval("select count(*) from record where kind = 2") == len(held) > 150


async def test_an_update_that_moves_a_copy_changes_whose_libraries_the_title_is_told_of(catalogue: Catalogue) -> None:
    await catalogue.load("bibs", [a_bib("b1", "Salt", **BARE)])
    mapping = {"libraries": {"NORTH": "CN-N", "SOUTH": "CN-S"}}
    await catalogue.source("held", mapping=mapping)

    def at(branch: str, leader: str = LEADER) -> bytes:
        place = marc.field("8 ", [("b", branch), ("h", "PZ 1")])
        item = marc.field("  ", [("z", "×3")])
        return writer.write(Record(leader, (("001", "b1||Main|"), ("004", "b1"), ("852", place), ("876", item))))

    async def libraries() -> tuple[str, ...]:
        async with catalogue.database.connection() as conn:
            return (await changes.after(conn, 0, 100))[-1].libraries

    await catalogue.load("held", [at("NORTH")])
    assert await libraries() == ("CN-N", "LIB")
    moved = await catalogue.load("held", [at("SOUTH")])
    assert await libraries() == ("CN-S", "LIB"), "which the index follows"
    assert ("h:b1||Main|", "", "PZ 1") in (await shown(catalogue))["b1"]
    await catalogue.load("held", [at("SOUTH", LEADER[:5] + "d" + LEADER[6:])])
    assert await libraries() == ("LIB",)
    assert moved.updated == 1


async def test_holdings_records_without_numbers_come_as_the_set_of_their_title(catalogue: Catalogue) -> None:
    bibs = [a_bib("b1", "Salt", **BARE), a_bib("b2", "Rivers of sand", **BARE)]
    held = [an_mfhd("b1", "b1", item=f"i{n}") for n in range(2)]
    other = an_mfhd("b2", "b2", item="i9")
    await catalogue.load("one", [bibs[0], *held, bibs[1], other])
    changed = an_mfhd("b1", "b1", item="i1", call="Q 1")
    again = await catalogue.load("one", [bibs[0], held[0], changed])
    assert (again.added, again.deleted) == (1, 1)
    want = sorted([(lent(held[0], "b1"), "i0", "PZ b1"), (lent(changed, "b1"), "i1", "Q 1")])
    assert await shown(catalogue) == {"b1": want, "b2": [(lent(other, "b2"), "i9", "PZ b2")]}
    await catalogue.undo(again.load)
    assert sorted(item for _, item, _ in (await shown(catalogue))["b1"]) == ["i0", "i1"]
