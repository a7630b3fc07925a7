"""Accompanying works: 教师用书, 练习册, Solutions manual … A work and what accompanies it are linked, never joined."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.search import fold
from dms.match import words

_KINDS = words.TABLE["companions"]
_KIND = {fold.squeeze(word): kind for kind, text in _KINDS.items() for word in text.split()}
_WORD = words.either(list(_KIND))
_TAIL = re.compile(
    rf"(?:配套|同步|的|及其?|与|和|附|课程|教材|全)?(?P<word>{_WORD})(?:(?:及其?|与|和|暨)(?:{_WORD}))*(?P<number>\d{{0,2}})$"
)
# How a text that names a companion ends: to look is much cheaper than to try the pattern at every place.
_LAST = re.compile(rf"[{''.join(sorted({word[-1] for word in _KIND}))}]\d{{0,2}}$")
_WHOLE = re.compile(rf"(?:配套|同步|课程|教材)?(?P<word>{_WORD})(?:(?:及其?|与|和|暨)?(?:{_WORD}))*\d{{0,2}}")
_WESTERN = {
    kind: re.compile(rf"(?:a |an |the )?(?:{pattern})") for kind, pattern in words.TABLE["companions_western"].items()
}
# A text with none of these words names no companion: looking them up is much cheaper than trying the patterns.
_COMMON = frozenset(
    ("the", "for", "and", "from", "with", "des", "del", "der", "das", "volume", "vol", "book", "complete", "selected")
)
_WESTERN_WORDS = frozenset(
    form
    for pattern in words.TABLE["companions_western"].values()
    for word in re.findall(r"[a-z]{3,}", pattern)
    for form in (word, word.removesuffix("s"), f"{word}s")
    if word not in _COMMON
) | {"laboratory", "work", "workbooks"}
_SPLIT = re.compile(r"[^a-z0-9]+")
_WESTERN_TAIL = {
    kind: re.compile(rf"[\s.,:;(]+(?:{pattern})[\s.)]*$")
    for kind, pattern in words.TABLE["companions_western"].items()
    if kind not in ("supplement", "index")
}
_TO = re.compile(r"\s*(?:to accompany|accompanying|for use with|for|to|zu|zum|zur|pour|para)\s+(?:the\s+)?")
_HEAD_KINDS = {kind: re.compile(rf"(?:a |an |the )?(?:{pattern.replace('(?: .*)?', '').replace('.*', '')})")
               for kind, pattern in words.TABLE["companions_western"].items()}  # fmt: skip


@lru_cache(maxsize=32768)
def read(title: str, rest: str, part: str) -> tuple[str, str]:
    """(kind, stem) of folded title, subtitle and part title; the stem is the squeezed title of the main work.

    Both are empty for a work that stands by itself.
    """
    if words.is_han(title):
        return _han(words.squeezed(title), words.squeezed(rest), words.squeezed(part))
    return _western(title, rest, part)


def _han(title: str, rest: str, part: str) -> tuple[str, str]:
    for text, before in ((part, title), (rest, title + part)):
        if not text or not _LAST.search(text):
            continue
        if found := _WHOLE.fullmatch(text):
            return _KIND[found["word"]], before
        if found := _TAIL.search(text):
            return _KIND[found["word"]], before + text[: found.start()] + found["number"]
    found = _TAIL.search(title) if _LAST.search(title) else None
    if found and found.start() >= 2:
        return _KIND[found["word"]], title[: found.start()] + found["number"]
    return "", ""


def _western(title: str, rest: str, part: str) -> tuple[str, str]:
    if _WESTERN_WORDS.isdisjoint(_SPLIT.split(f"{title} {rest} {part}")):
        return "", ""
    for text in (part, rest):
        bare = text.strip(" .,:;()[]")
        for kind, pattern in _WESTERN.items():
            if bare and pattern.fullmatch(bare):
                return kind, fold.squeeze(title)
    for kind, pattern in _WESTERN_TAIL.items():
        if (found := pattern.search(title)) and found.start() > 5:
            return kind, fold.squeeze(title[: found.start()])
    for kind, pattern in _HEAD_KINDS.items():
        if (found := pattern.match(title)) and (to := _TO.match(title, found.end())) and len(title) - to.end() > 5:
            return kind, fold.squeeze(title[to.end() :])
    for kind, pattern in _HEAD_KINDS.items():
        if rest and (found := pattern.match(rest)) and _TO.match(rest, found.end()):
            return kind, fold.squeeze(title)
    return "", ""
