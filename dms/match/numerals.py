"""Numbers in the forms in which titles and volume designations write them. Texts come in folded."""

from __future__ import annotations

import re
from functools import lru_cache

DIGITS = {
    **{character: value for value, character in enumerate("零一二三四五六七八九")},
    **{character: value for value, character in enumerate("〇壹贰叁肆伍陆柒捌玖")},
    "两": 2, "弌": 1, "弍": 2, "弎": 3, "参": 3, "貮": 2, "弐": 2, "壱": 1, "兩": 2, "○": 0,
}  # fmt: skip
TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
COMPOUND = {"廿": "二十", "卄": "二十", "卅": "三十", "丗": "三十", "卌": "四十"}
HAN = "〇○零一二三四五六七八九十百千两壹贰叁肆伍陆柒捌玖拾佰仟廿卄卅丗卌弌弍弎貮弐壱"
ROMAN = re.compile(r"m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,4})")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_HAN_RUN = re.compile(f"[{HAN}]+")


@lru_cache(maxsize=4096)
def han(text: str) -> int | None:
    """一百二十 = 120, 二〇〇八 = 2008, 廿三 = 23, 十 = 10; None where the characters form no number."""
    for short, long in COMPOUND.items():
        text = text.replace(short, long)
    if not any(character in TENS for character in text):
        if any(character not in DIGITS for character in text) or not text:
            return None
        return int("".join(str(DIGITS[character]) for character in text))
    total = current = 0
    last = 10000
    for character in text:
        if character in TENS:
            unit = TENS[character]
            if unit >= last:
                return None
            total += (current or 1) * unit
            current, last = 0, unit
        elif character in DIGITS:
            if current:
                return None
            current = DIGITS[character]
        else:
            return None
    return total + current


@lru_cache(maxsize=4096)
def roman(text: str) -> int | None:
    """iv = 4, xii = 12. A single c, d, l or m is a letter, not a number."""
    if not text or text in "cdlm" or ROMAN.fullmatch(text) is None:
        return None
    total = 0
    for character, after in zip(text, text[1:] + " ", strict=True):
        value = _ROMAN_VALUES[character]
        total += -value if _ROMAN_VALUES.get(after, 0) > value else value
    return total


def arabic(text: str) -> str:
    """The text with Han numerals of two characters or more in digits: 二十世纪 = 20世纪, 一九八四 = 1984."""

    def digits(found: re.Match[str]) -> str:
        if len(found[0]) < 2:
            return found[0]
        number = han(found[0])
        return found[0] if number is None else str(number)

    return _HAN_RUN.sub(digits, text) if _HAN_RUN.search(text) else text
