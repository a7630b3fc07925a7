"""Packed records and descriptions come back as they were, from this release and its neighbours."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import packing
from catalog.model import Description
from protocols.marc import Record

FIELDS = st.lists(st.tuples(st.from_regex(r"[0-9A-Z]{3}", fullmatch=True), st.text()), max_size=12).map(tuple)


@given(st.text(max_size=24), FIELDS)
def test_a_record_comes_back_as_it_was(leader: str, fields: tuple[tuple[str, str], ...]) -> None:
    record = Record(leader, fields)
    assert packing.unpack(packing.pack(record)) == record


def test_a_description_comes_back_as_it_was() -> None:
    description = Description(
        title="红楼梦", volume="第三卷 上古时代", authors=("曹雪芹",), year=1982, pinyin="hong lou meng"
    )
    assert packing.unpack_description(packing.pack_description(description)) == description


def test_equal_values_give_equal_bytes() -> None:
    one, other = (Record("0" * 24, (("200", "1 \x1fa" + title),)) for title in ("红楼" + "梦", "红楼梦"))
    assert packing.pack(one) == packing.pack(other)


def test_fields_of_a_later_release_are_ignored() -> None:
    record = Record("0" * 24, (("001", "x"),))
    longer = msgspec.msgpack.encode([*msgspec.msgpack.decode(packing.pack(record)), {"new": 1}])
    assert packing.unpack(longer) == record
    description = Description(title="t")
    longer = msgspec.msgpack.encode([*msgspec.msgpack.decode(packing.pack_description(description)), ["new"]])
    assert packing.unpack_description(longer) == description


def test_fields_that_an_earlier_release_did_not_know_take_their_default() -> None:
    shorter = msgspec.msgpack.encode(msgspec.msgpack.decode(packing.pack_description(Description(title="t")))[:3])
    assert packing.unpack_description(shorter) == Description(title="t")


@pytest.mark.parametrize("body", [b"", b"\x92", b"\x92\xa1x\x01", b"\x93\xa1\xff\x90"])
def test_damaged_bytes_are_named_as_such(body: bytes) -> None:
    with pytest.raises(packing.Unreadable):
        packing.unpack(body)
    with pytest.raises(packing.Unreadable):
        packing.unpack_description(body)
