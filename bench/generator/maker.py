"""Invents single books: titles, people, imprints and abstracts from the vocabulary."""

from __future__ import annotations

from bench.generator import vocabulary
from bench.generator.book import NONE, Book
from bench.generator.draw import Draw, Wheel
from bench.generator.numbers import Registry
from bench.generator.vocabulary import Person, Publisher, Subject, Term, Vocabulary, join, western

AND = Term("与", "與", "yu")
ROLES = Wheel(
    [
        (60, Term("著", "著", "zhu")),
        (15, Term("编著", "編著", "bian zhu")),
        (15, Term("主编", "主編", "zhu bian")),
        (10, Term("编", "編", "bian")),
    ]
)
LINKS = (
    Term("的", "的", "de"),
    Term("、", "、"),
    Term("，", "，"),
    Term("和", "和", "he"),
    Term("在", "在", "zai"),
    Term("与", "與", "yu"),
)
OPENINGS = (
    Term("本书论述了", "本書論述了", "ben shu lun shu le"),
    Term("本书介绍", "本書介紹", "ben shu jie shao"),
    Term(
        "全书共分若干章，内容包括：", "全書共分若干章，內容包括：", "quan shu gong fen ruo gan zhang nei rong bao kuo"
    ),
    Term("作者以翔实的材料考察", "作者以翔實的材料考察", "zuo zhe yi xiang shi de cai liao kao cha"),
)
MOST = 2_000_000  # manifestations of one maker
FIRST_ISBN_YEAR = 1988  # Chinese books carry 统一书号 before; ours then carry no number


class Maker:
    """Draws books one after another; knows which ISBNs are taken. Maker `turn` of `turns` shares numbers with none."""

    def __init__(self, draw: Draw, turn: int = 0, turns: int = 1) -> None:
        self.draw = draw
        self.words: Vocabulary = vocabulary.load()
        self.registry = Registry(turn, turns)
        self._count = turn * MOST

    def truth(self) -> str:
        """The id of a new manifestation."""
        self._count += 1
        return f"m{self._count:08d}"

    def phrase(self, kind: str) -> Term:
        """A phrase of a kind in the vocabulary."""
        return self.draw.pick(self.words.phrases[kind])

    def title(self, subject: Subject) -> Term:
        """A Chinese title on a subject; the short common ones come often, as in life."""
        draw = self.draw
        topic, other = draw.some(subject.words, 2)
        shape = draw.below(10)
        if shape < 1:
            return join((topic, self.phrase("tail")))
        if shape < 5:
            return join((self.phrase("modifier"), topic, self.phrase("tail")))
        if shape < 7:
            return join((topic, AND, other, self.phrase("tail")))
        if shape < 9:
            return join((self.phrase("modifier"), topic, other, self.phrase("tail")))
        return join((topic, self.phrase("modifier"), other, self.phrase("tail")))

    def novel(self) -> Term:
        """The title of a novel or a book of essays."""
        first, second = self.draw.some(self.words.phrases["literary"], 2)
        shape = self.draw.below(4)
        if shape == 0:
            return join((first, AND, second))
        if shape == 1:
            return join((first, second))
        return join((first, second, self.phrase("literary-tail")))

    def western_title(self, subject: Subject) -> Term:
        """An English title on a subject."""
        a, b, c = self.draw.some(subject.words_en, 3)
        modifier = self.phrase("western-modifier").simplified
        text = self.phrase("western-pattern").simplified.format(
            A=a.capitalize(), a=a, b=b, c=c, M=modifier.capitalize(), m=modifier
        )
        return western(text)

    def person(self) -> Person:
        """A Chinese name of two or three characters."""
        family = self.draw.pick(self.words.surnames)
        given = [self.draw.pick(self.words.given) for _ in range(2 if self.draw.chance(0.72) else 1)]
        roman = f"{family.pinyin.capitalize()}, {''.join(part.pinyin for part in given).capitalize()}"
        return Person(join((family, *given)), roman, True)

    def western_person(self) -> Person:
        """A Western name, inverted."""
        name = f"{self.phrase('western-surname').simplified}, {self.phrase('western-given').simplified}"
        if self.draw.chance(0.3):
            name += f" {chr(65 + self.draw.below(20))}."
        return Person(western(name), name, False)

    def abstract(self, subject: Subject) -> Term:
        """Some sentences of words on the subject; empty for a third of the books."""
        draw = self.draw
        if draw.chance(0.33):
            return NONE
        parts = [draw.pick(OPENINGS)]
        for _ in range(draw.between(10, 34)):
            parts.append(draw.pick(subject.words))
            parts.append(draw.pick(LINKS))
        return join((*parts, self.phrase("tail"), Term("。", "。")))

    def western_abstract(self, subject: Subject) -> Term:
        """The same in English."""
        draw = self.draw
        if draw.chance(0.4):
            return NONE
        words = [draw.pick(subject.words_en) for _ in range(draw.between(25, 80))]
        return western(
            f"{' and '.join(words[:2]).capitalize()}: {' of the '.join(words[2:6])}, {', '.join(words[6:])}."
        )

    def book(self, title: Term | None = None, subject: Subject | None = None) -> Book:
        """A Chinese book of one volume."""
        draw = self.draw
        subject = subject or draw.pick(self.words.subjects)
        if title is None:
            title = self.novel() if subject.number.startswith("I2") and draw.chance(0.7) else self.title(subject)
        year = 2024 - int(draw.random() ** 1.6 * 70)
        publisher: Publisher = draw.pick(self.words.publishers)
        return Book(
            truth=self.truth(),
            title=title,
            subtitle=self.phrase("subtitle") if draw.chance(0.25) else NONE,
            publisher=publisher,
            subject=subject,
            year=year,
            printing=draw.between(2, 5) if draw.chance(0.2) else 1,
            pages=draw.between(80, 900),
            size=draw.pick((19, 20, 21, 21, 21, 23, 24, 26, 26, 29)),
            price=draw.between(8, 128),
            authors=tuple(self.person() for _ in range(1 + (draw.random() < 0.3) + (draw.random() < 0.1))),
            role=ROLES.spin(draw),
            isbns=(self.registry.isbn(publisher.prefix),) if year >= FIRST_ISBN_YEAR else (),
            series=self.phrase("series") if draw.chance(0.25) else NONE,
            abstract=self.abstract(subject),
        )

    def western_book(self, title: Term | None = None) -> Book:
        """A book in English."""
        draw = self.draw
        subject = draw.pick(self.words.subjects)
        publisher: Publisher = draw.pick(self.words.presses)
        year = 2023 - int(draw.random() ** 1.5 * 90)
        return Book(
            truth=self.truth(),
            title=title or self.western_title(subject),
            subtitle=self.phrase("western-subtitle") if draw.chance(0.35) else NONE,
            publisher=publisher,
            subject=subject,
            language="eng",
            year=year,
            pages=draw.between(90, 720),
            size=draw.pick((20, 22, 23, 24, 24, 25, 28)),
            authors=tuple(self.western_person() for _ in range(1 + (draw.random() < 0.25))),
            isbns=(self.registry.isbn(publisher.prefix),) if year >= 1970 else (),
            series=self.phrase("western-series") if draw.chance(0.2) else NONE,
            abstract=self.western_abstract(subject),
        )
