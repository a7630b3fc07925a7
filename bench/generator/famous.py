"""Well-known works, from `tables/famous.toml`, as books that the sample's libraries hold."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from bench.generator import vocabulary
from bench.generator.book import NONE, Book, Volume
from bench.generator.numbers import designation, isbn10, isbn13
from bench.generator.vocabulary import TABLES, Person, Publisher, Subject, Term, rows, western

ISBN13_SINCE = 2007  # before, books carry ten digits
Spellings = dict[tuple[str, str], tuple[Term, str]]


def load() -> Iterator[tuple[str, Book]]:
    """(letters of the libraries that hold it, the book), in the order of the table."""
    table = tomllib.loads((TABLES / "famous.toml").read_text(encoding="utf-8"))
    spellings: Spellings = {
        (language, text): (Term(text, traditional, pinyin), heading)
        for language, text, traditional, pinyin, heading in rows("famous_words.tsv")
    }
    publishers = _publishers(table["publishers"], spellings)
    for number, row in enumerate(table["book"], 1):
        yield row["libraries"], _book(f"f{number:04d}", row, spellings, publishers)


def _publishers(extra: dict[str, list[str]], spellings: Spellings) -> dict[str, Publisher]:
    words = vocabulary.load()
    known = {one.name.simplified: one for one in (*words.publishers, *words.presses)}
    for name, (place, code, country) in extra.items():
        language = "jpn" if country == "JP" else "chi"
        known[name] = Publisher(_term(spellings, language, name), _term(spellings, language, place), "", code, country)
    return known


def _book(truth: str, row: dict[str, Any], spellings: Spellings, publishers: dict[str, Publisher]) -> Book:
    language = row.get("language", "chi")

    def term(key: str) -> Term:
        return _term(spellings, language, row[key]) if row.get(key) else NONE

    year = row["year"]
    volume = Volume(**row["volume"]) if "volume" in row else None
    title = term("title")
    authors = tuple(_person(spellings, language, name) for name in row.get("authors", ()))
    role = term("role") if "role" in row else Term("著", "著", "zhu")
    return Book(
        truth=truth,
        title=title,
        publisher=publishers[row["publisher"]],
        subject=_subject(row["class"]),
        year=year,
        kind=row.get("kind", "book"),
        medium=row.get("medium", "print"),
        language=language,
        subtitle=term("subtitle"),
        part=term("part"),
        volume=volume,
        designation=designation(volume) if volume else "",
        volumes=row.get("volumes", 0),
        set_title=title if volume else NONE,
        edition=term("edition"),
        date=term("date"),
        pages=row.get("pages", 0),
        authors=authors,
        role=role if authors and language == "chi" else NONE,
        translators=tuple(_person(spellings, language, name) for name in row.get("translators", ())),
        original=row.get("original", ""),
        isbns=(_isbn(row["isbn"], year),) if "isbn" in row else (),
        set_isbns=(_isbn(row["set_isbn"], year),) if "set_isbn" in row else (),
        issn=row.get("issn", ""),
        series=term("series"),
        abstract=term("abstract"),
        link=row.get("link", ""),
    )


def _term(spellings: Spellings, language: str, text: str) -> Term:
    """The text's spellings; Latin text is its own."""
    found = spellings.get((language, text))
    return found[0] if found else western(text)


def _person(spellings: Spellings, language: str, name: str) -> Person:
    found = spellings.get((language, name))
    if found is None:
        return Person(western(name), name, False)
    term, heading = found
    return Person(term, heading, True, corporate="," not in heading)


def _subject(number: str) -> Subject:
    """The table's subject whose class is the longest beginning of `number`, under the number itself."""
    subjects = vocabulary.load().subjects
    fitting = [one for one in subjects if number.startswith(one.number)] or [
        one for one in subjects if number[0] == one.number[0]
    ]
    best = max(fitting, key=lambda one: len(one.number)) if fitting else subjects[0]
    return best._replace(number=number)


def _isbn(text: str, year: int) -> str:
    prefix, serial = text.split(":")
    isbn = isbn13(prefix, int(serial))
    return isbn if year >= ISBN13_SINCE else isbn10(isbn)
