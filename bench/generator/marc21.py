"""Renders a book as MARC21: Western habits, romanised with 880, or in Chinese script alone (traditional).

Chinese books in dialect `880` are spelled in pinyin with the script in linked 880 fields (MARC21, appendix A); in
dialect `script` they stand in traditional characters with no 880, as in Hong Kong and Taiwan.
"""

from __future__ import annotations

from bench.generator.book import Book
from bench.generator.copies import Copy
from bench.generator.vocabulary import Person, Term
from bench.generator.writing import Fields

RDA_YEAR = 2013  # records made later carry 264 and 336-338
ROMAN_UNIT = {"卷": "Di {n} juan", "册": "Di {n} ce", "辑": "Di {n} ji", "集": "Di {n} ji"}
ROMAN_SIDE = {"上": "Shang", "中": "Zhong", "下": "Xia"}


def leader(book: Book, encoding: str, status: str = "n") -> str:
    """Leader with blank lengths; position 9 tells Unicode from MARC-8."""
    level = {"book": "m", "serial": "s", "component": "a"}[book.kind]
    return f"00000{status}a{level} {' ' if encoding == 'marc-8' else 'a'}2200000 i 4500"


def fields(book: Book, copy: Copy, dialect: str, holdings: str) -> Fields:
    """All fields: 880s after the fields they pair with, holdings last."""
    rda = copy.stamp[:4] >= str(RDA_YEAR)
    pairs = _Pairs(dialect == "880" and bool(book.title.pinyin), dialect == "script")
    made = _numbers(book, copy)
    for number, person in enumerate(book.authors):
        if number == 0:
            made.append(pairs.field(*_heading(person, "1"), _person(person)))
    if book.meeting:
        name, number_, year, place = book.meeting.split("|")
        made.append(("111", f"2 \x1fa{name}\x1fn({number_}th :\x1fd{year} :\x1fc{place})"))
    made.append(pairs.field("245", "10" if book.authors else "00", _title(book)))
    if book.edition.simplified:
        made.append(pairs.field("250", "  ", [("a", book.edition)]))
    made += _description(book, pairs, rda)
    if book.abstract.simplified and not pairs.romanise:
        made.append(("520", f"  \x1fa{pairs.plain(book.abstract)}"))
    made.append(("650", f" 0\x1fa{book.subject.heading_en}\x1fx{'History' if book.pages % 2 else 'Research'}."))
    for person in (*book.authors[1:], *book.translators):
        made.append(pairs.field(*_heading(person, "7"), _person(person)))
    if book.host.simplified:
        made.append(("773", f"0 \x1ft{book.host.simplified}\x1fg{book.pages} pages"))
    if book.link:
        made.append(("856", f"40\x1fu{book.link}"))
    return made + pairs.linked + _holdings(book, copy, holdings)


class _Pairs:
    """Chooses the script of each field and collects the 880s."""

    def __init__(self, romanise: bool, traditional: bool) -> None:
        self.romanise = romanise
        self.traditional = traditional
        self.linked: Fields = []

    def field(self, tag: str, indicators: str, parts: list[tuple[str, Term]]) -> tuple[str, str]:
        """The field in the record's own script; its Chinese twin goes to `linked`."""
        parts = [part for part in parts if part[1].simplified]
        if not self.romanise or not any(term.pinyin for _, term in parts):
            return tag, indicators + "".join(f"\x1f{code}{self._script(term)}" for code, term in parts)
        number = f"{len(self.linked) + 1:02d}"
        script = "".join(f"\x1f{code}{term.traditional}" for code, term in parts)
        self.linked.append(("880", f"{indicators}\x1f6{tag}-{number}/$1{script}"))
        roman = "".join(f"\x1f{code}{_roman(term)}" for code, term in parts)
        return tag, f"{indicators}\x1f6880-{number}{roman}"

    def plain(self, term: Term) -> str:
        """A text that has no 880 of its own."""
        return self._script(term)

    def _script(self, term: Term) -> str:
        return term.traditional if self.traditional else term.simplified


def _numbers(book: Book, copy: Copy) -> Fields:
    place = "cc " if book.publisher.country == "CN" else book.publisher.code.ljust(3)
    year = book.year or "    "
    dates = f"c{year}9999" if book.kind == "serial" else f"s{year}    "
    frequency = "mr p " if book.kind == "serial" else "     "
    form = "o" if book.medium == "electronic" else " "
    made = [("001", copy.local_id)] if copy.local_id else []
    made.append(("005", copy.stamp))
    if book.medium == "electronic":
        made.append(("007", "cr unu||||||||"))
    made.append(("008", f"{copy.stamp[2:8]}{dates}{place}{frequency}{form}     000 0 {book.language} d"))
    made += [("020", f"  \x1fa{isbn.replace('-', '')}") for isbn in book.isbns]
    made += [("020", f"  \x1fa{isbn.replace('-', '')}\x1fq(set)") for isbn in book.set_isbns]
    if book.issn:
        made.append(("022", f"  \x1fa{book.issn}"))
    made.append(("040", f"  \x1fa{copy.symbol}\x1fbeng\x1fc{copy.symbol}"))
    if book.original:
        made.append(("041", f"1 \x1fa{book.language}\x1fheng"))
    made.append(("084", f"  \x1fa{book.subject.number}\x1f2clc"))
    return made


def _title(book: Book) -> list[tuple[str, Term]]:
    title = book.title
    volume = _designation(book)
    if book.tail:
        title, volume = Term(*(f"{one} {other}" for one, other in zip(title, volume, strict=True))), Term()
    parts = [("a", title), ("b", book.subtitle), ("n", volume), ("p", book.part)]
    if book.authors:
        names = Term(
            ", ".join(person.direct.simplified for person in book.authors) + book.role.simplified,
            ", ".join(person.direct.traditional for person in book.authors) + book.role.traditional,
            "",
        )
        spelled = ", ".join(_spelled(person) for person in book.authors)
        names = names._replace(pinyin=f"{spelled} {book.role.pinyin}".strip() if title.pinyin else "")
        if book.translators and not book.chinese:
            text = f"{names.simplified} ; translated by {', '.join(one.direct.simplified for one in book.translators)}"
            names = Term(text, text, names.pinyin)
        parts.append(("c", names))
    return _punctuated(parts)


def _designation(book: Book) -> Term:
    text = book.designation
    volume = book.volume
    if not text or volume is None or not volume.unit:
        return Term(text, text, "")
    roman = ROMAN_SIDE[text[0]] if volume.sided else ROMAN_UNIT[volume.unit].format(n=volume.number)
    return Term(text, text.replace("册", "冊").replace("辑", "輯"), roman)


def _punctuated(parts: list[tuple[str, Term]]) -> list[tuple[str, Term]]:
    """ISBD marks at the ends of subfields: ` :` before a subtitle, ` /` before the responsibility."""
    parts = [part for part in parts if part[1].simplified]
    marks = {"b": " :", "n": ".", "p": ",", "c": " /"}
    made = []
    for place, (code, term) in enumerate(parts):
        mark = "." if place == len(parts) - 1 else marks[parts[place + 1][0]]
        made.append((code, Term(*(f"{text}{mark}" if text else "" for text in term))))
    return made


def _description(book: Book, pairs: _Pairs, rda: bool) -> Fields:
    publisher = book.publisher
    year = str(book.year) if rda else f"c{book.year}"
    date = book.date if book.date.simplified else Term(year, year, year) if book.year else Term()
    parts = [("a", _mark(publisher.place, " :")), ("b", _mark(publisher.name, ",")), ("c", _mark(date, "."))]
    made = [pairs.field("264" if rda else "260", " 1" if rda else "  ", parts)]
    unit = "pages" if rda else "p."
    extent = f"{book.volumes} volumes" if book.volumes else f"{book.pages} {unit}" if book.pages else ""
    if book.medium == "electronic":
        made.append(("300", f"  \x1fa1 online resource{f' ({extent})' if extent else ''}"))
    elif extent:
        made.append(("300", f"  \x1fa{extent} ;\x1fc{book.size} cm"))
    if rda:
        online = book.medium == "electronic"
        made.append(("336", "  \x1fatext\x1fbtxt\x1f2rdacontent"))
        made.append(
            ("337", f"  \x1fa{'computer' if online else 'unmediated'}\x1fb{'c' if online else 'n'}\x1f2rdamedia")
        )
        carrier = "online resource\x1fbcr" if online else "volume\x1fbnc"
        made.append(("338", f"  \x1fa{carrier}\x1f2rdacarrier"))
    if book.series.simplified:
        made.append(pairs.field("490", "0 ", [("a", book.series)]))
    return made


def _mark(term: Term, mark: str) -> Term:
    return Term(*(f"{text}{mark}" if text else "" for text in term))


def _person(person: Person) -> list[tuple[str, Term]]:
    return [("a", Term(person.name.simplified, person.name.traditional, person.roman if person.chinese else ""))]


def _heading(person: Person, block: str) -> tuple[str, str]:
    """Tag and indicators of a main (1) or added (7) entry."""
    return (f"{block}10", "2 ") if person.corporate else (f"{block}00", "1 ")


def _spelled(person: Person) -> str:
    return person.roman.replace(",", "") if person.chinese else person.direct.simplified


def _roman(term: Term) -> str:
    """A romanised part: first letter large; Western text and dates like c1998 stay."""
    if not term.pinyin or term.pinyin == term.simplified:
        return term.simplified
    return term.pinyin[0].upper() + term.pinyin[1:]


def _holdings(book: Book, copy: Copy, habit: str) -> Fields:
    """852 (+ 866 for serials), Koha's 952, Innovative's 949, or 852 with 866."""
    call = f"{copy.class_number} .{copy.mark} {book.year or ''}".strip()
    if habit == "952":
        return [
            ("952", f"  \x1fa{copy.symbol}\x1fb{copy.symbol}\x1fc{copy.place}\x1fo{call}\x1fp{item}\x1fyBK")
            for item in copy.items
        ]
    if habit == "949":
        return [("949", f"  \x1fa{call}\x1fi{item}\x1fl{copy.place}\x1fm{copy.symbol}") for item in copy.items]
    made = [
        ("852", f"0 \x1fa{copy.symbol}\x1fb{copy.place}\x1fh{copy.class_number}\x1fi.{copy.mark}\x1fp{item}")
        for item in copy.items
    ]
    if copy.statement:
        made.append(("866", f" 0\x1fa{copy.statement}"))
    return made
