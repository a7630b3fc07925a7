"""Our client at our own server: records of one node are copied by another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from catalog.model import Format
from catalog.targets import Target
from config.errors import Refused
from config.secret import Secret
from dms.rules.model import Profile as Rules
from protocols import marc
from protocols.http.guard import Rules as Ways
from protocols.query import Term
from services.copying import lines, probing, queries, seeking, taking, z3950
from services.copying.candidates import Judge
from services.copying.choosing import Wish
from services.copying.lines import Lines
from services.copying.seeking import Sought, Whole
from tests import builders, targets
from tests.z3950 import standing
from tests.z3950.standing import Standing


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    async with standing.door(database, home) as opened:
        yield opened


@pytest_asyncio.fixture
async def kept() -> AsyncIterator[Lines]:
    async def nothing(_target: Target) -> Secret:
        return Secret("")

    async with lines.of(z3950.opener(Ways(), nothing)) as opened:
        yield opened


async def sought(kept: Lines, target: Target, typed: str) -> Sought:
    whole = Whole(targets=[target], wish=Wish(format=Format.CNMARC, language="chi"), judge=Judge(Rules()))
    return await seeking.seek(kept, whole, queries.read(typed))


@pytest.mark.parametrize("negotiates", [True, False])
async def test_a_record_is_found_by_title_and_isbn_and_is_copied(door: Standing, kept: Lines, negotiates: bool) -> None:
    target = targets.a_target("home", port=door.port, negotiates=negotiates)
    for typed in ("天工开物图说", builders.isbn13(2), "title = 天工开物图说", "@attr 1=4 天工开物图说"):
        found = await sought(kept, target, typed)
        best, *_ = found.choice.ranked
        copied = taking.take(best, "cnmarc-calis")
        assert marc.value(copied.record.first("200") or "", "a") == "天工开物图说", typed
        assert "905" not in [tag for tag, _ in copied.record.fields]


async def test_a_target_that_is_told_to_be_in_gbk_is_asked_in_gbk(door: Standing, kept: Lines) -> None:
    target = targets.a_target("home", port=door.port, negotiates=False, terms="gb18030")
    assert (await kept.ask(target, Term(index="title", text="长编"), 5, within=20)).hits == 1


async def test_what_it_can_not_do_is_told_in_words(door: Standing, kept: Lines) -> None:
    target = targets.a_target("home", port=door.port, databases=("nowhere",))
    with pytest.raises(Refused, match=r"home: Database .*nowhere"):
        await kept.ask(target, Term(text="x"), 5, within=20)


async def test_it_says_what_of_it_works(door: Standing) -> None:
    target = targets.a_target("home", port=door.port)
    steps = [each async for each in probing.probe(target, Ways(), Secret(""), ["天工开物"])]
    assert [(each.name, each.works) for each in steps] == [
        ("init", True), ("charset", True), ("search", True), ("present", True),
    ]  # fmt: skip
    assert steps[-1].told["format"] == "CNMARC"
