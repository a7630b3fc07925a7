"""Pinyin: how titles and names are read, and what a typed word may sound like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search import pinyin


def spelled(text: str) -> tuple[str, ...]:
    return pinyin.spelled(pinyin.streams(pinyin.readings(text)))


@pytest.mark.parametrize(
    ("title", "full", "initials"),
    [
        ("红楼梦", "hongloumeng", "hlm"),
        ("紅樓夢", "hongloumeng", "hlm"),
        ("重庆大学", "chongqingdaxue", "cqdx"),
        ("臺灣重慶", "taiwanchongqing", "twcq"),
        ("銀行行長", "yinhanghangzhang", "yhhz"),
        ("音乐", "yinyue", "yy"),
        ("快乐", "kuaile", "kl"),
        ("会计学", "kuaijixue", "kjx"),
        ("西藏", "xizang", "xz"),
        ("藏书", "cangshu", "cs"),
        ("长春", "changchun", "cc"),
        ("校长", "xiaozhang", "xz"),
        ("重复", "chongfu", "cf"),
        ("重要", "zhongyao", "zy"),
        ("论语", "lunyu", "ly"),
        ("乾隆皇帝", "qianlonghuangdi", "qlhd"),
        ("著作", "zhuzuo", "zz"),
        ("名著", "mingzhu", "mz"),
        ("绿化", "luhua", "lh"),
        ("女神", "nushen", "ns"),
        ("战略", "zhanlue", "zl"),
        ("C语言", "cyuyan", "cyy"),
        ("乐府诗集", "yuefushiji", "yfsj"),
        ("长恨歌", "changhenge", "chg"),
        ("曾国藩家书", "zengguofanjiashu", "zgfjs"),
        ("中国行政", "zhongguoxingzheng", "zgxz"),
    ],
)
def test_a_title_is_found_under_its_sound_and_its_initials(title: str, full: str, initials: str) -> None:
    assert full in spelled(title)
    assert initials in spelled(title)


@pytest.mark.parametrize(("title", "wrong"), [("重庆", "zhongqing"), ("银行", "yinxing"), ("音乐", "yinle")])
def test_known_words_are_read_in_one_way(title: str, wrong: str) -> None:
    assert wrong not in spelled(title)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("曾国藩", "zeng guo fan"),
        ("單田芳", "shan tian fang"),
        ("仇英", "qiu ying"),
        ("乐黛云", "yue dai yun"),
        ("查良镛", "zha liang yong"),
        ("尉迟恭", "yu chi gong"),
        ("长孙无忌", "zhang sun wu ji"),
        ("解缙", "xie jin"),
        ("鲁迅", "lu xun"),
    ],
)
def test_surnames_are_read_as_surnames(name: str, sound: str) -> None:
    assert " ".join(pinyin.streams(pinyin.name_readings(name))[0]) == sound


@pytest.mark.parametrize(
    ("typed", "ways"),
    [
        ("hongloumeng", {("hong", "lou", "meng")}),
        ("xian", {("xian",), ("xi", "an")}),
        ("fangan", {("fan", "gan"), ("fang", "an")}),
        ("lvse", {("lu", "se")}),
        ("nve", {("nue",), ("nu", "e")}),
        ("hlm", set()),
        ("google", set()),
        ("", set()),
    ],
)
def test_typed_words_are_cut_into_syllables(typed: str, ways: set[tuple[str, ...]]) -> None:
    assert set(pinyin.cuts(typed)) == ways


@given(st.text(alphabet="行乐长重曾会干着藏朝单参率", max_size=300))
def test_spellings_of_a_text_are_few_whatever_it_holds(text: str) -> None:
    ways = pinyin.streams(pinyin.readings(text))
    assert 1 <= len(ways) <= pinyin.MOST_STREAMS
    assert len(spelled(text)) <= 2 * pinyin.MOST_STREAMS


@given(st.text(alphabet="aeinghuo", max_size=60))
def test_cuts_of_a_word_are_few_and_make_the_word(word: str) -> None:
    ways = pinyin.cuts(word)
    assert len(ways) <= pinyin.MOST_CUTS
    assert all("".join(way) == pinyin.plain(word) for way in ways)


@given(st.text())
def test_any_text_has_readings(text: str) -> None:
    assert all(reading and all(reading) for reading in pinyin.readings(text))


def test_every_common_character_has_a_reading() -> None:
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFA if high == 0xD7 else 0xFF):
            character = bytes((high, low)).decode("gb2312")
            assert pinyin.readings(character), character


def test_the_committed_table_is_what_its_maker_makes() -> None:
    pytest.importorskip("pypinyin", reason="pypinyin is a development dependency: pip install -r requirements-dev.txt")
    maker = pytest.importorskip("catalog.search.make_pinyin")
    assert maker.table() == (pinyin.HERE / "pinyin.tsv").read_text("utf-8")
