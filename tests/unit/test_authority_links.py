"""Ids of authority records contradict within one authority file, however they are written."""

from __future__ import annotations

import pytest

from catalog.model import Format
from dms import merge
from dms.authority_links import Conflict
from dms.merge_policy import builtin
from tests.unit.test_merge import BASE_TRUST, member


def conflicts(*links: str, tag: str = "700 1_$aSmith, John") -> tuple[Conflict, ...]:
    """What is found where each record has the heading with one link; the first is the base."""
    found = [member(f"s{n}/1", "245 10$aTitle", f"{tag}{link}", trust=BASE_TRUST - n) for n, link in enumerate(links)]
    return merge.merge(found).conflicts


@pytest.mark.parametrize(
    ("one", "other", "file"),
    [
        ("$0(DE-588)118540238", "$0(DE-588)118540239", "GND"),
        ("$0(DE-588)118540238", "$0https://d-nb.info/gnd/118540239", "GND"),
        ("$0n79021383", "$0(DLC)n 79021384", "DLC names"),
        ("$0http://id.loc.gov/authorities/names/n79021383", "$0(DLC)n79021384", "DLC names"),
        ("$0(CAL)n2004001", "$0(CAL)n2004002", "CAL"),
        ("$0http://example.org/people/1", "$0https://example.org/people/2", "example.org/people"),
        ("$0(DE-588)1$0(viaf)7", "$0(viaf)8", "VIAF"),
    ],
)
def test_different_ids_of_one_file_are_a_conflict(one: str, other: str, file: str) -> None:
    (found,) = conflicts(one, other)
    assert (found.file, found.tag, found.heading, found.a, found.b) == (file, "700", "$a Smith, John", "s0/1", "s1/1")
    assert found.id_a != found.id_b


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("$0(DE-588)118540238", "$0https://d-nb.info/gnd/118540238", id="the same id in two forms"),
        pytest.param("$0(DLC)n 79021383", "$0http://id.loc.gov/authorities/names/n79021383", id="a blank in it"),
        pytest.param("$0(OCoLC)fst00012", "$0http://id.worldcat.org/fast/12", id="leading zeros"),
        pytest.param("$0(DE-588)1", "$0(viaf)2", id="two files"),
        pytest.param("$0(DE-588)1$0(viaf)2", "$0(viaf)2", id="one of several"),
        pytest.param("$0123", "$0124", id="numbers of two systems"),
        pytest.param("$0(DE-588)1", "", id="no id"),
    ],
)
def test_what_is_no_conflict(one: str, other: str) -> None:
    assert not conflicts(one, other)


def test_two_ids_of_one_system_without_a_name_are_a_conflict() -> None:
    found = merge.merge([member("s/1", "650 _0$aHistory$0123"), member("s/2", "650 _0$aHISTORY$0124")]).conflicts
    assert [(one.file, one.id_a, one.id_b) for one in found] == [("(s)", "123", "124")]


def test_a_third_record_is_compared_with_what_the_first_two_said() -> None:
    found = conflicts("", "$0(DE-588)1", "$0(viaf)7", "$0(viaf)8", "$0(DE-588)1", "$0(viaf)8")
    assert [(one.file, one.a, one.b) for one in found] == [("VIAF", "s2/1", "s3/1")]


def test_headings_that_differ_and_links_of_other_fields_are_none() -> None:
    assert not merge.merge(
        [member("a", "650 _0$aHistory$0(x)1"), member("b", "650 _0$aHistory$zFrance$0(x)2")]
    ).conflicts
    assert not conflicts("$0(x)1", "$0(x)2", tag="336 __$atext")
    one, other = "461 _0$1200 1 $a书$3(CAL)1", "461 _0$1200 1 $a书$3(CAL)2"
    assert not merge.merge([member("a", one, fmt=Format.CNMARC), member("b", other, fmt=Format.CNMARC)]).conflicts


def test_every_form_in_the_table_has_one_group() -> None:
    assert all(form.groups == 1 for _, form in builtin().authority_files)
