"""A query as a tree that any engine can answer; `query` makes it of what a reader types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.search.grams import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A piece of a text, in one field (or any)."""

    field: str
    tokens: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A piece of a title or name by its sound; any of the ways to cut it into syllables."""

    field: str
    ways: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """A whole title in pinyin or as initials."""

    letters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """Any of these ISBNs or ISSNs, without hyphens."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """The beginning of a folded word, or of a class number where the field is class."""

    field: str
    stem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A span of years, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every one of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """At least one of the parts; more are better."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Two pieces of a text in one field, the second at most `distance` words behind the first, or else before it."""

    field: str
    left: Phrase
    right: Phrase
    distance: int
    ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Words of a field that fit a pattern, in which `*` is any signs and `?` one sign.

    The field is one of texts, or `heading`, `class`, `number`, `ident`: then it is the whole value that must fit.
    """

    field: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A piece of a text of which words are patterns."""

    field: str
    tokens: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A whole value: of a facet, or `heading`, `class`, `ident`, `exact` (a whole title, squeezed)."""

    field: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A span of days of the last change, both included, as 20261121."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """All there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What fits the first and not the second."""

    wanted: Node
    unwanted: Node


Node = (
    Text
    | Sound
    | Spelled
    | Number
    | Stem
    | Year
    | All
    | Either
    | Near
    | Pattern
    | Cut
    | Value
    | Day
    | Everything
    | Without
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole query: all of `wanted`, none of `unwanted`. Nothing wanted = everything.

    `whole` is the wanted text as one squeezed title and `piece` as one piece of a title, for ranking only.
    """

    wanted: tuple[Node, ...]
    unwanted: tuple[Node, ...]
    whole: str
    piece: Phrase


def walk(nodes: Iterable[Node], depth: int = 1) -> Iterator[tuple[Node, int]]:
    """All nodes with how deep each stands; the ways of a `Sound` are alternatives and count as nodes below it."""
    for node in nodes:
        yield node, depth
        if isinstance(node, All | Either):
            yield from walk(node.parts, depth + 1)
        elif isinstance(node, Without):
            yield from walk((node.wanted, node.unwanted), depth + 1)
        elif isinstance(node, Sound) and len(node.ways) > 1:
            yield from ((node, depth + 1) for _ in node.ways)
