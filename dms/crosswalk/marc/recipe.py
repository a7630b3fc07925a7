"""A plan made ready: functions that make target fields of values, with all that is known before put together (pure).

A plan is made once an outline and followed for every field that has it, so what it says is turned into constants here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from dms.crosswalk.marc import functions, linking
from dms.crosswalk.marc.plan import NEW, Plan, Step, Target, indicator
from dms.crosswalk.model import Loss
from protocols import marc
from protocols.marc import DELIMITER


class Made(NamedTuple):
    """A target field, and the field in another script that belongs to it."""

    tag: str
    text: str
    twin: str = ""


Text = Callable[[str, Sequence[str], bool], str]  # indicators, values, whether marks of filing are in them → a text
Maker = Callable[[str, Sequence[str], bool], Made]  # the same with the source's indicators


class Recipe(NamedTuple):
    """What becomes of the fields of an outline."""

    makers: tuple[Maker, ...]
    left: tuple[int, ...]  # pieces that nobody took
    losses: tuple[Loss, ...]
    valued: tuple[int, ...]  # of those, which still have to be given their value
    head: bool
    kept: bool


def recipe(plan: Plan, embeds: Mapping[str, str]) -> Recipe:
    """The plan ready for use; `embeds`: indicators of the fields that a linking field may embed."""
    makers = tuple(_maker(target, embeds) for target in plan.targets)
    return Recipe(makers, plan.left, plan.losses, plan.valued, plan.head, plan.kept)


def _maker(target: Target, embeds: Mapping[str, str]) -> Maker:
    tag, ind = target.tag, target.ind
    text = _text(target, embeds)
    if ind and not target.twin:

        def made(_own: str, values: Sequence[str], marked: bool) -> Made:
            return Made(tag, text(ind, values, marked))

        return made
    twin = _text(target.twin, embeds) if target.twin else None

    def reckoned(own: str, values: Sequence[str], marked: bool) -> Made:
        raw = [(key, values[i]) for key, i in target.raw]
        told = ind or "".join(indicator(each, own, raw) for each in target.reckoned)
        return Made(tag, text(told, values, marked), twin(told, values, marked) if twin else "")

    return reckoned


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

    plain = not any(change or mark for _, _, change, mark, _ in bare)
    form = "".join([lead, *(f"{code}\0" for code, *_ in bare), add]).replace("%", "%%").replace("\0", "%s")
    picked = itemgetter(*(piece for _, piece, *_ in bare))
    one = bare[0][1] if len(bare) == 1 else None

    def text(ind: str, values: Sequence[str], marked: bool) -> str:
        if plain and not marked:
            return ind + form % (values[one] if one is not None else picked(values))
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
