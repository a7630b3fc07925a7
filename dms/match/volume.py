"""Volume designations read to codes, so that 1 = 第1册 = 一 = 壹 = I = vol. 1 and no text is compared by its letters.

A code is levels joined by dots, outermost first ("2.1" = volume 2 part 1). A level is a number, a direction mark
(上, 中, 下: which number 下 means depends on the size of the set), a mark of its own (续, 补 …), a range "1~3", or `=`
and the folded words where nobody can read a number ("=地方编").
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from catalog.search import fold
from dms.match import numerals

Relation = Literal["same", "clash", "within", "unclear"]

_TABLE = tomllib.loads(Path(__file__).with_name("volume.toml").read_text("utf-8"))


def _words(text: str) -> list[str]:
    return [fold.fold(word) for word in text.split()]


def _either(words: list[str]) -> str:
    return "|".join(sorted(map(re.escape, set(words)), key=lambda word: (-len(word), word)))


_BLANKS = re.compile(r"[\s.]+")
MARKS = {word: _words(line)[0] for line in _TABLE["marks"] for word in _words(line)}
ORDINALS = {word: str(n) for line in _TABLE["numbers"] for n, word in enumerate(_words(line), 1)}
DIRECTIONS = {word: word for word in _words(_TABLE["directions"])}
_STEMS, _BRANCHES = _words(_TABLE["sequences"][0]), _words(_TABLE["sequences"][1])


def _sequences() -> dict[str, str]:
    """Mark to number; a mark that stands in two sequences at different places keeps its own code."""
    places: dict[str, set[str]] = {}
    for line in _TABLE["sequences"]:
        for place, word in enumerate(_words(line), 1):
            places.setdefault(word, set()).add(str(place))
    found = {word: numbers.pop() if len(numbers) == 1 else word for word, numbers in places.items()}
    for place in range(60):  # the sexagenary cycle: 甲子 = 1 … 癸亥 = 60
        found[_STEMS[place % 10] + _BRANCHES[place % 12]] = str(place + 1)
    return found


SEQUENCES = _sequences()
_HAN_UNITS = _either(_words(_TABLE["han_units"]))
_UNITS = _either(_words(_TABLE["units"]))
_NUMBER = rf"(?:\d+|[{numerals.HAN}参]+|(?:{_either(list(ORDINALS))})(?![a-zа-я])|[ivxlcdm]+(?![a-zа-я]))"
_SEPARATORS = " .,:;·‧・/()[]{}〔〕【】<>〈〉《》「」『』\"'“”-~=_—–"
_DASH = r"\s*(?:-|~|—|–|至|到|bis|to|、|,|/|和|与|及|&|and|und|et)\s*"
# Han marks stand close to the words that follow: 上古时代 is not volume 上, 地方编 not volume 地, 三国 not volume 3.
_END = rf"(?=$|[\s{re.escape(_SEPARATORS)}]|第|卷|\d|[上中下](?:{_HAN_UNITS}|$))"
_HAN = f"[{numerals.HAN}]+"
_MARKS = _either(list(MARKS)).replace("_", r"[\s.]+")
_TOKEN = re.compile(
    rf"(?:(?:{_UNITS})(?![a-zа-я])[\s.:]*)?(?:总)?第?\s*(?P<from>\d+|{_HAN}|[ivxl]+(?![a-z]))\s*(?:{_HAN_UNITS})?{_DASH}第?\s*"
    rf"(?P<to>\d+|{_HAN}|[ivxl]+(?![a-z]))\s*(?:{_HAN_UNITS})?(?![a-z]){_END}"
    rf"|(?P<span>上\s*(?:{_HAN_UNITS})?\s*[、,.·/-]?\s*(?:中\s*(?:{_HAN_UNITS})?\s*[、,·/-]?\s*)?下)\s*(?:{_HAN_UNITS})?{_END}"
    rf"|全\s*(?P<whole>\d+|{_HAN})\s*(?:{_HAN_UNITS})"
    rf"|(?P<mark>{_MARKS})(?:\s*(?P<marked>\d+|{_HAN}))?(?![a-zа-я]){_END}"
    rf"|(?:总)?第\s*(?P<nth>\d+|[{numerals.HAN}参]+|[ivxlcdm]+)\s*(?:{_HAN_UNITS})?"
    rf"|(?:{_HAN_UNITS})之?\s*(?P<after>\d+|[{numerals.HAN}参]+|[ivxlcdm]+(?![a-z]))(?:\s*(?:{_HAN_UNITS}))?{_END}"
    rf"|(?:{_HAN_UNITS})?(?P<direction>[上中下])\s*(?:{_HAN_UNITS})?{_END}"
    rf"|(?:(?:{_UNITS})(?![a-zа-я])[\s.:°ºo]*)(?:the\s+)?(?P<unit>{_NUMBER}|\d+)(?:st|nd|rd|th|er|re|e)?(?![a-zа-я])"
    rf"|(?:{_UNITS})(?![a-zа-я])[\s.:]*(?P<letter>[a-z])(?![a-z0-9])"
    rf"|(?P<numbered>{_NUMBER}|\d+)\s*(?:st|nd|rd|th|\.|er|e|re|eme|ere|te|ter|tes|a|o|-?[йяе])?\s*(?:{_UNITS})(?![a-zа-я])[.\s]*"
    rf"|(?P<year>(?:1[5-9]|20)\d\d)\s*(?:{_HAN_UNITS})?"
    rf"|之?(?P<number>\d+|{_HAN})\s*(?:{_HAN_UNITS}{_END}|{_END}|(?:st|nd|rd|th)(?![a-zа-я]))"
    rf"|(?P<sequence>{_either(list(SEQUENCES))})\s*(?:{_HAN_UNITS})?{_END}"
    rf"|(?P<word>{_either(list(ORDINALS))})(?![a-zа-я])"
    rf"|(?P<roman>[ivxl]+)(?![a-z])"
)
_LEAD = re.compile(rf"[{re.escape(_SEPARATORS)}\s]+")


def _number(text: str) -> str:
    """A number in any form as decimal digits, or the empty string."""
    if text.isdecimal():
        return str(int(text))
    if text in ORDINALS:
        return ORDINALS[text]
    number = numerals.han(text)
    if number is None:
        number = numerals.roman(text)
    return "" if number is None else str(number)


def _level(found: re.Match[str]) -> str:
    """The code of one matched level; empty where it adds nothing (全一册) or is no number after all."""
    kind = found.lastgroup or ""
    if found["to"] is not None:
        start, end = _number(found["from"]), _number(found["to"])
        if len(start) == 4 and len(end) == 2:
            end = start[:2] + end  # 1998-99
        if not start or not end or int(end) <= int(start):
            return f"{start}.{end}" if start and end else "?"
        return f"{start}~{end}"
    if found["span"] is not None:
        return "1~3" if "中" in found["span"] else "1~2"
    if found["mark"] is not None:
        again = _number(found["marked"]) if found["marked"] else ""
        return MARKS[_BLANKS.sub("_", found["mark"])] + (again if again != "1" else "")
    text = found[kind]
    if kind == "whole":
        return "" if _number(text) == "1" else f"1~{_number(text)}"
    if kind == "direction":
        return text
    if kind == "letter":
        return _number(text) or text
    if kind == "sequence":
        return SEQUENCES[text]
    return _number(text) or "?"


@lru_cache(maxsize=16384)
def read(text: str) -> tuple[str, str]:
    """(code, what could not be read) of a designation's folded text: `第三卷 上古时代` is ("3", "上古时代")."""
    levels: list[str] = []
    place = 0
    while place < len(text):
        if lead := _LEAD.match(text, place):
            place = lead.end()
            continue
        found = _TOKEN.match(text, place)
        if found is None or found.end() == place:
            break
        level = _level(found)
        if level == "?":
            break
        if level:
            levels.append(level)
        place = found.end()
    return ".".join(levels), text[place:]


def designation(texts: tuple[str, ...]) -> tuple[str, str]:
    """(code, words beside it) of $h or $n subfields. Words that hold no number are a designation of their own."""
    codes: list[str] = []
    words: list[str] = []
    for text in texts:
        code, rest = read(fold.fold(text))
        rest = fold.squeeze(rest)
        if code:
            codes.append(code)
            if rest:
                words.append(rest)
        elif rest:
            codes.append("=" + rest)
    return ".".join(codes), "".join(words)


def resolve(code: str, size: int) -> str:
    """The code with 上, 中, 下 turned to numbers where the size of the set tells them."""
    if size < 2 or not any(mark in code for mark in DIRECTIONS):
        return code
    numbers = {"上": "1", "中": "2" if size == 3 else "中", "下": str(size) if size <= 3 else "下"}
    return ".".join(numbers.get(level, level) for level in code.split("."))


@lru_cache(maxsize=65536)
def relation(a: str, b: str) -> Relation:
    """What two codes, both there, are to each other. 下 may be 2 or 3; words may be any number."""
    if a == b:
        return "same"
    outer_a, outer_b = a.split("."), b.split(".")
    result: Relation = "same"
    for level_a, level_b in zip(outer_a, outer_b, strict=False):
        step = _levels(level_a, level_b)
        if step == "clash":
            return "clash"
        if step != "same":
            result = step if result == "same" or step == "unclear" else result
    if len(outer_a) != len(outer_b) and result == "same":
        return "within"
    return result


def _levels(a: str, b: str) -> Relation:
    if a == b:
        return "same"
    if "~" in a or "~" in b:
        return _ranges(a, b)
    if a.startswith("=") or b.startswith("="):
        if a.startswith("=") and b.startswith("="):
            return "unclear" if a in b or b in a else "clash"
        return "unclear"
    for mark, other in ((a, b), (b, a)):
        if mark in DIRECTIONS:
            if other in DIRECTIONS or not other.isdecimal():
                return "clash" if other in DIRECTIONS else "unclear"
            possible = {"上": {1}, "中": {2}, "下": {2, 3}}[mark]
            if int(other) not in possible:
                return "clash"
            return "same" if mark != "下" else "unclear"
    return "clash"


def _ranges(a: str, b: str) -> Relation:
    """A range and a volume of it are set and volume; ranges of which neither holds the other are different."""
    spans = []
    for code in (a, b):
        first, _, last = code.partition("~")
        if code in DIRECTIONS:
            return "within"
        if not first.isdecimal():
            return "unclear"
        spans.append((int(first), int(last or first)))
    (start_a, end_a), (start_b, end_b) = spans
    nested = (start_a <= start_b and end_b <= end_a) or (start_b <= start_a and end_a <= end_b)
    return "within" if nested else "clash"
