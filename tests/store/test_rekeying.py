"""Re-keying over a real database: clusters, pins, decisions, holdings and history keep to their records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from catalog import clusters, decisions, pins, rekeys, renaming, sheets
from catalog.database.pool import Database
from catalog.model import LoadState
from config.errors import Conflict
from dms import rekey_reading, rekeying
from dms.pipeline import Habits
from dms.rekeying import Compared
from tests import builders
from tests.pipeline import Catalogue
from tests.store.test_authority import LU_XUN
from tests.store.test_holdings_records import an_mfhd
from tests.store.test_loads import raw


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def before(number: int, **given: object) -> bytes:
    """A record as the old system had it: id n<number>."""
    return raw(number, **given)


def after(number: int, new: str, *, old: bool = True, **given: object) -> bytes:
    """The same out of the new system, which keeps the old id in 935."""
    more = {"f935": f"  \x1fan{number}"} if old else {}
    return raw(number, local_id=new, **more, **given)


async def compared(catalogue: Catalogue, name: str, new: Sequence[bytes], identity: str = "") -> Compared:
    there = await rekeying.standing(catalogue.database, name)
    source = replace(there.source, identity=identity or there.source.identity)
    habits = Habits(source=source, carrier="iso2709", encoding="auto")
    ids = rekey_reading.Ids.of(one.local_id for one in there.records)
    seen = rekey_reading.read(b"".join(new), habits, there.source.identity, ids)
    return await rekeying.compare(catalogue.database, there, rekey_reading.merged([seen]), {})


async def rekeyed(
    catalogue: Catalogue, name: str, new: Sequence[bytes], *, load: bool = True, identity: str = ""
) -> int:
    found = await compared(catalogue, name, new, identity)
    rule = identity or found.standing.source.identity
    async with catalogue.database.transaction() as conn:
        number = await rekeying.begin(conn, found, identity=rule, origin="new.mrc", fingerprint=b"new")
    await catalogue.settle()
    if load:
        done = await catalogue.load(name, new, mode="full", assured=True)
        assert done.state is LoadState.DONE
    return number


async def placed(catalogue: Catalogue, name: str = "a") -> dict[str, int]:
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch(
            """select r.local_id, m.cluster from record r join source s using (source) join membership m using (sid)
               where s.name = $1""",
            name,
        )
    return {row["local_id"]: row["cluster"] for row in rows}


def held(number: int) -> dict[str, Any]:
    return {"holdings": [builders.a_holding(call_number=f"K{number}", item=f"T{number:07}")]}


async def test_clusters_stay_and_nothing_is_told_anew(catalogue: Catalogue) -> None:
    await catalogue.load("b", [raw(n, local_id=f"b{n}") for n in range(0, 12, 2)])
    await catalogue.load("a", [before(n, **held(n)) for n in range(12)])
    was, head = await placed(catalogue), await catalogue.head()
    await rekeyed(catalogue, "a", [raw(n, local_id=f"x{n:04}", **held(n)) for n in range(12)])
    now = await placed(catalogue)
    assert now == {f"x{n:04}": was[f"n{n}"] for n in range(12)}
    assert await catalogue.head() == head


async def test_ids_that_other_records_had_before(catalogue: Catalogue) -> None:
    """The new system counts from 1 as the old one did: every id is taken by another record."""
    count = 9
    await catalogue.load("a", [before(n, **held(n)) for n in range(count)])
    was, head = await placed(catalogue), await catalogue.head()
    await rekeyed(catalogue, "a", [raw(n, local_id=f"n{(n + 4) % count}", **held(n)) for n in range(count)])
    now = await placed(catalogue)
    assert now == {f"n{(n + 4) % count}": was[f"n{n}"] for n in range(count)}
    assert await catalogue.head() == head
    async with catalogue.database.connection() as conn:
        origins = await conn.fetch("select local_id, named from holding order by local_id")
    assert {row["local_id"]: row["named"] for row in origins} == {f"n{(n + 4) % count}": f"n{n}" for n in range(count)}


async def test_pins_and_decisions_are_about_the_same_records(catalogue: Catalogue) -> None:
    await catalogue.load("a", [before(1), before(2), before(3)])
    await catalogue.load("b", [raw(1, local_id="b1"), raw(4, local_id="b4")])
    one = await catalogue.source("a")
    other = await catalogue.source("b")
    async with catalogue.database.transaction() as conn:
        await decisions.add(
            conn, "join", [(one.no, "n2")], [(other.no, "b4")], clusters=[], library="", who="w", why="same"
        )
        await decisions.add(
            conn, "apart", [(one.no, "n1")], [(other.no, "b1")], clusters=[], library="", who="w", why="not"
        )
    await catalogue.settle()
    was = await placed(catalogue)
    assert was["n2"] == (await placed(catalogue, "b"))["b4"]
    assert was["n1"] != (await placed(catalogue, "b"))["b1"]
    await rekeyed(catalogue, "a", [after(n, f"x{n}") for n in (1, 2, 3)])
    now = await placed(catalogue)
    assert now == {f"x{n}": was[f"n{n}"] for n in (1, 2, 3)}
    async with catalogue.database.connection() as conn:
        named = [(d.records, d.others) for d in await decisions.recent(conn, 9)]
        assert named == [(((one.no, "x1"),), ((other.no, "b1"),)), (((one.no, "x2"),), ((other.no, "b4"),))]
        assert await pins.named(conn, one.no, ["x1", "x2", "x3", "n1", "n2"]) == {"x1", "x2"}
    async with catalogue.database.transaction() as conn:
        for number in (1, 2):
            await decisions.take_back(conn, number, who="w", why="no")
    await catalogue.settle()
    assert (await placed(catalogue))["x1"] == (await placed(catalogue, "b"))["b1"]


async def test_what_has_no_pair_resolves_and_says_why(catalogue: Catalogue) -> None:
    await catalogue.load("a", [before(n) for n in (1, 2, 3)])
    was = await placed(catalogue)
    number = await rekeyed(catalogue, "a", [after(1, "x1"), after(2, "n3"), raw(7, local_id="x7")])
    source = await catalogue.source("a")
    assert await placed(catalogue) == {"x1": was["n1"], "n3": was["n2"], "x7": (await placed(catalogue))["x7"]}
    async with catalogue.database.connection() as conn:
        (there,) = await rekeys.became(conn, source.no, "n1")
        assert (there.new, there.rekey) == ("x1", number)
        (gone,) = await rekeys.became(conn, source.no, "n3")
        assert (gone.new, gone.cluster) == (None, was["n3"])
        assert gone.evidence
        assert [one.old for one in await rekeys.formerly(conn, source.no, "n3")] == ["n2"]
        assert await clusters.resolve(conn, f"CN-TST.{was['n3']:06}") is not None


async def test_ids_are_followed_through_several_migrations(catalogue: Catalogue) -> None:
    await catalogue.load("a", [before(n) for n in (1, 2)])
    await rekeyed(catalogue, "a", [after(1, "n2"), after(2, "n1")])
    await rekeyed(catalogue, "a", [raw(1, local_id="z1"), raw(2, local_id="z2")])
    source = await catalogue.source("a")
    async with catalogue.database.connection() as conn:
        assert [one.new for one in await rekeys.became(conn, source.no, "n1")] == ["n2", "z1"]
        assert [one.old for one in await rekeys.formerly(conn, source.no, "z1")] == ["n2"]


async def test_the_identity_rule_may_change_at_the_same_time(catalogue: Catalogue) -> None:
    """The same file named by 035 instead of 001: the rule of before tells which is which."""
    file = [raw(n, f035=f"  \x1fa(LIB){n + 700}") for n in range(5)]
    await catalogue.load("a", file)
    was = await placed(catalogue)
    await rekeyed(catalogue, "a", file, identity="035a")
    assert await placed(catalogue) == {f"(LIB){n + 700}": was[f"n{n}"] for n in range(5)}
    assert (await catalogue.source("a")).identity == "035a"


async def test_steps_go_on_where_they_were_cut_off(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekeying, "BATCH", 2)
    count = 7
    await catalogue.load("a", [before(n, **held(n)) for n in range(count)])
    was = await placed(catalogue)
    new = [raw(n, local_id=f"n{(n + 1) % count}", **held(n)) for n in range(count)]
    found = await compared(catalogue, "a", new)
    async with catalogue.database.transaction() as conn:
        await rekeying.begin(conn, found, identity="001", origin="new", fingerprint=b"")
    with pytest.raises(ZeroDivisionError):
        async with catalogue.database.transaction() as conn:  # as if killed before it was committed
            await rekeying.next_steps(conn, catalogue.matcher.memory)
            _ = 1 / 0
    for _ in range(2):
        await catalogue.matcher.step()
        with pytest.raises(Conflict, match="other ids"):
            await catalogue.load("a", new)
    assert set((await placed(catalogue)).values()) == set(was.values())
    await catalogue.settle()
    assert await placed(catalogue) == {f"n{(n + 1) % count}": was[f"n{n}"] for n in range(count)}


async def test_a_load_from_before_is_not_undone(catalogue: Catalogue) -> None:
    load = await catalogue.load("a", [before(1)])
    await rekeyed(catalogue, "a", [after(1, "x1")], load=False)
    with pytest.raises(Conflict, match="other ids"):
        await catalogue.undo(load.load)


async def test_a_source_that_changed_meanwhile_is_compared_again(catalogue: Catalogue) -> None:
    await catalogue.load("a", [before(1)])
    found = await compared(catalogue, "a", [after(1, "x1")])
    await catalogue.load("a", [before(2)])
    with pytest.raises(Conflict, match="compare again"):
        async with catalogue.database.transaction() as conn:
            await rekeying.begin(conn, found, identity="001", origin="new", fingerprint=b"")


async def test_copies_of_a_new_record_under_an_old_id_are_its_own(catalogue: Catalogue) -> None:
    await catalogue.load("a", [before(1, **held(1))])
    await rekeyed(catalogue, "a", [after(1, "x1", **held(1))])
    await catalogue.load("a", [raw(8, local_id="n1", **held(8))])
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select local_id, case when named = '' then local_id else named end named from holding")
    named = {row["local_id"]: row["named"] for row in rows}
    assert named["x1"] == "n1"
    assert named["n1"] != "n1"


async def test_records_made_one_leave_their_pins_to_it(catalogue: Catalogue) -> None:
    await catalogue.load("a", [before(1), before(2, title="天工开物续编")])
    await catalogue.load("b", [raw(9, local_id="b9")])
    one, other = await catalogue.source("a"), await catalogue.source("b")
    async with catalogue.database.transaction() as conn:
        await decisions.add(
            conn, "join", [(one.no, "n2")], [(other.no, "b9")], clusters=[], library="", who="w", why="same"
        )
    await catalogue.settle()
    there = await rekeying.standing(catalogue.database, "a")
    new = raw(1, local_id="x1")
    seen = rekey_reading.read(new, Habits(source=there.source, carrier="iso2709", encoding="auto"), "001",
                              rekey_reading.Ids.of(["n1", "n2"]))  # fmt: skip
    told = {"n1": "x1", "n2": "x1"}
    found = await rekeying.compare(catalogue.database, there, rekey_reading.merged([seen]), told)
    assert [(pair.old, pair.new) for pair in found.pairing.joined] == [("n2", "x1")]
    async with catalogue.database.transaction() as conn:
        await rekeying.begin(conn, found, identity="001", origin="new", fingerprint=b"")
    await catalogue.settle()
    await catalogue.load("a", [new], mode="full", assured=True)
    assert (await placed(catalogue))["x1"] == (await placed(catalogue, "b"))["b9"]


async def test_all_that_names_a_record_is_known(catalogue: Catalogue) -> None:
    """A new table that names source records is to be moved with them, or to be listed here with a reason."""
    left = {
        "record_before", "quarantine_before",  # of loads that can't be undone any more
        "authority",  # follows its record by a foreign key
        "base_choice", "authority_conflict",  # catalog.said
        "rekeyed", "rekey_step",
    }  # fmt: skip
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch(
            """select table_name, column_name from information_schema.columns
               where table_schema = current_schema() and column_name like '%local_id%'"""
        )
    named = {(row["table_name"], row["column_name"]) for row in rows if row["table_name"] not in left}
    moved = {(table, name) for table, _, name in (*renaming._KEYED, *renaming._POINTING)}
    assert named <= moved | {(table, "local_id") for table in renaming._LISTED}


@pytest.mark.parametrize("shift", [0, 1])
async def test_holdings_records_keep_their_parents(catalogue: Catalogue, shift: int) -> None:
    """In the same source, where they get other ids too, and on sheets that come from elsewhere with the old ids."""
    bibs = [builders.a_marc21(local_id=f"{n}", title=f"Walled gardens {n}") for n in range(4)]
    made = [builders.iso2709(bib) for bib in bibs]
    await catalogue.load("a", [*made, *(an_mfhd(f"{n}", f"{n}", item=f"I{n}") for n in range(4))])
    base = await catalogue.source("a")
    async with catalogue.database.transaction() as conn:
        sheet = await sheets.companion(conn, base, None)
    rows = [an_mfhd(f"s{n}", f"{n}", item=f"S{n}") for n in range(4)]
    await catalogue.load(sheet.name, rows)

    async def seen() -> list[tuple[str, str]]:
        async with catalogue.database.connection() as conn:
            found = await conn.fetch(
                """select h.item, m.cluster from holding h join record r using (source, local_id)
                   join membership m using (sid) where h.item <> ''"""
            )
        return sorted((row["item"], row["cluster"]) for row in found)

    was = await seen()
    assert len(was) == 8
    names = {n: f"{(n + 1) % 4}" if shift else f"x{n}" for n in range(4)}
    new = [builders.iso2709(builders.a_marc21(local_id=names[n], title=f"Walled gardens {n}")) for n in range(4)]
    await rekeyed(catalogue, "a", [*new, *(an_mfhd(names[n], names[n], item=f"I{n}") for n in range(4))])
    assert await seen() == was
    again = await catalogue.load(sheet.name, rows)
    assert (again.unchanged, await seen()) == (4, was)


async def test_authorities_batches_and_findings_go_with_their_records(catalogue: Catalogue) -> None:
    await catalogue.load("a", [builders.iso2709(LU_XUN)], mode="full")
    source = await catalogue.source("a")
    async with catalogue.database.transaction() as conn:
        await conn.execute("insert into batch (change, selection, who, why) values ('{}', 's', 'w', 'y')")
        await conn.execute("insert into batch_record (batch, source, local_id) values (1, $1, 'a1')", source.no)
        await conn.execute(
            "insert into finding values (1, $1, 'LIB', 'a1', 1, 'some-rule', 'detail')",
            source.no,
        )
        await renaming.rename(conn, source.no, {"a1": "a9"}, {})
        for table in ("authority", "batch_record", "finding", "record"):
            assert await conn.fetchval(f"select array_agg(distinct local_id) from {table}") == ["a9"], table


@pytest.mark.parametrize("of", [True, False], ids=["named", "placed"])
@pytest.mark.parametrize("unit", [1, 2, 9])
async def test_holdings_records_with_their_parents_number_are_named_as_a_load_names_them(
    catalogue: Catalogue, unit: int, of: bool
) -> None:
    file = []
    for n in range(3):
        bib = builders.a_marc21(local_id=f"b{n}", title=f"Walled gardens {n}")
        file += [builders.iso2709(bib), *(an_mfhd(f"b{n}", f"b{n}" if of else "", item=f"I{n}{m}") for m in range(2))]
    await catalogue.load("a", file, unit=unit)
    there = await rekeying.standing(catalogue.database, "a")
    habits = Habits(source=there.source, carrier="iso2709", encoding="auto")
    ids = rekey_reading.Ids.of(one.local_id for one in there.records)
    parts = [rekey_reading.read(b"".join(file[n : n + unit]), habits, "001", ids) for n in range(0, len(file), unit)]
    named = [one.local_id for one in rekey_reading.merged(parts)]
    assert sorted(named) == sorted(one.local_id for one in there.records)
    assert len([name for name in named if "#" in name]) == 6
