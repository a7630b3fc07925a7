"""What builders make is read the same by an outside reader."""

from __future__ import annotations

import io
import json

import pymarc
import pytest

from protocols import marc
from protocols.marc import Record
from tests import builders


def outside(record: pymarc.Record) -> tuple[tuple[str, str], ...]:
    """The fields of a pymarc record in our neutral shape."""
    made = []
    for one in record.fields:
        if one.control_field:
            made.append((one.tag, one.data or ""))
        else:
            text = "".join(one.indicators or ()) + "".join(f"\x1f{code}{value}" for code, value in one.subfields)
            made.append((one.tag, text))
    return tuple(made)


RECORDS = [
    builders.a_cnmarc(holdings=[builders.a_holding(), builders.a_holding(builders.SZL, item="S1")], volume="第三卷"),
    builders.a_marc21(title="紅樓夢", author="曹雪芹", holdings=[builders.a_holding(builders.HKS)]),
    builders.a_marc21(subtitle="walls & doors <old>", isbn=["9780199535569", "0199535566"], edition="2nd ed."),
]


@pytest.mark.parametrize("record", RECORDS)
def test_iso2709_is_read_identically(record: Record) -> None:
    read = list(pymarc.MARCReader(builders.iso2709(record), force_utf8=True))
    assert [outside(one) for one in read if one] == [record.fields]


def test_gb18030_is_read_identically() -> None:
    record = RECORDS[0]
    reader = pymarc.MARCReader(builders.iso2709(record, encoding="gb18030"), file_encoding="gb18030")
    assert [outside(one) for one in reader if one] == [record.fields]


@pytest.mark.parametrize("record", RECORDS)
def test_marcxml_is_read_identically(record: Record) -> None:
    read = pymarc.parse_xml_to_array(io.BytesIO(builders.marcxml(record)))  # type: ignore[no-untyped-call]
    assert [outside(one) for one in read if one] == [record.fields]


@pytest.mark.parametrize("record", RECORDS)
def test_marcjson_is_read_identically(record: Record) -> None:
    lines = builders.marcjson(record).decode().splitlines()
    read = list(pymarc.JSONReader(json.dumps([json.loads(line) for line in lines])))
    assert [outside(one) for one in read if one] == [record.fields]


def test_overrides_replace_and_drop_fields() -> None:
    record = builders.a_cnmarc(f200="1 $a史记$f司马迁撰", f690=None, f701=[" 0$a司马迁", " 0$a裴骃"])
    assert marc.value(record.first("200") or "", "a") == "史记"
    assert record.first("690") is None
    assert len(record.all("701")) == 2
    assert [tag for tag, _ in record.fields] == sorted(tag for tag, _ in record.fields)


def test_what_is_left_empty_is_left_out() -> None:
    record = builders.a_cnmarc(isbn="", author="", pages="", local_id="")
    assert record.first("010") is record.first("701") is record.first("215") is record.first("001") is None


def test_coded_fields_have_their_lengths() -> None:
    assert len(marc.value(builders.a_cnmarc().first("100") or "", "a")) == 36
    assert len(builders.a_marc21().first("008") or "") == 40


def test_isbns_are_valid() -> None:
    assert builders.isbn13(2000220) == "9787020002207"
    assert builders.isbn10("9787020002207") == "702000220X"
    assert builders.isbn10(builders.isbn13(199535566, "978")).isalnum()


def test_unknown_override_is_refused() -> None:
    with pytest.raises(TypeError, match="named f and a tag"):
        builders.a_cnmarc(titel="x")
