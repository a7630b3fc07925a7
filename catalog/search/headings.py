"""Whole values of a description: what is looked up as it stands, by its beginning, or in an ordered list (pure).

A heading is a letter for its kind, a colon and the value as folded words divided by blanks, so that a beginning can be
told from a beginning of a word. `collation` is the order of lists: Chinese by its sound, as in a dictionary.
"""

from __future__ import annotations

from functools import lru_cache

from catalog.model import Description
from catalog.search import pinyin
from catalog.search.fold import fold, has_cjk, squeeze, words
from catalog.search.grams import runs

LONGEST = 120  # characters of a heading: what follows tells no two apart that matter
LONGEST_ORDER = 60
MOST = 40  # of a kind
REMEMBERED = 16_384

# Letters of kinds. Those of the second table have index fields of their own and are in lists only.
KINDS = {"title": "t", "author": "a", "subject": "s", "series": "r", "publisher": "p", "place": "l"}
LISTED = {"class": "k", "isbn": "i", "issn": "n", "year": "y"}


def heading(kind: str, text: str) -> str:
    """The heading that a text is; "" if it has no letters or digits."""
    value = _value(text)
    return f"{KINDS[kind]}:{value}" if value else ""


@lru_cache(maxsize=REMEMBERED)
def _value(text: str) -> str:
    return " ".join(runs(text))[:LONGEST].rstrip()


def of(description: Description) -> list[tuple[str, str]]:
    """(kind, text) of every heading, as written."""
    found = [("title", text) for text in (description.title, *description.parallel[: MOST - 1]) if text]
    found += [("author", text) for text in description.authors[:MOST] if text]
    found += [("subject", text) for text in description.subjects[:MOST] if text]
    found += [("series", text) for text in description.series[:MOST] if text]
    if description.publisher:
        found.append(("publisher", description.publisher))
    if description.place:
        found.append(("place", description.place))
    return found


def listed(description: Description) -> list[tuple[str, str]]:
    """(kind, text) of what else stands in ordered lists."""
    found = [("class", text) for text in description.classification[:MOST]]
    found += [("isbn", text) for text in description.isbns[:MOST]]
    found += [("issn", text) for text in description.issns[:MOST]]
    if 0 < description.year < 10_000:
        found.append(("year", str(description.year)))
    return found


def notation(number: str) -> str:
    """A class number as it is looked up."""
    return "".join(fold(number).split())


def key(kind: str, text: str) -> str:
    """What the index is asked for a value of a kind; "" if there is nothing to ask for."""
    match kind:
        case "class":
            return notation(text)
        case "isbn" | "issn":
            return squeeze(text).upper()
        case "year":
            return text if text.isdecimal() else ""
    return heading(kind, text)


def order(kind: str, text: str) -> str:
    """By which a value stands in the list of its kind."""
    match kind:
        case "class":
            return notation(text)
        case "isbn" | "issn":
            return squeeze(text).upper()
        case "year":
            return text.zfill(4)
        case "author":
            return collation(text, name=True)
    return collation(text)


@lru_cache(maxsize=REMEMBERED)
def collation(text: str, *, name: bool = False) -> str:
    """By which texts are sorted: words, those in Chinese characters as their syllables; a surname by its own sound."""
    text = text[:LONGEST]
    if not has_cjk(text):
        return " ".join(words(text))[:LONGEST_ORDER]
    return " ".join(pinyin.aloud(text, name=name))[:LONGEST_ORDER]
