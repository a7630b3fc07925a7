"""A title is found by what its libraries know it by: the numbers of their own records, and their call numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import changes
from catalog.database.pool import Database
from catalog.search import fielded, indexer
from catalog.search.port import Request
from catalog.search.tantivy import TantivyReader
from protocols.query import And, Index, Node, Term, Truncation, Unanswerable
from tests import builders
from tests.pipeline import Catalogue

ISBN = builders.isbn13(700)


def record(number: str, call: str, **given: str) -> bytes:
    """One book, as the library that has this number and call number for it catalogued it."""
    told = {"title": "园冶注释", "isbn": ISBN, "local_id": number, "f905": f"  $aLIB$b{number}-1$s{call}"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    opened = await Catalogue(database).open()
    await opened.source("tju", "CN-TJU")
    await opened.source("szl", "CN-SZL")
    yield opened


async def found(catalogue: Catalogue, home: Path, asked: Node) -> int:
    await indexer.catch_up(catalogue.database.pool, home, feed=changes)
    reader = TantivyReader(home)
    return reader.search(Request(compiled=fielded.compiled(asked))).total


def term(index: Index, text: str, truncation: Truncation = "none") -> Term:
    return Term(index=index, text=text, truncation=truncation)


async def test_each_librarys_numbers_find_the_merged_record(catalogue: Catalogue, tmp_path: Path) -> None:
    await catalogue.load("tju", [record("tj0001234", "TU986/12"), record("tj0009", "I247/9", isbn=builders.isbn13(9))])
    await catalogue.load("szl", [record("SZ 777/8", "T98-5/3")])
    assert len(await catalogue.partition()) == 2
    both = And(term("control", "tj0001234"), term("control", "SZ 777/8"))
    assert await found(catalogue, tmp_path, both) == 1
    for index, text, truncation, wanted in (
        ("control", "tj0009", "none", 1),
        ("control", "(CN-TJU)tj0001234", "none", 1),
        ("control", "(CN-SZL)tj0001234", "none", 0),
        ("control", "tj000", "right", 2),
        ("call", "TU986/12", "none", 1),
        ("call", "tu986 / 12", "none", 1),
        ("call", "T98-5/3", "none", 1),
        ("call", "TU", "right", 1),
        ("call", "TU986", "none", 0),
        ("call", "TU986/13", "none", 0),
    ):
        assert await found(catalogue, tmp_path, term(index, text, truncation)) == wanted, (index, text)  # type: ignore[arg-type]
    with pytest.raises(Unanswerable):
        await found(catalogue, tmp_path, term("call", "T", "right"))


async def test_a_class_and_a_call_number_of_another_classification_are_found(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    given = {"f690": "  $aTU986.2$v5", "f680": "  $aQA76.73$b.P98 L88"}
    await catalogue.load("tju", [record("tj1", "", f905="  $aLIB$bB1", **given)])
    for index, text in (("class", "TU986.2"), ("call", "TU986.2"), ("call", "QA76.73.P98 L88"), ("call", "QA76.73")):
        assert await found(catalogue, tmp_path, term(index, text)) == 1, (index, text)  # type: ignore[arg-type]


async def test_numbers_follow_their_records(catalogue: Catalogue, tmp_path: Path) -> None:
    await catalogue.load("tju", [record("tj1", "TU986/12")])
    await catalogue.load("szl", [record("sz1", "TU986/12")])
    assert await found(catalogue, tmp_path, term("call", "TU986/12")) == 1
    await catalogue.load("tju", [record("tj1", "TU986/99")])
    await catalogue.load("szl", [record("sz2", "TU986/98")], mode="full", assured=True)
    for index, text, wanted in (
        ("call", "TU986/12", 0),
        ("call", "TU986/99", 1),
        ("call", "TU986/98", 1),
        ("control", "tj1", 1),
        ("control", "sz1", 0),
        ("control", "sz2", 1),
    ):
        assert await found(catalogue, tmp_path, term(index, text)) == wanted, text  # type: ignore[arg-type]


async def test_records_without_a_number_of_their_own_are_found_by_none(catalogue: Catalogue) -> None:
    await catalogue.load("tju", [record("", "TU986/12", local_id="")])
    async with catalogue.database.transaction() as conn:
        (state,) = await changes.after(conn, 0, 10)
    assert [(one.library, one.number, one.call_number) for one in state.shelved] == [("CN-TJU", "", "TU986/12")]


@pytest.mark.parametrize(
    ("change", "number", "call"),
    [
        ("origin = 'CN-SZL/ilas/AB/12#3'", "AB/12", "TU986/12"),
        ("covered = true", "tj1", ""),
        ("origin = 'CN-SZL/ilas/h:7#1'", "", "TU986/12"),
    ],
    ids=["another node told of it", "a holdings record tells of it", "it is a holdings record's"],
)
async def test_the_number_is_of_the_librarys_own_bibliographic_record(
    catalogue: Catalogue, change: str, number: str, call: str
) -> None:
    await catalogue.load("tju", [record("tj1", "TU986/12")])
    async with catalogue.database.transaction() as conn:
        await conn.execute(f"update holding set {change}")
        (state,) = await changes.after(conn, 0, 10)
    assert [(one.number, one.call_number) for one in state.shelved] == [(number, call)]
