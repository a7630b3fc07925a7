"""What a session says to the requests that programs really send, without sockets and without a catalogue."""

from __future__ import annotations

import pytest
from msgspec import structs

from node.z3950.tasks import Do, Prove
from protocols import query
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.init import IdPass
from protocols.z3950.apdu.parts import External, Single
from protocols.z3950.apdu.query import Type104
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.limits import ANSWERS
from protocols.z3950.primitive import GENERAL, OCTETS, VISIBLE
from tests.z3950 import capture, programs
from tests.z3950.answers import diagnostic
from tests.z3950.pretending import TOTAL, answers, session
from tests.z3950.standing import an_init
from tests.z3950.test_ber import a_search, a_term, joined

ANSWERED: dict[type[apdu.Apdu], type[apdu.Apdu]] = {
    apdu.InitRequest: apdu.InitResponse,
    apdu.SearchRequest: apdu.SearchResponse,
    apdu.PresentRequest: apdu.PresentResponse,
    apdu.ScanRequest: apdu.ScanResponse,
    apdu.SortRequest: apdu.SortResponse,
    apdu.DeleteRequest: apdu.DeleteResponse,
    apdu.ExtendedServicesRequest: apdu.ExtendedServicesResponse,
    apdu.Close: apdu.Close,
}


@pytest.mark.parametrize("script", programs.NAMES)
def test_each_request_is_answered_by_one_apdu_of_its_kind(script: str) -> None:
    for conversation in capture.conversations(script):
        said = list(answers(conversation))
        assert said
        for request, (answer,) in said:
            assert ANSWERED[type(request)] is type(answer)
            assert answer.reference_id == request.reference_id
            octets = apdu.encode(answer)
            assert apdu.encode(apdu.decode(octets, ANSWERS)) == octets


def test_a_session_begins_with_init() -> None:
    ((_, (answer,)),) = answers(apdu.encode(a_search(a_term("x"))))
    assert isinstance(answer, apdu.Close)


def test_counts_and_positions_are_those_of_the_set() -> None:
    search = apdu.encode(a_search(a_term("x"), small_set_upper_bound=TOTAL, large_set_lower_bound=TOTAL + 1))
    (_, (found,)) = list(answers(capture.init() + search))[1]
    assert isinstance(found, apdu.SearchResponse)
    assert (found.result_count, found.number_of_records_returned, found.next_result_set_position) == (TOTAL, TOTAL, 0)


def told(*requests: apdu.Apdu) -> list[apdu.Apdu]:
    """The answers to requests behind an Init."""
    asked = capture.init() + b"".join(map(apdu.encode, requests))
    return [answer for _, (answer,) in list(answers(asked))[1:]]


CQL = "title = x"


@pytest.mark.parametrize(
    "encoding",
    [CQL.encode(), *(Single(each) for each in (GENERAL.encode(CQL), VISIBLE.encode(CQL), OCTETS.encode(CQL.encode())))],
)
def test_cql_comes_in_whatever_string_its_client_has(encoding: bytes | Single) -> None:
    (answer,) = told(in_cql(encoding))
    assert isinstance(answer, apdu.SearchResponse)
    assert answer.search_status


@pytest.mark.parametrize("encoding", [Single(b"\x30\x02\x05\x80"), Single(b"\x05\x00"), b""])
def test_what_is_no_text_is_no_query(encoding: bytes | Single) -> None:
    (answer,) = told(in_cql(encoding))
    assert diagnostic(answer)[0] in (Bib1.MALFORMED_QUERY, Bib1.MALFORMED_TERM)


@pytest.mark.parametrize(
    ("asked", "number", "about"),
    [
        ("nosuch = x", Bib1.USE_ATTRIBUTE, "nosuch"),
        ("zthes.term = x", Bib1.ATTRIBUTE_SET, "zthes"),
        ("title encloses x", Bib1.RELATION_ATTRIBUTE, "encloses"),
        ("title within x", Bib1.ILLEGAL_TERM_VALUE, "x"),
        ("title = ''", Bib1.MALFORMED_TERM, "''"),
        ("title = a*", Bib1.TRUNCATED_TOO_SHORT, "a*"),
        ("title = x prox/unit=paragraph y", Bib1.PROXIMITY_UNIT, "paragraph"),
        ("title = x and/nosuch y", Bib1.OPERATOR, "nosuch"),
        ("title = x sortby publisher", Bib1.SORT_SEQUENCE, "publisher"),
        ("title = x sortby title creator date title creator", Bib1.TOO_MANY_SORT_KEYS, "4"),
        ("title = (", Bib1.MALFORMED_QUERY, "Query syntax error: ( (at character 9)"),
    ],
)
def test_what_is_wrong_with_a_query_in_cql_has_its_own_number(asked: str, number: Bib1, about: str) -> None:
    (answer,) = told(in_cql(asked.encode()))
    assert diagnostic(answer) == (number, about)


def in_cql(encoding: bytes | Single) -> apdu.SearchRequest:
    asked = Type104(External(direct_reference=oids.CQL, encoding=encoding))
    return structs.replace(a_search(a_term("x")), query=asked)


def test_sets_within_sets_are_bounded_before_they_are_looked_through() -> None:
    wide = joined(*[a_term("x")] * query.MOST_TERMS)
    first, answer = told(a_search(wide, result_set_name="a"), a_search(joined(*["a"] * query.MOST_TERMS)))
    assert isinstance(first, apdu.SearchResponse)
    assert first.search_status
    assert diagnostic(answer) == (Bib1.TOO_MANY_TERMS, f"more than {query.MOST_TERMS} terms")


def test_a_name_of_a_set_is_no_place_to_keep_things() -> None:
    long, again, fits = told(
        *(a_search(a_term("x"), result_set_name=name) for name in ("a" * 201, "a" * 9999, "a" * 200))
    )
    assert [diagnostic(each)[0] for each in (long, again)] == [Bib1.SET_NAME] * 2
    assert len(diagnostic(again)[1]) == 1000
    assert isinstance(fits, apdu.SearchResponse)
    assert fits.search_status


@pytest.mark.parametrize(
    ("said", "proved"),
    [
        ("wang/horse", ("wang", "horse", "")),
        ("wang", ("wang", "", "")),
        ("wang/horse/12", ("wang", "horse/12", "")),
        ("123456/wang/horse", ("wang", "horse", "123456")),
        ("123456/wang/horse/12", ("wang", "horse/12", "123456")),
        ("123456/horse", ("123456", "horse", "")),
        (IdPass(group_id="123456", user_id="wang", password="a/b"), ("wang", "a/b", "123456")),
    ],
)
def test_who_somebody_says_to_be_is_read_in_either_form(said: str | IdPass, proved: tuple[str, str, str]) -> None:
    step = session().on(an_init(id_authentication=said))
    assert isinstance(step, Do)
    assert isinstance(step.task, Prove)
    assert (step.task.name, step.task.password, step.task.code) == proved
