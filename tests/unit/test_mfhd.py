"""Holdings records: what names their parent, and their copies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dms import mfhd
from dms.holdings import Copy
from protocols import marc
from protocols.marc import Record

LEADER = "00000ny  a2200000zi 4500"


def a_record(*fields: str) -> Record:
    """Fields like `852 0 $bMAIN`; a control field has no $."""
    return Record(LEADER, tuple((text[:3], text[4:].replace("$", marc.DELIMITER)) for text in fields))


def copies(*fields: str, **mapping: Any) -> list[Copy]:
    return list(mfhd.copies(a_record(*fields), mapping, "L"))


@pytest.mark.parametrize(
    ("fields", "rule", "mapping", "key"),
    [
        (("001 h1", "004 b1 "), "001", {}, "id:b1"),
        (("001 h1", "003 AG", "004 b1"), "001+003", {}, "id:(AG)b1"),
        (("001 h1", "003 OCoLC", "004 b1"), "035a", {}, "id:(OCoLC)b1"),
        (("001 h1", "004 (AG)b1"), "035a", {}, "id:(AG)b1"),
        (("001 h1", "014 1 $ab7$bAG"), "001", {}, "id:b7"),
        (("001 h1", "014 0 $ah7$bAG"), "001", {}, ""),
        (("001 h1", "004 b1"), "905b", {}, ""),
        (("001 h1", "004 b1", "876   $pi 1"), "001", {"join": "item"}, "item:i 1"),
        (("001 h1", "852 8 $hTu-098 / １"), "001", {"join": "call"}, "call:tu-098/1"),
        (("001 h1", "852 8 $bMAIN"), "001", {"join": "call"}, ""),
    ],
)
def test_the_key_of_the_parent(fields: tuple[str, ...], rule: str, mapping: dict[str, object], key: str) -> None:
    assert mfhd.parent(a_record(*fields), rule, mapping) == key


def test_items_and_statements_are_where_their_links_say() -> None:
    found = copies(
        "852 01$81$bNORTH$hQA1", "852 01$82$bSOUTH$hQA2", "853 20$81.1$av.$i(year)", "863 41$81.1$a1$i2001",
        "863 41$81.2$a2$i2002", "866  0$82$aBound volumes$zincomplete", "876   $81.1$pi1$jon loan",
        "876   $82$pi2$lANNEX",
    )  # fmt: skip
    assert found == [
        Copy("L", "QA1", "i1", "NORTH", "on loan", "v.1-2 (2001-2002)"),
        Copy("L", "QA2", "i2", "ANNEX", "", "Bound volumes incomplete"),
        Copy("L", "QA2", "", "SOUTH", "", "Bound volumes incomplete"),
    ]


def test_words_go_before_the_values_that_they_stand_for() -> None:
    fields = ("852 0 $bMAIN", "853 20$81$av.", "863 40$81.1$a1-9", "866  0$81$av.1-9, lacks 4", "863 40$82.1$a20")
    assert [copy.note for copy in copies(*fields)] == ["v.1-9, lacks 4", "20"]


def test_supplements_and_indexes_say_what_they_are() -> None:
    fields = ("852 0 $bMAIN", "854 20$81$av.$oSupplement", "864 41$81.1$a3", "868  0$aIndex 1990-1995")
    assert [copy.note for copy in copies(*fields)] == ["Supplement: v.3", "Index 1990-1995"]


def test_unimarc_holdings_have_the_same_fields_under_other_tags() -> None:
    found = copies("252   $aSUDOC$bMAIN$jQA1", "253 20$81$a卷", "263 41$81.1$a3")
    assert found == [Copy("L", "QA1", "", "MAIN", "", "卷3")]


def test_one_that_tells_nothing_is_a_copy_unless_the_source_says_otherwise() -> None:
    assert copies("001 h1") == [Copy("L")]
    assert copies("001 h1", implicit=False) == []


def test_the_library_is_whose_code_the_source_knows() -> None:
    assert [copy.library for copy in copies("852 0 $bNORTH$hQA1", libraries={"NORTH": "CN-N"})] == ["CN-N"]


TAGS = st.sampled_from(("004", "014", "852", "853", "854", "863", "864", "866", "876", "877", "252", "263"))
TEXTS = st.text(st.sampled_from("\x1f8abhijpuvzx.-/\\0123(year)月①٣ "), max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TAGS, TEXTS), max_size=12))
def test_nothing_in_a_record_is_a_fault(fields: list[tuple[str, str]]) -> None:
    record = Record(LEADER, tuple(fields))
    assert all(copy.library == "L" for copy in mfhd.copies(record, {}, "L"))
    assert isinstance(mfhd.parent(record, "001", {"join": "call"}), str)


@pytest.mark.parametrize("part", ["9" * 5000, "1-" * 1000, "1/" * 1000])
def test_long_numbers_and_many_fields_take_no_time_to_speak_of(part: str) -> None:
    fields = [f"852 0 $8{n}$bM{n}" for n in range(1000)] + [f"876   $8{n}.1$pi{n}" for n in range(1000)]
    fields += ["853 20$81$av.$bno.$u12$vr$j(月)", *(f"863 40$81.{n}$a{part}$b{n}$j{part}" for n in range(1000))]
    assert len(copies(*fields)) == 1000
