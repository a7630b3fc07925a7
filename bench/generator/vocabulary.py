"""The words that books are made of, read from `tables`: each Chinese one in simplified, traditional and pinyin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLES = Path(__file__).parent / "tables"


class Term(NamedTuple):
    """A text in three spellings. Western text is its own `simplified` and `traditional` and has no pinyin."""

    simplified: str = ""
    traditional: str = ""
    pinyin: str = ""  # syllables parted by blanks, no tones


class Person(NamedTuple):
    """`family` and `given` are spelled as in a heading; a Chinese name is joined, a Western one inverted."""

    name: Term  # Chinese: 王小明; Western: Barlow, Edith
    roman: str  # Wang, Xiaoming
    chinese: bool  # or Japanese: family name first, nothing between
    corporate: bool = False

    @property
    def direct(self) -> Term:
        """The name as a title page has it: 王小明, Edith Barlow."""
        if self.chinese:
            return self.name
        family, _, given = self.name.simplified.partition(", ")
        return western(f"{given} {family}" if given else family)


class Publisher(NamedTuple):
    """Name and place as in an imprint; `prefix` is the ISBN group and publisher, like 7-301."""

    name: Term
    place: Term
    prefix: str
    code: str  # of the place (GB/T 2260) for China, else the MARC country code
    country: str = "CN"  # ISO 3166


class Subject(NamedTuple):
    """A class of 中图法 with its heading in both languages and words that titles on it use."""

    number: str
    letters: str  # of the class in the Library of Congress classification
    heading: Term
    heading_en: str
    words: tuple[Term, ...]
    words_en: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All tables."""

    subjects: tuple[Subject, ...]
    publishers: tuple[Publisher, ...]
    presses: tuple[Publisher, ...]
    surnames: tuple[Term, ...]
    given: tuple[Term, ...]
    homophones: tuple[tuple[Term, Term], ...]
    phrases: dict[str, tuple[Term, ...]]  # by kind: modifier, tail, literary, subtitle, western-pattern …

    def size(self) -> int:
        """How many words and names there are."""
        words = sum(len(s.words) + len(s.words_en) for s in self.subjects)
        names = len(self.surnames) + len(self.given) + len(self.publishers) + len(self.presses)
        return words + names + sum(len(phrases) for phrases in self.phrases.values())


def western(text: str) -> Term:
    """A text in Latin letters."""
    return Term(text, text, "")


def join(terms: Iterable[Term]) -> Term:
    """One text of several, Chinese ones without blanks between."""
    simplified, traditional, pinyin = zip(*terms, strict=True)
    return Term("".join(simplified), "".join(traditional), " ".join(filter(None, pinyin)))


def rows(name: str) -> Iterator[list[str]]:
    """Rows of a table, without comment lines."""
    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


@cache
def load() -> Vocabulary:
    """The vocabulary in the repository."""
    terms = {row[0]: Term(row[0], row[1], row[2]) for row in rows("chinese.tsv")}
    phrases: dict[str, list[Term]] = {}
    for kind, phrase in rows("phrases.tsv"):
        phrases.setdefault(kind, []).append(western(phrase) if kind.startswith("western") else terms[phrase])
    names = [(kind, Term(name, traditional, pinyin)) for kind, name, traditional, pinyin in rows("names.tsv")]
    return Vocabulary(
        subjects=tuple(
            Subject(number, letters, terms[heading], english, tuple(terms[w] for w in zh.split()), tuple(en.split()))
            for number, letters, heading, english, zh, en in rows("subjects.tsv")
        ),
        publishers=tuple(
            Publisher(terms[name], terms[place], prefix, code) for name, place, prefix, code in rows("publishers.tsv")
        ),
        presses=tuple(
            Publisher(western(name), western(place), prefix, code, country)
            for name, place, prefix, code, country in rows("presses.tsv")
        ),
        surnames=tuple(term for kind, term in names if kind == "surname"),
        given=tuple(term for kind, term in names if kind == "given"),
        homophones=tuple((terms[one], terms[other]) for one, other in rows("homophones.tsv")),
        phrases={kind: tuple(group) for kind, group in phrases.items()},
    )
