"""Families of manifestations, each with its trap: what belongs together and what only looks as if it did.

A family is a function from a `Maker` to books; every book with an id of its own is a manifestation of its own. The
traps follow the families of labelled pairs that matching must pass (docs/architecture.md, matching).
"""

from __future__ import annotations

from collections.abc import Callable

from bench.generator.book import NONE, Book, Volume
from bench.generator.draw import Wheel
from bench.generator.maker import Maker
from bench.generator.numbers import designation
from bench.generator.vocabulary import Term, join, western

Family = Callable[[Maker], list[Book]]

HAN_EDITIONS = (
    NONE,
    Term("第2版", "第2版", "di 2 ban"),
    Term("第3版", "第3版", "di 3 ban"),
    Term("第四版", "第四版", "di 4 ban"),
    Term("第5版", "第5版", "di 5 ban"),
    Term("第6版", "第6版", "di 6 ban"),
)
WESTERN_EDITIONS = (NONE, *(western(text) for text in ("2nd ed.", "3rd ed.", "4th ed.", "5th ed.", "6th ed.")))
GENERIC = (
    Term("选集", "選集", "xuan ji"),
    Term("论文集", "論文集", "lun wen ji"),
    Term("文集", "文集", "wen ji"),
    Term("全集", "全集", "quan ji"),
    Term("诗选", "詩選", "shi xuan"),
    Term("工作报告", "工作報告", "gong zuo bao gao"),
)
YEARBOOK = Term("年鉴", "年鑑", "nian jian")
JOURNAL_TAILS = (
    Term("学报", "學報", "xue bao"),
    Term("研究", "研究", "yan jiu"),
    Term("杂志", "雜誌", "za zhi"),
    Term("通讯", "通訊", "tong xun"),
)
COMPANIONS = (
    Term("教师用书", "教師用書", "jiao shi yong shu"),
    Term("练习册", "練習冊", "lian xi ce"),
    Term("习题解答", "習題解答", "xi ti jie da"),
    Term("学习指导", "學習指導", "xue xi zhi dao"),
)
FACSIMILE = Term("影印本", "影印本", "ying yin ben")
TRANSLATED = Term("译", "譯", "yi")


def plain(maker: Maker) -> list[Book]:
    """One Chinese book."""
    return [maker.book()]


def western_plain(maker: Maker) -> list[Book]:
    """One English book."""
    return [maker.western_book()]


def volumes(maker: Maker) -> list[Book]:
    """A set: sometimes described as a whole, its volumes with their own ISBNs, the set's, or both."""
    draw = maker.draw
    first = maker.book()
    count = draw.between(2, 8)
    sided = count <= 3 and draw.chance(0.6)
    unit = draw.pick(("册", "卷")) if sided else draw.pick(("卷", "册", "辑", "集"))
    shared = maker.registry.isbn(first.publisher.prefix) if first.isbns else ""
    habit = draw.random() if shared else 1.0
    pages = draw.between(200, 600)
    books = []
    for number in range(1, count + 1):
        volume = Volume(number=number, of=count, unit=unit, sided=sided)
        own = (maker.registry.isbn(first.publisher.prefix),) if shared else ()
        books.append(
            first._replace(
                truth=maker.truth(),
                volume=volume,
                designation=designation(volume),
                tail=False,
                part=maker.phrase("modifier") if not sided and draw.chance(0.3) else NONE,
                set_title=first.title,
                volumes=0,
                pages=pages if draw.chance(0.3) else draw.between(200, 700),
                isbns=() if habit < 0.25 else own,
                set_isbns=(shared,) if habit < 0.55 else (),
            )
        )
    if draw.chance(0.3):
        books.append(
            first._replace(truth=maker.truth(), volumes=count, pages=0, isbns=(), set_isbns=(shared,) if shared else ())
        )
    return books


def western_volumes(maker: Maker) -> list[Book]:
    """An English set in two to four volumes, each with its own ISBN and part title."""
    first = maker.western_book()
    count = maker.draw.between(2, 4)
    books = []
    for number in range(1, count + 1):
        volume = Volume(number=number, of=count, unit="")
        books.append(
            first._replace(
                truth=maker.truth(),
                volume=volume,
                designation=designation(volume),
                pages=maker.draw.between(150, 600),
                isbns=(maker.registry.isbn(first.publisher.prefix),) if first.isbns else (),
            )
        )
    return books


def editions(maker: Maker) -> list[Book]:
    """A textbook in several numbered editions some years apart."""
    draw = maker.draw
    chinese = draw.chance(0.7)
    first = maker.book() if chinese else maker.western_book()
    texts = HAN_EDITIONS if chinese else WESTERN_EDITIONS
    books, year = [], first.year
    for text in texts[: draw.between(2, len(texts))]:
        if year > 2024:
            break
        books.append(
            first._replace(
                truth=maker.truth(),
                edition=text,
                year=year,
                pages=first.pages + draw.between(0, 60),
                isbns=(maker.registry.isbn(first.publisher.prefix),) if year >= 1988 else (),
            )
        )
        year += draw.between(2, 6)
    return books


def generic(maker: Maker) -> list[Book]:
    """The same empty title by several people: never one book."""
    title = maker.draw.pick(GENERIC)
    return [maker.book(title)._replace(subtitle=NONE) for _ in range(maker.draw.between(2, 4))]


def proceedings(maker: Maker) -> list[Book]:
    """Proceedings of different meetings, with no author to tell them apart."""
    draw = maker.draw
    books = []
    for number in range(1, draw.between(2, 4) + 1):
        book = maker.western_book(western("Proceedings"))
        topic = book.subject.heading_en
        meeting = f"International Conference on {topic}|{number + draw.below(20)}|{book.year}|{book.publisher.place[0]}"
        books.append(book._replace(subtitle=NONE, authors=(), meeting=meeting))
    return books


def frontmatter(maker: Maker) -> list[Book]:
    """Component parts called Frontmatter, each of another host."""
    books = []
    for _ in range(maker.draw.between(2, 3)):
        host = maker.western_book()
        books.append(
            host._replace(
                kind="component",
                medium="electronic",
                title=western("Frontmatter"),
                subtitle=NONE,
                host=host.title,
                authors=(),
                isbns=(),
                pages=maker.draw.between(4, 20),
                link=_link(host.truth),
            )
        )
    return books


def reused_isbn(maker: Maker) -> list[Book]:
    """A publisher gives the ISBN of one book to another."""
    book = maker.book()
    other = maker.book(subject=book.subject)
    return [book, other._replace(publisher=book.publisher, isbns=book.isbns)]


def print_and_electronic(maker: Maker) -> list[Book]:
    """A book and its e-book, half of the time under one ISBN."""
    chinese = maker.draw.chance(0.6)
    book = maker.book() if chinese else maker.western_book()
    shared = maker.draw.chance(0.5)
    electronic = book._replace(
        truth=maker.truth(),
        medium="electronic",
        price=0,
        isbns=book.isbns if shared or not book.isbns else (maker.registry.isbn(book.publisher.prefix),),
        link=_link(book.truth),
    )
    return [book, electronic]


def serial(maker: Maker) -> list[Book]:
    """A journal and, at times, a monograph of the same title."""
    draw = maker.draw
    subject = draw.pick(maker.words.subjects)
    title = join((maker.phrase("modifier"), draw.pick(subject.words), draw.pick(JOURNAL_TAILS)))
    book = maker.book(title, subject)
    journal = book._replace(
        truth=maker.truth(),
        kind="serial",
        printing=1,
        subtitle=NONE,
        issn=maker.registry.issn(),
        isbns=(),
        authors=(),
        pages=0,
        year=draw.between(1950, 2005),
        price=draw.between(5, 40),
    )
    return [journal, book] if draw.chance(0.3) else [journal]


def annual(maker: Maker) -> list[Book]:
    """A yearbook in successive years, all described as monographs."""
    subject = maker.draw.pick(maker.words.subjects)
    name = join((maker.phrase("modifier"), maker.draw.pick(subject.words), YEARBOOK))
    first = maker.book(name, subject)._replace(authors=(), subtitle=NONE)
    start = maker.draw.between(1995, 2018)
    return [
        first._replace(
            truth=maker.truth(),
            title=join((name, Term(str(year), str(year), str(year)))),
            year=year + 1 if maker.draw.chance(0.3) else year,
            pages=maker.draw.between(500, 700),
            isbns=(maker.registry.isbn(first.publisher.prefix),),
        )
        for year in range(start, start + maker.draw.between(2, 5))
    ]


def textbook(maker: Maker) -> list[Book]:
    """A textbook and the books that go with it."""
    book = maker.book()
    books = [book]
    for companion in maker.draw.some(COMPANIONS, maker.draw.between(1, 2)):
        books.append(
            book._replace(
                truth=maker.truth(),
                title=join((book.title, companion)),
                pages=maker.draw.between(60, 300),
                isbns=(maker.registry.isbn(book.publisher.prefix),) if book.isbns else (),
            )
        )
    return books


def translations(maker: Maker) -> list[Book]:
    """One foreign work by several translators, at other publishers or the same one."""
    draw = maker.draw
    author = maker.western_person()
    first = maker.book(maker.novel())
    original = maker.western_title(first.subject).simplified
    books = []
    for _ in range(draw.between(2, 4)):
        publisher = first.publisher if draw.chance(0.3) else draw.pick(maker.words.publishers)
        year = draw.between(1988, 2022)
        books.append(
            first._replace(
                truth=maker.truth(),
                authors=(author,),
                translators=(maker.person(),),
                role=Term("著", "著", "zhu"),
                original=original,
                publisher=publisher,
                year=year,
                pages=draw.between(200, 700),
                isbns=(maker.registry.isbn(publisher.prefix),),
            )
        )
    return books


def homophones(maker: Maker) -> list[Book]:
    """Two books whose titles sound alike."""
    one, other = maker.draw.pick(maker.words.homophones)
    tail = maker.phrase("tail")
    first = maker.book(join((one, tail)))
    second = maker.book(join((other, tail)), first.subject)
    return [first, second._replace(publisher=first.publisher, year=first.year)]


def facsimile(maker: Maker) -> list[Book]:
    """A book and its facsimile by another publisher decades later."""
    book = maker.book()._replace(year=maker.draw.between(1920, 1985), isbns=(), printing=1)
    publisher = maker.draw.pick(maker.words.publishers)
    copy = book._replace(
        truth=maker.truth(),
        edition=FACSIMILE,
        publisher=publisher,
        year=maker.draw.between(1990, 2020),
        isbns=(maker.registry.isbn(publisher.prefix),),
    )
    return [book, copy]


def _link(truth: str) -> str:
    return f"https://books.example.org/{truth}"


FAMILIES: Wheel[Family] = Wheel(
    [
        (50, plain),
        (20, western_plain),
        (7, volumes),
        (1.5, western_volumes),
        (4, editions),
        (1, generic),
        (0.5, proceedings),
        (0.5, frontmatter),
        (0.7, reused_isbn),
        (3, print_and_electronic),
        (3, serial),
        (1, annual),
        (2, textbook),
        (2, translations),
        (0.7, homophones),
        (0.6, facsimile),
    ]
)
