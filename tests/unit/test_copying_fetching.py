"""Records come in the form that a target has, in chunks that it can send; what it can't send is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocols.z3950 import diagnostics, oids
from protocols.z3950.apdu.parts import External, Single
from protocols.z3950.apdu.records import NamePlusRecord, SurrogateDiagnostic
from protocols.z3950.client import Diagnosed, Wish
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.primitive import OCTETS
from services.copying.fetching import MOST_SKIPPED, Fetch

Sends = Callable[[int, int, Wish], tuple[NamePlusRecord, ...]]


def a_record(position: int, syntax: tuple[int, ...] = oids.USMARC) -> NamePlusRecord:
    return NamePlusRecord(name="db", record=External(direct_reference=syntax, encoding=b"%d" % position))


def surrogate(number: int) -> NamePlusRecord:
    return NamePlusRecord(record=SurrogateDiagnostic(diagnostics.diagnostic(number)))


def no(number: int) -> Diagnosed:
    return Diagnosed("there", diagnostics.diagnostic(number))


class Server:
    """Answers presents by a function, and counts them."""

    def __init__(self, sends: Sends) -> None:
        self.sends = sends
        self.asked: list[tuple[int, int]] = []

    async def present(self, start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        self.asked.append((start, count))
        return self.sends(start, count, wish)


def every(start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
    return tuple(a_record(start + n, wish.syntax) for n in range(count))


async def test_records_come_in_chunks_after_those_that_came_along() -> None:
    server = Server(every)
    found = await Fetch(("usmarc",), "F", 4).records(server, 10, every(1, 3, Wish(syntax=oids.USMARC)))
    assert [int(each.raw) for each in found] == list(range(1, 11))
    assert [each.position for each in found] == list(range(1, 11))
    assert server.asked == [(4, 4), (8, 3)]


async def test_fewer_than_were_asked_for_are_followed_by_the_rest_and_none_ends_it() -> None:
    server = Server(lambda start, count, wish: every(start, min(2, count), wish) if start < 5 else ())
    assert len(await Fetch(("usmarc",), "F", 10).records(server, 9)) == 4
    assert server.asked == [(1, 9), (3, 7), (5, 5)]


@pytest.mark.parametrize("number", [Bib1.SYNTAX, Bib1.NOT_IN_SYNTAX, Bib1.NO_DATA_IN_SYNTAX])
async def test_the_next_syntax_is_asked_for_and_remembered(number: int) -> None:
    def sends(start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        if wish.syntax == oids.UNIMARC:
            raise no(number)
        return every(start, count, wish)

    server, fetch = Server(sends), Fetch(("unimarc", "usmarc"), "F", 5)
    assert len(await fetch.records(server, 2)) == 2
    assert len(await fetch.records(server, 2)) == 2
    assert len(server.asked) == 3


async def test_syntax_that_records_lack_one_by_one_is_the_same() -> None:
    def sends(start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        lacks = wish.syntax == oids.UNIMARC
        return (surrogate(Bib1.NOT_IN_SYNTAX),) * count if lacks else every(start, count, wish)

    fetch = Fetch(("unimarc", "usmarc"), "F", 5)
    assert len(await fetch.records(Server(sends), 3, (surrogate(Bib1.NOT_IN_SYNTAX),))) == 3
    assert fetch.notes == []


async def test_an_element_set_that_is_unknown_is_not_named_again() -> None:
    def sends(start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        if wish.elements:
            raise no(Bib1.ELEMENT_SET_NAME)
        return every(start, count, wish)

    assert len(await Fetch(("usmarc",), "X", 5).records(Server(sends), 3)) == 3


async def test_chunks_that_are_too_large_are_halved_and_what_never_fits_is_passed_over() -> None:
    def sends(start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        if count > 2 or start == 3:
            raise no(Bib1.EXCEEDS_PREFERRED_SIZE)
        return every(start, count, wish)

    server, fetch = Server(sends), Fetch(("usmarc",), "F", 8)
    assert [int(each.raw) for each in await fetch.records(server, 6)] == [1, 2, 4, 5, 6]
    assert fetch.notes == ["there: Record exceeds Preferred-message-size"]


async def test_a_target_that_sends_nothing_is_not_asked_for_ever() -> None:
    def sends(start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        raise no(Bib1.PRESENT_ERROR)

    server = Server(sends)
    with pytest.raises(Diagnosed):
        await Fetch(("usmarc",), "F", 1).records(server, 1000)
    assert len(server.asked) == MOST_SKIPPED


async def test_what_is_no_record_is_told_and_what_is_wrapped_is_opened() -> None:
    sent = (
        surrogate(Bib1.EXCEEDS_MAXIMUM_SIZE),
        NamePlusRecord(record=External(direct_reference=oids.SUTRS, encoding=b"text")),
        NamePlusRecord(record=External(direct_reference=oids.USMARC, encoding=Single(OCTETS.encode(b"inside")))),
        NamePlusRecord(record=External(direct_reference=oids.USMARC, encoding=Single(b"\x04\x7f"))),
        NamePlusRecord(record=External(direct_reference=oids.XML, encoding=b"<record/>")),
    )
    fetch = Fetch(("usmarc",), "F", 5)
    found = await fetch.records(Server(every), len(sent), sent)
    assert [(each.carrier, each.raw, each.position) for each in found] == [
        ("iso2709", b"inside", 3),
        ("marcxml", b"<record/>", 5),
    ]
    assert [note.partition(":")[0] for note in fetch.notes] == ["1", "2", "4"]
