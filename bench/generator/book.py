"""A manifestation as its title page says it, before any library has written it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bench.generator.vocabulary import Person, Publisher, Subject, Term

NONE = Term()


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume's designation. `number` counts from 1; `of` is the size of the set (0 = open)."""

    number: int
    of: int
    unit: str = "卷"  # 卷, 册, 辑, 集 or empty in Western books
    sided: bool = False  # 上, 中, 下 instead of a number


class Book(NamedTuple):
    """One manifestation, or one library's view of it. Texts stay neutral; formats render them.

    A tuple because it is copied with changes for every third record, and a dataclass does that thirty times slower.
    """

    truth: str  # the manifestation's id
    title: Term
    publisher: Publisher
    subject: Subject
    year: int  # 0 = not stated
    kind: str = "book"  # book, serial, component
    medium: str = "print"  # print, electronic
    language: str = "chi"  # ISO 639-2
    subtitle: Term = NONE
    part: Term = NONE
    volume: Volume | None = None
    designation: str = ""  # the volume as transcribed: 第三卷, 卷三, III, v. 3
    tail: bool = False  # the designation stands at the end of the title and not in a subfield of its own
    volumes: int = 0  # extent of a set described as a whole
    set_title: Term = NONE
    edition: Term = NONE
    date: Term = NONE  # as transcribed, where that is not just the year
    printing: int = 1  # 印次
    pages: int = 0  # 0 = not stated
    size: int = 21  # cm
    price: int = 0  # yuan; 0 = not stated
    authors: tuple[Person, ...] = ()
    role: Term = NONE  # 著, 编著, 主编 …
    translators: tuple[Person, ...] = ()
    original: str = ""  # title in the language of origin
    isbns: tuple[str, ...] = ()  # as transcribed
    set_isbns: tuple[str, ...] = ()  # of the whole set
    issn: str = ""
    series: Term = NONE
    abstract: Term = NONE
    note: Term = NONE
    host: Term = NONE  # what a component is part of
    meeting: str = ""  # a conference as corporate author
    link: str = ""  # public address

    @property
    def chinese(self) -> bool:
        """Written in Chinese."""
        return self.language == "chi"
