"""Small readings that the formats share: ends of ISBD areas and what stands behind an ISBN."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.search import fold

_SET = re.compile(
    r"套|全\s*[\d一二三四五六七八九十百两]+\s*(?:[卷册辑集部函本]|分册)|全集|\bsets?\b|\bcomplete\b|gesamtwerk|"
    r"[\d一二三四五六七八九十]+\s*[卷册]套|\bv\. ?1-|\bser(?:ies)?\b|collection compl"
)
_HARD = re.compile(
    r"精装|硬精|软精|布面|皮面|hard ?(?:back|cover|bound)|\bhbk?\b|\bhdbk|\bhc\b|\bcloth|\bcased|\bbound\b|\bgeb\b|"
    r"\brel\b|library binding|\blib\. bdg"
)
_SOFT = re.compile(
    r"平装|简装|软装|soft ?(?:back|cover)|paper ?(?:back|cover|bound)|[(:]\s*paper\s*[):]|\bpbk?\b|"
    r"\bpb\b|\bsc\b|\bbr\b|\bkart\b|\bbrosch"
)
_SIZE = re.compile(r"全\s*(\d+|十?[一二三四五六七八九十两])\s*(?:卷|册|辑|集|部|函|本|分册)")
_SIZES = {
    word: size
    for size, word in enumerate(
        ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五"], 1
    )
} | {"两": 2}
_ENDS = " /:;,=\t"


def trim(text: str) -> str:
    """A value without the ISBD mark that announces the next area."""
    return text if text.isalnum() else text.strip().rstrip(_ENDS).lstrip()


@lru_cache(maxsize=8192)
def of_set(qualifier: str) -> bool:
    """Whether an ISBN's qualifier says that it is the number of the whole set: 套, 全三册, set."""
    return _SET.search(fold.fold(qualifier)) is not None


@lru_cache(maxsize=8192)
def binding(qualifier: str) -> str:
    """`hard`, `soft` or nothing, from 精装, 平装, hbk., paper …"""
    folded = fold.fold(qualifier)
    hard, soft = _HARD.search(folded), _SOFT.search(folded)
    if (hard is None) == (soft is None):
        return ""
    return "hard" if hard else "soft"


@lru_cache(maxsize=8192)
def set_size(qualifier: str) -> int:
    """How many volumes a qualifier counts: 全三册 is 3; 0 where it does not count."""
    found = _SIZE.search(fold.fold(qualifier))
    if found is None:
        return 0
    return int(found[1]) if found[1].isdecimal() else _SIZES.get(found[1], 0)
