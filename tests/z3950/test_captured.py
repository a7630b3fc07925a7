"""What yaz-client and zoomsh really send: we read it as the official text does, and would have sent the same octets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from protocols.z3950 import apdu, charsets, update
from protocols.z3950.ber import INDEFINITE
from protocols.z3950.notation import Choice
from tests.z3950 import oracle, values
from tests.z3950.capture import CAPTURED

FILES = sorted(CAPTURED.iterdir())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_apdu_is_read_as_the_oracle_reads_it(path: Path) -> None:
    octets = path.read_bytes()
    read = apdu.decode(octets)
    assert type(read).__name__ == path.name.rpartition("-")[2]
    name, theirs = oracle.specification().decode("PDU", octets)
    kind = cast("Choice[Any]", apdu.APDU).alternatives[name]
    assert _meaning(values.theirs(kind, read)) == _meaning(theirs)
    assert apdu.decode(apdu.encode(read)) == read
    if octets[1] != INDEFINITE and name != "initRequest":  # YAZ begins a session with one, and pads bit strings
        assert apdu.encode(read) == octets


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
    assert [each.to_keep.action for each in read if isinstance(each, update.UpdateRequest)] == [1, 2, 3]


def test_proposed_charsets_are_found() -> None:
    asked = [apdu.decode(path.read_bytes()) for path in FILES if path.name.endswith("InitRequest")]
    wishes = [
        (wish.charsets, wish.languages, wish.records)
        for each in asked
        if isinstance(each, apdu.InitRequest)
        if (wish := charsets.proposed(each.other_info, each.user_information_field))
    ]
    assert wishes == [(("utf-8",), (), True), (("gbk",), ("chi",), True), *[(("utf-8",), ("chi",), True)] * 2]
