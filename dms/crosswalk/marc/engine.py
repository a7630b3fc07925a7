"""Fields by the rows of a crosswalk: target fields, twins in another script, and a line for every subfield (pure).

Many fields are met again and again (publishers, headings, codes), and nearly all have an outline that was met: what
became of a text, and of an outline, is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dms.crosswalk.marc import linking
from dms.crosswalk.marc.pieces import Pieces, Reader, opened
from dms.crosswalk.marc.plan import LOCAL, NEW, NO_ROW, Around, Plan, Planner, Target, indicator
from dms.crosswalk.marc.table import Table
from dms.crosswalk.model import Fate, Loss
from protocols import marc
from protocols.marc import DELIMITER

REMEMBERED = 50_000  # texts, and outlines; about 60 MB at worst
LONG = 200  # characters; longer texts don't come again
ALONE = Around()


class Made(NamedTuple):
    """A target field, and the field in another script that belongs to it."""

    tag: str
    text: str
    twin: str = ""


class Outcome(NamedTuple):
    """What became of a field."""

    made: tuple[Made, ...]
    losses: tuple[Loss, ...]
    head: bool = False  # it is the record's main entry


class Engine:
    """Applies a table to fields and remembers what became of them."""

    def __init__(self, table: Table) -> None:
        self._reader = Reader(table)
        self._planner = Planner(table)
        self._texts: dict[tuple[str, str] | tuple[str, str, Around], Outcome] = {}
        self._plans: dict[tuple[str, str, Around, tuple[str, ...]], Plan | None] = {}
        self._lines: dict[tuple[str, tuple[str, ...]], tuple[Loss, ...]] = {}  # of fields that no row takes
        self._foreign: str = table.settings["foreign"]
        self._format: str = table.settings["format"]
        self._local: tuple[str, ...] = tuple(table.settings.get("local", ()))
        self._embeds: Mapping[str, str] = table.settings.get("embeds", {})

    def field(self, tag: str, text: str, around: Around = ALONE) -> Outcome:
        """What becomes of a field of a record with these things around it."""
        if len(text) > LONG:
            return self._field(tag, text, around)
        key = (tag, text) if around is ALONE else (tag, text, around)
        known = self._texts.get(key)
        if known is None:
            if len(self._texts) >= REMEMBERED:
                self._texts.clear()
            known = self._texts[key] = self._field(tag, text, around)
        return known

    def _field(self, tag: str, text: str, around: Around) -> Outcome:
        pieces = self._reader.read(tag, text)
        key = (tag, text[:2], around, self._planner.outline(tag, pieces))
        if key in self._plans:
            plan = self._plans[key]
        else:
            if len(self._plans) >= REMEMBERED:
                self._plans.clear()
            plan = self._plans[key] = self._planner.plan(tag, text[:2], pieces, around)
        if plan is None:
            return self._kept(tag, text, pieces)
        made = [self._made(target, text[:2], pieces.values) for target in plan.targets]
        if plan.left:
            left = [opened(pieces.keys[i], pieces.values[i]) for i in plan.left]
            made.append(self._stranger(tag, marc.field(text[:2], left)))
        losses = plan.losses
        if plan.valued:
            told = list(losses)
            for i in plan.valued:
                told[i] = told[i]._replace(value=pieces.values[i])
            losses = tuple(told)
        return Outcome(tuple(made), losses, plan.head)

    def _made(self, target: Target, indicators: str, values: Sequence[str]) -> Made:
        """A target field with its values."""
        ind = target.ind
        if not ind:
            raw = [(key, values[i]) for key, i in target.raw]
            ind = "".join(indicator(each, indicators, raw) for each in target.reckoned)
        text = self._text(target, ind, values)
        return Made(target.tag, text, self._text(target.twin, ind, values) if target.twin else "")

    def _text(self, target: Target, ind: str, values: Sequence[str]) -> str:
        told: list[str] = []
        for i, mark, join, change in target.steps:
            value = change(values[i]) if change else values[i]
            if join != NEW:
                told[join] = f"{_closed(told[join], mark)} {value}"
                continue
            if mark and told:
                told[-1] = _closed(told[-1], mark)
            told.append(value)
        pairs = [*target.lead, *zip(target.codes, told, strict=True), *target.add]
        return marc.field(ind, linking.embedded(pairs, self._embeds) if self._embeds else pairs)

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


def _closed(text: str, mark: str) -> str:
    """The text with a mark at its end, which it may have."""
    if not mark:
        return text
    bare = text.rstrip()
    return bare if bare.endswith(mark.strip()) else bare + mark
