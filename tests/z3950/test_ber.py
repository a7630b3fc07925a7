"""Octets of BER, sound, odd and hostile: what is read, what is refused, and that refusing is cheap."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from protocols import query
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.parts import External
from protocols.z3950.apdu.query import (
    And,
    AttributeElement,
    AttributesPlusTerm,
    Rpn,
    RpnOperation,
    RpnQuery,
    Type1,
)
from protocols.z3950.apdu.records import NamePlusRecord
from protocols.z3950.ber import Frames, Malformed, identifier, key, length
from protocols.z3950.limits import REQUESTS, Limits
from protocols.z3950.primitive import BITS, BOOLEAN, INTEGER, NULL, OCTETS, OID

CHEAP = 1.0  # seconds of CPU for anything of 256 kB: an order of magnitude above what it takes on a busy machine


def a_search(rpn: Rpn = "1", **given: Any) -> apdu.SearchRequest:
    asked: dict[str, Any] = {
        "small_set_upper_bound": 0,
        "large_set_lower_bound": 1,
        "medium_set_present_number": 0,
        "replace_indicator": True,
        "result_set_name": "default",
        "database_names": ("Default",),
        "query": Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=rpn)),
    }
    return apdu.SearchRequest(**asked | given)


def a_term(term: str, use: int = 4) -> AttributesPlusTerm:
    return AttributesPlusTerm(
        attributes=(AttributeElement(attribute_type=1, attribute_value=use),), term=term.encode("utf-8")
    )


def joined(*operands: Rpn) -> Rpn:
    whole, *others = operands
    for each in others:
        whole = RpnOperation(rpn1=whole, rpn2=each, op=And())
    return whole


def an_answer(records: int = 10, size: int = 1500) -> apdu.PresentResponse:
    return apdu.PresentResponse(
        number_of_records_returned=records,
        next_result_set_position=records + 1,
        present_status=0,
        records=tuple(
            NamePlusRecord(name="Default", record=External(direct_reference=oids.USMARC, encoding=bytes(size)))
            for _ in range(records)
        ),
    )


SAMPLES: dict[str, apdu.Apdu] = {
    "search": a_search(joined(a_term("天工开物"), a_term("宋应星", 1003), "1")),
    "answer": an_answer(3, 200),
    "init": apdu.InitRequest(
        protocol_version=frozenset({0, 1, 2}),
        options=frozenset({0, 1, 14}),
        preferred_message_size=1 << 20,
        exceptional_record_size=1 << 20,
        id_authentication="reader/word",
        implementation_name="a client",
    ),
    "close": apdu.Close(close_reason=0, diagnostic_information="done"),
}


def cpu(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def refused(octets: bytes, limits: Limits = REQUESTS) -> Malformed:
    """Why octets are refused; it must be by our own error and cheap."""
    with pytest.raises(Malformed) as caught:
        started = time.process_time()
        apdu.decode(octets, limits)
    assert time.process_time() - started < CHEAP
    return caught.value


def whole(octets: bytes) -> bool:
    """It is one APDU, and nothing waits behind it."""
    return Frames().feed(octets) == [octets]


def indefinite(octets: bytes) -> bytes:
    """The same value with every constructed length indefinite, at any depth."""
    return b"".join(_indefinite(octets, 0, len(octets)))


def _indefinite(octets: bytes, at: int, stop: int) -> Iterator[bytes]:
    while at < stop:
        start = at
        at += 1
        if octets[start] & 31 == 31:
            while octets[at] & 0x80:
                at += 1
            at += 1
        head = octets[start:at]
        size = octets[at]
        at += 1
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(octets[at : at + count], "big")
            at += count
        if head[0] & 0x20:
            yield head + b"\x80"
            yield from _indefinite(octets, at, at + size)
            yield b"\x00\x00"
        else:
            yield head + length(size) + octets[at : at + size]
        at += size


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        # X.690: 8.3.2, 8.19.4 and 8.19.5, 8.6.4, 8.2.2
        (INTEGER.encode(-128), "02 01 80"),
        (INTEGER.encode(128), "02 02 00 80"),
        (OID.encode((2, 100, 3)), "06 03 81 34 03"),
        (OID.encode((2, 999, 3)), "06 03 88 37 03"),
        (BITS.encode(frozenset({4, 5, 13, 14})), "03 03 01 0c 06"),
        (BOOLEAN.encode(True), "01 01 01"),
        (NULL.encode(None), "05 00"),
        (OCTETS.encode(bytes(201))[:3], "04 81 c9"),
        (identifier(key(0x80, 201), 0x20), "bf 81 49"),
    ],
)
def test_values_are_written_as_x690_shows(octets: bytes, said: str) -> None:
    assert octets == bytes.fromhex(said)


def test_object_identifiers_with_a_great_second_arc_come_back() -> None:
    assert OID.decode(bytes.fromhex("06 03 81 34 03")) == (2, 100, 3)


@pytest.mark.parametrize("name", SAMPLES)
def test_indefinite_lengths_are_read_everywhere(name: str) -> None:
    octets = indefinite(apdu.encode(SAMPLES[name]))
    assert b"\x80" in octets[:4]
    assert whole(octets)
    assert apdu.decode(octets) == SAMPLES[name]


def test_strings_may_come_in_segments() -> None:
    text = bytes.fromhex(
        "bf8353 2480 04 03 616263 2404 0402 6465 0000".replace(" ", "")
    )  # within an unknown tag: skipped
    whole = apdu.encode(SAMPLES["close"])
    inner = whole[3:] + bytes.fromhex("bf8353") + length(len(text) - 3) + text[3:]
    assert apdu.decode(whole[:2] + length(len(inner)) + inner) == SAMPLES["close"]
    segmented = bytes.fromhex("a3 80 04 02 64 6f 24 80 04 02 6e 65 00 00 00 00".replace(" ", ""))
    primitive = bytes.fromhex("83 04 64 6f 6e 65".replace(" ", ""))
    assert primitive in whole
    inner = whole[3:].replace(primitive, segmented)
    assert apdu.decode(whole[:2] + length(len(inner)) + inner) == SAMPLES["close"]


def test_unknown_elements_are_skipped_and_repeated_ones_refused() -> None:
    whole = apdu.encode(SAMPLES["close"])
    unknown = bytes.fromhex("9f 81 7f 02 00 01 bf 81 7e 80 05 00 00 00".replace(" ", ""))
    inner = unknown + whole[3:] + unknown
    assert apdu.decode(whole[:2] + length(len(inner)) + inner) == SAMPLES["close"]
    inner = whole[3:] + whole[3:]
    assert "only one" in refused(whole[:2] + length(len(inner)) + inner).expected


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_cut_anywhere_is_refused_and_waited_for(name: str) -> None:
    for octets in (apdu.encode(SAMPLES[name]), indefinite(apdu.encode(SAMPLES[name]))):
        for size in range(len(octets)):
            assert not Frames().feed(octets[:size])
            refused(octets[:size])


def test_an_error_names_the_octet_and_what_was_expected_there() -> None:
    assert str(refused(b"\xb6\x02\x8d\x09")) == "octet 2: expected a value that ends before octet 4"
    assert "large_set_lower_bound" in str(refused(b"\xb6\x03\x8d\x01\x00"))


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\x9f" + b"\xff" * 200_000, "a tag number of at most"),
        (b"\xb6\xff" + b"\xff" * 127, "a length of at most"),
        (b"\xb6\x88" + b"\xff" * 8, "ends before"),
        (b"\x96\x80\x00\x00", "definite length"),
        (apdu.encode(SAMPLES["close"]) + b"\x00", "nothing behind"),
        (b"\xb6\x80" + b"\xa9\x80" * 100_000, "within one another"),
        (b"\xb6\x80" + b"\xa9\x80" * 300 + b"\x00\x00" * 300, "end of a value"),
        (b"\xb6\x83\x01\xff\xfc" + b"\x05\x00" * 65_534, "at most 10000 elements"),
        (b"\xb6\x80" + b"\x05\x00" * 65_534 + b"\x00\x00", "at most 10000 elements"),
        (b"\x00\x00", "may stand here"),
        (b"", "the rest of a header"),
    ],
)
def test_hostile_headers_are_refused_cheaply(octets: bytes, expected: str) -> None:
    assert expected in refused(octets).expected


def test_nested_values_of_indefinite_length_are_looked_through_once() -> None:
    """Each level has the same elements around the next, so that asking each for its end would be quadratic."""
    levels = 390
    octets = b"\xb6\x80" + (b"\xa9\x80" + b"\x05\x00" * 150) * levels + b"\x00\x00" * levels + b"\x00\x00"
    assert whole(octets)
    assert len(octets) > 100_000
    assert cpu(lambda: refused(octets, Limits(elements=100_000))) < CHEAP


@pytest.mark.parametrize("made", [lambda depth: joined(*[a_term("x")] * (depth + 1)), lambda depth: _right(depth)])
def test_a_query_may_be_as_deep_as_the_limit_and_no_deeper(made: Callable[[int], Rpn]) -> None:
    deep = a_search(made(REQUESTS.depth))
    assert cpu(lambda: apdu.decode(apdu.encode(deep)) == deep) < CHEAP
    assert apdu.decode(indefinite(apdu.encode(a_search(made(300))))) == a_search(made(300))
    assert "within one another" in refused(apdu.encode(a_search(made(REQUESTS.depth + 1)))).expected


def test_queries_as_full_as_they_can_be_are_cheap() -> None:
    many = AttributesPlusTerm(attributes=a_term("x").attributes * 3_300, term=b"x")
    for rpn in (_balanced(3_000), many):
        octets = apdu.encode(a_search(rpn))
        assert "elements" in refused(octets, Limits(elements=REQUESTS.elements * 3 // 4)).expected
        assert cpu(lambda octets=octets: apdu.decode(octets)) < CHEAP  # type: ignore[misc]


def test_the_longest_query_that_is_answered_is_read() -> None:
    attributes = tuple(AttributeElement(attribute_type=kind, attribute_value=1) for kind in range(1, 7))
    term = AttributesPlusTerm(attributes=attributes, term=b"x" * 30)
    asked = a_search(joined(*[term] * query.MOST_TERMS))
    assert apdu.decode(apdu.encode(asked)) == asked


def _balanced(leaves: int) -> Rpn:
    if leaves == 1:
        return "1"
    return RpnOperation(rpn1=_balanced(leaves // 2), rpn2=_balanced(leaves - leaves // 2), op=And())


def _right(depth: int) -> Rpn:
    whole: Rpn = a_term("x")
    for _ in range(depth):
        whole = RpnOperation(rpn1=a_term("x"), rpn2=whole, op=And())
    return whole


def test_ten_thousand_mutations_are_read_or_refused_and_none_is_dear() -> None:
    chance = random.Random(20261121)
    sound = [apdu.encode(each) for each in SAMPLES.values()]
    sound += [indefinite(each) for each in sound]
    kept, dearest = 0, 0.0
    for _ in range(10_000):
        octets = bytearray(chance.choice(sound))
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.randrange(len(octets))
            match chance.randrange(4):
                case 0:
                    octets[at] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
                case 1:
                    octets[at] ^= 1 << chance.randrange(8)
                case 2:
                    del octets[at : at + chance.randrange(1, 9)]
                case _:
                    octets[at:at] = octets[at : at + chance.randrange(1, 40)]
            if not octets:
                octets += b"\x00"
        started = time.process_time()
        try:
            read = apdu.decode(bytes(octets))
            assert apdu.decode(apdu.encode(read)) == read
            kept += 1
        except Malformed:
            pass
        try:
            Frames().feed(bytes(octets))
        except Malformed:
            pass
        dearest = max(dearest, time.process_time() - started)
    assert 100 < kept < 9_900
    assert dearest < 0.2


def test_frames_are_cut_wherever_the_stream_is_cut() -> None:
    sent = [apdu.encode(each) for each in SAMPLES.values()]
    sent += [indefinite(each) for each in sent]
    whole = b"".join(sent)
    for size in (1, 2, 3, 7, 100, len(whole)):
        frames = Frames()
        got = [each for at in range(0, len(whole), size) for each in frames.feed(whole[at : at + size])]
        assert got == sent
        assert len(frames) == 0


def test_what_came_whole_before_broken_octets_is_given_first() -> None:
    good = apdu.encode(SAMPLES[next(iter(SAMPLES))])
    frames = Frames()
    assert frames.feed(good + good + b"\x05\x89" + bytes(20)) == [good, good]
    assert frames.broken
    with pytest.raises(Malformed):
        frames.feed(b"")
    with pytest.raises(Malformed):
        frames.feed(good)


def test_a_stream_is_looked_at_once_however_slowly_it_comes() -> None:
    octets = b"\xb6\x80" + b"\x05\x00" * 100_000

    def drip() -> None:
        frames = Frames()
        for at in range(0, len(octets), 2):
            assert not frames.feed(octets[at : at + 2])

    assert cpu(drip) < CHEAP


@pytest.mark.parametrize(
    "octets", [b"\xb6\x83\x04\x00\x00", b"\xb6\x84\x7f\xff\xff\xff", b"\xb6\x80" + b"\x04\x82\xff\xff" * 5]
)
def test_an_apdu_that_will_be_too_long_is_refused_at_its_header(octets: bytes) -> None:
    limits = Limits(octets=65_536)
    with pytest.raises(Malformed, match="at most 65536 octets"):
        Frames(limits).feed(octets)


def test_an_apdu_of_the_greatest_size_is_taken() -> None:
    whole = apdu.encode(an_answer(1, REQUESTS.octets - 64))
    assert REQUESTS.octets - 64 < len(whole) <= REQUESTS.octets
    assert Frames().feed(whole) == [whole]
