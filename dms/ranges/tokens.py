"""The words and numbers of a statement of holdings, in whatever hand it was written (pure)."""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass


class Level(enum.IntEnum):
    """What a number counts, the highest first."""

    YEAR = 1
    VOLUME = 2
    ISSUE = 3
    MONTH = 4


@dataclass(frozen=True, slots=True)
class Token:
    """A number, perhaps with what it counts, or a sign: one of `-:,;()`, or `lacks`."""

    sign: str  # "" of a number
    number: int = 0
    level: Level | None = None
    caption: bool = False  # said before it: v. or 第
    digits: int = 0


class Unknown(ValueError):
    """Something that is no part of a statement that we understand."""


YEARS = range(1500, 2200)  # numbers of four digits that are taken for years
LONGEST = 6  # digits of a number

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_CHINESE = re.compile(
    r"[〇○零一二三四五六七八九十百千两]+(?=\s*(?:[-年卷期号月、,/]|$))|(?<=第)[〇○零一二三四五六七八九十百千两]+"
)
_SIGNS = str.maketrans(
    dict.fromkeys("‐‑‒–—―−－~～〜至到", "-") | dict.fromkeys("、，", ",") | {"。": ";", "\n": ";", "·": " "}
)
_OF_VOLUME = re.compile(
    r"(\bv(?:ol(?:ume)?)?\.? ?\d{1,6}) ?, ?(?=(?:no|nr|num|iss)[a-z]*\.? ?\d)", re.IGNORECASE
)  # v. 12, no. 3
_NUMBERS = r"[1-9]\d{0,2}(?: ?- ?[1-9]\d{0,2})?"
# 1998, no. 1-12 and 1998年，第1-6期: issues of the year, or of each of the years, before the comma.
_OF_YEAR = re.compile(
    r"(?<![-\d])(?<!- )(\d{4}(?: ?年? ?- ?\d{4})?) ?年? ?, ?"
    rf"(?=(?:no|nr|num|iss)[a-z]*\.? ?\d|第? ?{_NUMBERS} ?[期号])",
    re.IGNORECASE,
)
_LIST = rf"{_NUMBERS}(?: ?, ?{_NUMBERS})"
_ALONE = re.compile(rf"\s*(\d{{4}}) ?, ?({_LIST}*)\s*")  # 1980,1-4 and nothing else between ; and ;
_IN_PARENTHESES = re.compile(  # v.12(1-4,6)
    rf"(\b\d{{4}} ?年?|\bv(?:ol(?:ume)?)?\.? ?\d{{1,5}}|\b\d{{1,5}} ?卷) ?\(({_LIST}+) ?[期号]?\)",
    re.IGNORECASE,
)
_WEEKS = 53  # the most issues of a year that are written without a caption
# Years before the first of an era.
_ERAS = {
    "道光": 1820, "咸丰": 1850, "同治": 1861, "光绪": 1874, "宣统": 1908, "民国": 1911,
    "明治": 1867, "大正": 1911, "昭和": 1925,
}  # fmt: skip
_ERA = re.compile(rf"({'|'.join(_ERAS)}) ?(元|\d{{1,2}}) ?年?(?: ?- ?(\d{{1,2}})(?= ?年| ?\(|$))?(?: ?年)?")
_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<number>\d+)
      | (?P<lacks>(?:缺少?|欠缺?|无|(?:lack(?:s|ing)?|want(?:s|ing)|missing|except)\b):?)
      | (?P<drop>(?:精装|平装)?合订(?:本|刊)?|合刊|装订本?|全年|齐全?|[共计]?\b(?:bound|complete|inclusive)\b|\(\s*\))
      | (?P<before>第|(?:volumes?|vols?|nos?|nrs?|num(?:bers?)?|issues?|iss|t|v|n|bd|jg)(?![a-z])\.?|\#|№)
      | (?P<month>jan(?:uary)?|febr?(?:uary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?
        |oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?
      | (?P<after>年|卷|册|期|号|月)
      | (?P<open>起|今|以后|\+(?=\s*(?:[,;)]|$))|-?\s*\b(?:to\s+date|present|current)\b)
      | (?P<sign>[-:,;()/])""",
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE = {"v": Level.VOLUME, "t": Level.VOLUME, "b": Level.VOLUME, "j": Level.VOLUME, "第": None}
_AFTER = {
    "年": Level.YEAR,
    "卷": Level.VOLUME,
    "册": Level.VOLUME,
    "期": Level.ISSUE,
    "号": Level.ISSUE,
    "月": Level.MONTH,
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def plain(text: str) -> str:
    """One width of signs, one sign for ranges and lists, Chinese numerals as digits; blanks made one."""
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS).replace("[", " ").replace("]", " ")
    text = _CHINESE.sub(lambda found: str(number(found[0])), text)
    text = _ERA.sub(_of_era, " ".join(text.split()))
    text = _IN_PARENTHESES.sub(r"\1:\2", _OF_YEAR.sub(r"\1:", text))
    return _OF_VOLUME.sub(r"\1:", ";".join(map(_of_year_alone, text.split(";"))))


def _of_era(found: re.Match[str]) -> str:
    """民国23年-25年 as 1934-1936年."""
    era = _ERAS[found[1]]
    first = era + (1 if found[2] == "元" else int(found[2]))
    return f"{first}-{era + int(found[3])}年" if found[3] else f"{first}年"


def _of_year_alone(segment: str) -> str:
    """1980,1-4 as 1980:1-4, unless the numbers may be years or volumes."""
    found = _ALONE.fullmatch(segment)
    numbers = [int(each) for each in re.findall(r"\d+", found[2])] if found else []
    if found is None or max(numbers) > _WEEKS or int(found[1]) % 100 + 1 in numbers:
        return segment
    return f"{found[1]}:{found[2]}"


def number(chinese: str) -> int:
    """The number that these Chinese numerals say: 十二, 二百零五, 一九九八."""
    if not any(sign in _TENS for sign in chinese):
        return int("".join(str(_DIGITS[sign]) for sign in chinese)[:18])
    total = digit = 0
    for sign in chinese:
        if sign in _TENS:
            total += (digit or 1) * _TENS[sign]
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit


def tokens(text: str) -> list[Token]:
    """The tokens of a part (of `plain` text). Raises Unknown at what is no part of a statement."""
    found: list[Token] = []
    level: Level | None = None
    said = False
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unknown(text[at : at + 20])
        kind, word, at = str(match.lastgroup), match[0], match.end()
        if kind == "number":
            if len(word) > LONGEST:
                raise Unknown(word)
            found.append(Token("", int(word), level, said, len(word)))
            level, said = None, False
        elif kind == "month":
            found.append(Token("", _MONTHS.index(word[:3].lower()) + 1, Level.MONTH, True))
        elif kind == "before":
            level, said = _BEFORE.get(word[0].lower(), Level.ISSUE), True
        elif kind == "after":
            _count(found, _AFTER[word], word)
        elif kind == "open":
            if not found or found[-1].sign != "-":
                found.append(Token("-"))
        elif kind in ("sign", "lacks"):
            found.append(Token(word if kind == "sign" else "lacks"))
    if said:
        raise Unknown("a caption without a number")
    return found


def _count(found: list[Token], level: Level, word: str) -> None:
    """What stands behind numbers counts all of them: 1-3卷, 1、3、5期."""
    if not found or found[-1].sign or found[-1].level not in (None, level):
        raise Unknown(word)
    if word == "册" and not found[-1].caption and (len(found) == 1 or found[-2].sign not in ("-", ",", "/")):
        raise Unknown(word)  # so many of them, not the one of this number
    for at in range(len(found) - 1, -1, -1):
        one = found[at]
        if one.sign in ("-", ",", "/"):
            continue
        if one.sign or one.level is not None or (is_year(one) and level is not Level.YEAR and at < len(found) - 1):
            return
        found[at] = Token("", one.number, level, one.caption, one.digits)
        if found[at - 1].sign not in (("-",) if one.caption else ("-", ",", "/")):
            return


def is_year(one: Token) -> bool:
    """Is it a number that is taken for a year where nothing else is said?"""
    return one.digits == 4 and one.number in YEARS


def cut(text: str) -> list[str]:
    """Parts of a segment, cut at commas outside of parentheses."""
    found: list[str] = []
    depth = start = 0
    for at, sign in enumerate(text):
        depth = max(0, depth + (sign == "(") - (sign == ")"))
        if sign == "," and not depth:
            found.append(text[start:at].strip())
            start = at + 1
    return [part for part in (*found, text[start:].strip()) if part]


def listed(text: str) -> list[tuple[str, list[Token] | None]]:
    """(part, its tokens) of a segment; None = it is not understood. A caption behind a list counts for all of it."""
    pieces = cut(text)
    try:
        every = tokens(text)
    except Unknown:
        return [(piece, _alone(piece)) for piece in pieces]
    groups: list[list[Token]] = [[]]
    depth = 0
    for one in every:
        depth = max(0, depth + (one.sign == "(") - (one.sign == ")"))
        if one.sign == "," and not depth:
            groups.append([])
        else:
            groups[-1].append(one)
    told = [group for group in groups if group]
    if len(told) != len(pieces):  # some parts have only words that say nothing
        return [(piece, _alone(piece)) for piece in pieces]
    return list(zip(pieces, told, strict=True))


def _alone(piece: str) -> list[Token] | None:
    try:
        return tokens(piece)
    except Unknown:
        return None
