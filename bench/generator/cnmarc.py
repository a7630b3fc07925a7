"""Renders a book as CNMARC in the habits of NLC, of CALIS, or of a small library (WH/T 0503-1996, UNIMARC).

The dialects differ as in life: pinyin in $9 or $A, 专著 in 200 $b, 410 or 461 for a series, the character-set code in
100 $a, and how much is there at all.
"""

from __future__ import annotations

from bench.generator.book import Book
from bench.generator.copies import Copy
from bench.generator.vocabulary import Person, Term
from bench.generator.writing import Fields

PINYIN = {"nlc": "9", "calis": "A", "small": ""}
CHARSET = {"nlc": "50  ", "calis": "0121", "small": "50  "}


def leader(book: Book, status: str = "n") -> str:
    """Leader with blank lengths; position 9 stays blank in CNMARC."""
    level = {"book": "m", "serial": "s", "component": "a"}[book.kind]
    kind = "l" if book.medium == "electronic" else "a"
    place = "1" if book.volumes else "2" if book.volume else "0"
    return f"00000{status}{kind}{level}{place} 2200000   450 "


def fields(book: Book, copy: Copy, dialect: str) -> Fields:
    """All fields in tag order."""
    full = dialect != "small"
    made: Fields = [("001", copy.local_id)] if copy.local_id else []
    made.append(("005", copy.stamp))
    made += _numbers(book)
    made += _coded(book, copy, dialect)
    made.append(("200", _title(book, dialect)))
    made += _description(book)
    if full:
        made += _notes(book)
    made += _links(book, dialect)
    made += _subjects(book, dialect)
    made += _people(book, dialect)
    if full:
        agency = "NLC" if dialect == "nlc" else "CALIS"
        made.append(("801", f" 0\x1faCN\x1fb{agency}\x1fc{copy.stamp[:8]}"))
        made.append(("801", f" 2\x1faCN\x1fb{copy.symbol}\x1fc{copy.stamp[:8]}"))
    if book.link:
        made.append(("856", f"40\x1fu{book.link}"))
    made += _holdings(copy)
    return made


def _numbers(book: Book) -> Fields:
    price = f"\x1fdCNY{book.price}.00" if book.price else ""
    made = [("010", f"  \x1fa{isbn}{price}") for isbn in book.isbns]
    made += [("010", f"  \x1fa{isbn}\x1fb套") for isbn in book.set_isbns]
    if book.issn:
        made.append(("011", f"  \x1fa{book.issn}{price}"))
    return made


def _coded(book: Book, copy: Copy, dialect: str) -> Fields:
    serial, publisher = book.kind == "serial", book.publisher
    date = f"a{book.year}9999" if serial else f"d{book.year or '    '}    "
    made = [
        ("100", f"  \x1fa{copy.stamp[:8]}{date}em y0chiy{CHARSET[dialect]}    ea"),
        ("101", f"1 \x1fa{book.language}\x1fceng" if book.original else f"0 \x1fa{book.language}"),
        ("102", f"  \x1faCN\x1fb{publisher.code}" if publisher.country == "CN" else f"  \x1fa{publisher.country}"),
    ]
    if dialect != "small":
        made.append(("110", "  \x1faaga   0yy0") if serial else ("105", "  \x1faa   z   000yy"))
    made.append(("135", "  \x1fadrbn#---auaua") if book.medium == "electronic" else ("106", "  \x1far"))
    return made


def _title(book: Book, dialect: str) -> str:
    """200: title, pinyin, medium, subtitle, volume, part, responsibility."""
    proper = book.title.simplified
    text = f"1 \x1fa{proper}{_tail(book) if book.tail else ''}"
    code = PINYIN[dialect]
    if code and book.chinese and book.title.pinyin:
        text += f"\x1f{code}{_spell(book.title, dialect)}"
    if book.medium == "electronic":
        text += "\x1fb电子资源"
    elif dialect == "nlc" and book.kind == "book":
        text += "\x1fb专著"
    if book.subtitle.simplified:
        text += f"\x1fe{book.subtitle.simplified}"
    if book.designation and not book.tail:
        text += f"\x1fh{book.designation}"
    if book.part.simplified:
        text += f"\x1fi{book.part.simplified}"
    if book.authors:
        text += f"\x1ff{_statement(book)}"
    if book.translators:
        names = ", ".join(person.direct.simplified for person in book.translators)
        text += f"\x1fg{names}译" if book.chinese else f"\x1fgtranslated by {names}"
    return text


def _tail(book: Book) -> str:
    """The volume after the title proper: 第三卷 and 上册 follow at once, figures after a blank."""
    joined = book.designation[0] in "第上中下"
    return book.designation if joined else f" {book.designation}"


def _statement(book: Book) -> str:
    if book.original and not book.authors[0].chinese:
        return f"(英){book.authors[0].direct.simplified}著"
    return ", ".join(person.direct.simplified for person in book.authors) + book.role.simplified


def _description(book: Book) -> Fields:
    made: Fields = []
    if book.edition.simplified:
        made.append(("205", f"  \x1fa{book.edition.simplified}"))
    year = f"\x1fd{book.date.simplified or book.year}" if book.year else ""
    if book.kind == "serial" and year:
        year += "-"
    made.append(("210", f"  \x1fa{book.publisher.place.simplified}\x1fc{book.publisher.name.simplified}{year}"))
    extent = f"{book.volumes}册" if book.volumes else f"{book.pages}页" if book.pages else ""
    if extent:
        if book.medium == "electronic":
            made.append(("215", f"  \x1fa1在线资源 ({extent})"))
        else:
            made.append(("215", f"  \x1fa{extent}\x1fc图\x1fd{book.size}cm"))
    if book.series.simplified:
        made.append(("225", f"2 \x1fa{book.series.simplified}"))
    return made


def _notes(book: Book) -> Fields:
    made: Fields = []
    if book.note.simplified:
        made.append(("300", f"  \x1fa{book.note.simplified}"))
    if book.printing > 1:
        made.append(("305", f"  \x1fa{book.year}年第{book.printing}次印刷"))
    if book.pages and book.subject.number[0] in "BCDFHK":
        made.append(("320", f"  \x1fa有书目 (第{book.pages - 4}-{book.pages}页)"))
    if book.abstract.simplified:
        made.append(("330", f"  \x1fa{book.abstract.simplified}"))
    return made


def _links(book: Book, dialect: str) -> Fields:
    made: Fields = []
    if book.series.simplified and dialect != "small":
        tag = "410" if dialect == "calis" else "461"
        made.append((tag, f" 0\x1f12001 \x1fa{book.series.simplified}"))
    if book.original:
        made.append(("454", f" 1\x1f12001 \x1fa{book.original}"))
    if book.volume and book.set_title.simplified and dialect != "small":
        made.append(("461", f" 0\x1f12001 \x1fa{book.set_title.simplified}\x1fv{book.designation}"))
    if book.host.simplified:
        made.append(("463", f" 0\x1f12001 \x1fa{book.host.simplified}"))
    return made


def _subjects(book: Book, dialect: str) -> Fields:
    heading = book.subject.heading
    text = f"0 \x1fa{heading.simplified}"
    if dialect == "calis":
        text += f"\x1fA{heading.pinyin}"
    text += "\x1fx研究" if book.pages % 2 else "\x1fx概况\x1fy中国"
    return [("606", text), ("690", f"  \x1fa{book.subject.number}\x1fv{5 if book.year > 2010 else 4}")]


def _people(book: Book, dialect: str) -> Fields:
    role = f"\x1f4{book.role.simplified}" if book.role.simplified else ""
    made = [("711" if one.corporate else "701", _person(one, dialect) + role) for one in book.authors]
    return made + [("702", f"{_person(one, dialect)}\x1f4译") for one in book.translators]


def _person(person: Person, dialect: str) -> str:
    if not person.chinese:
        family, _, given = person.name.simplified.partition(", ")
        return f" 1\x1fa{family}\x1fb{given}"
    code = PINYIN[dialect]
    indicators = "02" if person.corporate else " 0"
    return f"{indicators}\x1fa{person.name.simplified}" + (f"\x1f{code}{_spell(person.name, dialect)}" if code else "")


def _spell(term: Term, dialect: str) -> str:
    return term.pinyin if dialect == "nlc" else term.pinyin.title()


def _holdings(copy: Copy) -> Fields:
    """905: $a library, $b accession, $c place, $d class, $e book number, $f shelf mark; $y years of a serial."""
    tail = f"\x1fc{copy.place}\x1fd{copy.class_number}\x1fe{copy.mark}\x1ff{copy.call_number}"
    if copy.statement:
        tail += f"\x1fy{copy.statement}"
    return [("905", f"  \x1fa{copy.symbol}\x1fb{item}{tail}") for item in copy.items]
