"""Pinyin of titles and names, and syllables in what a reader types: `hongloumeng` and `hlm` find 红楼梦.

Without tones, ü as u. A word that is read in its own way (银行, 重庆) decides about its characters; elsewhere a
character keeps all its common readings, so that either spelling finds it. Everything is bounded: at most
`MOST_STREAMS` spellings of a text, `MOST_CUTS` ways to cut a typed word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, product
from pathlib import Path

from catalog.search.fold import fold, is_cjk, words

MOST_STREAMS = 4  # spellings kept of one text
MOST_CUTS = 4  # ways to cut one typed word into syllables
LONGEST_SYLLABLE = 6  # letters of zhuang
HERE = Path(__file__).parent

Reading = tuple[str, ...]  # what one character may be read as, the likeliest first; a Latin word stands for itself

_UMLAUT = re.compile(r"(?<=[ln])v")


def _lines(name: str) -> list[tuple[str, str]]:
    """`(first, second)` column of each line of a table."""
    text = (HERE / name).read_text("utf-8")
    return [(a, b) for a, _, b in (line.partition("\t") for line in text.splitlines() if not line.startswith("#"))]


def _tables() -> tuple[dict[str, Reading], dict[str, Reading]]:
    """Readings of characters, and of words."""
    characters: dict[str, Reading] = {}
    read_so: dict[str, Reading] = {}
    for syllables, texts in _lines("pinyin.tsv"):
        if " " in syllables:
            read_so |= dict.fromkeys(texts.split(" "), tuple(syllables.split(" ")))
        else:
            characters |= dict.fromkeys(texts, tuple(syllables.split("/")))
    return characters, read_so


CHARACTERS, WORDS = _tables()
SURNAMES: dict[str, Reading] = {fold(name): tuple(spelled.split()) for name, spelled in _lines("surnames.tsv")}
# Grunts (m, n, o) are left out: with them every word could be cut.
SYLLABLES = frozenset(
    syllable
    for found in CHARACTERS.values()
    for syllable in found
    if syllable[0] in "ae" or re.search("[aeiu]|.o", syllable)
)
_LAST = frozenset(syllable[-1] for syllable in SYLLABLES)  # letters


def _longest() -> dict[str, int]:
    """Of each two characters that begin a word: the length of the longest such word."""
    found: dict[str, int] = {}
    for word in WORDS:
        found[word[:2]] = max(len(word), found.get(word[:2], 0))
    return found


_LONGEST = _longest()


@lru_cache(maxsize=4096)
def _read_run(run: str) -> tuple[Reading, ...]:
    """Readings of a run of folded characters; the longest known word wins, from the left."""
    found: list[Reading] = []
    at = 0
    while at < len(run):
        size = _LONGEST.get(run[at : at + 2], 1)
        while size > 1 and run[at : at + size] not in WORDS:
            size -= 1
        if size > 1:
            found += [(syllable,) for syllable in WORDS[run[at : at + size]]]
        else:
            found.append(CHARACTERS.get(run[at], ()))
        at += size
    return tuple(found)


def readings(text: str) -> list[Reading]:
    """What each character of a text may be read as; characters without a reading (kana) are left out."""
    found: list[Reading] = []
    for word in words(text):
        if is_cjk(word):
            found += _read_run(word)
        else:
            found.append((word,))
    return [reading for reading in found if reading]


def name_readings(name: str) -> list[Reading]:
    """`readings` of a personal name: surnames are read as surnames."""
    surname, given = _surname(name)
    return [(syllable,) for syllable in surname] + readings(given)


def _surname(name: str) -> tuple[Reading, str]:
    """The sound of a known surname at the beginning of a name, and what follows; () and the whole if there is none."""
    folded = fold(name)
    for size in (2, 1):
        surname = SURNAMES.get(folded[:size])
        if surname and len(folded) > size:
            return surname, folded[size:]
    return (), name


def aloud(text: str, *, name: bool = False) -> list[str]:
    """A text's likeliest sounds in order, a surname's first if it is a name; what has no sound stays as it is."""
    surname, text = _surname(text) if name else ((), text)
    found = [*surname]
    for word in words(text):
        if is_cjk(word):
            found += [reading[0] if reading else sign for reading, sign in zip(_read_run(word), word, strict=True)]
        else:
            found.append(word)
    return found


def streams(found: Sequence[Reading]) -> list[list[str]]:
    """The likeliest ways to read a text aloud, the likeliest first, at most `MOST_STREAMS`."""
    if all(len(reading) == 1 for reading in found):
        return [[reading[0] for reading in found]]
    return [list(stream) for stream in islice(product(*_bounded(found)), MOST_STREAMS)]


def _bounded(found: Sequence[Reading]) -> list[Reading]:
    """Readings of which the product is small: early characters keep their choices, later ones lose them."""
    kept: list[Reading] = []
    ways = 1
    for reading in found:
        if ways * len(reading) > MOST_STREAMS:
            reading = reading[: max(1, MOST_STREAMS // ways)]
        ways *= len(reading)
        kept.append(reading)
    return kept


def spelled(ways: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """`streams` of a whole text in one word each, and their initials: `hongloumeng`, `hlm`."""
    full, initials = [], []
    for way in ways:
        full.append("".join(way))
        if len(way) > 1:
            initials.append("".join([syllable[0] for syllable in way]))
    return tuple(dict.fromkeys([*full, *initials]))


def plain(latin: str) -> str:
    """A folded Latin word as pinyin is written here: v typed for ü is u."""
    return _UMLAUT.sub("u", latin) if "v" in latin else latin


@lru_cache(maxsize=4096)
def cuts(word: str) -> tuple[tuple[str, ...], ...]:
    """Ways to read a typed word as syllables, the fewest syllables first: xian → (xian), (xi, an). () = no pinyin."""
    word = plain(word)
    if word[-1:] not in _LAST:
        return ()
    ways: list[list[tuple[str, ...]]] = [[()]]
    for end in range(1, len(word) + 1):
        here: list[tuple[str, ...]] = []
        for start in range(max(0, end - LONGEST_SYLLABLE), end):
            syllable = word[start:end]
            if syllable in SYLLABLES:
                here += [(*way, syllable) for way in ways[start]]
        ways.append(sorted(here, key=len)[:MOST_CUTS])
        if not any(ways[-LONGEST_SYLLABLE:]):
            return ()  # no syllable can go on from here
    return tuple(ways[-1])
