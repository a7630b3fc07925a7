"""Fields by the rows of a crosswalk: target fields, twins in another script, and a line for every subfield (pure).

Many fields are met again and again (publishers, headings, codes), and nearly all have an outline that was met: what
became of a text, and of an outline, is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

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
WAYS = 4096
LONG = 200  # characters; longer texts don't come again
TRIED = 1000  # texts, after which it is known whether they come again
WORTH = 1.5  # how often each must have been asked for by then
ALONE = Around()


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a field."""

    made: tuple[Made, ...]
    losses: tuple[Loss, ...]
    head: bool = False  # it is the record's main entry


class _Shape(NamedTuple):
    """The fields with the same codes in the same order."""

    plain: bool  # the plan asks for no value of theirs
    may_spell: bool  # they may have romanised subfields
    recipes: dict[object, Recipe | None]  # by indicators, and what else the plan depends on


class Engine:
    """Applies a table to fields and remembers what became of them."""

    def __init__(self, table: Table) -> None:
        self.reader = Reader(table)
        self.planner = Planner(table, Judge(table, tables.table(table.settings["back"])))
        self.embeds: Mapping[str, str] = table.settings.get("embeds", {})
        self._ways: dict[tuple[str, Around], Way] = {}
        self._texts = self._recipes = 0
        self._lines: dict[tuple[str, tuple[str, ...]], tuple[Loss, ...]] = {}  # of fields that no row takes
        self._foreign: str = table.settings["foreign"]
        self._format: str = table.settings["format"]
        self._local: tuple[str, ...] = tuple(table.settings.get("local", ()))

    def way(self, tag: str, around: Around = ALONE) -> Way:
        """What becomes of the fields of a tag in records with these things around them."""
        way = self._ways.get((tag, around))
        if way is None:
            way = self._ways[tag, around] = Way(self, tag, around)
        return way

    def is_full(self) -> bool:
        """Whether there are so many ways that all should be forgotten; whoever has some must forget them, too."""
        return len(self._ways) >= WAYS

    def forget(self) -> None:
        """Forget all ways."""
        self._ways.clear()

    def field(self, tag: str, text: str, around: Around = ALONE) -> Outcome:
        """What becomes of a field of a record with these things around it."""
        return self.way(tag, around).field(text)

    def learnt(self, texts: int, recipes: int) -> None:
        """Ways remember so many more; there is room for so many of all."""
        self._texts += texts
        self._recipes += recipes
        if self._texts > REMEMBERED or self._recipes > REMEMBERED:
            self._texts = self._recipes = 0
            for way in self._ways.values():
                way.forget()

    def kept(self, tag: str, text: str, codes: Sequence[str]) -> Outcome:
        """A field that no row takes: under its own tag where that is nobody's, else in the field for foreign ones."""
        local = not tag.isdigit() or tag.startswith(self._local)
        key = (tag, tuple(codes))
        losses = self._lines.get(key)
        if losses is None:
            to, why = (tag, LOCAL) if local else (self._foreign, NO_ROW)
            if len(self._lines) >= REMEMBERED:
                self._lines.clear()
            losses = self._lines[key] = tuple(Loss(tag, code, Fate.LOCAL, to, why) for code in codes)
        return Outcome((Made(tag, text) if local else self.stranger(tag, text),), losses)

    def stranger(self, tag: str, text: str) -> Made:
        """A field, or what nobody took of one, in the field for foreign ones (MARC 21, 886)."""
        if text[2:3] not in ("", DELIMITER):  # words that stand in no subfield
            _, indicators, pairs = next(marc.walk(marc.Record("", ((tag, text),))))
            text = marc.field(indicators, pairs)
        head = f"2 {DELIMITER}2{self._format}{DELIMITER}a{tag}{DELIMITER}b"
        return Made(self._foreign, head + text)


class Way:
    """The fields of a tag with the same things around them.

    Outcomes are remembered by text as long as texts come again under the tag (titles do not, headings do).
    """

    __slots__ = ("_around", "_asked", "_engine", "_known", "_read", "_shapes", "_tag")

    def __init__(self, engine: Engine, tag: str, around: Around) -> None:
        self._engine = engine
        self._tag = tag
        self._around = around
        self._read = engine.reader.of(tag)
        self._known: dict[str, Outcome] | None = {}
        self._asked = 0
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def forget(self) -> None:
        """Forget what became of fields."""
        self._known = {}
        self._asked = 0
        self._shapes.clear()

    def field(self, text: str) -> Outcome:
        """What becomes of a field."""
        known = self._known
        if known is None or len(text) > LONG:
            return self._made(text)
        self._asked += 1
        outcome = known.get(text)
        if outcome is None:
            outcome = self._made(text)
            known[text] = outcome
            if len(known) == TRIED and self._asked < TRIED * WORTH:
                self._known = None
            else:
                self._engine.learnt(1, 0)
        return outcome

    def _made(self, text: str) -> Outcome:
        keys, codes, values = self._read(text)
        ind = text[:2]
        shape = self._shapes.get(keys) or self._shape(keys)
        romanised = self._engine.reader.spelled(keys, values) if shape.may_spell else ()
        key: object = ind
        if romanised or not shape.plain or not all(map(str.strip, values)):
            key = (ind, self._engine.planner.outline(self._tag, Pieces(keys, codes, values, romanised)))
        found = shape.recipes.get(key)
        if found is None:
            found = self._planned(shape, key, ind, Pieces(keys, codes, values, romanised))
            if found is None:
                return self._engine.kept(self._tag, text, codes)
        marked = "\x88" in text or "\x98" in text
        makers = found.makers
        if len(makers) == 1:
            made: tuple[Made, ...] = (makers[0](ind, values, marked),)
        else:
            made = tuple([make(ind, values, marked) for make in makers])
        if not found.more:
            return Outcome(made, found.losses, found.head)
        if found.kept:
            made = (*made, Made(self._tag, text))
        if found.left:
            kept = [opened(keys[i], values[i]) for i in found.left]
            made = (*made, self._engine.stranger(self._tag, marc.field(ind, kept)))
        losses = found.losses
        if found.valued:
            told = list(losses)
            for i in found.valued:
                told[i] = told[i]._replace(value=values[i])
            losses = tuple(told)
        return Outcome(made, losses, found.head)

    def _shape(self, keys: tuple[str, ...]) -> _Shape:
        plain = self._engine.planner.is_plain(self._tag, keys)
        made = self._shapes[keys] = _Shape(plain, self._engine.reader.may_spell(self._tag, keys), {})
        return made

    def _planned(self, shape: _Shape, key: object, ind: str, pieces: Pieces) -> Recipe | None:
        """The recipe of an outline that was not met; None if no row takes its fields."""
        if key in shape.recipes:
            return None
        plan = self._engine.planner.plan(self._tag, ind, pieces, self._around)
        made = shape.recipes[key] = recipe(plan, self._engine.embeds) if plan else None
        self._engine.learnt(0, 1)
        return made
