"""Subtitles that tell books of one row apart: 江苏分册/浙江分册, introducing the Southern/the Central Health Authority.

Two cataloguers may write down other subtitles of one book, or more or less of one. Those of a row are told by their
frame: the same words around a place where each says something else.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from dms.match import words
from dms.match.likeness import UNLIKE, contrast

WESTERN_WORD, HAN_WORD = 3, 2  # least characters of what is said in the place
WESTERN_FRAME, HAN_FRAME = 5, 3  # least characters in common behind it: a text that ends there was only cut otherwise
NAME = 20  # most characters of it: beyond, one of two cataloguers wrote down more
PART = 12  # most characters of a Han subtitle that is the name of a part: 江苏省分册
_UNITS = tuple(sorted(words.folded(words.TABLE["rows"]["units"]), key=len, reverse=True))


@lru_cache(maxsize=16384)
def apart(a: str, b: str, by_words: bool) -> bool:
    """Whether two squeezed subtitles name two books of a row; without `by_words` only where words are opposites."""
    if a == b or a.startswith(b) or b.startswith(a):
        return False
    han = words.is_han(a)
    if han != words.is_han(b):
        return False
    if contrast(a, b) and Levenshtein.normalized_similarity(a, b) >= UNLIKE:
        return True
    if not by_words:
        return False
    if han:
        return _parts(a, b) or _swapped(a, b, HAN_WORD, HAN_FRAME)
    return _swapped(a, b, WESTERN_WORD, WESTERN_FRAME)


def _parts(a: str, b: str) -> bool:
    """Two short names that end in one word for a part: 基础篇/提高篇."""
    unit = next((unit for unit in _UNITS if a.endswith(unit)), "")
    if not unit or not b.endswith(unit) or max(len(a), len(b)) > PART:
        return False
    return Levenshtein.normalized_similarity(a[: -len(unit)], b[: -len(unit)]) < UNLIKE


def _swapped(a: str, b: str, word: int, frame: int) -> bool:
    """Whether somewhere each says something else than the other, and both go on alike behind that."""
    at_a = at_b = 0
    for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        if block.size < frame:
            continue
        one, other = a[at_a : block.a], b[at_b : block.b]
        short, long = sorted((len(one), len(other)))
        if word <= short and long <= NAME and Levenshtein.normalized_similarity(one, other) < UNLIKE:
            return True
        at_a, at_b = block.a + block.size, block.b + block.size
    return False
