"""Search requests that differ in their terms are read as any others are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.z3950 import apdu, oids
from protocols.z3950.apdu import APDU
from protocols.z3950.apdu.alike import Alike
from protocols.z3950.apdu.parts import OtherInfo
from protocols.z3950.apdu.query import And as BothOf
from protocols.z3950.apdu.query import AttributeElement, AttributesPlusTerm, Query, RpnOperation, RpnQuery, Type1
from protocols.z3950.apdu.search import SearchRequest
from protocols.z3950.ber import Malformed

TITLE = (AttributeElement(attribute_type=1, attribute_value=4),)


def of(term: bytes | str) -> AttributesPlusTerm:
    return AttributesPlusTerm(attributes=TITLE, term=term)


def request(query: Query, **more: object) -> bytes:
    told = {
        "small_set_upper_bound": 0,
        "large_set_lower_bound": 1,
        "medium_set_present_number": 0,
        "replace_indicator": True,
        "result_set_name": "default",
        "database_names": ("CNMARC-CALIS",),
    }
    return APDU.encode(SearchRequest(**told, **more, query=query))  # type: ignore[arg-type]


def one(term: bytes | str, **more: object) -> bytes:
    return request(Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=of(term))), **more)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_every_term_is_read_as_if_it_were_the_first(terms: list[bytes]) -> None:
    reads = Alike(APDU.decode)
    for term in [*terms, *terms]:
        assert reads.read(one(term)) == APDU.decode(one(term))


def test_a_second_term_of_one_length_is_not_looked_through() -> None:
    asked: list[bytes] = []

    def whole(octets: bytes) -> apdu.Apdu:
        asked.append(octets)
        return APDU.decode(octets)

    reads = Alike(whole)
    reads.read(one(b"river"))
    asked.clear()
    assert reads.read(one("花朵".encode()[:5])) == APDU.decode(one("花朵".encode()[:5]))
    assert not asked


@pytest.mark.parametrize("term", [b"\x9f\x2d\x01a", b"ab\x9f\x2d\x00", b"\x9f\x2d", b"\x9f\x2d\x03abc"])
def test_a_term_that_looks_like_the_head_of_one_stays_whole(term: bytes) -> None:
    reads = Alike(APDU.decode)
    for each in (term, bytes(reversed(term)), term):
        assert reads.read(one(each)) == APDU.decode(one(each))


def test_what_stands_behind_the_query_is_no_term() -> None:
    """The last octets are the same as the term's, and are something else."""
    reads = Alike(APDU.decode)
    ours = [OtherInfo(information=text) for text in ("\x01\x02x\x03abc", "\x01\x02x\x03abd")]
    first, second = (one(b"abc", other_info=(each,)) for each in ours)
    head = b"\x9f\x2d\x03"
    for octets in (first, second):
        assert octets.count(head) == 1
        assert reads.read(octets) == APDU.decode(octets)
        assert reads.read(octets) == APDU.decode(octets)


def test_two_terms_of_which_only_the_last_is_another() -> None:
    reads = Alike(APDU.decode)
    for last in (b"river", b"stone"):
        both = RpnOperation(rpn1=of(b"garden"), rpn2=of(last), op=BothOf())
        octets = request(Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=both)))
        assert reads.read(octets) == APDU.decode(octets)


@given(st.data())
def test_octets_that_are_changed_are_read_or_refused_as_ever(data: st.DataObject) -> None:
    reads = Alike(APDU.decode)
    octets = bytearray(one(b"river"))
    reads.read(bytes(octets))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(octets[: data.draw(st.integers(len(octets) - 4, len(octets)))])
    outcomes: list[object] = []
    for read in (reads.read, APDU.decode):
        try:
            outcomes.append(read(changed))
        except Malformed as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
