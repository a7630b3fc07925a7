"""What the index holds of a cluster: a description as tokens, ready for any engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from catalog.model import Description, Published, unique
from catalog.search import pinyin
from catalog.search.fold import fold, has_cjk, squeeze, words
from catalog.search.grams import index_text

LONGEST_TITLE = 300  # characters that are indexed of each text …
LONGEST_NOTE = 400  # … of summaries and notes: they cost most and find least
MOST_VALUES = 40  # of a repeated element: conference volumes name hundreds of authors
LONGEST_EXACT = 80  # characters of a whole title as one token
LONGEST_SPELLED = 40  # letters of a whole title in pinyin
LONGEST_ORDER = 60
SHORT = 24  # characters of a value that is worth remembering …
REMEMBERED = 16_384  # … and how many are

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
    read = [_readings(title) for title in titles]
    written = _written(description.pinyin)
    return Document(
        cluster=published.cluster,
        exact=_exact(description, titles),
        title=_texts(titles),
        part=_texts((description.subtitle, description.volume, description.edition)),
        series=_texts(description.series),
        author=_texts((description.responsibility, *_others(description))),
        subject=_texts(description.subjects),
        imprint=_texts((description.publisher, description.place, description.date, str(description.year or ""))),
        notes=_texts((description.summary, *description.notes), LONGEST_NOTE),
        title_sound=_title_sound(description, read, written),
        author_sound=unique([sound for author in description.authors[:MOST_VALUES] for sound in _name_sound(author)]),
        spelled=_spelled(read, written),
        number=unique([_digits(number) for number in (*description.isbns, *description.issns)]),
        notation=unique([fold(number).replace(" ", "") for number in description.classification]),
        library=published.libraries,
        language=description.languages,
        kind=description.kind,
        letter=_letters(description.classification),
        year=description.year if 0 < description.year < 10_000 else 0,
        order=_order(description.title, read),
    )


def _texts(values: Sequence[str], longest: int = LONGEST_TITLE) -> tuple[str, ...]:
    """Token texts of values; words written with ' and - are found in one piece as well."""
    found: list[str] = []
    for value in values[:MOST_VALUES]:
        if 0 < len(value) <= SHORT:
            found += _short_texts(value)
        elif value:
            found += _value_texts(value[:longest])
    return unique(found)


def _value_texts(value: str) -> list[str]:
    """The token text of a value, then each joined word in it."""
    found = [index_text(value)]
    if "-" in value or "'" in value or "’" in value:
        found += [squeeze(joined) for joined in _JOINED.findall(fold(value))]
    return found


_short_texts = lru_cache(maxsize=REMEMBERED)(_value_texts)  # subjects, publishers and names come again and again


def _others(description: Description) -> list[str]:
    """Names that the statement of responsibility does not have."""
    return [author for author in description.authors[:MOST_VALUES] if author not in description.responsibility]


def _exact(description: Description, titles: Iterable[str]) -> tuple[str, ...]:
    """Whole titles, with and without what follows them."""
    squeezed = [squeeze(title[:LONGEST_EXACT]) for title in titles]
    if squeezed:
        title, subtitle, volume = squeezed[0], squeeze(description.subtitle), squeeze(description.volume)
        squeezed += [title + subtitle, title + volume, title + subtitle + volume]
    return unique([whole[:LONGEST_EXACT] for whole in squeezed])


def _title_sound(description: Description, read: Iterable[list[pinyin.Reading]], written: str) -> tuple[str, ...]:
    """Syllables of titles as they are read, and as the cataloguer wrote them."""
    found = [" ".join(way) for reading in read if reading for way in pinyin.streams(reading)]
    tail = _readings(description.subtitle + description.volume)
    if tail:
        found.append(" ".join(pinyin.streams(tail)[0]))
    return unique([*found, written])


def _written(text: str) -> str:
    """The cataloguer's pinyin as syllables: words that are several syllables are cut."""
    syllables = ((pinyin.cuts(word) or ((word,),))[0] for word in words(text[:LONGEST_TITLE]))
    return " ".join(chain.from_iterable(syllables))


def _spelled(read: Iterable[list[pinyin.Reading]], written: str) -> tuple[str, ...]:
    """Whole titles in pinyin and as initials."""
    found = [spelling for reading in read if reading for spelling in pinyin.spelled(reading)]
    syllables = written.split()
    found += ["".join(syllables), "".join([syllable[0] for syllable in syllables])]
    return unique([spelling for spelling in found if len(spelling) <= LONGEST_SPELLED])


@lru_cache(maxsize=REMEMBERED)
def _name_sound(name: str) -> list[str]:
    """Syllables of a name in Chinese characters."""
    if _LATIN_NAME.match(fold(name)):
        return []
    return [" ".join(way) for way in pinyin.streams(pinyin.name_readings(name[:LONGEST_TITLE]))]


def _readings(title: str) -> list[pinyin.Reading]:
    """Readings of a title in Chinese, or of one that is written in pinyin as a whole; [] of any other."""
    if has_cjk(title):
        return pinyin.readings(title[:LONGEST_TITLE])
    ways = [pinyin.cuts(word) for word in words(title[:LONGEST_TITLE])]
    return [(syllable,) for way in ways for syllable in way[0]] if all(ways) else []


def _order(title: str, read: Sequence[list[pinyin.Reading]]) -> str:
    """By what a title is sorted: as it sounds, else as it is written."""
    sound = [reading[0] for reading in read[0]] if read and read[0] else words(title)
    return " ".join(sound)[:LONGEST_ORDER]


def _digits(number: str) -> str:
    """An ISBN or ISSN as it is looked up."""
    return squeeze(number).upper()


def _letters(classification: Iterable[str]) -> tuple[str, ...]:
    """Main classes: the letters with which numbers of the Chinese Library Classification begin."""
    found = (_CLASS_LETTER.match(number.strip().upper()) for number in classification)
    return unique([letter[0] for letter in found if letter])
