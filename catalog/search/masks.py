"""Words that are cut or have signs left open, as patterns of folded words (pure).

`*` stands for any signs and `?` for one. Words in scripts without blanks are found wherever they stand in a text, so a
`*` around them says nothing; one inside says more than the index knows.
"""

from __future__ import annotations

import re

from catalog.search.fold import CJK, fold, has_cjk, is_cjk, squeeze
from catalog.search.grams import Phrase, phrase, runs
from protocols.query import Truncation, Unanswerable

SHORTEST = 2  # letters of a word that is cut at its end
SHORTEST_LEFT = 3  # … or at its beginning: the engine looks at every word there is
MOST_ENDS, MOST_STARTS = 8, 3  # words of a term that are cut, of those that programs cut whatever was typed

_PARTS = re.compile(r"\\(?P<plain>.)|(?P<mask>[*?])|(?P<text>[^\\*?]+)", re.DOTALL)
_SCRIPTS_MEET = re.compile(rf"(?<=[{CJK}])(?=[^{CJK}\s*?])|(?<=[^{CJK}\s*?])(?=[{CJK}])")
_BETWEEN_CJK = re.compile(rf"(?<=[{CJK}]) (?=[{CJK}])")


def words(text: str, truncation: Truncation, *, last: bool, whole: bool = False) -> list[str]:
    """Folded words with their masks.

    `last`: as one piece, so only its first or last word is cut, else each that is long enough, the first or the last of
    many. `whole`: for whole values, in which what is around Chinese characters matters.
    """
    if truncation == "masked":
        return _masked(text)
    found = [*runs(text)]
    starts, ends = (1, 1) if last else (MOST_STARTS, MOST_ENDS)
    many = len(found) > 1 and not last
    for place, word in enumerate(found):
        if whole or not is_cjk(word):
            size = len(word) if many else SHORTEST_LEFT
            if truncation in ("left", "both") and place < starts and size >= SHORTEST_LEFT:
                word = "*" + word
            if truncation in ("right", "both") and place >= len(found) - ends and size >= SHORTEST:
                word += "*"
            found[place] = word
    return found


def _masked(text: str) -> list[str]:
    """Words of a text with masks; signs that are no letters divide words."""
    made = ""
    for part in _PARTS.finditer(text):
        if part["mask"]:
            made += part["mask"]
        else:
            folded = fold(part["text"] or part["plain"])
            made += "".join([sign if sign.isalnum() else " " for sign in folded])
    return [word for word in _BETWEEN_CJK.sub("", _SCRIPTS_MEET.sub(" ", made)).split() if squeeze(word)]


def pattern(word: str) -> str:
    """A word in letters with masks, as it is; Unanswerable if it is too short to be looked for."""
    lead = re.split(r"[*?]", word, maxsplit=1)[0]
    if not lead and len(squeeze(word)) < SHORTEST_LEFT:
        raise Unanswerable("short", word, f"A word without its beginning needs {SHORTEST_LEFT} letters.")
    if lead and "*" in word and len(squeeze(word.partition("*")[0])) < SHORTEST and not is_cjk(lead):
        raise Unanswerable("short", word, f"At least {SHORTEST} letters must stand before what is left open.")
    return word


def piece(word: str) -> tuple[Phrase, bool]:
    """The tokens of one word with masks, and whether some are patterns.

    Of Chinese characters each that is left open leaves its two places open: its own and that of the pair.
    """
    if not has_cjk(word):
        return ((0, pattern(word)),), "*" in word or "?" in word
    word = word.strip("*")
    if "*" in word or "?" in (word[0], word[-1]):
        raise Unanswerable(
            "truncation", word, "Only single signs inside a word in Chinese characters may be left open."
        )
    if "?" not in word:
        return phrase(word), False
    if not all(is_cjk(sign) for sign in word if sign != "?"):
        raise Unanswerable("truncation", word, "Signs can't be left open where scripts meet.")
    tokens: list[tuple[int, str]] = []
    for part in re.finditer(r"[^?]+", word):
        tokens += ((2 * part.start() + place + (len(part[0]) > 1), token) for place, token in phrase(part[0]))
    first = tokens[0][0]
    return tuple((place - first, token) for place, token in tokens), False


def joined(found: list[str]) -> tuple[Phrase, bool]:
    """The tokens of words that follow each other, and whether some are patterns."""
    tokens: list[tuple[int, str]] = []
    at, cut = 0, False
    for word in found:
        part, masked = piece(word)
        lead = 1 if _pairs(word) else 0
        tokens += ((at + lead + place, token) for place, token in part)
        at += _places(word)
        cut = cut or masked
    first = tokens[0][0]
    return tuple((place - first, token) for place, token in tokens), cut


def _pairs(word: str) -> bool:
    """Whether a word's first token is a pair, which stands one place behind its first character."""
    start = word.strip("*").split("?")[0]
    return has_cjk(start) and len(start) > 1


def _places(word: str) -> int:
    """How many places a word takes in an index."""
    return 2 * len(word.strip("*")) - 1 if has_cjk(word) else 1
