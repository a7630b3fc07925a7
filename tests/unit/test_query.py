"""Typed queries as trees, and texts as tokens."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.search.grams import index_text, phrase, runs
from catalog.search.port import BadQuery, Request
from catalog.search.query import isbn13, parse, plain, years
from catalog.search.tree import All, Either, Number, Sound, Spelled, Stem, Text, Year, walk


def text(piece: str, field: str = "any") -> Text:
    return Text(field=field, tokens=phrase(piece))


@given(
    st.text(alphabet="abcghilmnorvxCHX", min_size=1, max_size=12)
    | st.sampled_from(["hongloumeng", "XiAn", "hlm", "nver"]),
    st.sampled_from(["any", "title", "author", "subject", "publisher", "series", "place", "note"]),
    st.booleans(),
)
def test_one_plain_word_is_read_as_it_is_beside_others(word: str, field: str, sounding: bool) -> None:
    assert plain(word, field, sounding=sounding) == plain(f"{word} ", field, sounding=sounding)


def test_tokens_are_characters_and_pairs_in_order() -> None:
    assert index_text("C语言程序") == "c 语 语言 言 言程 程 程序 序"
    assert index_text("梦") == "梦"
    assert index_text("《资本论》·研究") == index_text("资本论研究")
    assert index_text("—") == ""


def test_a_phrase_stands_as_its_text_was_indexed() -> None:
    assert phrase("红楼梦") == ((0, "红楼"), (2, "楼梦"))
    assert phrase("c语言") == ((0, "c"), (2, "语言"))
    assert phrase("语言c") == ((0, "语言"), (2, "c"))
    assert phrase("梦") == ((0, "梦"),)
    assert phrase("!") == ()


@given(st.text(alphabet="红楼梦语言c ·", max_size=12), st.data())
def test_any_piece_of_a_text_is_a_phrase_of_it(whole: str, data: st.DataObject) -> None:
    joined = "".join(runs(whole))
    tokens = index_text(whole).split()
    start = data.draw(st.integers(0, len(joined)))
    piece = joined[start : data.draw(st.integers(start, len(joined)))]
    assume("cc" not in joined)  # a piece of a Latin word is no phrase
    found = phrase(piece)
    places = range(len(tokens)) if found else [0]
    assert any(
        all(at + offset < len(tokens) and tokens[at + offset] == token for offset, token in found) for at in places
    )


def test_words_are_wanted_each() -> None:
    assert parse("红楼梦 研究").wanted == (text("红楼梦"), text("研究"))
    assert parse("红楼梦(上册)").wanted == (text("红楼梦"), text("上册"))


@pytest.mark.parametrize("typed", ['"roman empire"', "“roman empire”", "「roman empire」", "『roman empire』"])
def test_quoted_words_are_one_piece(typed: str) -> None:
    assert parse(typed).wanted == (text("roman empire"),)


def test_an_open_quotation_mark_is_a_sign() -> None:
    assert parse('"红楼梦').wanted == (text("红楼梦"),)


def test_a_minus_before_a_word_excludes_it() -> None:
    query = parse('红楼梦 -研究 -"三家 评本" author:胡适')
    assert query.wanted == (text("红楼梦"), text("胡适", "author"))
    assert query.unwanted == (text("研究"), text("三家评本"))


def test_a_minus_within_a_word_does_not() -> None:
    assert parse("e-mail").unwanted == ()
    assert parse("红楼梦 - 研究").unwanted == ()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("title:红楼梦", "title"),
        ("题名：红楼梦", "title"),
        ("題名:紅樓夢", "title"),
        ("Title: 红楼梦", "title"),
        ("作者:红楼梦", "author"),
        ("主题:红楼梦", "subject"),
        ("出版社:红楼梦", "publisher"),
        ("丛书:红楼梦", "series"),
    ],
)
def test_a_prefix_names_a_field(typed: str, field: str) -> None:
    assert parse(typed).wanted == (text("红楼梦", field),)


def test_a_prefix_is_for_one_word_and_the_field_for_the_others() -> None:
    assert parse("作者:胡适 红楼梦", "title").wanted == (text("胡适", "author"), text("红楼梦", "title"))


def test_a_word_before_a_colon_that_names_no_field_is_a_word() -> None:
    assert parse("红楼梦: 彩画本").wanted == (text("红楼梦"), text("彩画本"))


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("978-7-02-000220-7", ("9787020002207",)),
        ("978 7 02 000220 7", ("9787020002207",)),
        ("ISBN 978-7-02-000220-7", ("9787020002207",)),
        ("isbn:9787020002207", ("9787020002207",)),
        ("7-02-000220-2", ("9787020002207", "7020002202")),
        ("0-8044-2957-x", ("9780804429573", "080442957X")),
        ("1000-0054", ("10000054",)),
        ("1234-567X", ("1234567X",)),
    ],
)
def test_identifiers_are_known_by_their_form(typed: str, values: tuple[str, ...]) -> None:
    (node,) = parse(typed).wanted
    number = node.parts[0] if isinstance(node, Either) else node
    assert number == Number(values=values)


@pytest.mark.parametrize("typed", ["1984", "2015年", "12345", "3.14159"])
def test_other_numbers_are_words(typed: str) -> None:
    assert all(isinstance(node, Text | Either) for node in parse(typed).wanted)
    assert "Number" not in repr(parse(typed))


def test_isbn_of_ten_becomes_thirteen() -> None:
    assert isbn13("7020002202") == "9787020002207"
    assert isbn13("080442957X") == "9780804429573"


def test_latin_words_may_be_pinyin() -> None:
    (node,) = parse("hongloumeng").wanted
    assert node == Either(
        parts=(text("hongloumeng"), Sound(field="any", ways=(("hong", "lou", "meng"),)), Spelled(letters="hongloumeng"))
    )
    (node,) = parse("hong lou meng").wanted
    assert isinstance(node, Either)
    assert node.parts[0] == All(parts=(text("hong"), text("lou"), text("meng")))
    assert Sound(field="any", ways=(("hong", "lou", "meng"),)) in node.parts
    assert Spelled(letters="hongloumeng") in node.parts


@pytest.mark.parametrize("typed", ['"hongloumeng"', "subject:hongloumeng", "hongloumeng2", "word*"])
def test_quoted_words_other_fields_and_numbers_are_no_pinyin(typed: str) -> None:
    assert "Sound" not in repr(parse(typed))
    assert "Spelled" not in repr(parse(typed))


def test_english_words_of_one_syllable_are_no_pinyin() -> None:
    assert "Sound" not in repr(parse("he"))
    assert "Sound" not in repr(parse("the long march"))


def test_names_and_titles_in_pinyin_are_told_apart() -> None:
    assert "('cao',)" in repr(parse("cao xueqin hong lou meng"))


def test_a_star_asks_for_beginnings() -> None:
    assert parse("histor*").wanted == (Stem(field="any", stem="histor"),)
    assert parse("红楼*").wanted == (text("红楼"),)
    assert parse("class:I242*").wanted == (Stem(field="class", stem="i242"),)


@pytest.mark.parametrize(
    ("typed", "span"),
    [("1998", (1998, 1998)), ("1990-1999", (1990, 1999)), ("1990-", (1990, 9999)), ("-1911", (1, 1911))],
)
def test_years_are_spans(typed: str, span: tuple[int, int]) -> None:
    assert years(typed) == span
    assert parse(f"year:{typed}").wanted == (Year(first=span[0], last=span[1]),)


@pytest.mark.parametrize("typed", ["year:soon", "x*", "aa* bb* cc* dd*", "a " * 25])
def test_what_is_out_of_bounds_is_refused(typed: str) -> None:
    with pytest.raises(BadQuery):
        parse(typed)


def test_ranking_looks_at_the_whole_text() -> None:
    query = parse("作者:曹雪芹 红楼 夢")
    assert query.whole == "红楼梦"
    assert query.piece == phrase("红楼梦")


@given(st.text(max_size=100))
def test_any_text_is_a_query_or_refused(typed: str) -> None:
    try:
        parse(typed)
    except BadQuery:
        pass


PIECES = (
    "xian", "fangan", "xianxianxian", "tiananmen", "xi'an", "a-b", "红楼梦", "z", "-a", "author:xian", "title:fangan",
    '"a b"', "class:I2", "aa*", "year:1990-", "9787020002207", "1998-2000", "mixed中文", "the",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=24).map(" ".join))
def test_no_text_makes_a_tree_beyond_the_bounds(typed: str) -> None:
    try:
        made = parse(typed)
    except BadQuery as error:
        assert re.search("leave some|At most", str(error))
        return
    found = [*walk((*made.wanted, *made.unwanted))]
    assert len(found) <= 64
    assert max((depth for _, depth in found), default=0) <= 20
    assert sum(isinstance(node, Stem) for node, _ in found) <= 10


def test_a_long_pinyin_text_has_fewer_readings_rather_than_none() -> None:
    few, many = parse("fangan xian"), parse("fangan " * 24)
    assert [each for each in many.wanted if isinstance(each, Either)]
    sounds = [[node for node, _ in walk(made.wanted) if isinstance(node, Sound)] for made in (few, many)]
    assert max(len(each.ways) for each in sounds[0]) > 1
    assert {len(each.ways) for each in sounds[1]} == {1}


@pytest.mark.parametrize(
    "title",
    [
        "Proceedings of the third international conference on the history of science in China and its neighbours held "
        "in Beijing in 1984",
        "zhong guo gu dai wen xue zuo pin xuan di er ban shang ce jiao xue can kao zi liao",
        "中国古代文学作品选 第二版 上册 教学参考资料 高等学校文科教材 袁世硕主编",
    ],
)
def test_the_longest_title_is_within_them(title: str) -> None:
    assert parse(title).wanted


@pytest.mark.parametrize("typed", ["class:I2 " * 11, "tianan " * 3 + "author:tianan title:fangan " * 8, "a b " * 13])
def test_beyond_them_the_reader_is_told_what_to_do(typed: str) -> None:
    with pytest.raises(BadQuery, match=r"leave some|At most 10"):
        parse(typed)


def test_an_order_that_costs_by_the_hit_is_paged_through_less_far() -> None:
    Request(offset=9_900, limit=100)
    Request(offset=900, limit=100, sort="title")
    with pytest.raises(BadQuery, match="first 10,000"):
        Request(offset=9_901, limit=100)
    with pytest.raises(BadQuery, match="first 1,000"):
        Request(offset=901, limit=100, sort="title")
