"""What the index holds of a cluster: a description as tokens, ready for any engine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from catalog.model import Description, Published, unique
from catalog.search import pinyin
from catalog.search.fold import fold, squeeze, words
from catalog.search.grams import index_text

LONGEST_TITLE = 300  # characters that are indexed of each text …
LONGEST_NOTE = 400  # … of summaries and notes: they cost most and find least
MOST_VALUES = 40  # of a repeated element: conference volumes name hundreds of authors
LONGEST_EXACT = 80  # characters of a whole title as one token
LONGEST_SPELLED = 40  # letters of a whole title in pinyin
LONGEST_ORDER = 60

_JOINED = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)+")  # e-mail, l'homme, Xi'an in a folded text
_LATIN_NAME = re.compile(r"[a-z]")
_CLASS_LETTER = re.compile(r"[A-Z](?=[A-Z]?[\d\-/.]|[A-Z]?$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Tokens of one cluster. Texts are tokens divided by blanks, one text a value; the others are whole values."""

    cluster: int
    exact: tuple[str, ...]  # squeezed whole titles
    title: tuple[str, ...]
    part: tuple[str, ...]  # subtitle, volume, edition
    series: tuple[str, ...]
    author: tuple[str, ...]
    subject: tuple[str, ...]
    imprint: tuple[str, ...]  # place, publisher, date
    notes: tuple[str, ...]
    title_sound: tuple[str, ...]  # syllables
    author_sound: tuple[str, ...]
    spelled: tuple[str, ...]  # whole titles in pinyin: hongloumeng, hlm
    number: tuple[str, ...]  # ISBN and ISSN without hyphens
    notation: tuple[str, ...]  # class numbers, folded
    library: tuple[str, ...]
    language: tuple[str, ...]
    kind: str
    letter: tuple[str, ...]  # main classes
    year: int  # 0 = unknown
    order: str  # by which titles are sorted


def document(published: Published) -> Document | None:
    """The document of a cluster; None if there is nothing to be found: deleted, or without description."""
    description = published.description
    if published.deleted or description is None:
        return None
    titles = unique((description.title, *description.parallel))[:MOST_VALUES]
    read = [pinyin.readings(title[:LONGEST_TITLE]) for title in titles]
    return Document(
        cluster=published.cluster,
        exact=_exact(description, titles),
        title=_texts(titles),
        part=_texts((description.subtitle, description.volume, description.edition)),
        series=_texts(description.series),
        author=_texts((*description.authors, description.responsibility)),
        subject=_texts(description.subjects),
        imprint=_texts((description.publisher, description.place, description.date, str(description.year or ""))),
        notes=_texts((description.summary, *description.notes), LONGEST_NOTE),
        title_sound=_title_sound(description, read),
        author_sound=_author_sound(description),
        spelled=_spelled(description, read),
        number=unique([_digits(number) for number in (*description.isbns, *description.issns)]),
        notation=unique([fold(number).replace(" ", "") for number in description.classification]),
        library=published.libraries,
        language=description.languages,
        kind=description.kind,
        letter=_letters(description.classification),
        year=description.year if 0 < description.year < 10_000 else 0,
        order=" ".join(pinyin.streams(read[0])[0])[:LONGEST_ORDER] if read else "",
    )


def _texts(values: Iterable[str], longest: int = LONGEST_TITLE) -> tuple[str, ...]:
    """Token texts of values; words written with ' and - are found in one piece as well."""
    kept = unique(list(values))[:MOST_VALUES]
    found = [index_text(value[:longest]) for value in kept]
    for value in kept:
        if "-" in value or "'" in value or "’" in value:
            found += [squeeze(joined) for joined in _JOINED.findall(fold(value[:longest]))]
    return unique(found)


def _exact(description: Description, titles: Iterable[str]) -> tuple[str, ...]:
    """Whole titles, with and without what follows them."""
    tail = description.title + description.subtitle
    whole = (*titles, tail, description.title + description.volume, tail + description.volume)
    return unique([squeeze(title)[:LONGEST_EXACT] for title in whole])


def _title_sound(description: Description, read: Iterable[list[pinyin.Reading]]) -> tuple[str, ...]:
    """Syllables of titles as they are read, and as the cataloguer wrote them."""
    found = [" ".join(way) for reading in read if _has_sound(reading) for way in pinyin.streams(reading)]
    tail = pinyin.readings((description.subtitle + description.volume)[:LONGEST_TITLE])
    if _has_sound(tail):
        found.append(" ".join(pinyin.streams(tail)[0]))
    return unique([*found, _written(description)])


def _written(description: Description) -> str:
    """The cataloguer's pinyin as syllables: words that are several syllables are cut."""
    syllables = ((pinyin.cuts(word) or [(word,)])[0] for word in words(description.pinyin[:LONGEST_TITLE]))
    return " ".join(chain.from_iterable(syllables))


def _spelled(description: Description, read: Iterable[list[pinyin.Reading]]) -> tuple[str, ...]:
    """Whole titles in pinyin and as initials."""
    found = [spelling for reading in read if _has_sound(reading) for spelling in pinyin.spelled(reading)]
    written = _written(description).split()
    found += ["".join(written), "".join(word[0] for word in written)]
    return unique([spelling for spelling in found if len(spelling) <= LONGEST_SPELLED])


def _author_sound(description: Description) -> tuple[str, ...]:
    """Syllables of Chinese names."""
    found = []
    for author in description.authors[:MOST_VALUES]:
        if not _LATIN_NAME.match(fold(author)):
            found += [" ".join(way) for way in pinyin.streams(pinyin.name_readings(author[:LONGEST_TITLE]))]
    return unique(found)


def _has_sound(reading: list[pinyin.Reading]) -> bool:
    """Whether anything in a reading was not written in Latin letters already: those are short in syllables only."""
    return any(len(ways) > 1 or ways[0] in pinyin.SYLLABLES for ways in reading)


def _digits(number: str) -> str:
    """An ISBN or ISSN as it is looked up."""
    return squeeze(number).upper()


def _letters(classification: Iterable[str]) -> tuple[str, ...]:
    """Main classes: the letters with which numbers of the Chinese Library Classification begin."""
    found = (_CLASS_LETTER.match(number.strip().upper()) for number in classification)
    return unique([letter[0] for letter in found if letter])
