"""Who gave each field of a merged record."""

from __future__ import annotations

from hypothesis import given, settings

from catalog.model import Format
from dms import contributors, merge, merge_base
from dms.contributors import Contributions
from dms.merge_base import Member
from protocols import marc
from services.delivery import giving
from tests.unit.test_merge import BASE_TRUST, member, members, text


def who(*found: Member) -> Contributions:
    merged = merge.merge(found)
    return contributors.of(merged.record.fields, merged.format, found)


def gave(found: Contributions, tag: str, value: str) -> tuple[str, tuple[str, ...]]:
    (one,) = [each for each in found.fields if each.tag == tag and marc.value(each.text, "a") == value]
    return one.wording, one.others


@settings(max_examples=300, deadline=None)
@given(members())
def test_every_field_has_somebody_who_gave_it_and_the_wording_is_his_that_merge_took(found: list[Member]) -> None:
    merged = merge.merge(found)
    told = contributors.of(merged.record.fields, merged.format, found)
    assert told.base == merge_base.ranked(found)[0].key
    by_key = {each.key: each for each in found}
    for (tag, words), one, origin in zip(merged.record.fields, told.fields, merged.origins, strict=True):
        assert (one.tag, one.text) == (tag, words)
        assert one.wording
        assert one.wording not in one.others
        assert origin == one.wording or origin in one.others
        if by_key[one.wording].format is merged.format:
            theirs = [marc.subfields(each) for _, each in by_key[one.wording].record.fields]
            assert tag == "008" or [p for p in marc.subfields(words) if p[0] != "6"] in [
                [p for p in pairs if p[0] != "6"] for pairs in theirs
            ]


def test_a_heading_is_whose_words_it_has_and_of_all_who_have_it() -> None:
    found = who(
        member("a", "200 1_$a书", "606 0_$a历史", fmt=Format.CNMARC, trust=BASE_TRUST),
        member("b", "200 1_$a书", "606 0_$a歷史$3S1", "606 0_$a地理", fmt=Format.CNMARC),
        member("c", "200 1_$a書", "606 0_$a地理", fmt=Format.CNMARC),
    )
    assert (found.base, found.decided) == ("a", "trust")
    assert gave(found, "606", "歷史") == ("b", ("a",))
    assert gave(found, "606", "地理") == ("b", ("c",))
    assert gave(found, "200", "书") == ("a", ("b", "c"))


def test_what_only_the_base_may_say_is_the_bases() -> None:
    found = who(member("a", "245 10$aTitle", "040 __$aX", trust=BASE_TRUST), member("b", "245 10$aTitle", "040 __$aX"))
    assert gave(found, "040", "X") == ("a", ())


def test_a_number_of_a_record_in_the_other_format_is_that_records() -> None:
    found = who(member("a", "200 1_$a书", fmt=Format.CNMARC, trust=BASE_TRUST), member("b", "020 __$a9787503720208"))
    assert gave(found, "010", "9787503720208") == ("b", ())


def test_what_a_correction_wrote_is_nobodys() -> None:
    one = member("a", "245 10$aTitel")
    corrected = merge.amended(merge.merge([one]), [("245", text("10$aTitel"), text("10$aTitle"))])
    found = contributors.of(corrected.record.fields, corrected.format, [one])
    assert gave(found, "245", "Title") == ("", ())
    assert found.decided == ""
    assert [giving.told(each, "en") for each in found.fields] == ["written by a correction"]
