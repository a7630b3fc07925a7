"""Dialects of CNMARC, pairs of scripts and foreign fields, by examples."""

from __future__ import annotations

import pytest

from catalog.model import Format
from dms.crosswalk.marc import between, dialects, foreign, linking
from dms.crosswalk.model import Fate
from protocols.marc import Record

LEADER = "00000nam0 2200000   450 "


def _record(*lines: str) -> Record:
    return Record(LEADER, tuple((line[:3], line[4:].replace("$", "\x1f")) for line in lines))


def _lines(record: Record) -> list[str]:
    return [f"{tag} {text}".replace("\x1f", "$") for tag, text in record.fields]


CALIS = (
    "200 1 $a园冶图说$Ayuan ye tu shuo$f赵农著",
    "225 2 $a中国园林丛书$v3",
    "410  0$12001 $a中国园林丛书$v3",
    "701  0$a赵农$Azhao nong$4著",
)
NLC = (
    "200 1 $a园冶图说$9yuan ye tu shuo$f赵农著",
    "225 2 $a中国园林丛书$v3",
    "461  0$12001 $a中国园林丛书$v3",
    "701  0$a赵农$9zhao nong$4著",
)
UNIMARC = (
    "200 1 $6a01$7ea$a园冶图说$f赵农著",
    "200 1 $6a01$7ba$ayuan ye tu shuo",
    "225 2 $a中国园林丛书$v3",
    "410  0$t中国园林丛书$v3",
    "700  0$6a02$7ea$a赵农$4070",
    "700  0$6a02$7ba$azhao nong",
)
FORMS = {"cnmarc-calis": CALIS, "cnmarc-nlc": NLC, "unimarc": UNIMARC}


@pytest.mark.parametrize("target", FORMS)
@pytest.mark.parametrize("source", FORMS)
def test_every_dialect_becomes_every_other(source: str, target: str) -> None:
    converted = dialects.to(_record(*FORMS[source]), target)
    assert _lines(converted.record) == list(FORMS[target])
    assert converted.counts()[Fate.LOST] == 0


def test_pinyin_that_the_national_library_does_not_write_is_told() -> None:
    converted = dialects.to(_record("200 1 $a园冶$Ayuan ye$e图说$Etu shuo"), "cnmarc-nlc")
    assert _lines(converted.record) == ["200 1 $a园冶$9yuan ye$e图说"]
    assert [(loss.code, loss.value) for _, loss in converted.losses() if loss.fate is Fate.LOST] == [("E", "tu shuo")]


def test_a_set_that_is_no_series_keeps_its_link() -> None:
    """461 links a volume to its set too: only what names the series of 225 is the series' heading."""
    lines = ["200 1 $a园冶图说$h上册", "461  0$12001 $a园冶图说全集$v1"]
    assert _lines(dialects.to(_record(*lines), "cnmarc-calis").record) == lines


def test_a_link_with_more_than_standard_subfields_say_stays_embedded() -> None:
    lines = ["200 1 $a报告", "463  0$12001 $a中国图书馆学报$f编委会$1011  $a1001-8867"]
    assert _lines(dialects.to(_record(*lines), "unimarc").record) == lines


def test_a_pair_of_scripts_is_one_field_whichever_is_in_880() -> None:
    han, latin = "园冶图说", "Yuan ye tu shuo"
    for field, script in ((latin, han), (han, latin)):
        record = Record(
            "00000nam a2200000 a 4500",
            (("245", f"10\x1f6880-01\x1fa{field}"), ("880", f"10\x1f6245-01/$1\x1fa{script}")),
        )
        converted = between.to(record, Format.MARC21, "cnmarc-calis")
        assert f"200 1 $a{han}$A{latin}" in _lines(converted.record)
        told = {(loss.tag, loss.code): loss.to for _, loss in converted.losses() if loss.code in ("a", "6")}
        one, two = ("880", "245") if field == latin else ("245", "880")
        assert told[one, "a"] == "200$a" and told[two, "a"] == "200$A"
        assert told["245", "6"] == told["880", "6"] == between.ONE_FIELD


def test_a_field_without_a_place_returns_as_it_was() -> None:
    record = Record(
        "00000nam a2200000 a 4500",
        (("007", "cr cn|||||||||"), ("245", "10\x1faA"), ("583", "1 \x1fadigitized\x1fc2010\x1f5DLC")),
    )
    there = between.to(record, Format.MARC21, "unimarc")
    assert [loss.to for _, loss in there.losses() if loss.tag == "583"] == ["886"] * 3
    back = between.to(there.record, Format.CNMARC, "marc21").record
    assert back.first("007") == "cr cn|||||||||" and back.first("583") == "1 \x1fadigitized\x1fc2010\x1f5DLC"
    assert not back.all("886")


@pytest.mark.parametrize(
    "text",
    [
        "2 $2rusmarc$a583$b  $ax",
        "2 $2marc21$a583$b $ax",
        "2 $2marc21$a583",
        "1 $2marc21$a583$b  $ax",
        "2 $2marc21$a001$bx",
    ],
)
def test_a_foreign_field_of_another_format_or_damaged_stays(text: str) -> None:
    assert foreign.held(text.replace("$", "\x1f"), ("marc21",)) is None


def test_a_second_title_opens_its_embedded_field_again() -> None:
    pairs = [("200a", "甲"), ("011a", "1001-8867"), ("200v", "3"), ("200a", "乙"), ("v", "x")]
    assert linking.embedded(pairs, {"200": "1 ", "011": "  "}) == [
        ("v", "x"), ("1", "2001 "), ("a", "甲"), ("v", "3"), ("1", "011  "), ("a", "1001-8867"),
        ("1", "2001 "), ("a", "乙"),
    ]  # fmt: skip
