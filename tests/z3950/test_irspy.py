"""What IRSpy asks a server to find out what it can do: nothing of it ends the session, and what we say that we can, we
can. (IRSpy takes servers for working whose titles have "mineral" and "computer" in them.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from catalog.model import Format
from protocols.z3950 import oids, opac, pqf
from protocols.z3950.apdu import Option, SearchResponse
from protocols.z3950.apdu.parts import DefaultDiagFormat, External, Single
from protocols.z3950.apdu.query import Type1
from protocols.z3950.apdu.records import NamePlusRecord, SurrogateDiagnostic
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.primitive import Oid
from tests import builders
from tests.stocked import Stock
from tests.z3950 import standing
from tests.z3950.standing import Client, Standing

TITLES = (
    "Mineral waters of the north",
    "A mineral atlas",
    "The mineral kingdom: a computer catalogue",
    "The computer in the library",
    "Computer science for geologists",
)
USES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 21, 27, 30, 31, 32, 33, 52, 54, 59, 62, 63, 1002, 1003, 1004, 1005,
        1006, 1007, 1008, 1009, 1010, 1016, 1018, 1021, 1027, 1028, 1031, 1032, 1033, 1035, 1036, 1051, 1080, 1097,
        1183, 1184, 1193, 5000, 9999)  # fmt: skip
KNOWN = (1, 4, 7, 8, 12, 21, 31, 1003, 1016, 1018, 1035)
SYNTAXES = {
    **{f"national MARC {arc}": (*oids.Z3950, 5, arc) for arc in range(1, 33)},
    **oids.SYNTAXES,
    "explain": (*oids.Z3950, 5, 100),
    "pdf": (*oids.Z3950, 5, 109, 1),
}
GIVEN = {oids.UNIMARC, oids.USMARC, oids.SUTRS, oids.OPAC, oids.XML}


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    stock = [
        Stock(
            record=builders.a_marc21(title=title, author="Harrow, Edith", local_id=f"i{number}"),
            format=Format.MARC21,
            holdings=(builders.a_holding(builders.HKS, item=f"I{number}"),),
        )
        for number, title in enumerate(TITLES)
    ]
    async with standing.door(database, home, stock) as opened:
        yield opened


@pytest_asyncio.fixture
async def client(door: Standing) -> AsyncIterator[Client]:
    async with door.session() as session:
        yield session


async def asked(client: Client, query: str, **given: object) -> SearchResponse:
    return await client.search(Type1(pqf.parse(query)), **given)


def number(answer: SearchResponse) -> int:
    assert isinstance(answer.records, DefaultDiagFormat)
    return answer.records.condition


async def record(client: Client, syntax: Oid) -> NamePlusRecord | DefaultDiagFormat:
    answer = await client.present(1, 1, syntax)
    if isinstance(answer.records, DefaultDiagFormat):
        return answer.records
    assert isinstance(answer.records, tuple)
    (one,) = answer.records
    return one


@pytest.mark.parametrize(("word", "hits"), [("mineral", 3), ("computer", 3)])
async def test_titles_are_found(client: Client, word: str, hits: int) -> None:
    assert (await asked(client, f"@attr 1=4 {word}")).result_count == hits
    assert (await asked(client, word)).result_count >= hits


async def test_every_use_attribute_is_searched_or_named_in_a_diagnostic(client: Client) -> None:
    searched = set()
    for use in USES:
        answer = await asked(client, f"@attr 1={use} mineral")
        if answer.search_status:
            searched.add(use)
            continue
        assert isinstance(answer.records, DefaultDiagFormat)
        why = answer.records.condition, answer.records.text
        if why == (Bib1.ILLEGAL_TERM_VALUE, "mineral"):  # numbers or dates are searched for
            searched.add(use)
        else:
            assert why == (Bib1.USE_ATTRIBUTE, str(use))
    assert searched >= set(KNOWN)
    assert 9999 not in searched


async def test_operators_relate_as_sets_do(client: Client) -> None:
    both, either, first = [
        (await asked(client, f"{operator} @attr 1=4 mineral @attr 1=4 computer")).result_count
        for operator in ("@and", "@or", "@not")
    ]
    assert (both, either, first) == (1, 5, 2)


async def test_sets_have_names_if_we_say_so(door: Standing) -> None:
    async with door.client() as client:
        assert Option.NAMED_RESULT_SETS in (await client.init()).options
        first = await asked(client, "@attr 1=4 mineral", result_set_name="a")
        second = await asked(client, "@attr 1=4 computer", result_set_name="b")
        assert (await asked(client, "@set a", result_set_name="c")).result_count == first.result_count
        assert (await asked(client, "@and @set a @set b", result_set_name="c")).result_count == 1
        assert second.result_count == 3
        assert number(await asked(client, "@set nosuch", result_set_name="c")) == Bib1.NO_SUCH_SET


async def test_records_come_in_the_syntaxes_that_we_know_and_others_are_refused_by_number(client: Client) -> None:
    await asked(client, "@attr 1=4 mineral")
    given = set()
    for syntax in SYNTAXES.values():
        match await record(client, syntax):
            case NamePlusRecord(record=External() as found):
                assert found.direct_reference == syntax
                given.add(syntax)
            case NamePlusRecord(record=SurrogateDiagnostic(DefaultDiagFormat() as why)):
                assert why.condition in (Bib1.NOT_IN_SYNTAX, Bib1.SYNTAX)
            case DefaultDiagFormat() as why:
                assert (why.condition, why.text) == (Bib1.SYNTAX, oids.dotted(syntax))
            case other:
                pytest.fail(f"{syntax}: {other}")
    assert given == GIVEN


async def test_holdings_come_with_the_record_in_opac(client: Client) -> None:
    await asked(client, "@attr 1=4 computer")
    found = await record(client, oids.OPAC)
    assert isinstance(found, NamePlusRecord)
    assert isinstance(found.record, External)
    assert isinstance(found.record.encoding, Single)
    read = opac.OPAC_RECORD.decode(found.record.encoding.octets)
    assert read.bibliographic_record
    assert read.holdings_data


@pytest.mark.parametrize("name", ["IR-Explain-1", "nosuch"])
async def test_databases_that_there_are_not_are_said_not_to_be(client: Client, name: str) -> None:
    answer = await client.search(Type1(pqf.parse("@attr 1=4 mineral")), name)
    assert number(answer) == Bib1.NO_SUCH_DATABASE
