"""Makes readings.tsv: `python -m dms.rules.content.make_readings > dms/rules/content/readings.tsv`.

The search table keeps the common readings of a character, since each of them costs index; to judge a cataloguer's
pinyin all are wanted that a dictionary knows. Those that the search table lacks come from pypinyin (MIT, a development
tool).
"""

from __future__ import annotations

import sys
from collections import defaultdict

from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

from catalog.search.fold import fold
from catalog.search.pinyin import CHARACTERS

HEADER = """\
# Made by dms/rules/content/make_readings.py from pypinyin's tables (MIT): a reading, and the folded characters that may
# be read so besides what catalog/search/pinyin.tsv says. Syllables have no tones and ü is u.
"""


def table() -> str:
    """The file's text."""
    found: dict[str, set[str]] = defaultdict(set)
    for code, readings in PINYIN_DICT.items():
        character = fold(chr(code))
        for reading in readings.split(","):
            _add(found, character, fold(reading))
    for phrase, syllables in PHRASES_DICT.items():
        folded = fold(phrase)
        if len(folded) == len(syllables):
            for character, ways in zip(folded, syllables, strict=True):
                for way in ways:
                    _add(found, character, fold(way))
    return HEADER + "".join(f"{reading}\t{''.join(sorted(found[reading]))}\n" for reading in sorted(found))


def _add(found: dict[str, set[str]], character: str, reading: str) -> None:
    known = CHARACTERS.get(character)
    if known and reading not in known and reading.isascii() and reading.isalpha():
        found[reading].add(character)


if __name__ == "__main__":
    sys.stdout.write(table())
