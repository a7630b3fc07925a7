"""Standard numbers as they stand in records, read to one form.

ISBN: ISO 2108 (check digit mod 11 for ten digits, mod 10 for thirteen). ISSN: ISO 3297. 统一书号: class and publisher,
a point, serial number (1956-1987), no check digit. CN 刊号: two digits, four digits, class (GB/T 9999), no check digit.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import mul

_NUMBER = re.compile(r"(?<!\d)(97[89](?:[- ‐–−]?\d){10}|\d(?:[- ‐–−]?\d){8}[- ‐–−]?[\dXx])(?![\dXx])")
_LOOSE = re.compile(r"\d[\d\- ‐–−]{7,16}[\dXx]?")
_UNIFIED = re.compile(
    r"^\D{0,6}?(\d{3,5})\s*[·.．・•∙‧﹒:：－—\-]\s*(\d{1,6}|[一二三四五六七八九〇零十百千]+)\s*(?:\(.*)?$"
)
_CN = re.compile(r"(\d{2})\s*[-－—]\s*(\d{4})(?:\s*/\s*[A-Z][A-Z0-9.]*)?")
_ISSN = re.compile(r"(?<!\d)(\d{4})\s*[-–－]?\s*(\d{3}[\dXx])(?!\d)")
_BETWEEN = dict.fromkeys(map(ord, "- ‐–−"))  # what `_NUMBER` allows between digits
_WEIGHTS = range(10, 1, -1)  # of the first nine digits of an ISBN-10
_WIDE = str.maketrans("０１２３４５６７８９Ｘｘ－（）", "0123456789XX-()")


def _thirteen(nine: str) -> int:
    """ISBN-13 of the first nine digits of an ISBN-10."""
    body = "978" + nine
    return int(body) * 10 + -_sum_of_thirteen(body) % 10


def _sum_of_thirteen(digits: str) -> int:
    """The sum that a check digit makes divisible by ten: digits weigh 1 and 3 by turns."""
    return sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))


@lru_cache(maxsize=65536)
def isbn(text: str) -> int:
    """The ISBN-13 in a text such as `7-208-05234-4 (精装)`, 0 where there is none with a right check digit."""
    found = _NUMBER.search(text.translate(_WIDE) if not text.isascii() else text)
    if found is None:
        return 0
    digits = found[1].translate(_BETWEEN).upper()
    if len(digits) == 13:
        return int(digits) if _sum_of_thirteen(digits) % 10 == 0 else 0
    total = sum(map(mul, _WEIGHTS, map(int, digits[:9]))) + (10 if digits[9] == "X" else int(digits[9]))
    return _thirteen(digits[:9]) if total % 11 == 0 else 0


def looks_like_isbn(text: str) -> bool:
    """Whether somebody meant to write an ISBN here (to note an invalid one)."""
    return _LOOSE.search(text) is not None


def issn(text: str) -> str:
    """`1234-567X` with a right check digit, or the empty string."""
    found = _ISSN.search(text)
    if found is None:
        return ""
    digits = (found[1] + found[2]).upper()
    total = sum((8 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits))
    return f"{digits[:4]}-{digits[4:]}" if total % 11 == 0 else ""


def unified(text: str) -> str:
    """统一书号 as `10019.2211`, or the empty string."""
    found = _UNIFIED.match(text.translate(_WIDE).strip())
    return f"{found[1]}.{found[2].lstrip('0') or '0'}" if found else ""


def cn_number(text: str) -> str:
    """CN 刊号 as `11-2345`, or the empty string."""
    found = _CN.search(text.translate(_WIDE))
    return f"{found[1]}-{found[2]}" if found else ""
