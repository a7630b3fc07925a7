"""Titles taken apart: title proper, rest, part, volume and edition at the tail, numbers, accompanying words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from catalog.search import fold
from dms.match import editions, numerals, volume, words

_ARTICLES = re.compile(
    r"^(?:the|an?|der|die|das|ein|eine|le|la|les|l'|un|une|el|los|las|il|lo|gli|i|o|os|as|de|het|een)\b['\s]\s*(?=\w)"
)
_SUBTITLE = re.compile(r"\s*(?:(?<!\d):|:(?!\d)|--+|\s-\s)\s*|(?<=[\u3400-\u9fff])\s*[.。]\s*(?=[\u3400-\u9fff])")
_PLAUSIBLE = re.compile(
    rf"[\d)\]〕】》{numerals.HAN}上中下ivx]\s*\.?$|(?:卷|册|辑|集|部|编|篇|期|种|本|号|回|版|年|[甲乙丙丁])\s*[)\]]?$|"
    r"\b(?:vol|v|no|pt|part|bd|band|book|bk|tome|t|teil)\w*\.?\s*\S+$|"
    r"\b\w+ (?:volume|part|series|band|ed|edition)\.?$|(?:合订|卷本|续编|补编|补遗|外编)"
)
_STARTS = re.compile(
    r"(?:(?<!\d)-|[\s,:;·‧•(\[〔【/]|\.(?!\d))+(?=\S)|(?=第\s*[\d一二三四五六七八九十百〇零壹贰叁肆伍陆柒捌玖拾ivx])|"
    r"(?=卷之?[\d一二三四五六七八九十百上中下壹贰叁])|(?=[上中下][册卷编篇集辑](?:$|[\s(\[第]))|"
    r"(?=之[一二三四五六七八九十]+$)|(?=[甲乙丙丁戊己庚辛壬癸][编种集辑](?:$|第))|"
    r"(?=(?:[续外内前后正初二三四五六七八九十][编集辑]|续篇|别集)$)"
)
# A volume amid the title: `中国通史第三卷 上古时代`, `Rivers of Asia. Volume 2, The upper course`.
_INNER_HAN = re.compile(
    r"(?P<head>.{2,}?)[\s.,:;·(]*(?P<volume>第\s*(?:\d+|[一二三四五六七八九十百〇零]+|[ivx]+)\s*(?:卷|册|辑|分册|集|编|部))"
    r"[\s.,:;·)]+(?P<rest>[^\d\s].*)$"
)
_INNER_WESTERN = re.compile(
    r"(?P<head>.{4,}?)\s*[.,:;(]\s*(?P<volume>(?:volume|vol|v|part|pt|bd|band|t|tome|teil|book|bk)\b\.?\s*(?:\d+|[ivx]+|one|two|three)\b)"
    r"\s*[.,:;)-]\s*(?P<rest>[^\d\s].*)$"
)
_NEVER_BEFORE_DOWN = frozenset("天地年月手门陛殿阁足麾膝乡以之如言网线")
_UNIT_AND_NUMBER = re.compile(r"[a-zа-я]+(?:\.\s*|\s+)\S|(?:\d+(?:st|nd|rd|th|\.)?|[a-z]+)\s+[a-z]+\.?$")
_SOFT = re.compile(r"(?:(?<=[\u3400-\u9fff])|(?<=\s))(\d+|[ivx]+)$")
_SET_TAIL = re.compile(
    rf"[\s(\[]*(?:全|共)?(?:套)?\s*(?:\d+|[{numerals.HAN}]+)\s*(?:册|卷|本|辑|集)(?:套|装|本)?[)\]\s]*$|[\s(\[]*(?:合订本|全套|全集本|[一二三四五六七八九十\d]+卷本)[)\]\s]*$"
)
_ORDINAL_NUMBER = re.compile(
    rf"第\s*([{numerals.HAN}]+)|([一二三四五六七八九十])(?=年级|届|版|年|月|例|讲|期|册|卷|级|学期|单元|编|课|日|周|题|问|回|集|辑|部|条|法|步|种|篇|章|大|号)|(?<=[高初小大])([一二三四五六])(?=[^\u3400-\u9fff]|语|数|英|物|化|政|历|地|生|上|下|年|学|[\u3400-\u9fff]|$)"
)
_TYPED_ONE = re.compile(r"\bl(?=[89]\d\ds?\b)")  # typewriters had no 1: l945
_TITLE_NUMBER = re.compile(r"\d+")
_ROMAN_NUMBER = re.compile(
    r"(?<![a-z.])(?:ii|iii|iv|vi|vii|viii|ix|xi|xii|xiii|xiv|xv|xvi)(?![a-z])|(?<=[a-z] )[ivx](?=$|[.:,;)])"
)
# Only beside a word for a book: `liber primus`, `the second series`; elsewhere an ordinal is a word like others.
_BOOK = "(?:liber|libro|livre|book|buch|part|parte|partie|pars|opera|series)"
_ORDINAL = words.either(list(volume.ORDINALS))
_BOOK_NUMBER = re.compile(rf"\b{_BOOK} ({_ORDINAL})\b|\b({_ORDINAL}) {_BOOK}\b")
_ANY_NUMBER = re.compile(f"{_TITLE_NUMBER.pattern}|{_ROMAN_NUMBER.pattern}|{_BOOK_NUMBER.pattern}")
_LATIN_NUMBER = re.compile(r"[\da-z]")  # without one of these no number stands there in figures or in Latin letters
_HAN_NUMBER = re.compile(f"[{numerals.HAN}]")
_HAN_RUN = re.compile(f"[{numerals.HAN}]{{2,}}")
_SPAN = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)\s*[-/~]\s*(\d\d)(?!\d)")
_ANNUAL = words.pattern("annual", "pattern")
_MEETING = words.pattern("annual", "meeting")
_ANNUAL_YEAR = re.compile(
    r"(?<!\d)('?\d\d(?=\s*[\u3400-\u9fff])|(?:1[89]|20)\d\d(?:\s*[-/~]\s*(?:(?:1[89]|20)\d\d|\d\d))?)(?!\d)\s*(?:年度|年版|年卷|年)?(?!代)"
)
_HAN_GENERIC = frozenset(fold.squeeze(word) for word in words.TABLE["generic"]["han"].split())
_WESTERN_GENERIC = frozenset(
    fold.squeeze(word) for word in words.TABLE["generic"]["western"].replace("\n", " ").split("|")
)


class Title(NamedTuple):
    """A title proper, read. `title`, `rest` are folded text with blanks, for the next step; codes are volume codes."""

    title: str
    rest: str = ""
    volume: str = ""
    soft: str = ""  # a number that may be a volume but stands close to the title: 大学英语3
    edition: tuple[int, tuple[str, ...]] = (0, ())
    of_set: bool = False  # 全三册, 合订本


@lru_cache(maxsize=65536)
def read(text: str, evidence: str = "") -> Title:
    """Take a title proper apart. `evidence` is the code of the volume that 461$v speaks of: its number may be cut."""
    folded = fold.fold(text).strip(" .,:;/=")
    if inside := (_INNER_HAN if words.is_han(folded) else _INNER_WESTERN).match(folded):
        inner, left = volume.read(inside["volume"])
        if inner and not fold.squeeze(left):
            return Title(inside["head"].strip(" .,:;·-("), inside["rest"], inner)
    title, rest = _split(folded)
    code = soft = ""
    edition: tuple[int, tuple[str, ...]] = (0, ())
    of_set = False
    if _PLAUSIBLE.search(title):
        for _ in range(2):  # 普通心理学 第二版 上册
            if (found := _set_tail(title)) is not None:
                title, of_set = found, True
            if edition == (0, ()):
                title, edition = _edition_tail(title)
            if not code:
                title, code = _volume_tail(title, evidence)
        if not code and (tail := _SOFT.search(title)) and len(title[: tail.start()].strip()) >= 2:
            soft = volume.read(tail[1])[0]
    elif _EDITION_HINT.search(title):
        title, edition = _edition_tail(title)
    if not code and rest and len(rest) < 24:
        # `数学分析讲义. 上册`, `Handbook: volume 2` were split off as a subtitle
        whole = designates(rest, words.is_han(title))
        if whole:
            code, rest = whole, ""
    return Title(title.strip(), rest, code, soft, edition, of_set)


_EDITION_HINT = re.compile(r"版|订本|\bed\b|edition|aufl")


def _split(folded: str) -> tuple[str, str]:
    """Title proper and what stands behind a colon, a dash or a full stop between Han characters."""
    found = _SUBTITLE.search(folded)
    while found:
        head, rest = folded[: found.start()], folded[found.end() :]
        if len(head) >= 2 and rest and (words.is_han(head) or len(head) > 3):
            return head, rest
        found = _SUBTITLE.search(folded, found.end())
    return folded, ""


def _set_tail(title: str) -> str | None:
    found = _SET_TAIL.search(title)
    if found is None:
        return None
    text = found[0]
    if "全" in text or "共" in text or "合订" in text or "卷本" in text or ("套" in text or "装" in text):
        head = title[: found.start()]
        code = volume.read(text.strip(" ()[]"))[0]
        if len(head) >= 2 and code != "1" and not re.search(r"全[一1壹]?册", text):
            return head
    return None


def _edition_tail(title: str) -> tuple[str, tuple[int, tuple[str, ...]]]:
    found = editions.TAIL.search(title)
    if found is None or len(title[: found.start()].strip()) < 2:
        return title, (0, ())
    edition = editions.read(found[0])
    return (title[: found.start()].strip(" .,:;("), edition) if edition != (0, ()) else (title, (0, ()))


def _volume_tail(title: str, evidence: str) -> tuple[str, str]:
    """The longest tail that reads as a volume designation and may be one by the way it stands there."""
    han = words.is_han(title)
    for start in _STARTS.finditer(title):
        head, tail = title[: start.start()], title[start.end() :]
        if not han and not _may_be_volume(start[0], tail):
            continue
        if len(words.squeezed(head)) < (3 if not start[0] and tail[:1] not in "第" else 2):
            continue
        if not start[0] and tail[0] == "下" and head[-1] in _NEVER_BEFORE_DOWN:
            continue
        code, left = volume.read(tail)
        if not code or fold.squeeze(left):
            continue
        if not han and not _western_tail(start[0], tail, code):
            continue
        return head.rstrip(" .,:;·-(["), code
    if evidence:
        found = _SOFT.search(title) or re.search(r"(?:[上中下]|[一二三四五六七八九十]+)$", title)
        if (
            found
            and len(title[: found.start()]) >= 3
            and volume.relation(volume.read(found[0].strip())[0] or "=", evidence) == "same"
        ):
            return title[: found.start()].strip(), evidence
    return title, ""


def designates(text: str, han: bool) -> str:
    """The code of a folded text that is a volume designation and nothing else; a Western `1802-1808` is none."""
    code, left = volume.read(text)
    if not code or fold.squeeze(left) or (han and text.isdecimal()):
        return ""
    return code if han or _western_tail(":", text, code) else ""


def _may_be_volume(separator: str, tail: str) -> bool:
    """What `_western_tail` asks of a tail before anybody has read it, which takes much longer."""
    if "(" in separator or "[" in separator:
        return True
    if separator.isspace() or not tail.isalpha():
        return _UNIT_AND_NUMBER.match(tail) is not None
    return tail in volume.MARKS


def _western_tail(separator: str, tail: str, code: str) -> bool:
    """Whether a tail that reads as a volume is one in a Western title: `Henry IV` and `…, 867-1185` are not."""
    if "(" in separator or "[" in separator:
        return code.isdecimal() and len(code) < 3
    if separator.isspace() or not tail.isalpha():
        return _UNIT_AND_NUMBER.match(tail) is not None and not (code.isdecimal() and len(code) > 3)
    return tail in volume.MARKS


@lru_cache(maxsize=65536)
def proper(folded: str) -> str:
    """A folded title as it is compared: without leading article, Han numerals as digits, letters and digits only."""
    if not words.is_han(folded):
        cut = _ARTICLES.sub("", folded)
        return fold.squeeze(cut.replace("&", " and "))
    return numerals.arabic(words.squeezed(folded))


def numbers(text: str) -> tuple[int, ...]:
    """Numbers that a title speaks of, in order of size: 真题2018, 100例, 第十三届, 三年级, World War II, 1998-99."""
    found: list[int] = []
    if (_ANY_NUMBER if text.isascii() else _LATIN_NUMBER).search(text):
        text = _TYPED_ONE.sub("1", text)
        text = _SPAN.sub(lambda span: f"{span[1]} {span[1][:2]}{span[2]}", text)
        found = [int(number) for number in _TITLE_NUMBER.findall(text) if len(number) < 10]
        found += [n for number in _ROMAN_NUMBER.findall(text) if (n := numerals.roman(number))]
        found += [int(volume.ORDINALS[one or other]) for one, other in _BOOK_NUMBER.findall(text)]
    if not text.isascii() and _HAN_NUMBER.search(text):
        found += [number for run in _HAN_RUN.findall(text) if (number := numerals.han(run)) is not None]
        for groups in _ORDINAL_NUMBER.findall(text):
            word = next(filter(None, groups), "")
            if len(word) == 1 and (number := numerals.han(word)) is not None:
                found.append(number)
    return tuple(sorted(found)) if found else ()


def annual(folded: str) -> tuple[str, str]:
    """(title without its year, code of the year) of a yearbook or a year's papers, wherever the year stands."""
    if not is_annual(folded):
        return folded, ""
    found = list(_ANNUAL_YEAR.finditer(folded))
    if len(found) != 1:
        return folded, ""
    text = found[0][1].lstrip("'")
    if len(text) == 2:
        text = f"{'20' if int(text) < 40 else '19'}{text}"
    cut = f"{folded[: found[0].start()].rstrip(' .,:;(-')} {folded[found[0].end() :].lstrip(' .,:;)-')}".strip()
    if len(fold.squeeze(cut)) < 3:
        return folded, ""
    return cut, volume.read(text)[0]


def generic(title: str) -> bool:
    """Whether a compared title says nothing without its author: 选集, 论文集, Proceedings, Selected works."""
    return title in _HAN_GENERIC or title in _WESTERN_GENERIC or len(title) < 2


def is_annual(folded: str) -> bool:
    """Whether a title is of a run that differs by the year. The date of a Western meeting is no volume of a run."""
    if _ANNUAL.search(folded) is not None:
        return True
    return words.is_han(folded) and _MEETING.search(folded) is not None
