"""Makes fold.tsv, the table behind `fold`: `python -m catalog.search.make_fold > catalog/search/fold.tsv`.

A class holds every form of a character that must find the others: traditional and simplified, the standards of Taiwan
and Hong Kong, the Japanese new forms, and old printed forms. OpenCC (Apache-2.0, a development tool only) proposes the
pairs, variants.tsv adds and forbids some. Each class becomes a line `representative<TAB>the other characters`; the
representative is the form that GB 2312 has.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from pathlib import Path

import opencc

VARIANTS = Path(__file__).with_name("variants.tsv")
CONVERSIONS = ("t2s", "s2t", "tw2t", "hk2t", "jp2t")  # single characters only: phrases need context that a query lacks
BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x2A6E0), (0x2A700, 0x2EBE0))

HEADER = """\
# Characters that find each other. Made by catalog/search/make_fold.py from OpenCC's character tables (Apache-2.0)
# and variants.tsv: change that file and make this one again. representative<TAB>other forms
"""


def decisions(text: str) -> Iterator[tuple[str, str]]:
    """`(verb, characters)` of each line of variants.tsv; the verb is join or apart."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            verb, characters, _why = line.split("\t")
            yield verb, characters


def proposals() -> Iterator[tuple[str, str]]:
    """Every pair of different characters that a conversion of OpenCC maps on each other."""
    codes = chain.from_iterable(range(start, end) for start, end in BLOCKS)
    # What NFKC changes is folded before the table is asked.
    characters = [chr(code) for code in codes if unicodedata.is_normalized("NFKC", chr(code))]
    for name in CONVERSIONS:
        # One to a line: no phrase spans lines, so each is converted on its own.
        converted = opencc.OpenCC(name).convert("\n".join(characters)).split("\n")
        for character, other in zip(characters, converted, strict=True):
            if len(other) == 1 and other != character:
                yield character, unicodedata.normalize("NFKC", other)


def classes(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Connected characters, each class once."""
    member_of: dict[str, set[str]] = {}
    for a, b in pairs:
        one, other = member_of.get(a) or {a}, member_of.get(b) or {b}
        one |= other
        for character in one:
            member_of[character] = one
    return list({id(found): found for found in member_of.values()}.values())


def representative(members: set[str], simplify: Callable[[str], str]) -> str:
    """The form that GB 2312 has and that OpenCC does not simplify further, a letter before a sign."""

    def rank(character: str) -> tuple[bool, bool, bool, int]:
        standard = bool(character.encode("gb2312", "ignore"))
        return not character.isalnum(), not standard, simplify(character) != character, ord(character)

    return min(members, key=rank)


def table() -> str:
    """The text of fold.tsv. Raises ValueError if a pair that must stay apart is joined by other pairs."""
    joins: list[tuple[str, str]] = []
    aparts: set[frozenset[str]] = set()
    for verb, characters in decisions(VARIANTS.read_text("utf-8")):
        if verb == "join":
            joins += pairwise(unicodedata.normalize("NFKC", characters))
        elif verb == "apart":
            aparts.add(frozenset(characters))
        else:
            raise ValueError(f"variants.tsv: {verb} is neither join nor apart")
    found = classes([pair for pair in proposals() if frozenset(pair) not in aparts] + joins)
    for members in found:
        for pair in aparts:
            if pair <= members:
                raise ValueError(f"variants.tsv: {''.join(sorted(pair))} must stay apart but other pairs join them")
    lines = []
    simplify = opencc.OpenCC("t2s").convert
    for members in found:
        first = representative(members, simplify)
        lines.append(f"{first}\t{''.join(sorted(members - {first}))}\n")
    return HEADER + "".join(sorted(lines))


if __name__ == "__main__":
    sys.stdout.write(table())
