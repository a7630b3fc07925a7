"""In which characters clients are read and answered, and what is told of them beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from protocols.marc import value
from protocols.z3950 import charsets, oids
from protocols.z3950.apdu.close import Close, CloseReason
from protocols.z3950.apdu.init import IdPass, Option
from protocols.z3950.apdu.query import AttributeElement, AttributesPlusTerm, RpnQuery, Type1
from protocols.z3950.apdu.scan import ScanRequest, ScanResponse
from protocols.z3950.diagnostics import Bib1
from services.access.policy import Role
from tests import access
from tests.z3950 import standing
from tests.z3950.answers import diagnostic, marc, records
from tests.z3950.standing import Client, Standing, a_term


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    async with standing.door(database, home) as opened:
        yield opened


@pytest_asyncio.fixture
async def client(door: Standing) -> AsyncIterator[Client]:
    async with door.session() as session:
        yield session


@pytest.mark.parametrize("name", ["gbk", "gb18030", "gb2312"])
async def test_a_client_that_negotiates_gets_records_in_its_characters(door: Standing, name: str) -> None:
    wish = (charsets.propose((name,), records=True),)
    async with door.client() as client:
        answer = await client.init(options=standing.OPTIONS | {Option.NEGOTIATION}, other_info=wish)
        assert Option.NEGOTIATION in answer.options
        agreed = charsets.answered(answer.other_info)
        assert agreed is not None
        assert agreed.charset == name
        assert (await client.search(a_term("天工开物".encode("gb18030"), 4, c=3))).result_count == 1
        (record,) = records(await client.present(syntax=oids.UNIMARC))
        made = marc(record, "gb18030")
        assert "天工开物" in (made.first("200") or "")
        assert (made.first("100") or "")[4:][26:30] == "0120"
        (record,) = records(await client.present(syntax=oids.USMARC))
        assert marc(record, "gb18030").leader[9] == " "


async def test_characters_may_be_agreed_on_for_all_but_records(door: Standing) -> None:
    wish = (charsets.propose(("gbk",), records=False),)
    async with door.client() as client:
        await client.init(options=standing.OPTIONS | {Option.NEGOTIATION}, other_info=wish)
        assert (await client.search(a_term("长编".encode("gbk")))).result_count == 1
        (record,) = records(await client.present(syntax=oids.UNIMARC))
        assert value(marc(record).first("200") or "", "a") == "长编"


async def test_a_term_that_is_a_string_of_characters_is_read_as_any_other(client: Client) -> None:
    text = "天工开物".encode("gbk").decode("utf-8", "surrogateescape")
    given = (AttributeElement(attribute_type=1, attribute_value=4),)
    term = AttributesPlusTerm(attributes=given, term=text)
    assert (await client.search(Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=term)))).result_count == 2


async def test_a_client_that_says_nothing_is_understood_all_the_same(door: Standing) -> None:
    async with door.session() as client:
        assert (await client.search(a_term("天工开物".encode("gbk"), 4, c=3))).result_count == 1
        (record,) = records(await client.present(syntax=oids.UNIMARC))
        assert "天工开物" in (marc(record, "gb18030").first("200") or ""), "it reads what it writes"
    async with door.session() as client:
        assert (await client.search("天工开物")).result_count == 2
        (record,) = records(await client.present(syntax=oids.UNIMARC))
        assert "天工开物" in (marc(record).first("200") or "")


async def test_a_client_that_says_nothing_and_begins_with_a_list_reads_it(client: Client) -> None:
    start = a_term("天".encode("gbk")).query.rpn
    assert isinstance(start, AttributesPlusTerm)
    request = ScanRequest(database_names=("Default",), term_list_and_start_point=start, number_of_terms_requested=3)
    listed = await client.ask(request, ScanResponse)
    assert listed.entries is not None
    assert "天工开物".encode("gbk") in [each.term for each in listed.entries.entries or ()]  # type: ignore[union-attr]


def a_scan(octets: bytes) -> ScanRequest:
    start = a_term(octets).query.rpn
    assert isinstance(start, AttributesPlusTerm)
    return ScanRequest(database_names=("Default",), term_list_and_start_point=start, number_of_terms_requested=9)


@pytest.mark.parametrize("text", ["économie", "история"])
async def test_words_of_other_scripts_in_utf8_are_no_chinese(client: Client, text: str) -> None:
    await client.ask(a_scan(text.encode()), ScanResponse)
    listed = await client.ask(a_scan("天".encode()), ScanResponse)
    assert listed.entries is not None
    assert "天工开物".encode() in [each.term for each in listed.entries.entries or ()]  # type: ignore[union-attr]
    await client.search("长编")
    (record,) = records(await client.present(syntax=oids.UNIMARC))
    assert "长编" in (marc(record).first("200") or "")


async def test_what_can_be_utf8_alone_ends_what_was_guessed(client: Client) -> None:
    await client.ask(a_scan("天".encode("gbk")), ScanResponse)
    assert (await client.search("天工开物")).result_count == 2
    (record,) = records(await client.present(syntax=oids.UNIMARC))
    assert "天工开物" in (marc(record).first("200") or "")


@pytest.mark.parametrize("octets", ["楼梦".encode(), "什么".encode("gbk")])
async def test_a_reading_that_makes_no_sense_stops_none_that_does(client: Client, octets: bytes) -> None:
    """In the other encoding they end in Latin letters, of which too few are left where a word is cut."""
    assert (await client.search(a_term(octets, t=2))).search_status


async def test_what_is_told_of_an_address_counts(database: Database, home: Path) -> None:
    people = "sichuan charset=gb18030; wang databases=CNMARC-NLC+Default-CN-TJU records=1 sessions=1 charset=gbk"
    async with standing.door(database, home, clients=people) as door:
        async with database.connection() as conn:
            await access.an_account(conn, "wang", Role.COPYIST)
        async with door.client() as client:
            assert (await client.init(IdPass(user_id="wang", password=access.PASSWORD))).result
            assert diagnostic(await client.search("天工开物"))[0] == Bib1.DATABASE_DENIED
            assert (await client.search(a_term("天工开物".encode("gbk")), "CNMARC-NLC")).result_count == 2
            assert len(records(await client.present(1, 1))) == 1
            assert diagnostic(await client.present(2, 1)) == (12, "1")
            asked = a_term("天工开物".encode("gbk"))
            along = await client.search(asked, "CNMARC-NLC", small_set_upper_bound=9, large_set_lower_bound=10)
            assert (along.result_count, len(records(along))) == (2, 1)
            async with door.client() as second:
                refused = await second.init(IdPass(user_id="wang", password=access.PASSWORD))
                assert not refused.result
            await client.ask(Close(close_reason=CloseReason.FINISHED), Close)
            assert await client.heard() is None
        async with door.client() as third:
            assert (await third.init(IdPass(user_id="wang", password=access.PASSWORD))).result, "the first is over"
