"""Control fields by what rows ask of them: few characters, which are met again where the whole field is not (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from dms.crosswalk.cuts import Cut, Piece, Value
from dms.crosswalk.rows import LEADER, Row, Table

REMEMBERED = 50_000  # characters and what a row makes of them, for each table; about 30 MB at worst

_LEADER = 24  # characters

Rows = Sequence[tuple[int, Row]]


class _Found(NamedTuple):
    """What a row made of positions, and where they went."""

    pieces: tuple[Piece, ...]
    spans: tuple[tuple[int, int, str], ...]
    refused: bool


class Positions:
    """Remembers what rows of a table make of positions."""

    def __init__(self, table: Table, by_rows: Callable[[str, Rows, str, list[Value], str], Cut]) -> None:
        self._by_rows = by_rows  # tag, rows, text, values, leader → what becomes of them
        self._pick = {
            number: picked
            for tag, numbers in table.by_tag.items()
            for number in numbers
            if tag[:2] == "00" and (picked := _pick(table.rows[number]))
        }
        self._known: dict[tuple[int, object], _Found] = {}

    def cut(self, tag: str, rows: Rows, text: str, leader: str) -> Cut:
        """What rows make of a control field."""
        value = Value("", "", text)
        pieces: list[Piece] = []
        for row in rows:
            pick = self._pick.get(row[0])
            if pick is None or len(leader) != _LEADER:
                pieces += self._by_rows(tag, (row,), text, [value], leader).pieces
                continue
            key = (row[0], pick(leader + text))
            found = self._known.get(key)
            if found is None:
                own = Value("", "", text)
                made = self._by_rows(tag, (row,), text, [own], leader).pieces
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                found = self._known[key] = _Found(made, own.spans, own.refused)
            pieces += found.pieces
            value.spans += found.spans
            value.refused = value.refused or found.refused
        return Cut(tag, tuple(pieces), [value])


def _pick(row: Row) -> Callable[[str], object] | None:
    """What the row asks of a leader with the field behind it; None if it asks for the whole field."""
    wanted = [slice(0)]
    for part in row.parts:
        if part.at:
            wanted.append(slice(_LEADER + part.at[0], _LEADER + part.at[1]))
        elif not part.text:
            return None
    for name in row.when:
        if name.startswith("at"):
            at = _LEADER + int(name[2:])
            wanted.append(slice(at, at + 1))
        elif name.startswith(LEADER):
            wanted.append(slice(int(name[3:]), int(name[3:]) + 1))
        else:
            return None
    return itemgetter(*wanted)
