"""One tree for every query language: CQL and the RPN of Z39.50 become it, and the catalogue answers it (pure).

A tree says what is asked, never how it is answered. `beyond` tells whether one may be taken at all; every parser asks
it, so nothing behind them meets a tree without end. What can't be answered is `Unanswerable` with the reason as one of
`Why`; each language has its own numbers for them (`cql.DIAGNOSTICS`, `z3950.rpn.DIAGNOSTICS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, get_args

import msgspec

from config import errors

MOST_TERMS = 256  # of a tree, so no tree is deeper: a cataloguer's list of ISBNs fits
LONGEST_TERM = 300  # characters, as the longest text that a reader may type
LONGEST = 10_000  # characters of all terms

Index = Literal[
    "any",
    "title",
    "author",
    "subject",
    "series",
    "publisher",
    "place",
    "note",
    "class",  # a class number of any classification
    "letter",  # its main class
    "call",  # a call number of any library, or a class number
    "isbn",
    "issn",
    "number",  # any standard number
    "music",  # publisher's number of printed or recorded music
    "national",  # number of a national bibliography, or LCCN
    "control",  # the record's own number, here or where it comes from
    "language",
    "kind",
    "year",
    "changed",  # day of the last change
    "library",  # that holds it
    "everything",  # all records, whatever the text
]
Relation = Literal["=", "<", "<=", ">=", ">", "<>"]
Structure = Literal[
    "phrase",  # the words as they follow each other
    "all",  # every word, in any order and place
    "some",  # at least one of the words
    "exact",  # the whole as one value: a number, a code, a heading
]
Truncation = Literal[
    "none",
    "right",
    "left",
    "both",
    "masked",  # in the text `*` is any signs, `?` one sign, and a backslash takes their meaning
]
Position = Literal["any", "first"]  # first: where the field begins
Completeness = Literal["part", "whole"]  # whole: the field holds nothing else
Unit = Literal["word", "field", "record"]

Why = Literal[
    "query",  # it can't be understood
    "complex",  # too many terms or operators
    "long",  # too many characters
    "index",
    "relation",
    "structure",
    "truncation",
    "position",
    "completeness",
    "combination",  # each is known, but not together
    "empty",  # a term without letters or digits
    "term",  # not of the form that its index wants
    "short",  # too few letters before or after what is cut
    "masks",  # too many words that are cut
    "proximity",  # not between these
    "distance",
    "unit",
    "set",  # there is no such result set
    "sort",
    "keys",  # too many to sort by
]

INDEXES: tuple[Index, ...] = get_args(Index)


class Unanswerable(errors.Refused):
    """A query that can't be answered: why, and the part that it is about as the tree has it."""

    code = "unanswerable-query"
    exit_code: ClassVar[int] = 2

    def __init__(self, why: Why, value: str, message: str) -> None:
        super().__init__(message)
        self.why = why
        self.value = value


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """What one index must hold."""

    index: Index = "any"
    text: str
    relation: Relation = "="
    structure: Structure = "all"
    truncation: Truncation = "none"
    position: Position = "any"
    completeness: Completeness = "part"


class And(msgspec.Struct, frozen=True):
    """Both."""

    left: Node
    right: Node


class Or(msgspec.Struct, frozen=True):
    """At least one."""

    left: Node
    right: Node


class Not(msgspec.Struct, frozen=True):
    """The left without the right."""

    left: Node
    right: Node


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """Both, near each other: at most `distance` units apart: 1 to the next word, 0 within one field."""

    left: Node
    right: Node
    distance: int = 1
    ordered: bool = False  # the left comes first
    unit: Unit = "word"


class SetOf(msgspec.Struct, frozen=True):
    """The result set of that name."""

    name: str


Node = Term | And | Or | Not | Near | SetOf
Operator = And | Or | Not | Near


def walk(node: Node) -> Iterator[Node]:
    """Every node, an operator before its operands, from left to right; a tree of any depth is walked."""
    waiting: list[Node] = [node]
    while waiting:
        found = waiting.pop()
        yield found
        if isinstance(found, Operator):
            waiting += (found.right, found.left)


def terms(node: Node) -> Iterator[Term]:
    """Every term from left to right."""
    return (found for found in walk(node) if isinstance(found, Term))


def beyond(node: Node) -> str:
    """What of a tree is out of bounds, in words; "" if nothing is."""
    if isinstance(node, Term) and len(node.text) <= LONGEST_TERM:
        return ""  # most queries
    leaves = characters = 0
    for found in walk(node):
        if isinstance(found, Operator):
            continue
        leaves += 1
        if leaves > MOST_TERMS:
            return f"more than {MOST_TERMS} terms"
        if isinstance(found, Term):
            if len(found.text) > LONGEST_TERM:
                return f"a term of more than {LONGEST_TERM} characters"
            characters += len(found.text)
    return f"more than {LONGEST:,} characters" if characters > LONGEST else ""
