"""What stands at the positions of leaders, fixed fields and coded subfields, against the definitions (pure).

A value is cut into slices of neighbouring positions, and the faults of a slice are remembered: the same language, place
and form come again and again, whatever the dates beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from catalog.model import Format
from dms.rules.definitions.tables import FILL, Definitions, Fixed, Position
from dms.rules.model import LEADER, Kind
from dms.rules.shapes import Fault, listed, shown
from protocols.marc import DELIMITER

CONSTANT = frozenset((10, 11, 20, 21, 22, 23))  # of the leader: what ISO 2709 leaves to a format, and it has settled
WIDEST = 18  # characters of a slice
MOST_SLICES = 1 << 13  # remembered of each
SHORT = 32  # characters of a field that is remembered whole: languages, countries, codes without dates
_YEAR = re.compile(r"[0-9u |#^-]{4}")
_STAMP = re.compile(r"[0-9]{14}\.[0-9]")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)

# MARC 21, 006 and 008: materials by leader/06, language material by leader/07 too; 006 by its first character.
_BY_TYPE = (
    dict.fromkeys("cdij", "music") | dict.fromkeys("ef", "maps") | dict.fromkeys("gkor", "visual")
    | {"m": "computer", "p": "mixed"}
)  # fmt: skip
_BY_LEVEL = dict.fromkeys("acdm", "books") | dict.fromkeys("bis", "continuing")
_BY_FORM = _BY_TYPE | {"a": "books", "t": "books", "s": "continuing"}


class _Slice:
    """Positions side by side, and the texts that were met there."""

    def __init__(self, part: list[Position], code: str, rule: str, off: frozenset[str]) -> None:
        self.start, self.end = part[0].start, part[-1].start + part[-1].width
        self.sound: set[str] = set()
        self._part = part
        self._code = code
        self._rule = rule
        self._off = off
        self._remembered = lru_cache(maxsize=MOST_SLICES)(self._found)
        self._match = _STAMP.fullmatch if part[0].pattern == "stamp" else None  # hardly ever alike
        self._all_match = _all_match(part, self.end - self.start)

    def faults(self, text: str) -> tuple[Fault, ...]:
        """Faults of a text that is not known to be sound."""
        if self._match and self._match(text):
            return ()
        found = self._remembered(text)
        if not found:  # a set answers quicker than what remembers results
            if len(self.sound) >= MOST_SLICES:
                self.sound.clear()
            self.sound.add(text)
        return found

    def unsure(self, texts: list[str]) -> list[int]:
        """Which of some texts are not known to be sound."""
        if self.sound.issuperset(texts):
            return []
        if self._all_match and self._all_match("".join(texts)) and set(map(len, texts)) == {self.end - self.start}:
            return []
        return [number for number, text in enumerate(texts) if text not in self.sound]

    def _found(self, text: str) -> tuple[Fault, ...]:
        parts = [(each, text[each.start - self.start :][: each.width]) for each in self._part]
        faults = [self._fault(each, part) for each, part in parts if part and not _fits(each, part)]
        return tuple(fault for fault in faults if fault.rule not in self._off)

    def _fault(self, each: Position, text: str) -> Fault:
        rule, wanted = self._rule, each.pattern or listed(each.codes)
        if not each.pattern:
            if text in each.codes or all(char in each.codes for char in text):
                rule = "code-obsolete"
            elif rule == "leader-code" and each.start in CONSTANT:
                rule = "leader-constant"
            elif rule == "code-undefined" and text.isspace():
                rule, text, wanted = "code-blank", str(each.start), FILL
        return Fault(rule, self._code, each.start, shown(text), wanted)


class Plan:
    """How a fixed value is looked at."""

    def __init__(self, fixed: Fixed, selector: str, code: str, rule: str, off: frozenset[str]) -> None:
        self._lengths = fixed.lengths_of(selector)
        self._tells_length = "fixed-length" not in off
        self._code = code
        slices = [_Slice(part, code, rule, off) for part in _parts(fixed.of(selector))]
        self._slices = [(each.start, each.end, each.sound, each) for each in slices]

    def unsure(self, texts: list[str]) -> set[int]:
        """Which of some values may have faults; of the others it is known that they have none."""
        lengths = self._lengths
        found: set[int] = set()
        if lengths and not lengths.issuperset(map(len, texts)):
            found.update([number for number, text in enumerate(texts) if len(text) not in lengths])
        for start, end, _, each in self._slices:
            found.update(each.unsure([text[start:end] for text in texts]))
        return found

    def faults(self, text: str) -> Sequence[Fault]:
        """Faults of a value. Where it has the wrong length nothing else is said of it: all positions may be shifted."""
        if self._lengths and len(text) not in self._lengths:
            lengths = " ".join(map(str, sorted(self._lengths)))
            return [Fault("fixed-length", self._code, -1, str(len(text)), lengths)] if self._tells_length else []
        found: list[Fault] = []
        for start, end, sound, each in self._slices:
            if text[start:end] not in sound:
                found += each.faults(text[start:end])
        return _together(tuple(found)) if len(found) > 1 else found


def _all_match(part: list[Position], width: int) -> Callable[[str], object] | None:
    """What matches any number of sound texts of a slice, one behind the other; None if there is no such pattern."""
    if sum(each.width for each in part) != width:
        return None
    told = [_expression(each) for each in part]
    return re.compile(f"(?:{''.join(told)})*", re.ASCII).fullmatch if all(told) else None


def _expression(each: Position) -> str:
    if each.pattern:
        return {"digits": f"[0-9]{{{each.width}}}", "year": _YEAR.pattern, "stamp": _STAMP.pattern}[each.pattern]
    legal = "".join(re.escape(code) for code in sorted(each.codes.legal) if len(code) == 1)
    return f"[{legal}]" if each.width == 1 and legal else ""


def _fits(each: Position, text: str) -> bool:
    match each.pattern:
        case "digits":
            return bool(_DIGITS.fullmatch(text))
        case "year":
            return bool(_YEAR.fullmatch(text))
        case "stamp":
            return bool(_STAMP.fullmatch(text))
        case _:
            legal, step = each.codes.legal, each.step
            if text in legal or legal.issuperset(text):
                return True
            return 1 < step < each.width and legal.issuperset(text[at : at + step] for at in range(0, len(text), step))


@lru_cache(maxsize=MOST_SLICES)
def _together(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Blank positions as one fault: where nothing was coded, that is one thing to be told."""
    blank = [fault for fault in faults if fault.rule == "code-blank"]
    if len(blank) < 2:
        return faults
    whole = blank[0]._replace(value=" ".join(str(fault.at) for fault in blank), wanted=FILL)
    return (whole, *(fault for fault in faults if fault.rule != "code-blank"))


def _parts(positions: list[Position]) -> list[list[Position]]:
    """Positions side by side, in parts whose texts come again: dates, places and languages are kept apart."""
    parts: list[list[Position]] = []
    for each in positions:
        last = parts[-1] if parts else []
        if not last or _alone(each) or _parted(last, each):
            parts.append([each])
        else:
            last.append(each)
    return parts


def _alone(each: Position) -> bool:
    return each.pattern in ("digits", "stamp") or each.width == 3


def _parted(last: list[Position], each: Position) -> bool:
    too_wide = each.start + each.width - last[0].start > WIDEST
    return too_wide or _alone(last[-1]) or bool(last[-1].pattern and not each.pattern)


class Coded:
    """The plans of one kind of record."""

    def __init__(self, definitions: Definitions | None, fmt: Format, kind: Kind | None, off: frozenset[str]) -> None:
        places = definitions.fixed if definitions else {}
        self._materials = (fmt, kind) == (Format.MARC21, Kind.BIBLIOGRAPHIC)
        self._plans: dict[str, dict[str, Plan]] = {}  # by place and selector
        self._subfields: dict[str, dict[str, Plan]] = {}  # by tag and code
        for place, fixed in places.items():
            tag, _, code = place.partition("$")
            rule = "leader-code" if tag == LEADER else "code-undefined"
            selectors = {"*", *fixed.lengths, *fixed.positions}
            self._plans[place] = {each: Plan(fixed, each, code, rule, off) for each in selectors}
            if code:
                self._subfields.setdefault(tag, {})[code] = self._plans[place]["*"]
        self.tags = frozenset(place[:3] for place in places) - {LEADER}
        self._short = lru_cache(maxsize=MOST_SLICES)(self._in_subfields)
        self._sound: dict[str, set[str]] = {tag: set() for tag in self._subfields}  # fields, by tag

    def unsure(self, tag: str, texts: list[str], leaders: list[str]) -> Iterable[int]:
        """Which of some fields of a tag may have faults; `leaders` are those of their records."""
        plans = self._plans.get(tag)
        if plans is None:
            return self._unsure_in_subfields(tag, texts)
        if not (self._materials and len(plans) > 1):
            return plans["*"].unsure(texts)
        places: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            places.setdefault(_selector(tag, text, leaders[number]), []).append(number)
        found: list[int] = []
        for selector, numbers in places.items():
            plan = plans.get(selector, plans["*"])
            found += [numbers[each] for each in plan.unsure([texts[number] for number in numbers])]
        return found

    def _unsure_in_subfields(self, tag: str, texts: list[str]) -> set[int]:
        known = self._sound[tag]
        values: dict[str, list[str]] = {code: [] for code in self._subfields[tag]}
        owners: dict[str, list[int]] = {code: [] for code in values}
        waiting = [number for number, text in enumerate(texts) if text not in known]
        for number in waiting:
            for part in texts[number].split(DELIMITER)[1:]:
                if len(part) > 1 and part[0] in values:
                    values[part[0]].append(part[1:])
                    owners[part[0]].append(number)
        found: set[int] = set()
        for code, plan in self._subfields[tag].items():
            found.update([owners[code][each] for each in plan.unsure(values[code])])
        if len(known) + len(waiting) >= MOST_SLICES:
            known.clear()
        known.update([texts[number] for number in waiting if number not in found and len(texts[number]) < SHORT])
        return found

    def leaders(self, leaders: list[str]) -> Iterable[int]:
        """Which of some leaders may have faults."""
        return self._plans[LEADER]["*"].unsure(leaders) if LEADER in self._plans else ()

    def leader(self, leader: str) -> Sequence[Fault]:
        """Faults of a leader."""
        return self._plans[LEADER]["*"].faults(leader) if LEADER in self._plans else []

    def field(self, tag: str, text: str, leader: str) -> Sequence[Fault]:
        """Faults of a field that has fixed places; `tag` is one of `tags`."""
        plans = self._plans.get(tag)
        if plans is None:
            return self._short(tag, text) if len(text) < SHORT else self._in_subfields(tag, text)
        if self._materials and len(plans) > 1:
            return plans.get(_selector(tag, text, leader), plans["*"]).faults(text)
        return plans["*"].faults(text)

    def _in_subfields(self, tag: str, text: str) -> Sequence[Fault]:
        plans = self._subfields[tag]
        found: list[Fault] = []
        for part in text.split(DELIMITER)[1:]:
            if (plan := plans.get(part[:1])) and len(part) > 1:
                found += plan.faults(part[1:])
        return found


def _selector(tag: str, text: str, leader: str) -> str:
    """The material that a 006 or 008 tells of, or a 007's category."""
    if tag == "008":
        return _BY_TYPE.get(leader[6:7]) or _BY_LEVEL.get(leader[7:8], "*")
    return _BY_FORM.get(text[:1], "*") if tag == "006" else text[:1]
