"""A query as a tree that any engine can answer; `query` makes it of what a reader types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from catalog.search.grams import Phrase


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a text, in one field (or any)."""

    field: str
    tokens: Phrase


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a title or name by its sound; any of the ways to cut it into syllables."""

    field: str
    ways: tuple[tuple[str, ...], ...]


class Spelled(msgspec.Struct, frozen=True, kw_only=True):
    """A whole title in pinyin or as initials."""

    letters: str


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """Any of these ISBNs or ISSNs, without hyphens."""

    values: tuple[str, ...]


class Stem(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of a folded word, or of a class number where the field is class."""

    field: str
    stem: str


class Year(msgspec.Struct, frozen=True, kw_only=True):
    """A span of years, both included."""

    first: int
    last: int


class All(msgspec.Struct, frozen=True, kw_only=True):
    """Every one of the parts."""

    parts: tuple[Node, ...]


class Either(msgspec.Struct, frozen=True, kw_only=True):
    """At least one of the parts; more are better."""

    parts: tuple[Node, ...]


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """Two pieces of a text in one field, the second at most `distance` words behind the first, or else before it."""

    field: str
    left: Phrase
    right: Phrase
    distance: int
    ordered: bool


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a field that fit a pattern, in which `*` is any signs and `?` one sign.

    The field is one of texts, or `heading`, `class`, `number`, `ident`: then it is the whole value that must fit.
    """

    field: str
    pattern: str


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a text of which words are patterns."""

    field: str
    tokens: Phrase


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A whole value: of a facet, or `heading`, `class`, `ident`, `exact` (a whole title, squeezed)."""

    field: str
    value: str


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A span of days of the last change, both included, as 20261121."""

    first: int
    last: int


class Everything(msgspec.Struct, frozen=True, kw_only=True):
    """All there is."""


class Without(msgspec.Struct, frozen=True, kw_only=True):
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


class Query(msgspec.Struct, frozen=True, kw_only=True):
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
