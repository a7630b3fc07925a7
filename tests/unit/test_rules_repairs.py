"""Repairs of structure: what is mended, what is left to a cataloguer, and what is told of it."""

from __future__ import annotations

import pytest

from catalog.model import Format
from dms.rules import catalogue, check, mend, repairs
from dms.rules.model import LEADER, Level, Mended, Profile
from protocols import detect, dialect, reading
from protocols.marc import Record
from tests import builders, data, rule_cases

CONTENT = dict.fromkeys(rule_cases.content_ids(), Level.OFF)
STRUCTURE = check.checker(Profile(levels=dict.fromkeys(catalogue.rules(), Level.NOTE) | CONTENT))
LEADERS = {Format.MARC21: "00000nam a2200000 i 4500", Format.CNMARC: "00000nam0 2200000   450 "}
CODED = "040101s2004    cc            000 0 chi  "
M, C = Format.MARC21, Format.CNMARC


def mended(fmt: Format, rule: str, *fields: tuple[str, str], leader: str = "") -> Mended:
    record = Record(leader or LEADERS[fmt], tuple((tag, builders.field(text)) for tag, text in fields))
    return mend.mend(record, fmt, [rule])


@pytest.mark.parametrize(
    ("fmt", "rule", "tag", "before", "after"),
    [
        (M, "indicator-undefined", "500", "1 $aX", "  $aX"),
        (M, "indicator-undefined", "245", "1#$aX", None),  # 0 to 9 are legal, a blank is not
        (M, "indicator-undefined", "710", "2|$aX", "2 $aX"),
        (M, "indicator-undefined", "710", "25$aX", None),
        (C, "indicator-undefined", "200", "10$aX", "1 $aX"),
        (C, "indicator-undefined", "200", " 0$aX", "  $aX"),
        (M, "indicator-undefined", "949", "zz$aX", None),
        (M, "subfield-empty", "300", "  $a$b2", "  $b2"),
        (M, "subfield-empty", "300", "  $a1$", "  $a1"),
        (M, "subfield-empty", "300", "  $a$b ", None),  # the field as a whole is
        (M, "subfield-repeated", "650", " 0$aX$xY$aX", " 0$aX$xY"),
        (M, "subfield-repeated", "650", " 0$aX$aY", None),
        (M, "subfield-repeated", "650", " 0$aX$xY$xY", None),
        (C, "subfield-repeated", "461", " 0$12001 $aX$12051 $aX", None),
        (M, "fixed-length", "008", CODED.rstrip(), CODED),
        (M, "fixed-length", "008", CODED + " ", CODED),
        (M, "fixed-length", "008", CODED.replace("cc ", "cc"), None),  # a character within is missing
        (M, "fixed-length", "007", "t", None),
        (C, "fixed-length", "105", "  $aa   z   000yy  ", "  $aa   z   000yy"),
        (C, "fixed-length", "105", "  $aa   z   000y", "  $aa   z   000y "),
    ],
)  # fmt: skip
def test_a_field_is_mended_where_one_value_can_be_meant(
    fmt: Format, rule: str, tag: str, before: str, after: str | None
) -> None:
    found = mended(fmt, rule, (tag, before))
    expected = builders.field(before if after is None else after)
    assert found.record.fields == ((tag, expected),)
    told = [(each.rule, each.tag, each.nth, each.before, each.after) for each in found.receipts]
    assert told == ([(rule, tag, 1, builders.field(before), expected)] if after is not None else [])


def test_empty_fields_are_dropped_and_told() -> None:
    found = mended(M, "field-empty", ("003", ""), ("300", "  "), ("300", "  $a1"), ("300", "  $a $b"), ("300", "1 v."))
    assert [text for _, text in found.record.fields] == ["  \x1fa1", "1 v."]
    assert [(each.tag, each.nth, each.after) for each in found.receipts] == [
        ("003", 1, ""),
        ("300", 1, ""),
        ("300", 3, ""),
    ]


def test_a_field_that_stands_twice_with_the_same_text_stands_once() -> None:
    twice = ("245", "10$aX"), ("245", "10$aX"), ("245", "10$aY"), ("500", "  $aX"), ("500", "  $aX")
    found = mended(M, "field-repeated", *twice)
    assert [tag for tag, _ in found.record.fields] == ["245", "245", "500", "500"]
    assert [(each.tag, each.nth) for each in found.receipts] == [("245", 2)]


def test_the_leader_s_constants_are_set() -> None:
    found = mended(M, "leader-constant", ("001", "1"), leader="00000nam a3200000 i 45 0")
    assert found.record.leader == "00000nam a2200000 i 4500"
    assert [(each.tag, each.nth) for each in found.receipts] == [(LEADER, 1)]
    assert mended(M, "leader-constant", ("001", "1"), leader="00000nqm a2200000 i 4500").receipts == ()  # no type


@pytest.mark.parametrize("folder", ["marc21-bib", "unimarc-cnmarc", "holdings", "authority"])
def test_mending_real_records_leaves_nothing_new(folder: str) -> None:
    changed = 0
    for path in sorted(data.path(folder).rglob("*")):
        if path.suffix not in (".mrc", ".marc", ".iso"):
            continue
        content = path.read_bytes()
        for each in reading.read(content, detect.carrier_of(content)).reads[:60]:
            fmt = M if dialect.family(each.record) == "marc21" else C
            found = mend.mend(each.record, fmt, repairs.FIXES)
            again = mend.mend(found.record, fmt, repairs.FIXES)
            assert again == Mended(found.record, ())
            changed += bool(found.receipts)
            gone = {receipt.tag for receipt in found.receipts}
            before = {(told.rule, told.tag) for told in STRUCTURE.check(each.record, fmt)}
            after = {(told.rule, told.tag) for told in STRUCTURE.check(found.record, fmt)}
            assert after - before <= {("field-missing", tag) for tag in gone}  # it was there, and empty
    assert changed
