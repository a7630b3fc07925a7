"""Statements of holdings: read in the usual hands, united, asked, and written in one form that reads the same again."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dms.ranges import model
from dms.ranges.model import Answer, Held
from dms.ranges.reading import read, united
from dms.ranges.tokens import Level
from dms.ranges.writing import write


@pytest.mark.parametrize(
    ("text", "normal", "chinese"),
    [
        ("1998-2004", "1998-2004", "1998-2004年"),
        ("1998,2000-2002", "1998, 2000-2002", "1998年；2000-2002年"),
        ("1998/99", "1998-1999", "1998-1999年"),
        ("v.1-5(1980-1984)", "v.1-5 (1980-1984)", "第1-5卷（1980-1984年）"),
        ("Vol. 12, no. 3 (1999)", "v.12:no.3 (1999)", "第12卷第3期（1999年）"),
        ("1-12期", "no.1-12", "第1-12期"),
        ("no.1-no.4", "no.1-4", "第1-4期"),
        ("第1-3卷", "v.1-3", "第1-3卷"),
        ("第一至第十二卷", "v.1-12", "第1-12卷"),
        ("2001:1-6,8-12", "2001:no.1-6,8-12", "2001年第1-6,8-12期"),
        ("２００１：１－６，８－１２", "2001:no.1-6,8-12", "2001年第1-6,8-12期"),
        ("2001年第1、3、5期", "2001:no.1,3,5", "2001年第1,3,5期"),
        ("一九九八年第一至六期", "1998:no.1-6", "1998年第1-6期"),
        ("1998-2000:1-12", "1998-2000:no.1-12", "1998-2000年第1-12期"),
        ("1998年1-6期；1999年1-6期", "1998-1999:no.1-6", "1998-1999年第1-6期"),
        ("1998年第5期-1999年第3期", "1998:no.5-1999:no.3", "1998年第5期-1999年第3期"),
        ("2000/2001 - 2003/2004", "2000-2004", "2000-2004年"),
        ("2001:11/12", "2001:no.11-12", "2001年第11-12期"),
        ("1998(1-6)", "1998:no.1-6", "1998年第1-6期"),
        ("v.5(3)", "v.5:no.3", "第5卷第3期"),
        ("1998-", "1998-", "1998年-"),
        ("1998年至今", "1998-", "1998年-"),
        ("1998:5-", "1998:no.5-", "1998年第5期-"),
        ("v.5- (1984-)", "v.5- (1984-)", "第5卷-（1984年-）"),
        ("1990年1-6月", "1990:Jan.-June", "1990年1-6月"),
        ("1998:1-6(合订本)", "1998:no.1-6", "1998年第1-6期"),
        ("1998年合订本", "1998", "1998年"),
        ("2001年第1-6期合订本,2001年第7-12期合订本", "2001:no.1-12", "2001年第1-12期"),
        ("2001年,缺第5期", "2001 (lacks no.5)", "2001年（缺第5期）"),
        ("2001(缺第5、7期)", "2001 (lacks no.5, no.7)", "2001年（缺第5期，第7期）"),
        ("1998-2004, lacks 2001", "1998-2000, 2002-2004", "1998-2000年；2002-2004年"),
        ("1998-2004 (lacks 2001:no.5)", "1998-2004 (lacks 2001:no.5)", "1998-2004年（缺2001年第5期）"),
        ("v.1-10, wanting v.5", "v.1-4, v.6-10", "第1-4卷；第6-10卷"),
        ("v.1:no.1-4 (1990:Jan.-Apr.)", "v.1:no.1-4 (1990)", "第1卷第1-4期（1990年）"),
        ("v.1 (1980), v.2 (1981), v.3(1982)", "v.1-3 (1980-1982)", "第1-3卷（1980-1982年）"),
        ("v.1-2 (1980), v.3-4 (1981)", "v.1-4 (1980-1981)", "第1-4卷（1980-1981年）"),
        ("v.5:no.1-6 (1990-1991)", "v.5:no.1-6 (1990-1991)", "第5卷第1-6期（1990-1991年）"),
        ("1998,no.1-12;1999,no.1-6", "1998:no.1-12, 1999:no.1-6", "1998年第1-12期；1999年第1-6期"),
        ("2003, no. 1-3, 5", "2003:no.1-3,5", "2003年第1-3,5期"),
        ("1998-2000年，第1-6期", "1998-2000:no.1-6", "1998-2000年第1-6期"),
        ("1949,1-12;1950,1-3,5", "1949:no.1-12, 1950:no.1-3,5", "1949年第1-12期；1950年第1-3,5期"),
        ("Vol.12(1-4,6)", "v.12:no.1-4,6", "第12卷第1-4,6期"),
        ("2001年(1-6,8-12期)", "2001:no.1-6,8-12", "2001年第1-6,8-12期"),
        ("第1、3册", "v.1, v.3", "第1卷；第3卷"),
        ("1-12册", "v.1-12", "第1-12卷"),
        ("民国23年-25年", "1934-1936", "1934-1936年"),
        ("民国二十三年第1-6期", "1934:no.1-6", "1934年第1-6期"),
        ("光绪三十年-宣统元年", "1904-1909", "1904-1909年"),
        ("1990-1992,1994+", "1990-1992, 1994-", "1990-1992年；1994年-"),
        ("v.1:no.6-v.2:no.3 (1990-1991)", "v.1:no.6-v.2:no.3 (1990-1991)", "第1卷第6期-第2卷第3期（1990-1991年）"),
    ],
)
def test_a_statement_is_expanded_and_written_in_one_form(text: str, normal: str, chinese: str) -> None:
    held = read(text)
    assert (write(held), write(held, "zh")) == (normal, chinese)
    assert read(normal) == held == read(chinese)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("1998年增刊,1999", "1998年增刊; 1999"),
        ("12", "12"),
        ("缺第5期", "缺第5期"),
        ("2001, lacks 2003", "lacks 2003; 2001"),
        ("1998-1995", "1998-1995"),
        ("1990:Spring", "1990:Spring"),
        ("总第100期", "总第100期"),
        ("3架4层", "3架4层"),
        ("3册", "3册"),
        ("全12册", "全12册"),
        ("1998,99", "99; 1998"),
        ("1998:5-1999", "1998:5-1999"),
    ],
)
def test_what_is_not_understood_stays_as_it_is(text: str, normal: str) -> None:
    assert write(read(text)) == normal


def test_a_bare_number_counts_what_the_caller_says() -> None:
    assert write(read("1-5,8", Level.VOLUME)) == "v.1-5, v.8"
    assert write(read("1998:1-5", Level.VOLUME)) == "1998:no.1-5"


def test_bindings_of_a_year_are_one_range() -> None:
    bound = ["1998:7-12(合订本)", "1998:1-6(合订本)", "1999年合订本", "1998：1－6"]
    assert write(united(bound)) == "1998:no.1-12, 1999"


@pytest.mark.parametrize(
    ("text", "asked", "answer"),
    [
        ("1998-2004", {"year": 2000}, Answer.YES),
        ("1998-2004", {"year": 2000, "issue": 7}, Answer.YES),
        ("1998-2004", {"year": 2005}, Answer.NO),
        ("1998-", {"year": 2025}, Answer.YES),
        ("1998-2004", {"volume": 3}, Answer.UNKNOWN),
        ("2001:1-6,8-12", {"year": 2001}, Answer.PART),
        ("2001:1-6,8-12", {"year": 2001, "issue": 7}, Answer.NO),
        ("2001:1-6,8-12", {"year": 2001, "issue": 8}, Answer.YES),
        ("2001年缺第5期", {"year": 2001, "issue": 5}, Answer.NO),
        ("2001:1-6,增刊", {"year": 2001, "issue": 7}, Answer.UNKNOWN),
        ("v.1-5(1980-1984)", {"volume": 3}, Answer.YES),
        ("v.1-5(1980-1984)", {"year": 1983}, Answer.YES),
        ("v.1-5(1980-1984)", {"year": 1983, "volume": 1}, Answer.NO),
        ("v.1:no.6-v.2:no.3 (1990-1991)", {"volume": 2, "issue": 4}, Answer.NO),
        ("v.1:no.6-v.2:no.3 (1990-1991)", {"volume": 1}, Answer.PART),
        ("v.5- (1984-)", {"volume": 9}, Answer.YES),
        ("第1-100期", {"issue": 60}, Answer.YES),
        ("1990年1-6月", {"year": 1990}, Answer.PART),
        ("1998年第5期-1999年第3期", {"year": 1999, "issue": 4}, Answer.NO),
        ("", {"year": 1999}, Answer.UNKNOWN),
    ],
)
def test_it_answers_what_is_held(text: str, asked: dict[str, int], answer: Answer) -> None:
    assert model.holds(read(text), **asked) is answer


_NUMBER = st.integers(1, 40) | st.integers(1490, 2210)
_WORDS = (
    "1998 2001 1999 年 第 卷 期 月 号 v. no. Vol. : ： - — 至 , ， 、 ; ； ( ) （ ） 缺 lacks 合订本 三 十二 Jan. May "
    "/ 增刊 至今"
)
_WORD = st.sampled_from(_WORDS.split())
_STATEMENT = st.lists(_WORD | _NUMBER.map(str), max_size=14).map("".join) | st.text(max_size=30)
_YEAR = st.integers(1990, 1996)
_FEW = st.integers(1, 5)


@st.composite
def _plain(draw: st.DrawFn) -> str:
    """One sound statement."""
    year, more, volume, issue = draw(_YEAR), draw(st.integers(0, 4)), draw(_FEW), draw(_FEW)
    last = issue + draw(_FEW)
    return draw(
        st.sampled_from(
            [
                f"{year}-{year + more}",
                f"{year}:{issue}-{last}",
                f"{year}年第{issue}期-{year + 1}年第{last}期",
                f"{year}-{year + more} (lacks {year}:{issue})",
                f"v.{volume}-{volume + more}",
                f"v.{volume}-{volume + more} ({year}-{year + more})",
                f"v.{volume}:no.{issue}-{last} ({year})",
                f"v.{volume}:no.{issue}-{last} ({year}-{year + 1})",
                f"v.{volume} ({year}) (lacks no.{issue})",
                f"第{issue}-{last}期",
                f"{year}年{issue}-{last}月",
                f"{year}-",
                f"{year}:{issue}-",
                f"v.{volume}- ({year}-)",
                f"v.{volume}:no.{issue}-",
            ]
        )
    )


_HELD = st.lists(_plain(), min_size=1, max_size=8)


def _same_again(held: Held) -> None:
    assert read(write(held)) == held
    assert read(write(held, "zh")) == held


@given(_HELD)
def test_what_is_written_reads_the_same_again(statements: list[str]) -> None:
    held = united(statements)
    assert not held.unread
    _same_again(held)


@given(_HELD, st.randoms())
def test_the_order_of_statements_and_repeats_do_not_matter(statements: list[str], chance: object) -> None:
    once = united(statements)
    mixed = statements + statements[:2]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert united(mixed) == once
    assert model.union([united(statements[:1]), united(statements[1:])]) == once


@given(_HELD, _YEAR, _FEW)
def test_whatever_one_statement_has_the_union_has(statements: list[str], year: int, issue: int) -> None:
    asked = {"year": year, "issue": issue}
    if any(model.holds(read(text), **asked) is Answer.YES for text in statements):
        assert model.holds(united(statements), **asked) is Answer.YES


@given(_STATEMENT)
def test_nothing_that_is_written_is_a_fault(text: str) -> None:
    _same_again(read(text))


@pytest.mark.parametrize(
    "part", ["1998:1-6,", "(", "1998(", "缺", "第1卷", "1,", "v.1-99999 (1500-2199);", "十", "1500-2199:1-9,"]
)
def test_long_statements_take_no_time_to_speak_of(part: str) -> None:
    for size in (3999, 400_000):
        before = time.process_time()
        held = read((part * size)[:size])
        write(held)
        assert time.process_time() - before < 1
