"""Batch changes: pages, edits that outlive what a library sends, what is refused, and taking it all back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import pytest
import pytest_asyncio

from catalog import batch_records, batches, bodies, dictionaries, loads, original, quarantine, records
from catalog.batches import Batch
from catalog.database.pool import Database
from catalog.model import LoadState
from config.errors import Conflict
from dms import batch_change, batching
from dms.batching import Batching
from protocols.marc import Record
from tests import builders
from tests.pipeline import Catalogue, Inline

OLD, NEW = "图书馆学", "图书馆事业"
CHANGE = (f"606$a {OLD} -> {NEW}",)


def raw(number: int, **given: Any) -> bytes:
    told = {
        "title": f"天工开物图说之{number}",
        "isbn": builders.isbn13(50000 + number),
        "local_id": f"n{number}",
    } | given
    return builders.iso2709(builders.a_cnmarc(**{"f606": f"0 \x1fa{OLD}"} | told))


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def handler(catalogue: Catalogue) -> Batching:
    return Batching(catalogue.database, catalogue.queue, Inline(), asyncio.Event())


async def go_on(catalogue: Catalogue) -> None:
    """What the queue and the matcher do, until nothing is left."""
    async with catalogue.database.connection() as conn:
        waiting = await batches.unfinished(conn)
    for number in waiting:
        await handler(catalogue).handle(batching.encode(number))
    await catalogue.settle()


async def change(
    catalogue: Catalogue,
    lines: Sequence[str] = CHANGE,
    *,
    source: int = 1,
    rule: str = "",
    within: Collection[str] | None = None,
) -> Batch:
    async with catalogue.database.transaction() as conn:
        made = await batches.add(
            conn, batch_change.pack(batch_change.read(lines)), "s", rule=rule, who="os:t", why="词表", within=within
        )
        await batch_records.choose_source(conn, made.batch, source)
    await go_on(catalogue)
    return await again(catalogue, made)


async def undo(catalogue: Catalogue, batch: Batch) -> Batch:
    async with catalogue.database.transaction() as conn:
        await batches.take_back(conn, batch.batch, who="os:t", why="误")
    await go_on(catalogue)
    return await again(catalogue, batch)


async def again(catalogue: Catalogue, batch: Batch) -> Batch:
    async with catalogue.database.connection() as conn:
        return await batches.get(conn, batch.batch)


async def counts(catalogue: Catalogue, batch: Batch) -> dict[str, int]:
    async with catalogue.database.connection() as conn:
        return (await batches.counts(conn, [batch.batch]))[batch.batch]


async def stands(catalogue: Catalogue, local_id: str) -> tuple[Record, original.Received]:
    return await standing(catalogue, 1, local_id)


async def standing(catalogue: Catalogue, source: int, local_id: str) -> tuple[Record, original.Received]:
    async with catalogue.database.connection() as conn:
        row = await records.get(conn, source, local_id)
        assert row is not None
        kept = bodies.open_body(row.body, row.dictionary, await dictionaries.every(conn))
        return original.record(kept, row.carrier, row.encoding), original.received(kept, row.carrier, row.encoding)


async def subjects(catalogue: Catalogue, local_id: str) -> list[str]:
    return [text[4:] for text in (await stands(catalogue, local_id))[0].all("606")]


async def test_a_change_is_made_of_what_was_received(catalogue: Catalogue) -> None:
    sent = [raw(1), raw(2), builders.iso2709(builders.a_cnmarc(title="别的书", local_id="n3", f606="0 \x1fa天文学"))]
    await catalogue.load("a", sent)
    made = await change(catalogue)
    assert made.state == "done" and made.finished_at
    assert await counts(catalogue, made) == {"changed": 2, "same": 1}
    record, came = await stands(catalogue, "n1")
    assert record.all("606") == [f"0 \x1fa{NEW}"]
    assert came.raw + b"\x1d" == sent[0] or came.raw == sent[0], "bytes as received are untouched"
    assert came.receipts == ((f"batch-{made.batch}", "606", 1, f"0 \x1fa{OLD}", f"0 \x1fa{NEW}"),)


async def test_what_is_sent_again_unchanged_stays_changed(catalogue: Catalogue) -> None:
    sent = [raw(1), raw(2)]
    await catalogue.load("a", sent)
    await change(catalogue)
    load = await catalogue.load("a", sent)
    assert (load.unchanged, load.updated) == (2, 0)
    assert await subjects(catalogue, "n1") == [NEW]


async def test_a_changed_record_is_changed_again_if_the_field_is_as_expected(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    await change(catalogue)
    load = await catalogue.load("a", [raw(1, title="天工开物图说新编")])
    assert load.updated == 1
    record, came = await stands(catalogue, "n1")
    assert await subjects(catalogue, "n1") == [NEW] and "新编" in (record.first("200") or "")
    assert b"\xe5\x9b\xbe\xe4\xb9\xa6\xe9\xa6\x86\xe5\xad\xa6" in came.raw


async def test_what_the_library_changed_itself_ends_the_edit_and_is_told(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1), raw(2)])
    made = await change(catalogue)
    theirs = builders.iso2709(
        builders.a_cnmarc(title="天工开物图说之1", isbn=builders.isbn13(50001), local_id="n1", f606="0 \x1fa目录学")
    )
    load = await catalogue.load("a", [theirs])
    assert await subjects(catalogue, "n1") == ["目录学"]
    assert await counts(catalogue, made) == {"changed": 2, "superseded": 1}
    async with catalogue.database.connection() as conn:
        found = await quarantine.findings_of_versions(conn, 1, {"n1": load.load})
    assert ("edit-superseded", f"batch {made.batch}") in found["n1"]
    await catalogue.load("a", [raw(1)])  # it is over: the old value doesn't bring it back
    assert await subjects(catalogue, "n1") == [OLD]
    assert (await catalogue.load("a", [raw(1)])).unchanged == 1


async def test_an_edit_that_an_undone_load_ended_holds_again(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    made = await change(catalogue)
    theirs = builders.iso2709(builders.a_cnmarc(title="天工开物图说之1", local_id="n1", f606=None))
    load = await catalogue.load("a", [theirs])
    assert await subjects(catalogue, "n1") == []
    await catalogue.undo(load.load)
    assert await subjects(catalogue, "n1") == [NEW]
    assert await counts(catalogue, made) == {"changed": 1}
    assert (await catalogue.load("a", [raw(1)])).unchanged == 1


async def test_undo_gives_back_what_was_and_leaves_what_was_changed_since(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1), raw(2), raw(3)])
    before = await catalogue.standing()
    first = await change(catalogue)
    second = await change(catalogue, ["606$a 图书馆事业 -> 图书馆工作", "add 690 ##$aG25"])
    assert await counts(catalogue, second) == {"changed": 3}
    gone = await undo(catalogue, first)
    assert gone.state == "undone" and gone.undone_by == "os:t"
    assert await counts(catalogue, first) == {"kept": 3}
    assert await subjects(catalogue, "n2") == ["图书馆工作"], "the later change stands on the earlier one"
    async with catalogue.database.connection() as conn:
        assert await batches.reasons(conn, first.batch) == [("kept", "changed since: 606", 3)]
    await undo(catalogue, second)
    assert await counts(catalogue, second) == {"undone": 3}
    assert await subjects(catalogue, "n2") == [NEW]
    await undo(catalogue, first)
    assert await counts(catalogue, first) == {"undone": 3}, "what was kept for a later change goes once that is gone"
    assert await catalogue.standing() == before
    with pytest.raises(Conflict, match="undone"):
        await undo(catalogue, first)


async def test_undoing_the_only_batch_leaves_the_catalogue_as_it_was(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1), raw(2)])
    before = await catalogue.standing()
    await undo(catalogue, await change(catalogue, [*CHANGE, "delete 200$f", "add 300 ##$a附光盘"]))
    assert await catalogue.standing() == before
    assert (await catalogue.load("a", [raw(1), raw(2)])).unchanged == 2


async def test_protected_fields_and_what_rules_would_send_back_are_refused_with_the_reason(
    catalogue: Catalogue,
) -> None:
    await catalogue.load("a", [raw(1)])
    for lines, reason in (
        (["delete 001"], "field 001 is protected: the record's number"),
        (["delete 801", "delete 001"], "protected"),
        (["606$a /.*/ -> "], ""),
    ):
        made = await change(catalogue, lines)
        found = await counts(catalogue, made)
        if reason:
            assert found == {"refused": 1}
            async with catalogue.database.connection() as conn:
                assert reason in (await batches.reasons(conn, made.batch))[0][1]
        else:
            assert found == {"changed": 1}


async def test_only_records_that_a_rule_finds_something_in(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1), raw(2, isbn="9787507600019")])
    made = await change(catalogue, rule="isbn-check-digit")
    assert await counts(catalogue, made) == {"changed": 1}
    assert await subjects(catalogue, "n2") == [NEW] and await subjects(catalogue, "n1") == [OLD]


async def test_a_batch_that_stops_half_way_goes_on(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    await catalogue.load("a", [raw(n) for n in range(9)])
    monkeypatch.setattr(batching, "PAGE", 4)
    async with catalogue.database.transaction() as conn:
        made = await batches.add(
            conn, batch_change.pack(batch_change.read(CHANGE)), "s", rule="", who="os:t", why="", within=None
        )
        await batch_records.choose_source(conn, made.batch, 1)
    first, second = handler(catalogue), handler(catalogue)
    assert await first._page(made.batch)
    assert await counts(catalogue, made) == {"changed": 4, "due": 5}
    async with catalogue.database.connection() as conn:
        load = await loads.open_of_source(conn, 1)
    assert load is not None and load.state is LoadState.LANDING
    await asyncio.gather(first.handle(batching.encode(made.batch)), second.handle(batching.encode(made.batch)))
    await catalogue.settle()
    assert await counts(catalogue, made) == {"changed": 9}
    assert (await catalogue.again(load.load)).updated == 9
    with pytest.raises(Conflict, match="tianlu batch undo"):
        await catalogue.undo(load.load)


async def test_a_batch_waits_for_the_load_that_is_under_way(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    held = await catalogue.load("a", [raw(2)], place=False)
    made = await change(catalogue)
    assert (await catalogue.again(held.load)).state is LoadState.DONE and made.state == "due"
    await go_on(catalogue)
    assert await counts(catalogue, made) == {"changed": 1}
