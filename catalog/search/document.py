"""What the index holds of a cluster: a description as tokens, ready for any engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from catalog.model import Description, Published, unique
from catalog.search import headings, numbers, pinyin
from catalog.search.fold import fold, has_cjk, squeeze, words
from catalog.search.grams import index_text
from catalog.search.headings import notation

LONGEST_TITLE = 300  # characters that are indexed of each text …
LONGEST_NOTE = 400  # … of summaries and notes: they cost most and find least
MOST_VALUES = 40  # of a repeated element: conference volumes name hundreds of authors
LONGEST_EXACT = 80  # characters of a whole title as one token
LONGEST_SPELLED = 40  # letters of a whole title in pinyin
SHORT = 24  # characters of a value that is worth remembering …
REMEMBERED = 16_384  # … and how many are

_JOINED = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)+")  # e-mail, l'homme, Xi'an in a folded text
_LATIN_NAME = re.compile(r"[a-z]")
_CLASS_LETTER = re.compile(r"[A-Z](?=[A-Z]?[\d\-/.]|[A-Z]?$)")


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one cluster. Texts are tokens divided by blanks, one text a value; the others are whole values."""

    cluster: int
    exact: tuple[str, ...]  # squeezed whole titles
    title: tuple[str, ...]
    part: tuple[str, ...]  # subtitle, volume, edition
    series: tuple[str, ...]
    author: tuple[str, ...]
    subject: tuple[str, ...]
    imprint: tuple[str, ...]  # place, publisher, date
    place: tuple[str, ...]
    notes: tuple[str, ...]
    title_sound: tuple[str, ...]  # syllables
    author_sound: tuple[str, ...]
    spelled: tuple[str, ...]  # whole titles in pinyin: hongloumeng, hlm
    number: tuple[str, ...]  # ISBN and ISSN without hyphens
    notation: tuple[str, ...]  # class numbers, folded
    heading: tuple[str, ...]  # whole values (`headings`)
    ident: tuple[str, ...]  # other numbers (`numbers`)
    library: tuple[str, ...]
    language: tuple[str, ...]
    kind: str
    letter: tuple[str, ...]  # main classes
    year: int  # 0 = unknown
    changed: int  # day of the last change, as 20261121
    order: str  # by which titles are sorted
    by: str  # by which authors are sorted
    listed: tuple[tuple[str, str], ...]  # (kind, text as written) of what stands in ordered lists


def document(published: Published) -> Document | None:
    """The document of a cluster; None if there is nothing to be found: deleted, or without description."""
    description = published.description
    if published.deleted or description is None:
        return None
    titles = unique((description.title, *description.parallel))[:MOST_VALUES]
    main = _sounds(description.title)
    whole = headings.of(description)
    sounds = main + [way for title in titles[1:] for way in _sounds(title)]
    if description.pinyin:
        sounds.append(_written(description.pinyin))
    return Document(
        cluster=published.cluster,
        exact=_exact(description, titles),
        title=_texts(titles),
        part=_texts((description.subtitle, description.volume, description.edition)),
        series=_texts(description.series),
        author=_texts((description.responsibility, *_others(description))),
        subject=_texts(description.subjects),
        imprint=_texts((description.publisher, description.place, *_dates(description))),
        place=_texts((description.place,)),
        notes=_texts((description.summary, *description.notes), LONGEST_NOTE),
        title_sound=_title_sound(description, sounds),
        author_sound=unique([sound for author in description.authors[:MOST_VALUES] for sound in _name_sound(author)]),
        spelled=_spelled(sounds),
        number=unique([_digits(number) for number in (*description.isbns, *description.issns)]),
        notation=unique([notation(number) for number in description.classification]),
        heading=unique([headings.heading(kind, text) for kind, text in whole]),
        ident=numbers.of(published),
        library=published.libraries,
        language=description.languages,
        kind=description.kind,
        letter=_letters(description.classification),
        year=description.year if 0 < description.year < 10_000 else 0,
        changed=published.at.year * 10_000 + published.at.month * 100 + published.at.day,
        order=headings.collation(description.title),
        by=headings.collation(description.authors[0], name=True) if description.authors else "",
        listed=(*whole, *headings.listed(description)),
    )


def _texts(values: Sequence[str], longest: int = LONGEST_TITLE) -> tuple[str, ...]:
    """Token texts of values; words written with ' and - are found in one piece as well."""
    found: list[str] = []
    for value in values[:MOST_VALUES]:
        if value:
            found += _short_texts(value) if len(value) <= SHORT else _value_texts(value[:longest])
    return tuple(found)


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


def _dates(description: Description) -> list[str]:
    """The date as transcribed, and the year if that does not say it."""
    year = str(description.year or "")
    return [description.date] if year in description.date else [description.date, year]


def _exact(description: Description, titles: Iterable[str]) -> tuple[str, ...]:
    """Whole titles, with and without what follows them."""
    squeezed = [squeeze(title[:LONGEST_EXACT]) for title in titles]
    if squeezed and (description.subtitle or description.volume):
        title, subtitle, volume = squeezed[0], squeeze(description.subtitle), squeeze(description.volume)
        squeezed += [title + subtitle, title + volume, title + subtitle + volume]
    return unique([whole[:LONGEST_EXACT] for whole in squeezed])


def _sounds(title: str) -> list[list[str]]:
    """How a title in Chinese, or one that is written in pinyin as a whole, is read aloud; [] of any other."""
    title = title[:LONGEST_TITLE]
    if has_cjk(title):
        return pinyin.streams(pinyin.readings(title))
    ways = [pinyin.cuts(word) for word in words(title)]
    return [[syllable for way in ways for syllable in way[0]]] if all(ways) else []


def _written(text: str) -> list[str]:
    """The cataloguer's pinyin as syllables: words that are several syllables are cut."""
    return [syllable for word in words(text[:LONGEST_TITLE]) for syllable in (pinyin.cuts(word) or ((word,),))[0]]


def _title_sound(description: Description, sounds: Iterable[list[str]]) -> tuple[str, ...]:
    """Syllables of titles and of what follows the first."""
    found = [" ".join(way) for way in sounds]
    if description.subtitle or description.volume:
        found += [" ".join(way) for way in _sounds(description.subtitle + description.volume)[:1]]
    return unique(found)


def _spelled(sounds: Iterable[list[str]]) -> tuple[str, ...]:
    """Whole titles in pinyin and as initials."""
    return tuple([spelling for spelling in pinyin.spelled(sounds) if 0 < len(spelling) <= LONGEST_SPELLED])


@lru_cache(maxsize=REMEMBERED)
def _name_sound(name: str) -> list[str]:
    """Syllables of a name in Chinese characters."""
    if _LATIN_NAME.match(fold(name)):
        return []
    return [" ".join(way) for way in pinyin.streams(pinyin.name_readings(name[:LONGEST_TITLE]))]


def _digits(number: str) -> str:
    """An ISBN or ISSN as it is looked up."""
    return squeeze(number).upper()


def _letters(classification: Iterable[str]) -> tuple[str, ...]:
    """Main classes: the letters with which numbers of the Chinese Library Classification begin."""
    found = (_CLASS_LETTER.match(number.strip().upper()) for number in classification)
    return unique([letter[0] for letter in found if letter])
