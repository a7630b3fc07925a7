"""Indicators that the other format has no place for are told as lost; those that it implies are not."""

from __future__ import annotations

import pytest

from dms.crosswalk.marc import table
from dms.crosswalk.marc.convert import crosswalk
from dms.crosswalk.marc.indicators import NO_INDICATOR
from dms.crosswalk.model import Fate, Loss
from protocols.marc import Record

TABLES = ("cnmarc_marc21", "marc21_cnmarc")


def lost(name: str, *lines: str) -> list[str]:
    """The indicators that are lost of fields like `200 1 $a…`, as `200 ind1 1`."""
    fields = tuple((line[:3], line[4:].replace("$", "\x1f")) for line in lines)
    told = crosswalk(name).convert(Record("00000nam a2200000   450 ", fields)).losses()
    found = [loss for _, loss in told if loss.code.startswith("ind")]
    assert all(loss.fate is Fate.LOST and loss.why == NO_INDICATOR for loss in found)
    return [f"{loss.tag} {loss.code} {loss.value}" for loss in found]


@pytest.mark.parametrize(
    ("name", "line", "gone"),
    [
        ("cnmarc_marc21", "200 0 $a某", []),  # U 200: not significant; M 245: no added entry
        ("cnmarc_marc21", "606 2 $a某", []),  # the level of a subject is there, too
        ("cnmarc_marc21", "011 1 $a0254-3087", []),  # of local interest
        ("cnmarc_marc21", "701  1$a王$b某", []),
        ("cnmarc_marc21", "320 1 $a有书目", ["320 ind1 1"]),
        ("cnmarc_marc21", "200 12$aThe title", ["200 ind2 2"]),  # CMARC: characters that do not file
        ("cnmarc_marc21", "320 #|$a有书目", []),  # blanks, as systems write them
        ("cnmarc_marc21", "345 1 $y某", []),  # what is kept whole keeps its indicators
        ("marc21_cnmarc", "050 00$aPZ7$b.S7", ["050 ind1 0", "050 ind2 0"]),
        ("marc21_cnmarc", "050  4$aPZ7$b.S7", []),  # what 680 says is by another agency than the Library of Congress
        ("marc21_cnmarc", "082 14$a514$219", ["082 ind1 1"]),
        ("marc21_cnmarc", "245 04$aThe title", []),
        ("marc21_cnmarc", "222  4$aThe title", []),
        ("marc21_cnmarc", "246 1 $aThe title", ["246 ind1 1"]),  # a note is to be made
        ("marc21_cnmarc", "246 30$aThe title", ["246 ind2 0"]),  # a part of the title
        ("marc21_cnmarc", "650 16$aBouddhisme", []),  # the thesaurus is in $2
        ("marc21_cnmarc", "505 00$tOne /$rTwo.", []),
    ],
)
def test_an_indicator_has_a_line_where_the_target_does_not_say_it(name: str, line: str, gone: list[str]) -> None:
    assert lost(name, line) == gone


def test_what_a_series_says_of_its_established_form_is_compared_with_it_where_it_is_there() -> None:
    assert lost("cnmarc_marc21", "225 2 $a某丛书", "410  0$12001 $a某丛书") == []
    assert lost("cnmarc_marc21", "225 2 $a某丛书") == ["225 ind1 2"]


def test_a_translation_into_one_language_has_no_041_to_say_so() -> None:
    assert lost("cnmarc_marc21", "101 1 $achi") == ["101 ind1 1"]
    assert lost("cnmarc_marc21", "101 1 $achi$ceng") == []
    assert lost("cnmarc_marc21", "101 0 $achi") == []


def test_fields_of_one_outline_have_the_same_lines_with_each_indicator() -> None:
    engine = crosswalk("cnmarc_marc21")
    fields = tuple(("320", f"{ind} \x1fa某{n}") for n, ind in enumerate(" 1 2 1"))
    told = [losses[1:] for _, losses in engine.convert(Record("00000nam0 2200000   450 ", fields)).fates]
    assert told == [() if ind == " " else (Loss("320", "ind1", Fate.LOST, "", NO_INDICATOR, ind),) for ind in " 1 2 1"]


@pytest.mark.parametrize("name", TABLES)
def test_what_tables_call_implied_is_of_tags_that_they_have_rows_for(name: str) -> None:
    told = table.table(name)
    assert told.settings["implied"].keys() <= told.rows.keys()
    assert all(len(each) == 2 for each in told.settings["implied"].values())
