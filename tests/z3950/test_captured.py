"""What yaz-client and zoomsh really send: we read it as the official text does, and would have sent the same octets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from protocols.z3950 import apdu, charsets, update
from protocols.z3950.ber import CONSTRUCTED, HIGH, INDEFINITE, length
from protocols.z3950.notation import Choice
from tests.z3950 import oracle, values
from tests.z3950.capture import CAPTURED

FILES = sorted(CAPTURED.iterdir())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_apdu_is_read_as_the_oracle_reads_it(path: Path) -> None:
    octets = path.read_bytes()
    read = apdu.decode(octets)
    assert type(read).__name__ == path.name.rpartition("-")[2]
    assert apdu.decode(apdu.encode(read)) == read
    plain = b"".join(_definite(octets, 0, len(octets))[0])  # the oracle knows no ANY of indefinite length
    name, theirs = oracle.specification().decode("PDU", plain)
    kind = cast("Choice[Any]", apdu.APDU).alternatives[name]
    assert _meaning(values.theirs(kind, apdu.decode(plain))) == _meaning(theirs)
    if name != "initRequest" and plain == octets:  # YAZ pads the bit strings of Init
        assert apdu.encode(read) == octets


def _definite(octets: bytes, at: int, stop: int) -> tuple[list[bytes], int]:
    """The values of octets with definite lengths, and where they end: at the end or behind end-of-contents octets."""
    made: list[bytes] = []
    while at < stop:
        start = at
        at += 1
        if octets[start] & HIGH == HIGH:
            while octets[at] & 0x80:
                at += 1
            at += 1
        head, size = octets[start:at], octets[at]
        at += 1
        if head == b"\x00" and not size:
            break
        if size == INDEFINITE:
            parts, at = _definite(octets, at, stop)
            content = b"".join(parts)
        else:
            if size > INDEFINITE:
                at += size & 0x7F
                size = int.from_bytes(octets[at - (size & 0x7F) : at], "big")
            content = octets[at : at + size]
            at += size
            if head[0] & CONSTRUCTED:
                content = b"".join(_definite(content, 0, size)[0])
        made += [head, length(len(content)), content]
    return made, at


def _meaning(value: Any) -> Any:
    """Bit strings without the zeros at their end, which mean nothing in Z39.50."""
    match value:
        case dict():
            return {name: _meaning(each) for name, each in value.items()}
        case (bytes() | bytearray() as octets, int()):
            return int.from_bytes(octets.rstrip(b"\0"), "little")
    return value


def test_an_update_is_read_in_whichever_edition_it_comes() -> None:
    asked = [apdu.decode(path.read_bytes()) for path in FILES if path.name.endswith("ExtendedServicesRequest")]
    read = [
        update.read(each.task_specific_parameters)
        for each in asked
        if isinstance(each, apdu.ExtendedServicesRequest) and each.task_specific_parameters
    ]
    assert [each.to_keep.action for each in read if isinstance(each, update.UpdateRequest)] == [1, 2, 3, 1, 5]


def test_proposed_charsets_are_found() -> None:
    asked = [apdu.decode(path.read_bytes()) for path in FILES if path.name.endswith("InitRequest")]
    wishes = [
        (wish.charsets, wish.languages, wish.records)
        for each in asked
        if isinstance(each, apdu.InitRequest)
        if (wish := charsets.proposed(each.other_info, each.user_information_field))
    ]
    assert wishes == [(("utf-8",), (), True), (("gbk",), ("chi",), True), *[(("utf-8",), ("chi",), True)] * 2]
