"""The tables of definitions agree with themselves, and say what the standards say of well-known fields."""

from __future__ import annotations

import re

import pytest

from catalog.model import Format
from dms.rules.definitions import tables
from dms.rules.definitions.tables import Definitions, Fixed
from dms.rules.model import LEADER, Kind

PLACES = list(tables.TABLES)


def known(fmt: Format, kind: Kind) -> Definitions:
    found = tables.definitions(fmt, kind)
    assert found is not None
    return found


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].name}-{place[1].name}")
def test_a_table_agrees_with_itself(place: tuple[Format, Kind]) -> None:
    found = known(*place)
    assert set(found.must) <= set(found.fields)
    for tag, field in found.fields.items():
        assert len(tag) == 3
        assert field.label
        for codes in field.indicators:
            assert codes is None or all(len(code) == 1 for code in codes.legal | codes.former), tag
        if field.subfields is not None:
            assert all(len(code) == 1 for code in field.subfields.legal | field.subfields.former), tag
            assert field.once <= field.subfields.legal, tag
            assert not field.subfields.legal & field.subfields.former, tag
    for tag, needs in found.needs.items():
        subfields = found.fields[tag].subfields
        assert subfields is not None, tag
        assert set(needs) <= subfields.legal, tag
    for name, fixed in found.fixed.items():
        tag, _, code = name.partition("$")
        assert tag == LEADER or tag in found.fields, name
        subfields = found.fields[tag].subfields if code else None
        assert subfields is None or code in subfields.legal, name
        fits(name, fixed)


def fits(name: str, fixed: Fixed) -> None:
    """Positions do not overlap, lie within a legal length, and have codes of their width or of each character."""
    for selector in {"*", *fixed.positions, *fixed.lengths}:
        end = 0
        for each in fixed.of(selector):
            assert each.start >= end, (name, selector, each)
            end = each.start + each.width
            assert bool(each.pattern) != bool(each.codes.legal), (name, selector, each)
            assert each.width % each.step == 0, (name, selector, each)
            assert {len(code) for code in each.codes.legal} <= {1, each.step}, (name, selector, each)
        if lengths := fixed.lengths_of(selector):
            assert end <= max(lengths), (name, selector)


@pytest.mark.parametrize(
    ("fmt", "kind", "tag", "repeatable", "once", "many"),
    [
        (Format.MARC21, Kind.BIBLIOGRAPHIC, "245", False, "abc", "kn"),
        (Format.MARC21, Kind.BIBLIOGRAPHIC, "650", True, "a", "vxyz"),
        (Format.MARC21, Kind.AUTHORITY, "100", False, "a", "x"),
        (Format.MARC21, Kind.HOLDINGS, "852", True, "ah", "bcz"),
        (Format.CNMARC, Kind.BIBLIOGRAPHIC, "200", False, "v", "aefgi"),
        (Format.CNMARC, Kind.BIBLIOGRAPHIC, "606", True, "a", "xyz"),
        (Format.CNMARC, Kind.BIBLIOGRAPHIC, "690", True, "av", ""),
        (Format.CNMARC, Kind.AUTHORITY, "200", True, "ab", "x"),
        (Format.CNMARC, Kind.AUTHORITY, "500", True, "ab", "0x"),
    ],
)
def test_well_known_fields(fmt: Format, kind: Kind, tag: str, repeatable: bool, once: str, many: str) -> None:
    field = known(fmt, kind).fields[tag]
    assert field.subfields is not None
    assert field.repeatable is repeatable
    assert set(once) <= field.once
    assert set(many) <= field.subfields.legal - field.once


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].name}-{place[1].name}")
def test_every_field_has_a_name_in_both_languages(place: tuple[Format, Kind]) -> None:
    for tag in known(*place).fields:
        assert re.search("[a-z]{2}", tables.label(*place, tag, "en")), tag
        assert re.search("[\u4e00-\u9fff]|CODEN", tables.label(*place, tag, "zh")), tag
    assert tables.label(*place, "999", "zh") == tables.label(*place, "999", "en") == ""


def test_what_was_legal_once_is_told_from_what_is() -> None:
    codes = known(Format.MARC21, Kind.BIBLIOGRAPHIC).fixed[LEADER].positions["*"][6].codes
    assert "h" in codes.former
    assert "a" in codes.legal
    assert "h" not in codes.legal


def test_every_row_on_top_of_unimarc_names_its_source() -> None:
    lines = (tables.FOLDER / "cnmarc_own.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    width = {"field": 8, "code": 8, "add": 4}
    assert [row for row in rows if len(row) != width[row[0]] or len(row[-1]) < 5] == []
