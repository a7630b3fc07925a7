"""Folding: what finds each other, what stays apart, and the table that says so."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search import fold as folding
from catalog.search.fold import fold, is_cjk, squeeze, words

TOGETHER = [
    ("台灣文學史", "台湾文学史"),
    ("臺灣文學史", "台湾文学史"),
    ("歷史研究", "历史研究"),
    ("曆法", "历法"),
    ("紅樓夢", "红楼梦"),
    ("後漢書", "后汉书"),
    ("里程裏面", "里程里面"),
    ("發展頭髮", "发展头发"),
    ("著陸", "着陆"),
    ("乾隆皇帝", "乾隆皇帝"),
    ("乾燥", "干燥"),
    ("幹部", "干部"),
    ("錢鍾書", "钱钟书"),
    ("錢鍾書", "钱锺书"),
    ("爲什麼", "为什么"),
    ("羣峯", "群峰"),
    ("說文解字", "説文解字"),
    ("両国史", "兩國史"),
    ("浜松", "濱松"),
    ("髙橋", "高橋"),
    ("渡邊", "渡辺"),
    ("日本経済図説", "日本經濟圖說"),
    ("黃河", "黄河"),
    ("瀋陽", "沈阳"),
    ("二○一○年", "二〇一〇年"),
    ("ＣＡＬＩＳ讀", "calis读"),
    ("ｶﾀｶﾅ", "カタカナ"),
    ("豈", "岂"),
    ("Les Misérables", "les miserables"),
    ("Straße", "STRASSE"),
    ("Łódź", "lodz"),
    ("Đổi mới", "doi moi"),
    ("İstanbul", "istanbul"),
    ("smørrebrød", "smorrebrod"),
    ("Œuvres", "oeuvres"),
    ("Ἀριστοτέλης", "αριστοτελησ"),
    ("Xi’an", "xi'an"),
    ("Ⅲ", "iii"),
    ("\x98The\x9c Times", "the times"),
    ("re\u00adport\u200b", "report"),
    ("e\u0301tude", "étude"),
]
APART = [
    ("沈从文", "沉从文"),
    ("芸", "艺"),
    ("予", "豫"),
    ("弁", "辩"),
    ("欠", "缺"),
    ("沪", "滤"),
    ("仇", "雠"),
    ("が", "か"),
    ("й", "и"),
    ("傅", "付"),
    ("萧", "肖"),
    ("著", "箸"),
]


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_spellings_of_one_text_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert squeeze(one) == squeeze(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_false_friends_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert squeeze(one) != squeeze(other)


@pytest.mark.parametrize(
    ("text", "squeezed"),
    [
        ("红楼梦 : 上下册 / （清）曹雪芹著", "红楼梦上下册清曹雪芹着"),
        ("Xi’an—a history, 3rd ed.", "xianahistory3rded"),
        ("Don't / don’t / donʼt", "dontdontdont"),
        ("《资本论》·第一卷", "资本论第一卷"),
        ("C++程序设计", "cplusplus程序设计"),
        ("Ｃ＃ 入门", "csharp入门"),
        ("C程序设计", "c程序设计"),
        ("A+B", "ab"),
        ("——", ""),
    ],
)
def test_squeeze_keeps_letters_and_digits_only(text: str, squeezed: str) -> None:
    assert squeeze(text) == squeezed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C语言程序设计", ["c", "语言程序设计"]),
        ("Web 2.0 與 ＣＳＳ3", ["web", "2", "0", "与", "css3"]),
        ("C++ Primer中文版", ["cplusplus", "primer", "中文版"]),
        ("L'homme", ["l", "homme"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
        ("!?", []),
    ],
)
def test_words_are_runs_of_one_kind(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_cjk_words_are_told_from_others() -> None:
    assert [is_cjk(word) for word in words("二〇一〇年 Café かな 한국 2010")] == [True, False, True, True, False]


@given(st.text())
def test_folding_twice_is_the_same_as_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert squeeze(squeeze(text)) == squeeze(text)
    assert squeeze(fold(text)) == squeeze(text)


@given(st.text())
def test_squeezed_text_has_letters_and_digits_only(text: str) -> None:
    assert all(character.isalnum() for character in squeeze(text))


def test_every_character_folds_to_a_fixed_point_without_capitals() -> None:
    for code in range(0x32000):
        once = fold(chr(code))
        assert fold(once) == once, hex(code)
        if code < 0x2FFF:
            assert once == once.casefold() or unicodedata.category(chr(code)).startswith("M"), hex(code)


def test_representatives_of_the_table_are_in_no_other_class() -> None:
    seen: set[str] = set()
    for line in folding.TABLE_FILE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            members = line.replace("\t", "")
            assert len(members) > 1
            assert seen.isdisjoint(members)
            seen.update(members)
    assert len(seen) > 7000


def test_the_committed_table_is_what_its_maker_makes() -> None:
    pytest.importorskip("opencc", reason="opencc is a development dependency: pip install -r requirements-dev.txt")
    maker = pytest.importorskip("catalog.search.make_fold")
    assert maker.table() == folding.TABLE_FILE.read_text("utf-8")
