"""Judgements of content rules that a case of one record can't show: readings, hyphens, notation, years."""

from __future__ import annotations

from pathlib import Path

import pytest

from dms.rules.content import dates, nonfiling, notation, numbers, romanised


@pytest.mark.parametrize(
    ("digits", "written"),
    [
        ("7503717440", "7-5037-1744-0"),
        ("9787503717444", "978-7-5037-1744-4"),
        ("7801275551", "7-80127-555-1"),
        ("0306406152", "0-306-40615-2"),
        ("9791090636071", "979-10-90636-07-1"),
        ("9786000000004", "978-600-00-0000-4"),
    ],
)
def test_an_isbn_is_cut_by_the_range_message(digits: str, written: str) -> None:
    assert numbers.hyphenated(digits) == written


@pytest.mark.parametrize("digits", ["9789999999999", "9786999999999", "", "978"])
def test_an_isbn_of_no_known_range_is_not_cut(digits: str) -> None:
    assert numbers.hyphenated(digits) == ""


@pytest.mark.parametrize(
    ("text", "spelled", "wanted"),
    [
        ("重庆", "zhong qing", "zhong qing"),  # each character can be read so
        ("银行", "yin hang", "yin hang"),
        ("银行", "yin heng", "yin heng"),  # a rare reading of 行
        ("银行", "ying hang", "yin hang"),
        ("国家统计局", "Guojia tongjiju", "Guojia tongjiju"),
        ("国家统计局", "Guojia tongjidi", "Guo Jia Tong Ji Ju"),
        ("红楼梦", "san guo yan yi", ""),
        ("红楼梦", "红楼梦", "红楼梦"),
        ("The dream", "zhong guo", "zhong guo"),
        ("東京の空", "dong jing de kong", "dong jing de kong"),
    ],
)
def test_pinyin_is_right_in_any_reading(text: str, spelled: str, wanted: str) -> None:
    assert romanised.right(text, spelled, False) == wanted


def test_a_name_has_no_rare_reading() -> None:
    assert romanised.right("叶震", "xie zhen", False) == "xie zhen"
    assert romanised.right("叶震", "xie zhen", True) == "ye zhen"


def test_the_committed_readings_are_what_their_maker_makes() -> None:
    pytest.importorskip("pypinyin", reason="pypinyin is a development dependency: pip install -r requirements-dev.txt")
    maker = pytest.importorskip("dms.rules.content.make_readings")
    assert maker.table() == Path(romanised.__file__).with_name("readings.tsv").read_text("utf-8")


@pytest.mark.parametrize(
    ("title", "language", "count"),
    [
        ("The book", "eng", 4),
        ("[The \"winter mind\"]", "eng", 6),
        ("L'été", "fre", 2),
        ("Die Räuber", "ger", 4),
        ("Die hard", "eng", 0),
        ("A", "eng", 0),
        ("Theory", "eng", 0),
        ("Los Angeles", "spa", 0),
        ("红楼梦", "chi", 0),
    ],
)  # fmt: skip
def test_articles_are_counted_in_the_records_language(title: str, language: str, count: int) -> None:
    assert nonfiling.count(title, language) == count


@pytest.mark.parametrize(("digits", "pointed"), [("1242.7", "124.27"), ("12", "12"), ("922291914", "922.291.914")])
def test_a_point_follows_every_third_digit(digits: str, pointed: str) -> None:
    assert notation.pointed(digits) == pointed


@pytest.mark.parametrize(
    ("written", "odd"),
    [
        ("20O4", ("20O4", "2004")),
        ("cl998", ("l998", "1998")),
        ("2994", ("2994", "")),
        ("2540 [1997]", ("", "")),
        ("5715 [1954]", ("", "")),
        ("198-?", ("", "")),
        ("[Oslo]", ("", "")),
    ],
)
def test_years_with_letters_are_read(written: str, odd: tuple[str, str]) -> None:
    assert dates.odd_year(written) == odd
