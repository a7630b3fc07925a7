"""What libraries do to a description: nothing (two copies of three), little, much, or harm. The truth stays."""

from __future__ import annotations

from collections.abc import Callable

from bench.generator.book import NONE, Book
from bench.generator.draw import Draw, Wheel
from bench.generator.maker import ROLES
from bench.generator.numbers import another_designation, isbn10
from bench.generator.vocabulary import Term

Change = Callable[[Draw, Book], Book]

SLIPS = "的之与和新学"  # what a hurried hand types instead
SHORT = (("出版社", ""), ("University Press", "Univ. Pr."), (" Publications", ""), ("Press", "Pr."))


def without_subtitle(draw: Draw, book: Book) -> Book:
    """The subtitle is left out."""
    return book._replace(subtitle=NONE)


def other_isbn(draw: Draw, book: Book) -> Book:
    """ISBN-10 for 13 or the other way round, hyphens or not."""
    form = draw.below(3)
    return book._replace(
        isbns=tuple(_isbn(isbn, form) for isbn in book.isbns),
        set_isbns=tuple(_isbn(isbn, form) for isbn in book.set_isbns),
    )


def other_pages(draw: Draw, book: Book) -> Book:
    """Preliminary pages counted differently, or a slip."""
    return book._replace(pages=book.pages + draw.pick((-2, -1, 1, 2, 3))) if book.pages else book


def other_role(draw: Draw, book: Book) -> Book:
    """著 for 编著 and the like."""
    return book._replace(role=ROLES.spin(draw)) if book.role != NONE and not book.translators else book


def short_publisher(draw: Draw, book: Book) -> Book:
    """人民出版社 becomes 人民."""
    name = book.publisher.name
    for long, short in SHORT:
        name = Term(name.simplified.replace(long, short), name.traditional.replace(long, short), name.pinyin)
    return book._replace(publisher=book.publisher._replace(name=name)) if name.simplified else book


def without_series(draw: Draw, book: Book) -> Book:
    """Series and summary are left out."""
    return book._replace(series=NONE, abstract=NONE)


def other_volume(draw: Draw, book: Book) -> Book:
    """The volume's number in another form: 第三卷, 卷三, III, 3."""
    return book._replace(designation=another_designation(draw, book.volume)) if book.volume else book


def ampersand(draw: Draw, book: Book) -> Book:
    """`and` becomes `&` in Western titles."""
    if book.chinese:
        return book
    text = book.title.simplified.replace(" and ", " & ")
    return book._replace(title=Term(text, text, ""))


def without_isbn(draw: Draw, book: Book) -> Book:
    """No ISBN."""
    return book._replace(isbns=(), set_isbns=())


def printing_year(draw: Draw, book: Book) -> Book:
    """The year of the printing in hand instead of the edition's."""
    return book._replace(year=book.year + draw.between(1, 3)) if book.printing > 1 and book.year < 2021 else book


def without_pages(draw: Draw, book: Book) -> Book:
    """No extent."""
    return book._replace(pages=0)


def volume_in_title(draw: Draw, book: Book) -> Book:
    """The volume at the end of the title proper."""
    return book._replace(tail=True, part=NONE) if book.volume and book.volume.unit else book


def without_author(draw: Draw, book: Book) -> Book:
    """No responsibility at all."""
    return book._replace(authors=())


def traditional(draw: Draw, book: Book) -> Book:
    """Everything typed in traditional characters."""
    return book._replace(
        title=_old(book.title),
        subtitle=_old(book.subtitle),
        series=_old(book.series),
        authors=tuple(person._replace(name=_old(person.name)) for person in book.authors),
        publisher=book.publisher._replace(name=_old(book.publisher.name), place=_old(book.publisher.place)),
    )


def slip(draw: Draw, book: Book) -> Book:
    """One wrong character in a long title."""
    text = book.title.simplified
    if len(text) < 7 or not book.chinese:
        return book
    place = 1 + draw.below(len(text) // 2)
    if text[place].isascii():
        return book
    wrong = draw.pick(SLIPS)
    old = book.title.traditional
    title = Term(text[:place] + wrong + text[place + 1 :], old[:place] + wrong + old[place + 1 :], book.title.pinyin)
    return book._replace(title=title)


def without_year(draw: Draw, book: Book) -> Book:
    """No year, and half of the time no ISBN."""
    return book._replace(year=0, isbns=() if draw.chance(0.5) else book.isbns)


LIGHT: Wheel[Change] = Wheel(
    [
        (20, without_subtitle),
        (25, other_isbn),
        (15, other_pages),
        (15, other_role),
        (10, short_publisher),
        (10, without_series),
        (5, ampersand),
    ]
)
MEDIUM: Wheel[Change] = Wheel(
    [
        (30, without_isbn),
        (20, printing_year),
        (20, without_pages),
        (20, volume_in_title),
        (20, without_author),
    ]
)
HEAVY: Wheel[Change] = Wheel([(50, traditional), (25, slip), (25, without_year)])


def vary(draw: Draw, book: Book) -> Book:
    """One library's view: 63 % as it is, 22 % light, 10 % medium, 5 % heavy (which brings a light one along)."""
    fate = draw.random()
    if book.volume is not None and draw.chance(0.35):
        book = other_volume(draw, book)
    if fate < 0.63:
        return book
    if fate < 0.85:
        return LIGHT.spin(draw)(draw, book)
    if fate < 0.95:
        book = MEDIUM.spin(draw)(draw, book)
        return LIGHT.spin(draw)(draw, book) if draw.chance(0.3) else book
    return LIGHT.spin(draw)(draw, HEAVY.spin(draw)(draw, book))


def _old(term: Term) -> Term:
    return term._replace(simplified=term.traditional)


def _isbn(isbn: str, form: int) -> str:
    if form == 0:
        return isbn.replace("-", "")
    if not isbn.startswith("978"):
        return isbn
    return isbn10(isbn) if form == 1 else isbn10(isbn).replace("-", "")
