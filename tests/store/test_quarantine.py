"""What can't be taken is kept with source, position, reason and bytes; its neighbours are loaded, it may come back."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import bodies, quarantine
from catalog.database.pool import Database
from catalog.facts import Facts
from catalog.loads import Load
from catalog.model import Format, LoadState
from config.errors import NotFound
from dms import formats
from dms.rules.model import Kind
from exchange import landing, returns
from protocols import stream
from protocols.marc import Record
from tests import builders
from tests.pipeline import Catalogue, an_input

RUBBISH = b"00047xxx this is no record \x1d"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(number: int, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": f"n{number}"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


def empty(local_id: str) -> bytes:
    """A record that nothing describes."""
    gone = dict.fromkeys(("f210", "f606", "f690", "f801"))
    return builders.iso2709(builders.a_cnmarc(local_id=local_id, isbn="", author="", pages="", f200="1 $e", **gone))


async def cases(catalogue: Catalogue) -> list[tuple[str, int, int, str, str, str, bytes]]:
    """(source, position, ordinal, local id, verdict, rule, bytes), in order of the input."""
    async with catalogue.database.transaction() as conn:
        rows = [row async for row in quarantine.bodies(conn, source=None, rule=None)]
    found = [
        (r["source_name"], r["position"], r["ordinal"], r["local_id"], r["verdict"], r["rule"], bodies.grow(r["body"]))
        for r in rows
    ]
    assert all(row["reason"] for row in rows)
    return sorted(found, key=lambda case: case[:3])


async def ids(catalogue: Catalogue) -> set[str]:
    return {row["local_id"] for row in (await catalogue.standing())["records"]}


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_an_unreadable_record_costs_only_itself(catalogue: Catalogue, place: int) -> None:
    records = [raw(n) for n in range(6)]
    data = b"".join([*records[:place], RUBBISH, *records[place:]])
    load = await catalogue.give("a", data)
    assert (load.state, load.added, load.unreadable, load.records) == (LoadState.DONE, 6, 1, 7)
    (case,) = await cases(catalogue)
    assert case[:5] == ("a", len(b"".join(records[:place])), place + 1, "", "unreadable")
    assert case[6] == RUBBISH == data[case[1] : case[1] + len(RUBBISH)]
    assert await ids(catalogue) == {f"n{n}" for n in range(6)}


async def test_an_unreadable_line_of_json_costs_only_itself(catalogue: Catalogue) -> None:
    lines = [builders.marcjson(builders.a_marc21(title=f"Gardens {n}", local_id=f"m{n}")) for n in range(4)]
    bad = b'{"leader": "00000nam a2200000 c 4500", "fields": [{"001": "m9"}, {"245":'
    data = b"".join(lines[:2]) + bad + b"\n" + b"".join(lines[2:])
    load = await catalogue.give("a", data)
    assert (load.added, load.unreadable) == (4, 1)
    (case,) = await cases(catalogue)
    assert case[1:3] == (data.index(bad), 3) and case[6] == bad


async def test_an_unreadable_element_of_xml_costs_only_itself(catalogue: Catalogue) -> None:
    records = [builders.a_marc21(title=f"Gardens {n}", local_id=f"m{n}") for n in range(4)]
    whole = builders.marcxml(*records)
    second = whole.index(b"<record>", whole.index(b"<record>") + 1)
    third = whole.index(b"<record>", second + 1)
    bad = b"<record><leader>00000nam a2200000 c 4500</leader><datafield tag=</record>"
    data = whole[:third] + bad + b"\n" + whole[third:]
    load = await catalogue.give("a", data)
    assert (load.added, load.unreadable) == (4, 1)
    (case,) = await cases(catalogue)
    assert case[1] == third and case[2] == 3 and case[6] == bad


async def test_a_returned_record_is_named_and_placed(catalogue: Catalogue) -> None:
    data = raw(1) + empty("x1") + raw(2) + empty("") + empty("")
    load = await catalogue.give("a", data)
    assert (load.added, load.returned) == (2, 3)
    found = await cases(catalogue)
    assert found[0][1:4] == (len(raw(1)), 2, "x1")
    assert [(case[2], data[case[1] : case[1] + len(case[6])] == case[6]) for case in found] == [
        (2, True), (4, True), (5, True)
    ]  # fmt: skip


async def test_a_good_version_settles_a_returned_one(catalogue: Catalogue) -> None:
    await catalogue.give("a", empty("n1") + empty("n2") + RUBBISH)
    await catalogue.give("a", raw(1))
    assert [case[3] for case in await cases(catalogue)] == ["n2", ""]


async def test_the_version_that_stands_already_settles_a_returned_one_too(catalogue: Catalogue) -> None:
    await catalogue.give("a", raw(1))
    await catalogue.give("a", empty("n1"))
    assert len(await cases(catalogue)) == 1
    load = await catalogue.give("a", raw(1) + raw(2))
    assert (load.unchanged, load.added) == (1, 1)
    assert await cases(catalogue) == []


async def test_another_sources_record_settles_nothing(catalogue: Catalogue) -> None:
    await catalogue.give("a", empty("n1"))
    await catalogue.give("b", raw(1))
    assert len(await cases(catalogue)) == 1


async def test_the_same_rubbish_again_is_one_case(catalogue: Catalogue) -> None:
    data = raw(1) + RUBBISH + raw(2) + RUBBISH
    await catalogue.give("a", data)
    before = await cases(catalogue)
    assert len(before) == 2, "twice in one file are two"
    again = await catalogue.give("a", data)
    assert again.unreadable == 2
    assert await cases(catalogue) == before


async def test_undo_takes_its_cases_with_it(catalogue: Catalogue) -> None:
    load = await catalogue.give("a", raw(1) + RUBBISH)
    await catalogue.undo(load.load)
    assert await cases(catalogue) == []


async def test_cases_read_again_are_settled_or_stand_once(catalogue: Catalogue) -> None:
    """What `quarantine rerun` does: the good ones (after an upgrade) are loaded, the others stand as they did."""
    source = await catalogue.source("a")
    raws = [raw(5), RUBBISH]
    inputs = returns.inputs(raws, "iso2709")
    load = await landing.open_load(catalogue.database, source, inputs, mode="changes", encoding="auto", assured=True)
    await landing.land(
        catalogue.database, catalogue.queue, source, load, inputs, lambda position, records: None, habits=b""
    )
    await catalogue.settle()
    assert await ids(catalogue) == {"n5"}
    assert [case[6] for case in await cases(catalogue)] == [RUBBISH]


async def test_cases_are_listed_and_dropped_by_rule_and_source(catalogue: Catalogue) -> None:
    await catalogue.give("a", RUBBISH + empty("n1") + raw(2))
    await catalogue.give("b", RUBBISH + raw(2))
    a = (await catalogue.source("a")).no
    async with catalogue.database.transaction() as conn:
        listed = await quarantine.listing(conn, source=a, rule="no-description", limit=10)
        assert [row["local_id"] for row in listed] == ["n1"]
        assert await quarantine.drop(conn, source=a, rule="no-description") == 1
        assert await quarantine.drop(conn, source=a, rule=None) == 1
        with pytest.raises(NotFound):
            await quarantine.get(conn, listed[0]["id"])
    assert [case[0] for case in await cases(catalogue)] == ["b"]


async def test_a_cut_gzip_is_loaded_as_far_as_it_goes_and_its_fault_counted_once(catalogue: Catalogue) -> None:
    records = [raw(n) for n in range(400)]
    packer = zlib.compressobj(wbits=31)
    whole = packer.compress(b"".join(records)) + packer.flush()
    for _ in range(2):
        load = await catalogue.give("a", whole[: len(whole) // 2])
        assert load.state is LoadState.DONE and load.added + load.unchanged > 100
        assert len([case for case in await cases(catalogue) if case[5] == "input-fault"]) == 1


async def test_a_fault_in_the_input_is_counted_once_however_often_landing_is_taken_up(catalogue: Catalogue) -> None:
    """The process dies between the fault's commit and the end of landing."""
    packer = zlib.compressobj(wbits=31)
    whole = packer.compress(b"".join(raw(n) for n in range(400))) + packer.flush()
    for after in (2, 2, 100):
        load = await interrupted(catalogue, whole[: len(whole) // 2], after)
    await catalogue.settle()
    done = await catalogue.again(load.load)
    assert done.state is LoadState.DONE and done.added > 100
    assert done.unreadable == len(await cases(catalogue)) and done.records == done.added + done.unreadable


class Died(Exception):
    """In the place of kill -9."""


async def interrupted(catalogue: Catalogue, data: bytes, after: int) -> Load:
    """Land an input, or as much of it as is done after so many stretches."""
    seen = 0

    def progress(position: int, records: int) -> None:
        nonlocal seen
        seen += 1
        if seen == after:
            raise Died

    source = await catalogue.source("a")
    inputs = an_input(data)
    load = await landing.open_load(catalogue.database, source, inputs, mode="changes", encoding="auto", assured=True)
    with contextlib.suppress(Died):
        await landing.land(catalogue.database, catalogue.queue, source, load, inputs, progress, habits=b"")
    return load


async def test_what_is_too_long_to_be_a_record_is_passed_over_once(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking the landing up again behind it never sets the checkpoint back."""
    monkeypatch.setattr(stream, "MAX_RECORD", stream.SIZE)
    data = raw(1) + b"x" * (stream.SIZE * 5 // 2) + b"\x1d" + b"".join(raw(n) for n in range(2, 6))
    for after in (1, 2, 3, 100):
        load = await interrupted(catalogue, data, after)
    await catalogue.settle()
    done = await catalogue.again(load.load)
    assert (done.state, done.added, done.unreadable, done.records) == (LoadState.DONE, 5, 1, 6)
    (case,) = await cases(catalogue)
    assert case[1:3] == (len(raw(1)), 2) and case[5] == "input-fault"


async def test_a_record_that_our_own_rules_fail_on_costs_only_itself(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in one record must not stop the others."""
    real = formats.facts

    def faulty(record: Record, fmt: Format, *, kind: Kind | None = None, held: bool = False) -> Facts:
        facts = real(record, fmt, kind=kind, held=held)
        if "第3种" in facts.titles[0]:
            raise ZeroDivisionError("a planted fault")
        return facts

    monkeypatch.setattr(formats, "facts", faulty)
    load = await catalogue.give("a", b"".join(raw(n) for n in range(6)))
    assert (load.state, load.added, load.returned) == (LoadState.DONE, 5, 1)
    (case,) = await cases(catalogue)
    assert case[1:6] == (len(raw(0) + raw(1) + raw(2)), 4, "n3", "returned", "fault") and case[6] == raw(3)


@pytest.mark.parametrize("carrier", ["iso2709", "marcjson"])
async def test_text_that_a_database_cannot_hold_is_no_obstacle(catalogue: Catalogue, carrier: str) -> None:
    """NUL and lone surrogates in ids, titles and holdings."""
    nasty = {"title": "园冶\x00注\ud800释", "local_id": "n\x007", "f905": "  $aLI\x00B$bT\x001$dN\x00$sN\x001/2"}
    if carrier == "iso2709":
        data = raw(1) + raw(7, **{k: v.replace("\ud800", "") for k, v in nasty.items()}) + raw(2)
    else:
        records = [builders.a_cnmarc(**given) for given in ({"local_id": "n1"}, nasty, {"local_id": "n2"})]
        data = b"".join(json.dumps(builders._json(record)).encode() + b"\n" for record in records)
    load = await catalogue.give("a", data)
    assert load.state is LoadState.DONE
    assert load.added + load.returned + load.unreadable == 3 and {"n1", "n2"} <= await ids(catalogue)
