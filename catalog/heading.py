"""What an authority record says of its heading, and the words by which it is found (pure).

Words are lexemes of a tsvector, made by our folding and not by PostgreSQL's parser, so that authorities are found as
everything else is: 魯迅, 鲁迅 and luxun are one. Weights: A the heading, B variants, C related headings, D how Chinese
ones sound, and identifiers. A lexeme that begins with a sign is a whole: `=` a name, `~` its sound, `#` an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from catalog.naming import Heading, Naming
from catalog.search import pinyin
from catalog.search.fold import has_cjk, is_cjk, squeeze, words
from catalog.search.grams import index_text, phrase, runs
from catalog.search.port import BadQuery

LONGEST = 400  # characters that are indexed of a name
LONGEST_WHOLE = 120  # characters of a whole name or identifier as one lexeme
LONGEST_ORDER = 200
MOST_VALUES = 60  # of variants and of related headings that are indexed
MOST_WORDS = 24  # of a question
GAP = 20  # places between two names, so that no phrase reaches from one into the next
LAST_PLACE = 16_383  # in a tsvector; what is behind stands there too


class Asked(NamedTuple):
    """A question as tsqueries; "" = none. Each is narrower than the next, but for `begins`, the start of `ordered`."""

    exact: str  # the heading itself
    known: str  # a variant, an identifier, or the sound of a whole name
    begins: str
    named: str  # words of the heading
    varied: str  # words of the heading and its variants
    anywhere: str


def ordered(heading: str) -> str:
    """By what headings stand in order: folded words."""
    return " ".join(words(heading))[:LONGEST_ORDER]


def lexemes(told: Heading) -> str:
    """The text of a tsvector."""
    found: dict[str, list[str]] = {}
    place = 1
    for weight, names in (("A", (told.heading,)), ("B", told.variants), ("C", told.related)):
        for name in names[:MOST_VALUES]:
            for lexeme in _whole("=", name):
                found.setdefault(lexeme, []).append(f"1{weight}")
            for token in index_text(name[:LONGEST]).split():
                found.setdefault(token, []).append(f"{min(place, LAST_PLACE)}{weight}")
                place += 1
            place += GAP
    for lexeme in (*_sounds(told), *_numbers(told.identifiers)):
        found.setdefault(lexeme, []).append("1D")
    return " ".join(f"'{lexeme}':{','.join(dict.fromkeys(places))}" for lexeme, places in found.items())


def _whole(sign: str, name: str) -> Iterator[str]:
    if squeezed := squeeze(name[:LONGEST])[:LONGEST_WHOLE]:
        yield sign + squeezed


def _sounds(told: Heading) -> Iterator[str]:
    for name in (told.heading, *told.variants[:MOST_VALUES]):
        name = name[:LONGEST_WHOLE]
        if has_cjk(name):
            read = pinyin.name_readings if told.kind == Naming.PERSON else pinyin.readings
            yield from (f"~{way[:LONGEST_WHOLE]}" for way in pinyin.spelled(pinyin.streams(read(_letters(name)))))
    for sound in told.sounds[:MOST_VALUES]:
        yield from _whole("~", pinyin.plain(squeeze(sound)))


def _letters(name: str) -> str:
    """A name without what stands behind it (dates, qualifiers), which nobody reads aloud."""
    return "".join(run for run in runs(name) if is_cjk(run)) or name


def _numbers(identifiers: Iterable[str]) -> Iterator[str]:
    for number in identifiers:
        yield from _whole("#", number)
        if number.startswith("("):  # without the agency, too
            yield from _whole("#", number.partition(")")[2])


def asked(text: str) -> Asked:
    """The question that a reader's text is. Raises `BadQuery` if there is no letter or digit in it, or too much."""
    found = runs(text)
    if not found:
        raise BadQuery("There is nothing to look for: type a name or a part of one.")
    if len(found) > MOST_WORDS:
        raise BadQuery(f"That are more than {MOST_WORDS} words: leave some out.")
    whole = squeeze(text)[:LONGEST_WHOLE]
    sound = pinyin.plain(whole) if whole.isascii() and whole.isalpha() else ""
    known = [f"'={whole}':B", f"'#{whole}'", *([f"'~{sound}'"] if sound else [])]
    anywhere = [_terms(found, ""), f"'#{whole}'", *([f"'~{sound}':*"] if sound else [])]
    return Asked(
        exact=f"'={whole}':A",
        known=" | ".join(known),
        begins=ordered(text),
        named=_terms(found, "A"),
        varied=_terms(found, "AB"),
        anywhere=" | ".join(anywhere),
    )


def _terms(found: Sequence[str], weights: str) -> str:
    """Every run must be found, the last Latin word as the beginning of one; in parentheses."""
    parts = [_run(run, weights, open_end=n == len(found) - 1) for n, run in enumerate(found)]
    return f"({' & '.join(parts)})"


def _run(run: str, weights: str, *, open_end: bool) -> str:
    """A run of characters as a phrase of pairs; a Latin word as it is."""
    if not is_cjk(run):
        return f"'{run}':{'*' if open_end else ''}{weights}".rstrip(":")
    marks = f":{weights}" if weights else ""
    (_, first), *others = phrase(run)
    before, text = 0, f"'{first}'{marks}"
    for place, token in others:
        text += f" <{place - before}> '{token}'{marks}"
        before = place
    return f"({text})"
