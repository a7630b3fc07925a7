"""What a library adds to a description: control number, dates, copies on the shelf, call number."""

from __future__ import annotations

from dataclasses import dataclass

from bench.generator.book import Book
from bench.generator.draw import Draw
from bench.generator.habits import Member

PLACES = {"905": ("总馆", "中文图书", "基藏库", "北区"), "MARC21": ("MAIN", "STACKS", "ASIA", "REF")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The local part of a record."""

    symbol: str
    local_id: str  # empty where the library gives none
    stamp: str  # 005
    items: tuple[str, ...]  # barcodes or accession numbers
    place: str
    class_number: str
    mark: str  # book number or cutter
    statement: str = ""  # holdings of a serial

    @property
    def call_number(self) -> str:
        """Class and mark in one."""
        return f"{self.class_number}/{self.mark}"


def make(draw: Draw, member: Member, book: Book, number: int) -> Copy:
    """The `number`th record of a library, on a book."""
    chinese = member.habit.format == "cnmarc"
    count = 1 if book.kind == "serial" else 1 + (draw.random() < 0.35) + (draw.random() < 0.15)
    first = number * 4
    prefix = member.symbol[-3:]
    day = draw.below(26 * 12 * 28)  # one of days 1-28 of the months of 1998-2023
    date = f"{1998 + day // 336}{day // 28 % 12 + 1:02d}{day % 28 + 1:02d}"
    return Copy(
        symbol=member.symbol,
        local_id="" if draw.random() < member.habit.no_id else member.habit.id.format(n=number),
        stamp=f"{date}{8 + number % 10:02d}{number % 60:02d}00.0",
        items=() if book.medium == "electronic" else tuple([f"{prefix}{first + n:08d}" for n in range(count)]),
        place=draw.pick(PLACES["905" if chinese else "MARC21"]),
        class_number=book.subject.number if chinese else _lc(book),
        mark=str(draw.between(1, 999)) if chinese else f"{_spelling(book)[:1].upper()}{draw.between(11, 99)}",
        statement=f"{book.year}-{draw.between(2006, 2023)}" if book.kind == "serial" else "",
    )


def _lc(book: Book) -> str:
    """A class number of the kind that libraries outside China use; not a true one."""
    return f"{book.subject.letters}{sum(map(ord, book.subject.number)) * 7 % 9000 + 100}"


def _spelling(book: Book) -> str:
    return book.title.pinyin or book.title.simplified
