"""What a cataloguer types as a query: an ISBN, words of a title, CQL, or prefix notation (pure)."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from config.errors import Misconfigured, Refused
from dms.formats import identifiers
from dms.rules.content import numbers
from protocols import query
from protocols.cql import contexts, parser
from protocols.query import Node, Or, Term
from protocols.z3950 import pqf

LONGEST = query.LONGEST_TERM
_NUMBER = re.compile(r"[0-9Xx \-‐–−]{8,22}")
_CQL = re.compile(r"\(*\s*(?:(\w+)\.)?(\w+)\s*(?:[=<>]|(?:all|any|exact|adj)\s)", re.IGNORECASE)  # how a clause begins
_NAMES = frozenset(name for names in contexts.SETS.values() for name in names)
_BOOKLAND = "978"  # the prefix before what may also be ten digits (ISO 2108)


NO_QUERY = (Misconfigured, Refused)  # what `read` raises


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query and what is known of what it wants."""

    query: Node
    isbn: int = 0  # that the record must have; 0 = any


def read(text: str) -> Asked:
    """A query as it was typed. Misconfigured if it is empty or too long, Refused if its language has no such thing."""
    typed = " ".join(text.split())
    if len(typed) > LONGEST:
        raise Misconfigured(f"a query has at most {LONGEST} characters")
    if not typed:
        raise Misconfigured("nothing to look for: type an ISBN, words of the title, or a query")
    if typed.startswith("@"):
        return Asked(query=pqf.read(typed))
    narrow = unicodedata.normalize("NFKC", typed)
    if _NUMBER.fullmatch(narrow):
        typed = narrow
        if number := identifiers.isbn(typed):
            return of_isbn(number, typed)
        if issn := identifiers.issn(typed):
            return Asked(query=Term(index="issn", text=issn, structure="exact"))
        raise Misconfigured(f"{typed} is no ISBN or ISSN: its check digit is wrong")
    if (begin := _CQL.match(typed)) and (begin[1] or begin[2].lower() in _NAMES):
        return Asked(query=parser.read(typed))
    return Asked(query=Term(index="title", text=typed))


def of_isbn(number: int, typed: str = "") -> Asked:
    """An ISBN in each of its forms: many servers don't make them one, least of all those of records with hyphens."""
    plain = list(filter(None, (str(number), _ten(str(number)))))
    forms = dict.fromkeys([*plain, *filter(None, map(numbers.hyphenated, plain)), *([typed] if typed else ())])
    terms: list[Node] = [Term(index="isbn", text=form, structure="exact") for form in forms]
    return Asked(query=functools.reduce(Or, terms), isbn=number)


def _ten(thirteen: str) -> str:
    """The form of ten digits, "" where there is none."""
    if not thirteen.startswith(_BOOKLAND):
        return ""
    nine = thirteen[3:12]
    check = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), nine, strict=True)) % 11
    return nine + ("X" if check == 10 else str(check))
