"""What a profile hides and keeps back."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.model import Source, SourceNo, Visibility
from dms import sharing
from dms.sharing import BadProfile
from protocols import marc
from protocols.marc import Record
from tests import builders

RECORD = builders.a_cnmarc(
    title="园冶", f300="  $a一般注$b附注", f010="  $a7-112-00001-X$d45.00", f905="  $aTJU$bC1", f910="  $a供应商"
)


def a_source(visible: Visibility = Visibility.PUBLIC, /, **profile: Any) -> Source:
    return Source(no=SourceNo(1), name="s", library="L", visibility=visible, sharing=profile)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({}, Visibility.PUBLIC),
        ({"level": "all", "drop": ["9.."]}, Visibility.PUBLIC),
        ({"level": "holdings"}, Visibility.HOLDINGS),
        ({"level": "nothing"}, Visibility.PRIVATE),
        ({"hide": ["300$a=一般"]}, Visibility.PRIVATE),
        ({"hide": ["3..=附注"]}, Visibility.PRIVATE),
        ({"hide": ["...$b=附注"]}, Visibility.PRIVATE),
        ({"hide": ["300$a=附注", "300$c=一般", "301=一般"]}, Visibility.PUBLIC),
        ({"hide": ["300$ab=附注"]}, Visibility.PRIVATE),
        ({"hide": ["300=.般注"]}, Visibility.PUBLIC),  # no pattern, a text
        ({"level": "holdings", "hide": ["300=一般"]}, Visibility.PRIVATE),
    ],
)
def test_a_profile_decides_who_sees_a_record(profile: dict[str, Any], expected: Visibility) -> None:
    assert sharing.visibility(a_source(**profile), RECORD) == expected


def test_the_narrowest_word_counts() -> None:
    told = Visibility.HOLDINGS  # by the node that it came from
    assert sharing.visibility(a_source(), RECORD, told) == Visibility.HOLDINGS
    assert sharing.visibility(a_source(level="all", drop=["9.."]), RECORD, told) == Visibility.HOLDINGS
    assert sharing.visibility(a_source(level="nothing"), RECORD, told) == Visibility.PRIVATE
    assert sharing.visibility(a_source(Visibility.PRIVATE, level="holdings"), RECORD) == Visibility.PRIVATE


def test_what_is_dropped_is_gone_and_the_rest_stays_as_it_is() -> None:
    found = sharing.reduced(RECORD, ["9..", "010$d", "300$ab"])
    tags = [tag for tag, _ in found.fields]
    assert "905" not in tags and "910" not in tags and "300" not in tags
    assert found.first("010") == "  \x1fa7-112-00001-X"
    kept = {"905", "910", "300", "010"}
    assert [f for f in found.fields if f[0] not in kept] == [f for f in RECORD.fields if f[0] not in kept]
    assert sharing.reduced(RECORD, ["300$a"]).first("300") == "  \x1fb附注"
    assert sharing.reduced(RECORD, ["..."]).fields == ()


def test_the_same_in_another_script_goes_too() -> None:
    fields = [
        ("500", "  \x1f6880-01\x1faNei bu"),
        ("880", "  \x1f6500-01/$1\x1fa内部资料"),
        ("880", "10\x1f6245-02/$1\x1fa园冶"),
    ]
    record = Record(" " * 24, tuple(fields))
    assert sharing.reduced(record, ["500"]).fields == (fields[2],)
    assert sharing.reduced(record, ["500$a"]).fields == (fields[2],)
    assert sharing.visibility(a_source(hide=["500$a=内部资料"]), record) == Visibility.PRIVATE
    assert sharing.visibility(a_source(hide=["245$a=园冶"]), record) == Visibility.PRIVATE


@pytest.mark.parametrize(
    "profile",
    [
        {"levle": "all"},
        {"level": "some"},
        {"drop": "9.."},
        {"drop": ["9"]},
        {"drop": ["9.*"]},
        {"drop": ["300$"]},
        {"drop": ["300$(a|b)"]},
        {"drop": [9]},
        {"hide": ["500"]},
        {"hide": ["500="]},
        {"hide": ["500=" + "长" * 201]},
        {"drop": ["300"] * 201},
        {"items": "yes"},
    ],
)
def test_a_profile_that_cannot_be_followed_is_refused(profile: dict[str, object]) -> None:
    with pytest.raises(BadProfile):
        sharing.profile(profile)


def test_a_profile_reads_what_it_tells() -> None:
    told = {"level": "holdings", "drop": ["9..", "300$ab"], "hide": ["500$a=a=b"], "items": True}
    assert sharing.told(sharing.profile(told)) == told
    assert not sharing.profile({}).tags and sharing.profile(told).tags == frozenset(("500", "880"))
    assert sharing.profile({"hide": ["5..=x"]}).tags is None


def test_matching_many_patterns_takes_no_longer_for_odd_texts() -> None:
    """A text of repeats is what makes patterns explode; there are none here."""
    record = Record(" " * 24, (("300", "  " + marc.DELIMITER + "a" + "a" * 9000),) * 200)
    source = a_source(hide=[f"{n:03}$a={'a' * 150}b" for n in range(200)])
    assert sharing.visibility(source, record) == Visibility.PUBLIC
