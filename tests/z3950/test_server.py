"""The server over real sockets: sessions, searches and records as clients of libraries ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from catalog.model import Format
from config.errors import Misconfigured
from config.settings import Z3950
from node import place
from node.z3950 import databases, scopes
from protocols.marc import value
from protocols.z3950 import oids, opac, sutrs
from protocols.z3950.apdu.close import Close, CloseReason
from protocols.z3950.apdu.control import TriggerResourceControlRequest
from protocols.z3950.apdu.extended import ExtendedServicesRequest, ExtendedServicesResponse
from protocols.z3950.apdu.init import Option
from protocols.z3950.apdu.parts import External, Single
from protocols.z3950.apdu.present import CompSpec, PresentRequest, PresentResponse, Range, Segment, Specification, Uri
from protocols.z3950.apdu.query import And, AndNot, AttributeElement, Or, RpnOperation, RpnQuery, Type1, Type2, Type104
from protocols.z3950.apdu.records import PresentStatus, SurrogateDiagnostic
from protocols.z3950.apdu.scan import ScanRequest, ScanResponse
from protocols.z3950.apdu.search import SearchResponse
from protocols.z3950.apdu.sets import (
    DeleteRequest,
    DeleteResponse,
    SortAttributes,
    SortKeySpec,
    SortRequest,
    SortResponse,
)
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.primitive import GENERAL
from services.discovery.registry import Registry
from services.retrieval import remembered
from tests import builders, stocked
from tests.stocked import Stock
from tests.z3950 import standing
from tests.z3950.answers import diagnostic, marc, octets, records, surrogate
from tests.z3950.standing import Client, Standing, a_search, a_term


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    async with standing.door(database, home) as opened:
        yield opened


@pytest_asyncio.fixture
async def client(door: Standing) -> AsyncIterator[Client]:
    async with door.session() as session:
        yield session


async def test_a_record_is_found_and_taken_in_the_dialect_of_the_database(client: Client) -> None:
    for database, syntax, title in (
        ("CNMARC-NLC", None, "1 \x1fa天工开物\x1f9tian gong kai wu\x1ff宋应星著"),
        ("CNMARC-CALIS", None, "1 \x1fa天工开物\x1fAtian gong kai wu\x1ff宋应星著"),
        ("MARC21", None, ""),
        ("Default", oids.UNIMARC, "1 \x1fa天工开物\x1f9tian gong kai wu\x1ff宋应星著"),
        ("default", oids.USMARC, ""),
    ):
        found = await client.search(a_term("天工开物", 4, c=3), database)
        assert (found.result_count, found.search_status) == (1, True)
        (record,) = records(await client.present(syntax=syntax))
        assert isinstance(record.record, External)
        assert record.record.direct_reference == (oids.UNIMARC if title else oids.USMARC)
        made = marc(record)
        assert not made.all("905", "852"), "copies of a library are its own"
        if title:
            assert made.first("200") == title
            assert "\x1f9pan" in made.first("701") or "song ying xing" in made.first("701")  # type: ignore[operator]
            assert made.leader[9] == " "
            assert made.first("100")[4:][26:30] == "50  "  # type: ignore[index]
        else:
            assert "\x1fa天工开物" in (made.first("245") or "")
            assert "song ying xing" in "".join(made.all("880")), "pinyin comes along in MARC 21 too"
            assert made.leader[9] == "a"
            assert not made.first("003")


async def test_the_databases_that_are_listed_are_those_that_answer(door: Standing, client: Client) -> None:
    known = databases.of(Z3950())
    async with door.node.database.connection() as conn:
        directory = await Registry().look(conn, 0.0)
    listed = scopes.answered(known, place.place(door.node), directory)
    answering = [each for each in known.every() if (await client.search("天工开物", each.name)).search_status]
    assert list(listed) == answering
    assert 4 <= len(listed) < len(known.every())


async def test_a_scope_of_a_database_is_the_libraries_that_it_names(client: Client) -> None:
    assert (await client.search("天工开物")).result_count == 2
    assert (await client.search("天工开物", "Default-CN-TJU")).result_count == 1
    assert (await client.search("天工开物", "MARC21-cn-szl")).result_count == 2
    assert (await client.search("天工开物", "Default-CN-HKS")).result_count == 0
    assert diagnostic(await client.search("天工开物", "Default-nation")) == (
        Bib1.DATABASE_UNAVAILABLE,
        "Default-nation",
    )
    for name in ("Nowhere", "Default-NOSUCH"):
        assert diagnostic(await client.search("天工开物", name)) == (Bib1.NO_SUCH_DATABASE, name)
    assert (await client.search("天工开物", "Default-CN-TJU", "Default-CN-SZL")).result_count == 2
    found = await client.search("天工开物", "MARC21", "CNMARC-NLC")
    assert diagnostic(found) == (Bib1.DATABASES_COMBINED, "CNMARC-NLC")


def joined(op: And | Or | AndNot, *parts: str | Type1) -> Type1:
    rpn = [each if isinstance(each, str) else each.query.rpn for each in parts]
    return Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=RpnOperation(rpn1=rpn[0], rpn2=rpn[1], op=op)))


async def test_sets_are_named_replaced_used_in_queries_and_deleted(client: Client) -> None:
    assert (await client.search("天工开物", result_set_name="one")).result_count == 2
    again = await client.ask(a_search(a_term("长编"), result_set_name="one", replace_indicator=False), SearchResponse)
    assert diagnostic(again) == (Bib1.SET_EXISTS, "one")
    narrowed = joined(And(), "one", a_term("潘吉星", 1003))
    assert (await client.search(narrowed, result_set_name="two")).result_count == 1
    assert (await client.search(joined(AndNot(), "one", "two"), result_set_name="three")).result_count == 1
    assert (await client.search(joined(Or(), "two", a_term("长编")), result_set_name="two")).result_count == 2
    unknown = await client.search(joined(And(), "none", a_term("长编")))
    assert diagnostic(unknown)[0] == Bib1.NO_SUCH_SET
    assert diagnostic(await client.present(name="none")) == (Bib1.NO_SUCH_SET, "none")
    deleted = await client.ask(DeleteRequest(delete_function=0, result_set_list=("one", "none")), DeleteResponse)
    assert [each.status for each in deleted.delete_list_statuses or ()] == [0, 1]
    assert diagnostic(await client.present(name="one"))[0] == Bib1.NO_SUCH_SET
    assert (await client.present(name="two")).present_status == PresentStatus.SUCCESS
    await client.ask(DeleteRequest(delete_function=1), DeleteResponse)
    assert diagnostic(await client.present(name="two"))[0] == Bib1.NO_SUCH_SET


async def test_of_too_many_sets_the_one_that_was_used_longest_ago_goes(database: Database, home: Path) -> None:
    async with standing.door(database, home, sets=2) as door, door.session() as client:
        for name in "ab":
            await client.search("长编", result_set_name=name)
        await client.present(name="a")
        assert (await client.search("长编", result_set_name="c")).search_status
        assert diagnostic(await client.present(name="b")) == (Bib1.NO_SUCH_SET, "b")
        for name in "ac":
            assert (await client.present(name=name)).present_status == PresentStatus.SUCCESS


async def test_records_come_with_the_answer_where_that_is_asked_for(client: Client) -> None:
    small = await client.search("天工开物", small_set_upper_bound=2, large_set_lower_bound=3)
    assert (len(records(small)), small.number_of_records_returned, small.next_result_set_position) == (2, 2, 0)
    asked = {"small_set_upper_bound": 0, "large_set_lower_bound": 5, "medium_set_present_number": 1}
    medium = await client.search("天工开物", **asked, preferred_record_syntax=oids.USMARC)
    assert (len(records(medium)), medium.next_result_set_position) == (1, 2)
    brief = await client.search("天工开物", **asked, medium_set_element_set_names="B")
    assert not marc(records(brief)[0]).all("606", "690")
    large = await client.search("天工开物", large_set_lower_bound=2)
    assert large.records is None
    assert large.present_status is None
    wrong = await client.search("天工开物", **asked, preferred_record_syntax=oids.GRS_1)
    assert (wrong.search_status, wrong.result_count) == (True, 2)
    assert (wrong.present_status, diagnostic(wrong)) == (PresentStatus.FAILURE, (Bib1.SYNTAX, "1.2.840.10003.5.105"))


async def test_present_says_what_it_cannot_give(client: Client) -> None:
    await client.search("天工开物")
    for start, count in ((0, 1), (1, 3), (3, 1), (1, -1)):
        assert diagnostic(await client.present(start, count))[0] == Bib1.OUT_OF_RANGE
    assert diagnostic(await client.present(record_composition="X")) == (Bib1.ELEMENT_SET_NAME, "x")
    assert diagnostic(await client.present(syntax=oids.SUMMARY)) == (Bib1.SYNTAX, "1.2.840.10003.5.103")
    schema = CompSpec(select_alternative_syntax=False, generic=Specification(schema=Uri("urn:none")))
    assert diagnostic(await client.present(syntax=oids.XML, record_composition=schema))[0] == Bib1.ELEMENT_SET_NAME
    assert (
        len(records(await client.present(1, 1, additional_ranges=(Range(starting_position=2, number_of_records=1),))))
        == 2
    )
    assert records(await client.present(1, 0)) == ()


async def test_records_come_in_every_form(client: Client) -> None:
    await client.search(a_term("天工开物", 4, c=3))
    (xml,) = records(await client.present(syntax=oids.XML))
    assert octets(xml).startswith(b'<record xmlns="http://www.loc.gov/MARC21/slim">')
    (mods,) = records(await client.present(syntax=oids.XML, record_composition="mods"))
    assert octets(mods).startswith(b"<mods ")
    schema = CompSpec(select_alternative_syntax=False, generic=Specification(schema=Uri("info:srw/schema/1/dc-v1.1")))
    (dc,) = records(await client.present(syntax=oids.XML, record_composition=schema))
    assert "天工开物".encode() in octets(dc)
    (text,) = records(await client.present(syntax=oids.SUTRS))
    assert isinstance(text.record, External)
    assert "天津大学图书馆: N092/12 | T0001" in sutrs.read(text.record)
    (brief,) = records(await client.present(syntax=oids.SUTRS, record_composition="B"))
    assert isinstance(brief.record, External)
    assert sutrs.read(brief.record).count("\n") == 1


async def test_opac_records_tell_of_copies_and_whether_they_are_there(client: Client) -> None:
    await client.search(a_term("天工开物", 4, c=3))
    (record,) = records(await client.present(syntax=oids.OPAC))
    assert isinstance(record.record, External)
    assert isinstance(record.record.encoding, Single)
    found = opac.OPAC_RECORD.decode(record.record.encoding.octets)
    assert found.bibliographic_record is not None
    assert found.bibliographic_record.direct_reference == oids.UNIMARC
    held = [each for each in found.holdings_data or () if isinstance(each, opac.HoldingsAndCircData)]
    told = [(each.nuc_code, each.call_number, (each.circulation_data or ())[0]) for each in held]
    assert [(nuc, call) for nuc, call, _ in told] == [("CN-SZL", "N092/7"), ("CN-TJU", "N092/12")]
    lent, there = told[0][2], told[1][2]
    assert (lent.available_now, lent.restrictions) == (False, "已借出")
    assert (there.available_now, there.restrictions) == (True, None)


async def test_a_long_record_comes_alone_or_not_at_all(door: Standing) -> None:
    async with door.session(preferred_message_size=4096) as client:
        await client.search(joined(Or(), a_term("长编"), a_term("天工开物")))
        many = await client.present(1, 3)
        assert [each for each in records(many) if isinstance(each.record, SurrogateDiagnostic)]
        assert {surrogate(each) for each in records(many) if isinstance(each.record, SurrogateDiagnostic)} == {
            Bib1.EXCEEDS_PREFERRED_SIZE
        }
        await client.search("长编")
        (alone,) = records(await client.present(1, 1))
        assert len(octets(alone)) > 20_000
    async with door.session(preferred_message_size=4096, exceptional_record_size=8192) as client:
        await client.search("长编")
        (alone,) = records(await client.present(1, 1))
        assert surrogate(alone) == Bib1.EXCEEDS_MAXIMUM_SIZE


async def test_records_that_do_not_fit_a_message_follow_in_others_if_that_was_agreed_on(door: Standing) -> None:
    async with door.session(preferred_message_size=1024) as client:
        await client.search("天工开物")
        cut = await client.present(1, 2)
        assert (len(records(cut)), cut.present_status, cut.next_result_set_position) == (1, PresentStatus.PARTIAL_2, 2)
    options = standing.OPTIONS | {Option.LEVEL_1_SEGMENTATION}
    async with door.session(preferred_message_size=1024, options=options) as client:
        await client.search("天工开物")
        await client.send(standing.apdu.encode(PresentRequest(
            reference_id=b"7", result_set_id="default", result_set_start_point=1, number_of_records_requested=2,
        )))  # fmt: skip
        segment = await client.heard()
        assert isinstance(segment, Segment)
        assert (segment.number_of_records_returned, segment.reference_id) == (1, b"7")
        last = await client.heard()
        assert isinstance(last, PresentResponse)
        assert (len(records(last)), last.present_status) == (1, PresentStatus.SUCCESS)


def in_cql(text: str) -> Type104:
    external = External(direct_reference=oids.CQL, encoding=Single(GENERAL.encode(text)))
    return Type104(external)


async def test_queries_come_in_cql_too(client: Client) -> None:
    assert (await client.search(in_cql("title = 天工开物 and creator = 潘吉星"))).result_count == 1
    assert (await client.search(in_cql("title = 天工开物 sortby title/sort.descending"))).result_count == 2
    (first,) = records(await client.present(syntax=oids.UNIMARC))
    assert "图说" in (marc(first).first("200") or "")
    code, why = diagnostic(await client.search(in_cql("title = (")))
    assert code == Bib1.MALFORMED_QUERY
    assert "character" in why


async def test_values_of_an_index_are_listed_around_a_term(client: Client) -> None:
    start = a_term("天", 4).query.rpn
    assert not isinstance(start, str | RpnOperation)
    request = ScanRequest(
        database_names=("Default",), term_list_and_start_point=start, number_of_terms_requested=3,  # type: ignore[arg-type]
        preferred_position_in_response=2,
    )  # fmt: skip
    listed = await client.ask(request, ScanResponse)
    assert listed.entries is not None
    told = [(each.term, each.global_occurrences) for each in listed.entries.entries or ()]  # type: ignore[union-attr]
    assert ("天工开物".encode(), 1) in told
    assert listed.position_of_term == 2
    wrong = await client.ask(standing.structs.replace(request, step_size=5), ScanResponse)
    assert wrong.entries is not None
    assert wrong.entries.nonsurrogate_diagnostics is not None
    assert [each.condition for each in wrong.entries.nonsurrogate_diagnostics] == [Bib1.ONLY_ZERO_STEP]  # type: ignore[union-attr]


def by(use: int, relation: int = 0) -> SortKeySpec:
    attributes = (AttributeElement(attribute_type=1, attribute_value=use),)
    element = SortAttributes(id=oids.BIB_1, list=attributes)
    return SortKeySpec(sort_element=element, sort_relation=relation, case_sensitivity=1)


async def test_a_set_is_sorted_into_another(client: Client) -> None:
    everything = joined(Or(), joined(Or(), a_term("天工开物"), a_term("长编")), a_term("minerals"))
    await client.search(everything, result_set_name="all")

    async def titles(name: str) -> list[str]:
        made = [marc(each) for each in records(await client.present(1, 4, oids.USMARC, name))]
        return [value(each.first("245") or "", "a").split(" ")[0] for each in made]

    found = {}
    for relation in (0, 1):
        keys = (by(31), by(4, relation))
        request = SortRequest(input_result_set_names=("all",), sorted_result_set_name="sorted", sort_sequence=keys)
        done = await client.ask(request, SortResponse)
        assert (done.sort_status, done.result_count) == (0, 4)
        found[relation] = await titles("sorted")
    # chang bian before tian gong kai wu; the one in English is of a later year
    assert found[0] == ["长编", "天工开物", "天工开物图说", "Minerals"]
    assert found[1] == ["天工开物图说", "天工开物", "长编", "Minerals"]
    wrong = SortRequest(input_result_set_names=("all",), sorted_result_set_name="all", sort_sequence=(by(7),))
    assert (await client.ask(wrong, SortResponse)).sort_status == 2


async def test_init_agrees_on_versions_options_and_sizes(door: Standing) -> None:
    async with door.client() as client:
        options = frozenset((Option.SEARCH, Option.PRESENT, Option.CONCURRENT_OPERATIONS, Option.EXTENDED_SERVICES))
        answer = await client.init(protocol_version=frozenset((0, 1)), options=options, preferred_message_size=1 << 30)
        assert answer.options == {Option.SEARCH, Option.PRESENT, Option.EXTENDED_SERVICES}
        assert answer.protocol_version == {0, 1}
        assert answer.preferred_message_size <= 4 << 20
        assert (answer.implementation_name, answer.result) == ("Tianlu", True)


async def test_what_comes_out_of_turn_ends_the_session(door: Standing) -> None:
    async with door.client() as client:
        await client.send(standing.apdu.encode(a_search(a_term("天"))))
        word = await client.ended()
        assert word is not None
        assert word.close_reason == CloseReason.PROTOCOL_ERROR
    async with door.session() as client:
        await client.send(standing.apdu.encode(standing.an_init()))
        word = await client.ended()
        assert word is not None
        assert word.close_reason == CloseReason.PROTOCOL_ERROR
    async with door.session() as client:
        await client.send(standing.apdu.encode(TriggerResourceControlRequest(requested_action=3)))
        assert (await client.search("天工开物")).result_count == 2, "it has no answer, and nothing is wrong with it"
        await client.send(standing.apdu.encode(Close(close_reason=0, reference_id=b"bye")))
        word = await client.ended()
        assert word is not None
        assert (word.close_reason, word.reference_id) == (CloseReason.FINISHED, b"bye")


async def test_other_queries_and_services_are_refused_by_name(client: Client) -> None:
    found = await client.search(Type2(b"find x"))
    assert diagnostic(found)[0] == Bib1.QUERY_TYPE
    update = ExtendedServicesRequest(function=1, package_type=oids.UPDATE_REVISED, wait_action=1)
    answer = await client.ask(update, ExtendedServicesResponse)
    assert answer.diagnostics is not None
    assert [each.condition for each in answer.diagnostics] == [Bib1.EXTENDED_NOT_AUTHORIZED]  # type: ignore[union-attr]


async def test_two_halves_of_one_request_are_one(door: Standing) -> None:
    async with door.session() as client:
        whole = standing.apdu.encode(a_search(a_term("天工开物"))) * 2
        for at in range(len(whole)):
            await client.send(whole[at : at + 1])
        for _ in range(2):
            answer = await client.heard()
            assert isinstance(answer, SearchResponse)
            assert answer.result_count == 2


async def test_fifty_sessions_at_once_each_get_their_own_answers(door: Standing) -> None:
    async def one(number: int) -> None:
        async with door.session() as client:
            for _ in range(3):
                title, count = (("天工开物", 2), ("长编", 1), ("minerals", 1))[number % 3]
                assert (await client.search(title)).result_count == count
                got = records(await client.present(1, count, oids.XML))
                assert len(got) == count
                assert all(title.encode() in octets(each).lower() for each in got)

    await asyncio.gather(*(one(number) for number in range(50)))


def test_a_database_of_a_dialect_that_there_is_not_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match=r"z3950.databases.*klingon"):
        databases.of(Z3950(databases="Own=klingon"))
    found = databases.of(Z3950(databases="UCS01=cnmarc-nlc@province")).find("ucs01")
    assert found is not None
    assert (found.dialect, found.scope) == ("cnmarc-nlc", "province")


async def test_what_has_changed_or_gone_since_is_not_given_as_it_was(
    door: Standing, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "KEPT", 0.0)
    async with door.session() as client, database.connection() as conn:
        await client.search("长编")
        for _ in range(2):
            (record,) = records(await client.present(syntax=oids.UNIMARC))
            assert value(marc(record).first("200") or "", "a") == "长编"
        changed = Stock(record=builders.a_cnmarc(title="续长编", author="李焘"), format=Format.CNMARC)
        await stocked.publish(conn, [stocked.version(4, changed)])
        (record,) = records(await client.present(syntax=oids.UNIMARC))
        assert value(marc(record).first("200") or "", "a") == "续长编"
        await stocked.publish(conn, [stocked.version(4, None)])
        (record,) = records(await client.present(syntax=oids.UNIMARC))
        assert surrogate(record) == 1028


async def test_what_is_kept_is_bounded() -> None:
    def never() -> object:
        raise AssertionError("nobody looks")

    kept: remembered.Remembered[str] = remembered.Remembered(never, largest=100)  # type: ignore[arg-type]
    for number in range(10):
        kept.keep(0, number, "form", str(number), 30)
        kept.get(0, "form")
    found = [kept.get(number, "form") for number in range(10)]
    assert found[0] == "0", "what is asked for stays"
    assert found[9] == "9"
    assert found[1:8] == [None] * 7, "what isn't goes"
    kept.keep(1, 20, "form", "of another turn", 1)
    assert kept.get(20, "form") is None
