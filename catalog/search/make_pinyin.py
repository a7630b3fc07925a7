"""Makes pinyin.tsv, the table behind `pinyin`: `python -m catalog.search.make_pinyin > catalog/search/pinyin.tsv`.

Readings come from pypinyin (MIT, a development tool only: its own segmentation reads 4,000 titles a second, and its
tables take 70 MB). Kept are, without tones and for folded characters: the readings of each character, the usual one
first, others only if words really use them; and those words that are not read as their characters would be.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping

from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

from catalog.search.fold import fold, is_cjk

MOST_READINGS = 4
LEAST_WORDS = 2  # a reading that fewer words use is left out …
LEAST_SHARE = 0.05  # … and one that has less than this share of the character's words
# Particles are in half of all titles: their rare readings would double the index and find nothing.
PARTICLES = {
    "的": "de",
    "了": "le",
    "和": "he",
    "地": "di",
    "得": "de",
    "不": "bu",
    "么": "me",
    "与": "yu",
    "中": "zhong",
}
LONGEST = 4  # longer words are proverbs made of words that are here

HEADER = """\
# Made by catalog/search/make_pinyin.py from pypinyin's tables (MIT). Syllables have no tones and ü is u.
# One syllable or several divided by /: the characters read so. Syllables divided by blanks: words read so.
"""


def words() -> dict[str, tuple[str, ...]]:
    """The reading of each folded word of pypinyin's dictionary."""
    found: dict[str, tuple[str, ...]] = {}
    for phrase, readings in PHRASES_DICT.items():
        word = fold(phrase)
        if len(word) == len(readings) <= LONGEST and is_cjk(word):
            found.setdefault(word, tuple(fold(reading[0]) for reading in readings))
    return found


def characters(readings: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The common readings of each folded character, the usual one first."""
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for word, syllables in readings.items():
        for character, syllable in zip(word, syllables, strict=True):
            used[character][syllable] += 1
    found: dict[str, tuple[str, ...]] = {}
    for code in PINYIN_DICT:
        character = fold(chr(code))
        if len(character) != 1 or character in found or ord(character) not in PINYIN_DICT:
            continue
        known = [fold(reading) for reading in PINYIN_DICT[ord(character)].split(",")]
        counts = used[character]
        common = [
            syllable
            for syllable, count in counts.most_common()
            if count >= LEAST_WORDS and count >= LEAST_SHARE * counts.total()
        ]
        found[character] = tuple(dict.fromkeys([known[0], *common]))[:MOST_READINGS]
    found |= {character: (syllable,) for character, syllable in PARTICLES.items()}
    return found


def table() -> str:
    """The text of pinyin.tsv."""
    spoken = words()
    read = characters(spoken)
    by_readings: dict[str, list[str]] = defaultdict(list)
    for character, readings in read.items():
        by_readings["/".join(readings)].append(character)
    by_syllables: dict[str, list[str]] = defaultdict(list)
    for word, syllables in spoken.items():
        if any(
            read.get(character, (syllable,)) != (syllable,) for character, syllable in zip(word, syllables, strict=True)
        ):
            by_syllables[" ".join(syllables)].append(word)
    lines = [f"{key}\t{''.join(sorted(found))}\n" for key, found in sorted(by_readings.items())]
    lines += [f"{key}\t{' '.join(sorted(found))}\n" for key, found in sorted(by_syllables.items())]
    return HEADER + "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table())
