"""Records that a rule sends back: counted by rule and source, mended after a look, read again, undone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import bodies, dictionaries, original, profiles, quarantine, records, sources
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import Carrier, LoadState
from config.errors import NotFound
from config.settings import Limits
from dms import quality_scope
from exchange import returns
from services.returning import again, files, previews
from tests import builders
from tests.pipeline import Catalogue

RULE = "isbn-qualifier"  # $a 978… (精装): a rule with a fix, an error under the library's profile


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    opened = await Catalogue(database).open()
    await opened.source("a")
    async with database.transaction() as conn:
        made = await profiles.add(
            conn, "LIB", {RULE: "error", "no-description": "error"}, [], who="test", why="strict about numbers"
        )
        await profiles.activate(conn, made.profile)
    yield opened


def raw(number: int, *, wrong: bool = False, title: str = "") -> bytes:
    isbn = builders.isbn13(500 + number)
    return builders.iso2709(
        builders.a_cnmarc(
            title=title or f"园冶注释第{number}种", isbn=isbn + ("(精装)" if wrong else ""), local_id=f"n{number}"
        )
    )


async def groups(catalogue: Catalogue) -> list[tuple[str, str, int]]:
    async with catalogue.database.connection() as conn:
        return [(row["source"], row["rule"], row["n"]) for row in await quarantine.groups(conn)]


async def rerun(catalogue: Catalogue, rule: str | None, *mends: str) -> list[Load]:
    async with catalogue.database.connection() as conn:
        source = await sources.get(conn, "a")
    begun = await again.begin(catalogue.database, catalogue.queue, source, rule=rule, mends=mends)
    await catalogue.settle()
    return [await catalogue.again(load.load) for load in begun]


async def test_what_a_rule_sends_back_is_previewed_mended_and_taken(catalogue: Catalogue) -> None:
    load = await catalogue.load("a", [raw(n, wrong=n % 3 == 0) for n in range(9)], assured=True)
    assert (load.state, load.added, load.returned) == (LoadState.DONE, 6, 3)
    assert await groups(catalogue) == [("a", RULE, 3)]
    async with catalogue.database.transaction() as conn:
        profile = await quality_scope.of_library(conn, "LIB")
        cases = [row async for row in quarantine.bodies(conn, source=None, rule=RULE)]
    seen = [previews.preview(previews.opened(case), profile, (RULE,)) for case in cases]
    assert [each.passes for each in seen] == [True] * 3
    assert all(RULE in {one.rule for one in each.findings} for each in seen)
    assert {each.receipts[0].tag for each in seen} == {"010"}
    assert await groups(catalogue) == [("a", RULE, 3)]  # looking changes nothing
    (fixed,) = await rerun(catalogue, RULE, RULE)
    assert (fixed.state, fixed.added, fixed.mended, fixed.returned) == (LoadState.DONE, 3, 3, 0)
    assert await groups(catalogue) == []
    kept = await _kept(catalogue, "n3")
    assert kept.carrier == Carrier.ISO2709 and kept.raw == raw(3, wrong=True)
    assert [receipt[0] for receipt in kept.receipts] == [RULE]


async def test_the_same_bytes_sent_again_change_nothing(catalogue: Catalogue) -> None:
    sent = [raw(n, wrong=n == 1) for n in range(3)]
    await catalogue.load("a", sent, assured=True)
    await rerun(catalogue, RULE, RULE)
    load = await catalogue.load("a", [*sent, raw(7)], assured=True)
    assert (load.unchanged, load.added, load.returned) == (3, 1, 0)


async def test_an_undo_of_the_mended_puts_them_back_where_they_were(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(n, wrong=n == 1) for n in range(3)], assured=True)
    before = await _cases(catalogue)
    (fixed,) = await rerun(catalogue, RULE, RULE)
    assert await _cases(catalogue) == []
    await catalogue.undo(fixed.load)
    assert await _cases(catalogue) == before
    (second,) = await rerun(catalogue, RULE, RULE)
    assert (second.added, await groups(catalogue)) == (1, [])


async def test_what_comes_back_again_keeps_its_place(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(n, wrong=n > 0) for n in range(3)], assured=True)
    before = await _cases(catalogue)
    (load,) = await rerun(catalogue, RULE)  # without a fix
    assert (load.records, load.returned) == (2, 2)
    assert await _cases(catalogue) == before
    async with catalogue.database.connection() as conn:
        assert {row["running"] for row in await quarantine.groups(conn)} == {0}


async def test_what_does_not_fit_in_memory_waits_on_disk(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "IN_MEMORY", 1000)
    monkeypatch.setattr(again, "PAGE", 7)
    await catalogue.load("a", [raw(n, wrong=True) for n in range(30)], assured=True)
    (fixed,) = await rerun(catalogue, RULE, RULE)
    assert (fixed.added, fixed.mended, await groups(catalogue)) == (30, 30, [])


async def test_only_the_cases_of_the_rule_are_read_again(catalogue: Catalogue) -> None:
    nothing = b"00047xxx this is no record \x1d"
    await catalogue.load("a", [raw(1, wrong=True), nothing, raw(2)], assured=True)
    (load,) = await rerun(catalogue, RULE, RULE)
    assert (load.records, await groups(catalogue)) == (1, [("a", "not-a-record", 1)])
    with pytest.raises(NotFound, match="nothing that came back"):
        await rerun(catalogue, RULE, RULE)


async def test_a_corrected_load_clears_them_and_its_undo_brings_them_back(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1, wrong=True), raw(2)], assured=True)
    corrected = await catalogue.load("a", [raw(1)], assured=True)
    assert (corrected.added, await groups(catalogue)) == (1, [])
    await catalogue.undo(corrected.load)
    assert await groups(catalogue) == [("a", RULE, 1)]


async def test_a_newer_version_that_came_back_stands_for_the_older(catalogue: Catalogue) -> None:
    old, new = raw(1, wrong=True, title="旧题名"), raw(1, wrong=True, title="新题名")
    await catalogue.load("a", [old, raw(2)], assured=True)
    await catalogue.load("a", [new], assured=True)
    assert [case[1] for case in await _cases(catalogue)] == [2]
    (fixed,) = await rerun(catalogue, RULE, RULE)
    assert (fixed.records, fixed.added, await groups(catalogue)) == (1, 1, [])
    assert (await _kept(catalogue, "n1")).raw == new
    await catalogue.undo(fixed.load)
    await catalogue.undo(2)
    assert [case[1] for case in await _cases(catalogue)] == [1]


async def test_a_load_of_which_a_rule_returns_too_much_is_held(catalogue: Catalogue) -> None:
    catalogue.matcher.limits = Limits()
    load = await catalogue.load("a", [raw(n, wrong=n % 2 == 0) for n in range(120)])
    assert load.state is LoadState.HELD and "came back" in load.reason
    assert await ids(catalogue) == set()


async def test_files_of_what_came_back(catalogue: Catalogue) -> None:
    nothing = b"00047=1+1 this is no record \x1d"
    await catalogue.load("a", [raw(1, wrong=True), nothing, raw(2)], assured=True)
    found = {to: await _file(catalogue, to) for to in ("raw", *files.WRITERS)}
    assert found["raw"] == raw(1, wrong=True) + nothing
    assert found["marc"] == raw(1, wrong=True)
    table = found["csv"].decode("utf-8-sig").splitlines()
    assert table[0].startswith("编号,数据源") and RULE in found["csv"].decode()
    assert "园冶注释第1种" in found["csv"].decode()
    assert found["csv"].startswith(b"\xef\xbb\xbf")


async def ids(catalogue: Catalogue) -> set[str]:
    return {row["local_id"] for row in (await catalogue.standing())["records"]}


async def _cases(catalogue: Catalogue) -> list[tuple[object, ...]]:
    async with catalogue.database.connection() as conn:
        found = await quarantine.listing(conn, source=None, rule=None, limit=99)
    told = ("id", "load", "position", "ordinal", "local_id", "rule", "reason")
    return sorted(tuple(row[name] for name in told) for row in found)


async def _file(catalogue: Catalogue, to: str) -> bytes:
    async with catalogue.database.transaction() as conn:
        return b"".join([piece async for piece in files.pieces(conn, to, "zh", source=None, rule=None)])


async def _kept(catalogue: Catalogue, local_id: str) -> original.Received:
    async with catalogue.database.connection() as conn:
        source = await sources.get(conn, "a")
        row = await records.get(conn, source.no, local_id)
        assert row is not None
        known = await dictionaries.of(conn, [row.dictionary])
    return original.received(bodies.open_body(row.body, row.dictionary, known), row.carrier, row.encoding)
