"""What became of a field: its values with where they went, and the pieces that rows made of it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from dms.crosswalk import elements, linked
from dms.crosswalk.elements import Element, Step
from dms.crosswalk.lines import Lines
from dms.crosswalk.rows import LEADER, Part, Row
from protocols import marc


class Put(NamedTuple):
    """A value on its way into an element."""

    part: Part
    value: str


class Piece(NamedTuple):
    """What a row makes of a field: an element, or what goes into the one that fields share."""

    number: int  # of the row
    element: Element | None  # None = they go into one that fields share
    puts: tuple[Put, ...]
    inside: str | None = None  # into one that fields share, as XML; None = that depends on what is there


class Value(msgspec.Struct, gc=False):
    """A subfield of a field that is being cut, and where it went."""

    source: str
    code: str
    value: str
    to: tuple[str, ...] = ()
    spans: tuple[tuple[int, int, str], ...] = ()
    refused: bool = False  # a part would have had it, if it knew the value


class Cut(msgspec.Struct, gc=False):
    """What became of a field."""

    tag: str
    pieces: tuple[Piece, ...]
    values: list[Value]
    losses: tuple[Lines, tuple[str, ...]] | None = None  # its lines and the values that they await, once somebody asked


def piece(number: int, row: Row, puts: list[Put], *, trees: bool) -> Piece:
    """What a row makes of values; with `trees` never as XML at once."""
    if row.shared:
        return Piece(number, None, tuple(puts), None if trees else _inside(row, puts))
    if row.marks is None or trees:
        return Piece(number, tree(row, puts), tuple(puts))
    before, after = row.marks
    return Piece(number, Element(row.element[0].name, xml=before + _xml(row.element[-1], puts) + after), tuple(puts))


def values_of(tag: str, text: str, *, linking: bool) -> list[Value]:
    if tag == LEADER or marc.is_control(tag):
        return [Value("", "", text)]
    if linking:
        return [Value(source, code, value) for source, code, value in linked.said(text)]
    return [Value(code, code, value) for code, value in marc.subfields(text)]


def each(row: Row, puts: list[Put]) -> list[list[Put]]:
    """The puts of one element of the row, or of several."""
    if row.several is None:
        return [puts]
    several = row.several.attribute
    own = [put for put in puts if not put.part.to and put.part.attribute == several]
    rest = [put for put in puts if put.part.to or put.part.attribute != several]
    return [[*rest, put] for put in own]


def tree(row: Row, puts: Sequence[Put]) -> Element:
    """The row's element as a tree."""
    top = Element(row.element[0].name, dict(row.element[0].attributes))
    fill(top.child(row.element[1:]) if len(row.element) > 1 else top, puts)
    return top


def goes_inside(row: Row) -> bool:
    """Whether what a row makes goes as XML into the element that fields share, whatever is there."""
    if row.marks is None or len(row.element) > 2:
        return False
    return len(row.element) == 2 or all(part.to and part.marks for part in row.parts)


def _inside(row: Row, puts: Sequence[Put]) -> str | None:
    """What comes into an element that fields share."""
    if row.marks is None or len(row.element) > 2:
        return None
    if len(row.element) == 2:
        return _xml(row.element[1], puts)
    told = ""
    for part, value in puts:
        if not part.to or not part.marks:
            return None
        told += part.marks[0] + elements.escaped(value) + part.marks[1]
    return told


def _xml(last: Step, puts: Sequence[Put]) -> str:
    """The innermost element of a row as XML at once."""
    attributes = last.attributes
    own = inside = ""
    for part, value in puts:
        if part.attribute:
            attributes = {**attributes, part.attribute: value}
        elif part.to and part.marks:
            inside += part.marks[0] + elements.escaped(value) + part.marks[1]
        else:
            own = f"{own} {value}" if own else value
    if own:
        inside = elements.escaped(own) + inside
    return elements.told(last.name, attributes, inside)


def fill(made: Element, puts: Sequence[Put]) -> None:
    for part, value in puts:
        to, attribute = part.to, part.attribute
        target = (made.at(to) if attribute else made.child(to)) if to else made
        if attribute:
            target.attributes[attribute] = value
        else:
            target.text = f"{target.text} {value}" if target.text else value
