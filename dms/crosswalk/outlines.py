"""Fields of one outline by forms: what rows make of them but for their values is found once (pure).

An outline is a tag, indicators and the codes of subfields that all say something. Where no rule of the tag asks for a
value, what comes out is the same but for the values: it is made once of signs in their place, and then it is a form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from dms import isbd
from dms.crosswalk import cuts, elements
from dms.crosswalk.cuts import Cut, Piece, Put, Value
from dms.crosswalk.elements import Element
from dms.crosswalk.lines import Lines
from dms.crosswalk.rows import Part, Row, Table
from dms.crosswalk.telling import BLANK, Teller

REMEMBERED = 20_000  # outlines, for each table; about 40 MB at worst
NON_SORTING = "\x88\x89\x98\x9c"  # NSB and NSE as systems write them
_NO_MARKS = str.maketrans("", "", NON_SORTING)
_FIRST_SIGN = 0x20000  # letters that no table has
_MOST = 100  # values
_LINK = "6"  # a field with it may have a twin in another script, and become one element with it


class _Text(NamedTuple):
    """Words with values among them."""

    words: str  # with %s for values
    taken: Callable[[Sequence[str]], object] | None  # the values; None = none

    def of(self, values: Sequence[str]) -> str:
        """With these values."""
        return self.words % self.taken(values) if self.taken else self.words


class _Form(NamedTuple):
    """What a row makes of the fields of an outline."""

    number: int  # of the row
    name: str  # of the element; "" = it comes into one that fields share
    xml: _Text
    puts: tuple[tuple[Part, _Text], ...]  # into an element to which other rows have to find their way by its parts

    def piece(self, values: Sequence[str], escaped: Sequence[str]) -> Piece:
        """Of these values."""
        told = self.xml.of(escaped)
        if self.name:
            return Piece(self.number, Element(self.name, xml=told), ())
        return Piece(self.number, None, tuple([Put(part, text.of(values)) for part, text in self.puts]), told)


class _Outline(NamedTuple):
    """What becomes of the fields of an outline."""

    forms: tuple[_Form, ...]
    lines: Lines
    awaited: tuple[tuple[int, int, int], ...]  # values of lines: (place, first character, end)


class Outlines:
    """Remembers what becomes of the fields of outlines by a table."""

    def __init__(self, table: Table, teller: Teller, cut: Callable[[str, str, list[Value]], Cut]) -> None:
        self._teller = teller
        self._cut = cut  # tag, indicators, values → what becomes of them
        self._plain = frozenset(
            tag
            for tag, numbers in table.by_tag.items()
            if not table.trees and tag[:2] != "00" and all(_is_plain(table.rows[number]) for number in numbers)
        )
        self._parts = _of_parts(table)
        self._known: dict[tuple[str, ...], _Outline | None] = {}

    def cut(self, tag: str, text: str, values: list[Value]) -> Cut | None:
        """What becomes of a field; None where that can't be told by its outline."""
        if tag not in self._plain:
            return None
        told = []
        for each in values:
            value = each.value if each.value.isprintable() else each.value.translate(_NO_MARKS)
            value = isbd.plain(value)
            if not value or not each.value.strip(BLANK):
                return None
            told.append(value)
        key = (tag, text[:2], *[each.source for each in values])
        try:
            outline = self._known[key]
        except KeyError:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            outline = self._known[key] = self._outline(tag, text[:2], values)
        if outline is None:
            return None
        beside = tuple([values[at].value[first:end] for at, first, end in outline.awaited])
        escaped = list(map(elements.escaped, told))
        return Cut(tag, tuple([form.piece(told, escaped) for form in outline.forms]), values, (outline.lines, beside))

    def _outline(self, tag: str, indicators: str, values: Sequence[Value]) -> _Outline | None:
        if len(values) > _MOST or any(each.code == _LINK for each in values):
            return None
        signs = [Value(each.source, each.code, chr(_FIRST_SIGN + at)) for at, each in enumerate(values)]
        cut = self._cut(tag, indicators, signs)
        forms = []
        for piece in cut.pieces:
            told = piece.inside if piece.element is None else piece.element.xml
            if told is None or (piece.element is not None and (not told or piece.element.children)):
                return None
            name = piece.element.name if piece.element else ""
            puts = piece.puts if piece.number in self._parts else ()
            texts = tuple([(part, _text(value)) for part, value in puts])
            forms.append(_Form(piece.number, name, _text(told), texts))
        return _Outline(tuple(forms), *self._teller.template(cut))


def _text(told: str) -> _Text:
    """What was told with signs, as a form."""
    places = [ord(each) - _FIRST_SIGN for each in told if _FIRST_SIGN <= ord(each) < _FIRST_SIGN + _MOST]
    if not places:
        return _Text(told, None)
    words = told.replace("%", "%%")
    for place in set(places):
        words = words.replace(chr(_FIRST_SIGN + place), "%s")
    return _Text(words, itemgetter(*places))


def _of_parts(table: Table) -> frozenset[int]:
    """Rows whose shared element has to be built of parts, because some row for it looks for what is there."""
    shared: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(table.rows):
        if row.shared:
            shared.setdefault((row.room, row.element[0].name), []).append(number)
    return frozenset(
        number
        for numbers in shared.values()
        if not all(cuts.goes_inside(table.rows[other]) for other in numbers)
        for number in numbers
    )


def _is_plain(row: Row) -> bool:
    """Whether no value decides about what the row makes."""
    asked = all(name in ("ind1", "ind2") or wanted in ("", "*") for name, wanted in row.when.items())
    return asked and all(part.text or part.ind or _takes_plainly(part) for part in row.parts)


def _takes_plainly(part: Part) -> bool:
    odd = part.raw or part.whole or part.at or part.article or part.without_article
    return part.plain and not odd
