"""Records as other libraries take them: in their dialect, with pinyin, without anybody's copies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog import packing
from catalog.model import Cluster, Format, Published
from config.errors import BadRecord
from dms import describe
from protocols import iso2709
from protocols.marc import Record, value
from services.delivery import asked, copied
from tests import builders


def published(record: Record, fmt: Format = Format.CNMARC) -> Published:
    return Published(
        cluster=Cluster(1), id="CN-X.000001", seq=1, at=datetime(2026, 1, 2, tzinfo=UTC), deleted=False, format=fmt,
        body=packing.pack(record), description=describe.describe(record, fmt),
    )  # fmt: skip


def taken(record: Record, dialect: str, fmt: Format = Format.CNMARC) -> Record:
    return copied.copied(published(record, fmt), dialect).record


@pytest.mark.parametrize("dialect", ["marc21", "cnmarc-calis", "cnmarc-nlc", "unimarc"])
@pytest.mark.parametrize("fmt", list(Format))
def test_nobodys_copies_leave_with_a_record(dialect: str, fmt: Format) -> None:
    local = ("905", "906", "907", "852", "866", "949", "996")
    made = builders.a_cnmarc if fmt is Format.CNMARC else builders.a_marc21
    record = made(**{f"f{tag}": "  $aCN-TJU$b0001" for tag in local})
    assert not [tag for tag, _ in taken(record, dialect, fmt).fields if tag in local]


def test_pinyin_is_supplied_where_the_dialect_wants_it() -> None:
    record = builders.a_cnmarc(title="重庆银行史", author="单田芳")
    assert [value(text, "a") for text in taken(record, "marc21").all("880")] == [
        "shan tian fang",
        "chong qing yin hang shi",
    ]
    calis, nlc, unimarc = (taken(record, each) for each in ("cnmarc-calis", "cnmarc-nlc", "unimarc"))
    assert value(calis.first("200") or "", "A") == "chong qing yin hang shi"
    assert value(nlc.first("200") or "", "9") == "chong qing yin hang shi"
    assert value(nlc.first("701") or "", "9") == "shan tian fang", "a surname is read as one"
    twins = [text for text in unimarc.all("200") if value(text, "7") == "ba"]
    assert [value(text, "a") for text in twins] == ["chong qing yin hang shi"]


def in_chinese(*fields: tuple[str, str], language: str = "chi") -> Record:
    coded = f"200101s2011    cc            000 0 {language} d"
    return Record("00000nam a2200000 a 4500", (("001", "1"), ("008", coded), *fields))


def test_marc21_as_it_is_kept_carries_pinyin_too() -> None:
    title, name = "10\x1fa重庆银行史 /\x1fc单田芳著.", "1 \x1fa单田芳,"
    record = in_chinese(("100", name), ("245", title), ("650", " 7\x1fa银行\x1f6880-03"), ("951", "  \x1fax"))
    made = taken(record, "marc21", Format.MARC21)
    assert made.first("245") == "10\x1f6880-05\x1fa重庆银行史 /\x1fc单田芳著."
    assert made.all("880") == ["1 \x1f6100-04\x1fashan tian fang", "10\x1f6245-05\x1fachong qing yin hang shi"]
    assert [tag for tag, _ in made.fields] == sorted(tag for tag, _ in made.fields)


@pytest.mark.parametrize(
    "record",
    [
        in_chinese(("245", "10\x1fa日本文学史"), language="jpn"),
        in_chinese(("245", "10\x1f6880-01\x1faChong qing"), ("880", "10\x1f6245-01\x1fa重庆")),
        in_chinese(("245", "10\x1fa重庆"), ("880", "10\x1f6245-00\x1faChong qing")),
        in_chinese(("245", "10\x1faGardens")),
    ],
)
def test_pinyin_is_no_twin_of_what_has_one_or_is_not_chinese(record: Record) -> None:
    made = taken(record, "marc21", Format.MARC21)
    assert [each for each in made.fields if each[0] > "1"] == [each for each in record.fields if each[0] > "1"]


def test_what_a_cataloguer_wrote_stays() -> None:
    for own in ("1 $a重庆$Achong qing shi$f某著", "1 $a重庆$9chong qing shi$f某著"):
        nlc = taken(builders.a_cnmarc(f200=own), "cnmarc-nlc")
        assert value(nlc.first("200") or "", "9") == "chong qing shi"
    latin = taken(builders.a_cnmarc(f200="1 $aGardens$fHarrow"), "cnmarc-nlc")
    assert value(latin.first("200") or "", "9") == ""


def test_a_record_in_marc21_is_not_said_to_be_another_agencys() -> None:
    record = taken(builders.a_cnmarc(), "marc21")
    assert record.first("001") == "CN-X.000001"
    assert record.first("003") is None
    assert not [text for text in record.all("035") if "CN-X.000001" in text]


def test_a_brief_record_says_who_what_when() -> None:
    going = asked.shortened(copied.copied(published(builders.a_cnmarc()), "cnmarc-nlc"))
    tags = {tag for tag, _ in going.record.fields}
    assert {"001", "010", "200", "210", "701"} <= tags
    assert not tags & {"606", "690", "801"}


def test_the_record_says_the_encoding_that_it_is_written_in() -> None:
    going = copied.copied(published(builders.a_cnmarc(title="天工开物")), "cnmarc-nlc")
    for encoding, code in (("utf-8", "50  "), ("gb18030", "0120")):
        data = asked.written(going, asked.ISO2709, encoding)
        assert "天工开物".encode(encoding) in data
        assert code.encode() in data
    with pytest.raises(iso2709.TooLong):
        long = builders.a_cnmarc(f330=["  $a" + "长" * 3000] * 12)
        asked.written(copied.copied(published(long), "cnmarc-nlc"), asked.ISO2709)
    assert issubclass(iso2709.TooLong, BadRecord)


@pytest.mark.parametrize("form", [asked.MARCXML, asked.MODS, asked.DC, asked.QDC])
def test_every_schema_gives_a_document(form: str) -> None:
    going = copied.copied(published(builders.a_cnmarc(title="天工开物")), "marc21")
    document = asked.written(going, form)
    assert document.startswith(b"<")
    assert "天工开物".encode() in document
    assert form in asked.SCHEMAS.values()
