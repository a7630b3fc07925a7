"""A record that stays in its bytes is a record like any other."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import iso2709, reading
from protocols.detect import ISO2709
from protocols.marc import Record
from protocols.sealed import Sealed

LEADER = "00000nam a2200000 i 4500"
RECORD = Record(LEADER, (("001", "42"), ("245", "10\x1fa漢字 & más\x1fb…"), ("650", " 0\x1faCats")))

TAGS = st.sampled_from(["001", "008", "100", "245", "650", "CAT"])
TEXTS = st.text(st.characters(exclude_characters="\x1b\x1d\x1e\ufffd&", exclude_categories=["Cs"]), min_size=1)


def _sealed(record: Record) -> Record:
    (read,) = reading.read(iso2709.write(record), ISO2709).reads
    return read.record


def test_equal_to_the_same_record_with_fields() -> None:
    sealed = _sealed(RECORD)
    plain = Record(sealed.leader, RECORD.fields)
    assert isinstance(sealed, Sealed)
    assert sealed == plain
    assert plain == sealed
    assert sealed == _sealed(RECORD)
    assert hash(sealed) == hash(plain)
    assert repr(sealed) == repr(plain)
    assert sealed != Record(sealed.leader, RECORD.fields[:1])
    assert sealed.first("245") == "10\x1fa漢字 & más\x1fb…"


def test_goes_to_another_process_as_a_plain_record() -> None:
    sent = pickle.loads(pickle.dumps(_sealed(RECORD)))
    assert type(sent) is Record
    assert sent.fields == RECORD.fields


def test_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        _sealed(RECORD).fields = ()  # type: ignore[misc]


def test_fields_are_made_once() -> None:
    sealed = _sealed(RECORD)
    assert sealed.fields is sealed.fields


@given(st.lists(st.tuples(TAGS, TEXTS), min_size=1, max_size=12))
def test_fields_are_those_that_were_written(fields: list[tuple[str, str]]) -> None:
    record = Record(LEADER, tuple(fields))
    read = _sealed(record)
    assert read.fields == record.fields
    assert read.opening(4) == [tag for tag, _ in fields[:4]]
