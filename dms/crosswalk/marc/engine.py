"""Fields by the rows of a crosswalk: target fields, twins in another script, and a line for every subfield (pure).

Many fields are met again and again (publishers, headings, codes), and nearly all have an outline that was met: what
became of a text, and of an outline, is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dms.crosswalk.marc import table as tables
from dms.crosswalk.marc.indicators import Judge
from dms.crosswalk.marc.pieces import Pieces, Reader, opened
from dms.crosswalk.marc.plan import LOCAL, NO_ROW, Around, Planner
from dms.crosswalk.marc.recipe import Made, Recipe, recipe
from dms.crosswalk.marc.table import Table
from dms.crosswalk.model import Fate, Loss
from protocols import marc
from protocols.marc import DELIMITER

REMEMBERED = 50_000  # texts, and outlines; about 60 MB at worst
LONG = 200  # characters; longer texts don't come again
TRIED = 1000  # texts of a tag, after which it is known whether they come again
WORTH = 1.5  # how often each must have been asked for by then
ALONE = Around()


class Outcome(NamedTuple):
    """What became of a field."""

    made: tuple[Made, ...]
    losses: tuple[Loss, ...]
    head: bool = False  # it is the record's main entry


class _Shape(NamedTuple):
    """The fields of a tag with the same codes in the same order."""

    plain: bool  # the plan asks for no value of theirs
    recipes: dict[object, Recipe | None]  # by indicators, what is around, and what else the plan depends on


class _Texts:
    """What became of the texts of a tag, as long as texts come again under it (titles do not, headings do)."""

    __slots__ = ("asked", "known")

    def __init__(self) -> None:
        self.known: dict[object, Outcome] | None = {}
        self.asked = 0

    def add(self, key: object, outcome: Outcome) -> bool:
        """Remember one; False if that is not worth it."""
        if self.known is None:
            return False
        self.known[key] = outcome
        if len(self.known) == TRIED and self.asked < TRIED * WORTH:
            self.known = None
        return True


class Engine:
    """Applies a table to fields and remembers what became of them."""

    def __init__(self, table: Table) -> None:
        self._reader = Reader(table)
        self._planner = Planner(table, Judge(table, tables.table(table.settings["back"])))
        self._texts: dict[str, _Texts] = {}
        self._remembered = 0  # of texts
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._recipes = 0
        self._lines: dict[tuple[str, tuple[str, ...]], tuple[Loss, ...]] = {}  # of fields that no row takes
        self._foreign: str = table.settings["foreign"]
        self._format: str = table.settings["format"]
        self._local: tuple[str, ...] = tuple(table.settings.get("local", ()))
        self._embeds: Mapping[str, str] = table.settings.get("embeds", {})

    def field(self, tag: str, text: str, around: Around = ALONE) -> Outcome:
        """What becomes of a field of a record with these things around it."""
        texts = self._texts.get(tag) or self._texts.setdefault(tag, _Texts())
        known = texts.known
        if known is None or len(text) > LONG:
            return self._field(tag, text, around)
        texts.asked += 1
        key = text if around is ALONE else (text, around)
        outcome = known.get(key)
        if outcome is None:
            if self._remembered >= REMEMBERED:
                self._texts.clear()
                self._remembered = 0
            outcome = self._field(tag, text, around)
            self._remembered += texts.add(key, outcome)
        return outcome

    def _field(self, tag: str, text: str, around: Around) -> Outcome:
        pieces = self._reader.read(tag, text)
        keys, _, values, romanised = pieces
        ind = text[:2]
        shape = self._shapes.get((tag, *keys))
        if shape is None:
            shape = self._shapes[(tag, *keys)] = _Shape(self._planner.is_plain(tag, keys), {})
        key: object = (ind, around) if around is not ALONE else ind
        if romanised or not shape.plain or not all(map(str.strip, values)):
            key = (ind, around, self._planner.outline(tag, pieces))
        if key in shape.recipes:
            found = shape.recipes[key]
        else:
            if self._recipes >= REMEMBERED:
                self._shapes.clear()
                self._recipes = 0
            self._recipes += 1
            plan = self._planner.plan(tag, ind, pieces, around)
            found = shape.recipes[key] = recipe(plan, self._embeds) if plan else None
        if found is None:
            return self._kept(tag, text, pieces)
        makers, left, losses, valued, head, is_kept = found
        marked = "\x88" in text or "\x98" in text
        made: tuple[Made, ...] = tuple([make(ind, values, marked) for make in makers])
        if is_kept:
            made = (*made, Made(tag, text))
        if left:
            kept = [opened(keys[i], values[i]) for i in left]
            made = (*made, self._stranger(tag, marc.field(ind, kept)))
        if valued:
            told = list(losses)
            for i in valued:
                told[i] = told[i]._replace(value=values[i])
            losses = tuple(told)
        return Outcome(made, losses, head)

    def _kept(self, tag: str, text: str, pieces: Pieces) -> Outcome:
        """A field that no row takes: under its own tag where that is nobody's, else in the field for foreign ones."""
        local = not tag.isdigit() or tag.startswith(self._local)
        key = (tag, tuple(pieces.codes))
        losses = self._lines.get(key)
        if losses is None:
            to, why = (tag, LOCAL) if local else (self._foreign, NO_ROW)
            if len(self._lines) >= REMEMBERED:
                self._lines.clear()
            losses = self._lines[key] = tuple(Loss(tag, code, Fate.LOCAL, to, why) for code in pieces.codes)
        return Outcome((Made(tag, text) if local else self._stranger(tag, text),), losses)

    def _stranger(self, tag: str, text: str) -> Made:
        """A field, or what nobody took of one, in the field for foreign ones (MARC 21, 886)."""
        if text[2:3] not in ("", DELIMITER):  # words that stand in no subfield
            _, indicators, pairs = next(marc.walk(marc.Record("", ((tag, text),))))
            text = marc.field(indicators, pairs)
        head = f"2 {DELIMITER}2{self._format}{DELIMITER}a{tag}{DELIMITER}b"
        return Made(self._foreign, head + text)
