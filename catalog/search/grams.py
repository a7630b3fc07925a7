"""Texts as tokens: Latin words as they are, Chinese, Japanese and Korean ones as single characters and pairs.

`C语言程序` becomes `c 语 语言 言 言程 程 程序 序`, in this order, so a phrase of pairs finds any piece of two or more
characters exactly where it stands, and a single character finds itself. Signs and blanks between such characters are
skipped: 《资本论》研究 is found by 资本论研究.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from catalog.search.fold import is_cjk, words

REMEMBERED = 4096  # texts: a title is a text, a heading and a place in a list

Phrase = tuple[tuple[int, str], ...]  # tokens with their distance from the first


@lru_cache(maxsize=REMEMBERED)
def runs(text: str) -> tuple[str, ...]:
    """Folded words; neighbours in scripts without blanks are joined."""
    found: list[str] = []
    joined = False
    for word in words(text):
        cjk = is_cjk(word)
        if cjk and joined:
            found[-1] += word
        else:
            found.append(word)
        joined = cjk
    return tuple(found)


def index_text(text: str) -> str:
    """Every token of a text in order, divided by blanks."""
    if text.isascii():
        return " ".join(words(text))
    return " ".join([_pairs(run) if len(run) > 1 and is_cjk(run) else run for run in runs(text)])


def _pairs(run: str) -> str:
    """Every character and every pair of neighbours in order."""
    return "".join([f"{one} {one}{two} " for one, two in pairwise(run)]) + run[-1]


def phrase(text: str) -> Phrase:
    """The tokens that a text must have been indexed with to hold this piece; () if it has no letters."""
    tokens: list[tuple[int, str]] = []
    at = 0
    for run in runs(text):
        if len(run) > 1 and is_cjk(run):
            tokens += [(at + 2 * i + 1, run[i : i + 2]) for i in range(len(run) - 1)]
            at += 2 * len(run) - 1
        else:
            tokens.append((at, run))
            at += 1
    return tuple((place - tokens[0][0], token) for place, token in tokens)
