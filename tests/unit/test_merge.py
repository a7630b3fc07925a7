"""Merging: the same set of records gives the same bytes in any order, and the policy's answers are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.model import Format
from dms import merge, merge_policy
from dms.merge import Merged
from dms.merge_base import Member
from protocols import marc
from protocols.marc import Record

LEADER = "00714nam a2200205 i 4500"


def text(value: str) -> str:
    """`10$aTitle$bRest` as a field's text: both indicators, `_` for a blank, then subfields."""
    return value[:2].replace("_", " ") + value[2:].replace("$", marc.DELIMITER)


def member(key: str, *fields: str, fmt: Format = Format.MARC21, leader: str = LEADER, **more: object) -> Member:
    """A member of fields written `TAG text`."""
    pairs = tuple((f[:3], text(f[4:]) if not marc.is_control(f[:3]) else f[4:]) for f in fields)
    return Member(key=key, format=fmt, record=Record(leader, pairs), **more)  # type: ignore[arg-type]


def texts(merged: Merged, tag: str) -> list[str]:
    return [t.replace(marc.DELIMITER, "$") for t in merged.record.all(tag)]


# ---- any order -------------------------------------------------------------------------------------------------------

VALUES = st.sampled_from(["红楼梦", "紅樓夢", "Dream", "dream.", "Dream of red mansions", "History", "1", "NLC", "DLC"])
TAGS = {
    Format.MARC21: [
        "008",
        "010",
        "020",
        "035",
        "040",
        "100",
        "245",
        "260",
        "264",
        "490",
        "500",
        "650",
        "700",
        "856",
        "880",
    ],
    Format.CNMARC: ["010", "100", "200", "210", "225", "300", "461", "606", "690", "701", "702", "801", "905"],
}
AUTHORITIES = {Format.MARC21: "0", Format.CNMARC: "3"}


@st.composite
def members(draw: st.DrawFn) -> list[Member]:
    found = []
    for number in range(draw(st.integers(1, 6))):
        fmt = draw(st.sampled_from(Format))
        fields = [("005", draw(st.sampled_from(["20200101000000.0", "20240101000000.0", ""])))]
        for tag in sorted(draw(st.lists(st.sampled_from(TAGS[fmt]), max_size=8))):
            codes = draw(st.lists(st.sampled_from([*"abcdv2", AUTHORITIES[fmt]]), min_size=1, max_size=3))
            pairs = [(code, draw(VALUES)) for code in codes]
            if fmt is Format.MARC21 and draw(st.booleans()):
                pairs.insert(0, ("6", draw(st.sampled_from(["880-01", "880-02", "245-01/$1", "650-02/$1"]))))
            body = (
                draw(VALUES) if marc.is_control(tag) else marc.field(draw(st.sampled_from(["  ", "10", " 7"])), pairs)
            )
            fields.append((tag, body))
        leader = LEADER[:17] + draw(st.sampled_from(" 17uz")) + LEADER[18:]
        trust, findings = draw(st.integers(0, 1)), draw(st.integers(0, 1))
        record = Record(leader, tuple(fields))
        found.append(Member(key=f"s/{number}", format=fmt, record=record, trust=trust, findings=findings))
    return found


@settings(max_examples=300, deadline=None)
@given(members(), st.randoms(use_true_random=False))
def test_any_order_of_the_same_members_gives_the_same_record(found: list[Member], random: object) -> None:
    expected = merge.merge(found)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge.merge(shuffled) == expected


@settings(max_examples=100, deadline=None)
@given(members())
def test_every_field_of_a_merged_record_comes_from_the_member_that_it_names(found: list[Member]) -> None:
    merged = merge.merge(found)
    keys = {m.key for m in found}
    assert len(merged.origins) == len(merged.record.fields)
    assert set(merged.origins) <= keys and merged.base in keys
    assert not {tag for tag, _ in merged.record.fields} & {"001", "003", "005", "852", "905", "949"}


@settings(max_examples=100, deadline=None)
@given(members())
def test_a_copy_of_a_member_changes_nothing(found: list[Member]) -> None:
    copy = Member(
        key="z/copy",
        format=found[0].format,
        record=found[0].record,
        trust=found[0].trust,
        findings=found[0].findings,
    )
    assert merge.merge([*found, copy]).body == merge.merge(found).body


@settings(max_examples=600, deadline=None)
@given(members(), st.data())
def test_idle_members_may_be_left_out_whoever_else_is_there(found: list[Member], data: st.DataObject) -> None:
    merged = merge.merge(found)
    base = next(m for m in found if m.key == merged.base)
    assert merge.idle(base, [m for m in found if m.key in merged.idle]) == merged.idle
    others = [m for m in found if m is not base and m.key not in merged.idle]
    some = [base, *data.draw(st.lists(st.sampled_from(others), unique=True) if others else st.just([]))]
    without = merge.merge(some)
    if without.base == base.key:
        beside = merge.merge([*some, *(m for m in found if m.key in merged.idle)])
        assert (beside.body, beside.base) == (without.body, without.base)


def test_who_adds_nothing_is_idle() -> None:
    base = member("base", "245 10$aTitle", "650 _0$aHistory.", "700 1_$aSmith, John,$d1949-", trust=BASE_TRUST)
    copies = {
        "a plain form of a value": ["245 10$aTITLE", "650 _0$aHISTORY"],
        "another title": ["245 10$aOther title"],
        "one library's copy": ["245 10$aTitle$5A"],
    }
    gifts = {
        "another value": ["650 _0$aGeography"],
        "the same other value": ["650 _0$aGEOGRAPHY"],
        "a field of its own": ["300 __$a1 p."],
        "an authority": ["650 _0$aHistory.$0x"],
        "a fuller name": ["700 1_$aSmith, John,$d1949-2020"],
        "a script": ["245 10$6880-01$aTitle", "880 10$6245-01/$1$a书"],
    }
    others = [member(name, *fields) for name, fields in (copies | gifts).items()]
    assert merge.merge([*others, base]).idle == copies.keys()


# ---- the base --------------------------------------------------------------------------------------------------------

BOOK = ("245 10$aTitle$cAuthor", "008 x")


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param({"pinned": True, "trust": 0}, {"trust": 90}, id="pinned before trust"),
        pytest.param({"trust": 2, "findings": 9}, {"trust": 1}, id="trust before findings"),
        pytest.param({"findings": 0}, {"findings": 1}, id="fewest findings"),
        pytest.param(
            {"leader": LEADER[:17] + " " + LEADER[18:]}, {"leader": LEADER[:17] + "8" + LEADER[18:]}, id="level"
        ),
    ],
)
def test_the_base_is_chosen_by_the_first_difference(better: dict[str, object], worse: dict[str, object]) -> None:
    merged = merge.merge([member("a", *BOOK, **worse), member("b", *BOOK, "500 __$aNote.", **better)])  # type: ignore[arg-type]
    assert merged.base == "b"


def test_the_fuller_record_is_the_base_before_the_newer() -> None:
    full = member("z", "005 20100101000000.0", *BOOK, "650 _0$aHistory.", "300 __$a1 p.")
    fresh = member("a", "005 20240101000000.0", *BOOK)
    assert merge.merge([fresh, full]).base == "z"


def test_of_equals_the_newest_and_then_the_lowest_key_is_the_base() -> None:
    old, new = member("a", "005 20100101000000.0", *BOOK, "020 __$a1"), member("b", "005 20240101", *BOOK, "020 __$a2")
    assert merge.merge([old, new]).base == "b"
    assert merge.merge([member("b", *BOOK), member("a", *BOOK)]).base == "a"


def test_trust_follows_the_cataloguing_agency_and_not_who_sent_the_record() -> None:
    by_national_library = member("z", "200 1_$a书$f人", "801 _0$aCN$bNLC", fmt=Format.CNMARC, trust=1)
    by_uploader = member("a", "200 1_$a书$f人", "801 _0$aCN$bXYZ", fmt=Format.CNMARC, trust=9)
    assert merge.merge([by_uploader, by_national_library]).base == "z"


# ---- what others add -------------------------------------------------------------------------------------------------

BASE_TRUST = 10


def merged_marc21(base: list[str], *others: list[str]) -> Merged:
    found = [member("base", *base, trust=BASE_TRUST)]
    return merge.merge([*found, *(member(f"m{n}", *fields) for n, fields in enumerate(others))])


def merged_cnmarc(base: list[str], *others: list[str]) -> Merged:
    found = [member("base", *base, fmt=Format.CNMARC, trust=BASE_TRUST)]
    return merge.merge([*found, *(member(f"m{n}", *fields, fmt=Format.CNMARC) for n, fields in enumerate(others))])


def test_a_field_that_is_not_repeatable_is_the_bases_or_the_first_that_has_it() -> None:
    merged = merged_marc21(["245 10$aTitle"], ["245 10$aOther title", "240 10$aUniform"], ["240 10$aLater"])
    assert texts(merged, "245") == ["10$aTitle"]
    assert texts(merged, "240") == ["10$aUniform"]


def test_tags_that_answer_the_same_question_are_answered_once() -> None:
    merged = merged_marc21(
        ["100 1_$aLi, Si", "264 _1$aBeijing"], ["110 2_$aLi Bureau", "260 __$aPeking", "245 10$aTitle"]
    )
    assert not merged.record.all("110", "260")
    assert texts(merged, "245") == ["10$aTitle"]


def test_repeatable_values_are_united_by_their_folded_form() -> None:
    merged = merged_cnmarc(["606 0_$a经济发展$x中國"], ["606 __$a經濟發展$x中国", "606 __$a统计"])
    assert texts(merged, "606") == ["0 $a经济发展$x中國", "  $a统计"]


def test_a_subdivision_makes_another_heading() -> None:
    merged = merged_cnmarc(["606 0_$a经济发展"], ["606 0_$a经济$x发展"])
    assert len(texts(merged, "606")) == 2


def test_the_variant_with_an_authority_link_wins_in_its_place() -> None:
    merged = merged_cnmarc(["606 0_$a历史", "606 0_$a地理"], ["606 0_$a歷史$3S0001"])
    assert texts(merged, "606") == ["0 $a歷史$3S0001", "0 $a地理"]
    assert merged.origins == ("m0", "base")


def test_headings_of_different_thesauri_stay_apart() -> None:
    merged = merged_marc21(["650 _0$aHistory."], ["650 _7$aHistory.$2fast", "650 _4$aHistory"])
    assert len(texts(merged, "650")) == 3


def test_a_name_in_another_tag_of_its_kind_is_the_same_name() -> None:
    merged = merged_marc21(["100 1_$aSmith, John,$d1949-"], ["700 1_$aSmith, John.", "700 1_$aSmith, John,$d1812-"])
    assert texts(merged, "700") == ["1 $aSmith, John,$d1812-"]


def test_the_fuller_form_of_a_name_replaces_the_shorter() -> None:
    merged = merged_marc21(["700 1_$aSmith, John."], ["700 1_$aSmith, John,$d1949-"])
    assert texts(merged, "700") == ["1 $aSmith, John,$d1949-"]


def test_isbn_10_and_13_are_one_number_and_a_second_number_is_kept() -> None:
    merged = merged_cnmarc(
        ["010 __$a7-5037-2020-4"], ["010 __$a978-7-5037-2020-8$b平装", "010 __$a7-5037-2291-6$b精装"]
    )
    assert [marc.value(t, "a") for t in merged.record.all("010")] == ["7-5037-2020-4", "7-5037-2291-6"]


def test_class_numbers_of_other_libraries_are_not_added_to_the_bases() -> None:
    assert texts(merged_cnmarc(["690 __$aF124$v4"], ["690 __$aF12$v4"]), "690") == ["  $aF124$v4"]
    assert texts(merged_cnmarc(["200 1_$a书"], ["690 __$aF12$v4"]), "690") == ["  $aF12$v4"]


def test_holdings_and_local_fields_are_not_in_a_merged_record() -> None:
    merged = merged_cnmarc(
        ["001 1", "005 20240101", "200 1_$a书", "905 __$b001", "AVA __$a1", "090 __$aF1"], ["920 __$z0", "998 __$a1"]
    )
    assert [tag for tag, _ in merged.record.fields] == ["200"]
    assert not merged_marc21(["852 __$bMAIN", "866 __$a1-2", "949 __$i1", "590 __$aLocal"]).record.fields


def test_what_is_about_one_librarys_copy_comes_only_from_the_base() -> None:
    merged = merged_marc21(["561 __$aOurs$5A", "690 _4$aLocal"], ["561 __$aTheirs$5B", "650 _0$aX.$5B", "690 _4$aB"])
    assert [t for t, _ in merged.record.fields] == ["561", "690"]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.org/book/1", True),
        ("http://ezproxy.lib.example.edu/login?url=https://example.org/1", False),
        ("https://example-org.libproxy.example.edu/1", False),
        ("http://10.1.2.3/opac/1.pdf", False),
        ("http://172.20.0.5/x", False),
        ("http://opac/1", False),
        ("file:///c:/books/1.pdf", False),
    ],
)
def test_only_addresses_for_everybody_are_merged(address: str, kept: bool) -> None:
    merged = merged_marc21([f"856 40$u{address}"])
    other = merged_marc21(["245 10$aTitle"], [f"856 40$u{address}"])
    assert bool(merged.record.all("856")) is kept is bool(other.record.all("856"))


def test_of_an_address_for_everybody_and_one_for_readers_the_first_is_merged() -> None:
    merged = merged_marc21(["856 40$uhttp://10.1.2.3/1$uhttps://example.org/1$zText"])
    assert texts(merged, "856") == ["40$uhttps://example.org/1$zText"]


def test_what_the_base_says_of_title_and_imprint_stands_word_for_word() -> None:
    """Even where another has a link; what the base lacks is taken over."""
    assert texts(merged_marc21(["264 _1$aBeijing"], ["264 _1$aBEIJING$0(x)1"]), "264") == [" 1$aBeijing"]
    assert texts(merged_marc21(["500 __$aNote"], ["264 _1$aBEIJING$0(x)1"]), "264") == [" 1$aBEIJING$0(x)1"]


def test_an_original_script_field_comes_with_its_partner_under_a_free_number() -> None:
    merged = merged_marc21(
        ["245 10$6880-01$aHong lou meng", "880 10$6245-01/$1$a红楼梦"],
        ["700 1_$6880-01$aGao, E", "880 1_$6700-01/$1$a高鹗"],
    )
    assert texts(merged, "700") == ["1 $6880-02$aGao, E"]
    assert texts(merged, "880") == ["10$6245-01/$1$a红楼梦", "1 $6700-02/$1$a高鹗"]


def test_a_field_of_the_base_gets_the_original_script_that_another_record_has() -> None:
    merged = merged_marc21(["245 10$aHong lou meng"], ["245 10$6880-01$aHong lou meng.", "880 10$6245-01/$1$a红楼梦"])
    assert texts(merged, "245") == ["10$6880-01$aHong lou meng"]
    assert texts(merged, "880") == ["10$6245-01/$1$a红楼梦"]


def test_an_original_script_field_without_a_link_belongs_to_no_field() -> None:
    merged = merged_marc21(["245 10$aTitle"], ["245 10$aTitle.", "880 10$a书"])
    assert [(tag, t) for tag, t in merged.record.fields] == [("245", text("10$aTitle"))]


def test_additions_stand_among_the_bases_fields_by_tag() -> None:
    merged = merged_marc21(["245 10$aTitle", "700 1_$aA"], ["245 10$aTitle", "650 _0$aHistory", "300 __$a1 p."])
    assert [tag for tag, _ in merged.record.fields] == ["245", "300", "650", "700"]


def test_members_of_the_other_format_add_only_standard_numbers() -> None:
    base = member("base", "010 __$a7-5037-2020-4", "200 1_$a书", fmt=Format.CNMARC, trust=9)
    other = member("m", "020 __$a9787503720208", "020 __$a7503722916 (hbk.)", "650 _0$aHistory", "022 __$a0317-8471")
    merged = merge.merge([other, base])
    assert merged.format is Format.CNMARC
    assert [(tag, marc.value(t, "a")) for tag, t in merged.record.fields] == [
        ("010", "7-5037-2020-4"),
        ("010", "7503722916 (hbk.)"),
        ("011", "0317-8471"),
        ("200", "书"),
    ]


def test_the_fingerprint_changes_with_the_record_and_not_with_local_fields() -> None:
    first = merged_marc21(["005 20200101", "245 10$aTitle", "949 __$i1"])
    touched = merged_marc21(["005 20240101", "245 10$aTitle", "949 __$i2", "949 __$i3"])
    changed = merged_marc21(["245 10$aTitle."])
    assert first.fingerprint == touched.fingerprint != changed.fingerprint


def test_a_policy_that_unites_what_is_not_repeatable_is_refused() -> None:
    table = merge_policy.TABLE_FILE.read_text(encoding="utf-8")
    with pytest.raises(merge_policy.BadPolicy, match="245"):
        merge_policy.parse(table.replace('"24[267]"', '"24[2567]"'))
    with pytest.raises(merge_policy.BadPolicy):
        merge_policy.parse("levels = 1")
