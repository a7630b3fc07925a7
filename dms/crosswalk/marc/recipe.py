"""A plan made ready: functions that make target fields of values, with all that is known before put together (pure).

A plan is made once an outline and followed for every field that has it, so what it says is turned into constants here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from dms.crosswalk.marc import functions, linking
from dms.crosswalk.marc.plan import NEW, Plan, Step, Target, indicator
from dms.crosswalk.model import Loss
from protocols import marc
from protocols.marc import DELIMITER


class Made(msgspec.Struct, frozen=True, gc=False):
    """A target field, and the field in another script that belongs to it; a struct because so many are made."""

    tag: str
    text: str
    twin: str = ""


Text = Callable[[str, Sequence[str], bool], str]  # indicators, values, whether marks of filing are in them → a text
Maker = Callable[[str, Sequence[str], bool], Made]  # the same with the source's indicators


class Recipe(NamedTuple):
    """What becomes of the fields of an outline."""

    makers: tuple[Maker, ...]
    losses: tuple[Loss, ...]
    head: bool
    more: bool  # the rest says more
    left: tuple[int, ...] = ()  # pieces that nobody took
    valued: tuple[int, ...] = ()  # of the lines, which still have to be given their value
    kept: bool = False


def recipe(plan: Plan, embeds: Mapping[str, str]) -> Recipe:
    """The plan ready for use; `embeds`: indicators of the fields that a linking field may embed."""
    makers = tuple(_maker(target, embeds) for target in plan.targets)
    more = bool(plan.left or plan.valued or plan.kept)
    return Recipe(makers, plan.losses, plan.head, more, plan.left, plan.valued, plan.kept)


def _maker(target: Target, embeds: Mapping[str, str]) -> Maker:
    tag, ind = target.tag, target.ind
    if target.twin or target.reckoned:
        return _reckoned(target, embeds)
    if whole := _whole(target):
        return whole
    text = _text(target, embeds)

    def made(_own: str, values: Sequence[str], marked: bool) -> Made:
        return Made(tag, text(ind, values, marked))

    return made


def _reckoned(target: Target, embeds: Mapping[str, str]) -> Maker:
    """The maker of a target that has a twin, or indicators that depend on marks of filing."""
    tag, ind, specs = target.tag, target.ind, target.reckoned
    text = _text(target, embeds)
    twin = _text(target.twin, embeds) if target.twin else None

    def made(own: str, values: Sequence[str], marked: bool) -> Made:
        told = ind
        if marked and specs:
            raw = [(key, values[i]) for key, i in target.raw]
            told = "".join([indicator(each, own, raw) for each in specs])
        return Made(tag, text(told, values, marked), twin(told, values, marked) if twin else "")

    return made


def _whole(target: Target) -> Maker | None:
    """The maker of a target that is its values as they stand, and fixed text; None of others."""
    if not target.is_straight() or any(step.mark for step in target.steps[1:]):
        return None
    changes = [step.change for step in target.steps]
    if any(change and change is not functions.without_marks for change in changes):
        return None
    tag, ind = target.tag, target.ind
    lead, add = ("".join(f"{DELIMITER}{code}{text}" for code, text in pairs) for pairs in (target.lead, target.add))
    codes = [DELIMITER + code for code in target.codes]
    places = [step.piece for step in target.steps]
    without_marks = functions.without_marks
    parts = list(zip(codes, places, changes, strict=True))

    def marked_text(values: Sequence[str]) -> str:
        told = [code + (without_marks(values[i]) if change else values[i]) for code, i, change in parts]
        return "".join([ind, lead, *told, add])

    if len(parts) == 1:
        before, place = ind + lead + codes[0], places[0]

        def one(_own: str, values: Sequence[str], marked: bool) -> Made:
            return Made(tag, marked_text(values) if marked else before + values[place] + add)

        return one
    form = "".join([ind, lead, *(f"{code}\0" for code in codes), add]).replace("%", "%%").replace("\0", "%s")
    picked = itemgetter(*places)

    def several(_own: str, values: Sequence[str], marked: bool) -> Made:
        return Made(tag, marked_text(values) if marked else form % picked(values))

    return several


def _text(target: Target, embeds: Mapping[str, str]) -> Text:
    return _straight(target) if target.is_straight() else _joined(target, embeds)


def _straight(target: Target) -> Text:
    """Values one behind the other, each closed with the mark of what comes next."""
    lead, add = ("".join(f"{DELIMITER}{code}{text}" for code, text in pairs) for pairs in (target.lead, target.add))
    marks = [step.mark for step in target.steps[1:]] + [""]
    every = [
        (DELIMITER + code, step.piece, step.change, mark, mark.strip())
        for code, step, mark in zip(target.codes, target.steps, marks, strict=True)
    ]
    bare = [
        (code, piece, None if change is functions.without_marks else change, mark, end)
        for code, piece, change, mark, end in every
    ]

    def text(ind: str, values: Sequence[str], marked: bool) -> str:
        told = ind + lead
        for code, piece, change, mark, end in every if marked else bare:
            value = values[piece]
            if change:
                value = change(value)
            if mark:
                value = value.rstrip()
                if not value.endswith(end):
                    value += mark
            told += code + value
        return told + add

    return text


def _joined(target: Target, embeds: Mapping[str, str]) -> Text:
    """Values of which some are added to what stands there, or come into embedded fields."""
    steps: tuple[Step, ...] = target.steps

    def text(ind: str, values: Sequence[str], _marked: bool) -> str:
        told: list[str] = []
        for i, mark, join, change in steps:
            value = change(values[i]) if change else values[i]
            if join != NEW:
                told[join] = f"{_closed(told[join], mark)} {value}"
                continue
            if mark and told:
                told[-1] = _closed(told[-1], mark)
            told.append(value)
        pairs = [*target.lead, *zip(target.codes, told, strict=True), *target.add]
        return marc.field(ind, linking.embedded(pairs, embeds) if embeds else pairs)

    return text


def _closed(text: str, mark: str) -> str:
    """The text with a mark at its end, which it may have."""
    if not mark:
        return text
    bare = text.rstrip()
    return bare if bare.endswith(mark.strip()) else bare + mark
