"""What becomes of the fields of one outline: the same subfields make the same target, whatever their values (pure).

Rules are chosen once an outline: its tag, indicators and codes, with the values of those subfields that some rule asks
the value of, and which are empty or romanised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dms.crosswalk.marc import functions
from dms.crosswalk.marc.indicators import Judge
from dms.crosswalk.marc.pieces import Pieces
from dms.crosswalk.marc.table import Indicator, Row, Rule, Table
from dms.crosswalk.model import Fate, Loss

EMPTY = "empty"
NO_ROW = "no field of the target says this"
NO_RULE = "no subfield of the target says this"
LOCAL = "local field"
NEW = -1


class Around(NamedTuple):
    """What of its record matters to a field."""

    headed: bool = False  # the record has its main entry
    first: bool = True  # it is the first of its tag
    tags: frozenset[str] = frozenset()  # of the fields of the record that some row asks for
    coded: tuple[tuple[str, str], ...] = ()  # (code, where it went) of its subfields that are coded data


class Step(NamedTuple):
    """One value on its way into a target field."""

    piece: int
    mark: str  # closes what stands before it
    join: int  # the place of the subfield that it is added to, or NEW
    change: Callable[[str], str] | None


class Target(NamedTuple):
    """A target field."""

    tag: str
    ind: str  # where no value has marks of filing
    reckoned: tuple[Indicator, ...]  # where one has, and it matters
    raw: tuple[tuple[str, int], ...]  # what they are reckoned of: keys and pieces
    codes: tuple[str, ...]  # of its subfields
    steps: tuple[Step, ...]
    lead: tuple[tuple[str, str], ...]  # subfields of fixed text
    add: tuple[tuple[str, str], ...]
    twin: Target | None = None  # the same in another script

    def is_straight(self) -> bool:
        """Whether its text is its values one behind the other: nothing is added to another, nothing is embedded."""
        return all(step.join == NEW for step in self.steps) and all(
            len(code) == 1 for code in (*self.codes, *(code for code, _ in (*self.lead, *self.add)))
        )


class Plan(NamedTuple):
    """What becomes of the fields of an outline."""

    targets: tuple[Target, ...]
    left: tuple[int, ...]  # pieces that nobody took
    losses: tuple[Loss, ...]
    valued: tuple[int, ...]  # of those, which still have to be given their value
    head: bool
    kept: bool  # a local field that stays as it is, and targets that are made beside it


@dataclass(slots=True)
class _Fates:
    """What became of each piece; the last word is had by the best."""

    to: list[list[str]] = field(default_factory=list)
    why: list[str] = field(default_factory=list)


class Planner:
    """Makes plans by the rows of a table."""

    def __init__(self, table: Table, judge: Judge) -> None:
        self._judge = judge
        self._rows = table.rows
        self._twins: str = table.settings.get("twins", "")
        self._foreign: str = table.settings["foreign"]
        self._local: tuple[str, ...] = tuple(table.settings.get("local", ()))
        self._unmarks: bool = table.settings.get("unmarks", False)
        self._capitals: bool = table.settings.get("capitals", False)
        self._asked = {tag: frozenset(_asked(rows)) for tag, rows in table.rows.items()}

    def is_plain(self, tag: str, keys: Sequence[str]) -> bool:
        """Whether no plan for fields with these subfields asks for a value."""
        asked = self._asked.get(tag)
        return not asked or asked.isdisjoint(keys)

    def outline(self, tag: str, pieces: Pieces) -> tuple[str, ...]:
        """The codes of a field, with what else its plan depends on."""
        keys, _, values, romanised = pieces
        asked = self._asked.get(tag)
        tokens = [
            (f"{key}={value}" if asked and key in asked else key) if value and not value.isspace() else f"{key}\0"
            for key, value in zip(keys, values, strict=True)
        ]
        for i in romanised:
            tokens[i] += "\1"
        return tuple(tokens)

    def plan(self, tag: str, indicators: str, pieces: Pieces, around: Around) -> Plan | None:
        """What becomes of it; None if no row takes it and it is no coded data."""
        coded = dict(around.coded)
        rows = self._fitting(tag, indicators, pieces, around)
        if not rows and not coded:
            return None
        kept = bool(rows) and tag.startswith(self._local) and all(row.also for row in rows)
        if kept:
            pieces = pieces._replace(romanised=())  # the field itself has them
        fates = _Fates([[coded[key]] if key in coded else [] for key in pieces.keys], [""] * len(pieces.keys))
        targets: list[Target] = []
        makers: list[Row] = []
        head = False
        for row in rows:
            if row.lost:
                fates.why = [why or row.lost for why in fates.why]
                continue
            heading = bool(row.head) and not around.headed and not head
            head = head or heading
            for group in _groups(row.per, pieces.keys):
                if target := self._target(row, heading, indicators, pieces, group, fates):
                    targets.append(target)
                    makers.append(row)
        full = [bool(value.strip()) for value in pieces.values]
        if kept:
            for to in fates.to:
                to.append(tag)
        left = tuple(i for i, said in enumerate(full) if said and not fates.to[i] and not fates.why[i])
        losses = tuple(self._loss(tag, pieces.codes[i], full[i], fates.to[i], fates.why[i]) for i in range(len(full)))
        if kept:
            losses = tuple(each._replace(fate=Fate.LOCAL, why=LOCAL) if each.to == tag else each for each in losses)
        valued = tuple(i for i, loss in enumerate(losses) if loss.fate is Fate.LOST and full[i])
        if (targets or coded) and not kept and not left:  # else it, or the rest of it, is somewhere with its indicators
            losses += self._judge.losses(tag, indicators, makers)
        return Plan(tuple(targets), left, losses, valued, head, kept)

    def _loss(self, tag: str, code: str, full: bool, to: Sequence[str], why: str) -> Loss:
        if not full:
            return Loss(tag, code, Fate.LOST, why=EMPTY)
        if to:
            return Loss(tag, code, Fate.MAPPED, ", ".join(dict.fromkeys(to)))
        if why:
            return Loss(tag, code, Fate.LOST, why=why)
        return Loss(tag, code, Fate.LOCAL, self._foreign, NO_RULE)

    def _fitting(self, tag: str, indicators: str, pieces: Pieces, around: Around) -> list[Row]:
        """The rows that take the field: the first that fits, and those that take it beside."""
        found: list[Row] = []
        for row in self._rows.get(tag, ()):
            if (row.also or not found) and _fits(row, indicators, pieces, around):
                found.append(row)
        return found

    def _target(
        self, row: Row, heading: bool, indicators: str, pieces: Pieces, group: Sequence[int], fates: _Fates
    ) -> Target | None:
        tag = row.head if heading else row.to
        main = [i for i in group if i not in pieces.romanised]
        if row.order:  # before the marks are set
            main.sort(key=lambda i: row.order.find(_first_target(row, pieces.keys[i])))
        if row.more and sum(pieces.keys[i] in row.take for i in main) < 2:
            return None
        codes, steps = self._steps(row, tag, [(i, pieces.keys[i]) for i in main], pieces.values, fates)
        if not steps:
            return None
        spec = row.ind_head if heading else row.ind
        later = any(each.by for each in spec)
        target = Target(
            tag=tag,
            ind="".join(indicator(each, indicators, []) for each in spec),
            reckoned=spec if later else (),
            raw=tuple((pieces.keys[i], i) for i in main) if later else (),
            codes=tuple(codes),
            steps=tuple(steps),
            lead=_words(row.lead, indicators),
            add=tuple(each for each in _words(row.add, indicators) if each[0] not in codes),
        )
        if pieces.romanised and self._twins:
            return target._replace(twin=self._twin(row, target, pieces, group, fates))
        return target

    def _twin(self, row: Row, target: Target, pieces: Pieces, group: Sequence[int], fates: _Fates) -> Target | None:
        """The romanised subfields as a field by the same row, without its fixed text."""
        spoken: list[tuple[int, str]] = []
        before = ""
        for i in group:
            key = pieces.keys[i]
            if i not in pieces.romanised:
                before = key
            elif (key := key.lower() if key.isalpha() else before) in row.take:
                spoken.append((i, key))
        codes, steps = self._steps(row, self._twins, spoken, pieces.values, fates)
        return target._replace(codes=tuple(codes), steps=tuple(steps), lead=(), add=()) if steps else None

    def _steps(
        self, row: Row, tag: str, given: Sequence[tuple[int, str]], values: Sequence[str], fates: _Fates
    ) -> tuple[list[str], list[Step]]:
        """The target's subfields, and how the values come into them."""
        codes: list[str] = []
        steps: list[Step] = []
        seen: set[str] = set()
        for i, key in given:
            value = values[i].strip()
            if not value:
                continue
            rules = row.take.get(key, ())
            if not rules and self._capitals and key[:1].isupper():
                rules = _spelling(row.take.get(key.lower(), ()))
            rule = _rule(rules, key, value, codes, seen)
            seen.add(key)
            if rule is None:
                continue
            if rule.lost:
                fates.why[i] = rule.lost
                continue
            join = codes.index(rule.to) if rule.to in row.single and rule.to in codes else NEW
            if join == NEW:
                codes.append(rule.to)
            steps.append(Step(i, rule.mark, join, self._change(rule)))
            fates.to[i].append(f"{tag}${rule.to}")
        return codes, steps

    def _change(self, rule: Rule) -> Callable[[str], str] | None:
        """What is done to a value; None = nothing."""
        table, by, (before, behind) = rule.map, rule.by, rule.words
        if table is None and not by and not (before or behind):
            return functions.without_marks if self._unmarks else None

        def change(value: str) -> str:
            if table is not None:
                value = table.get(value.strip()) or table.get("*", value)
            elif self._unmarks:
                value = functions.without_marks(value)
            return f"{before}{by(value) if by else value}{behind}"

        return change


def indicator(spec: Indicator, indicators: str, pairs: list[tuple[str, str]]) -> str:
    """A target's indicator, of the source's and of (key, value) pairs."""
    if spec.by:
        return spec.by(indicators, pairs)
    if spec.of and spec.map is not None:
        own = indicators[spec.of - 1 : spec.of] or " "
        return spec.map.get(own, spec.map.get("*", own))
    return spec.text


def _asked(rows: Sequence[Row]) -> set[str]:
    """Keys whose values some rule or condition asks for."""
    asked = {name for row in rows for name, wanted in row.when.items() if wanted not in ("", "*")}
    return asked | {
        key for row in rows for key, rules in row.take.items() for rule in rules if rule.map is not None or rule.match
    }


def _spelling(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """What becomes of a romanised subfield: the capital code of what it spells."""
    return tuple(replace(each, to=each.to.upper()) for each in rules if each.to)


def _first_target(row: Row, key: str) -> str:
    """The code to which the first rule for a key sends it."""
    rules = row.take.get(key)
    return rules[0].to if rules else ""


def _rule(rules: Sequence[Rule], key: str, value: str, codes: Sequence[str], seen: set[str]) -> Rule | None:
    """The first rule that is for this subfield; `codes`: of the target, so far."""
    for rule in rules:
        if rule.first and key in seen:
            continue
        if rule.after and not any(code in rule.after for code in codes):
            continue
        if rule.map is not None and value not in rule.map and "*" not in rule.map:
            continue
        if rule.match is not None and not rule.match.search(value):
            continue
        return rule
    return None


def _words(told: Sequence[tuple[str, Indicator]], indicators: str) -> tuple[tuple[str, str], ...]:
    """Subfields of fixed text; an empty one is left out."""
    return tuple((code, text) for code, spec in told if (text := indicator(spec, indicators, [])))


def _groups(per: str, keys: Sequence[str]) -> list[list[int]]:
    """Places of the pieces of each target field."""
    if not per:
        return [list(range(len(keys)))]
    groups: list[list[int]] = []
    for i, key in enumerate(keys):
        if not groups or (key in per and any(keys[j] in per for j in groups[-1])):
            groups.append([])
        groups[-1].append(i)
    return groups


def _fits(row: Row, indicators: str, pieces: Pieces, around: Around) -> bool:
    return all(_holds(name, wanted, indicators, pieces, around) for name, wanted in row.when.items())


def _holds(name: str, wanted: str, indicators: str, pieces: Pieces, around: Around) -> bool:
    """Whether one condition of a row holds."""
    match name:
        case "record":
            return not around.tags.isdisjoint(wanted.split("|"))
        case "without":
            return around.tags.isdisjoint(wanted.split("|"))
        case "nth":
            return around.first is (wanted == "1")
        case "ind1" | "ind2":
            return (indicators[int(name[3]) - 1 : int(name[3])] or " ") in wanted
    found = [value for code, value in zip(pieces.codes, pieces.values, strict=True) if code == name]
    if wanted in ("", "*"):
        return bool(found) == (wanted == "*")
    return any(value.strip().lower() in wanted.split("|") for value in found)
