"""What a session says to the requests that programs really send, without sockets and without a catalogue."""

from __future__ import annotations

import pytest

from protocols.z3950 import apdu
from protocols.z3950.limits import ANSWERS
from tests.z3950 import capture, programs
from tests.z3950.pretending import TOTAL, answers
from tests.z3950.test_ber import a_search, a_term

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
            assert apdu.decode(apdu.encode(answer), ANSWERS) == answer


def test_a_session_begins_with_init() -> None:
    ((_, (answer,)),) = answers(apdu.encode(a_search(a_term("x"))))
    assert isinstance(answer, apdu.Close)


def test_counts_and_positions_are_those_of_the_set() -> None:
    search = apdu.encode(a_search(a_term("x"), small_set_upper_bound=TOTAL, large_set_lower_bound=TOTAL + 1))
    (_, (found,)) = list(answers(capture.init() + search))[1]
    assert isinstance(found, apdu.SearchResponse)
    assert (found.result_count, found.number_of_records_returned, found.next_result_set_position) == (TOTAL, TOTAL, 0)
