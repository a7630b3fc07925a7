"""What stands at the positions of leaders, fixed fields and coded subfields, against the definitions (pure).

A value is cut into slices of neighbouring positions, and the faults of a slice are remembered: the same language, place
and form come again and again, whatever the dates beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from catalog.model import Format
from dms.rules.definitions.tables import FILL, Definitions, Fixed, Position
from dms.rules.model import LEADER, Kind
from dms.rules.shapes import Fault, listed, shown
from protocols.marc import DELIMITER, is_control

WIDEST = 18  # characters of a slice
MOST_SLICES = 1 << 13  # remembered of each
_YEAR = re.compile(r"[0-9u |#^-]{4}")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)

# MARC 21, 006 and 008: materials by leader/06, language material by leader/07 too; 006 by its first character.
_BY_TYPE = (
    dict.fromkeys("cdij", "music") | dict.fromkeys("ef", "maps") | dict.fromkeys("gkor", "visual")
    | {"m": "computer", "p": "mixed"}
)  # fmt: skip
_BY_LEVEL = dict.fromkeys("acdm", "books") | dict.fromkeys("bis", "continuing")
_BY_FORM = _BY_TYPE | {"a": "books", "t": "books", "s": "continuing"}

Slice = tuple[int, int, Callable[[str], tuple[Fault, ...]]]


class Plan:
    """How a fixed value is looked at."""

    def __init__(self, fixed: Fixed, selector: str, code: str, rule: str, off: frozenset[str]) -> None:
        self._lengths = fixed.lengths_of(selector) if "fixed-length" not in off else frozenset[int]()
        self._stop = fixed.lengths_of(selector)
        self._code = code
        self._rule = rule
        self._off = off
        self._slices = [self._slice(part) for part in _parts(fixed.of(selector))]

    def _slice(self, part: list[Position]) -> Slice:
        start, end = part[0].start, part[-1].start + part[-1].width

        def faults(text: str) -> tuple[Fault, ...]:
            return tuple(
                fault for each in part for fault in self._faults(each, text[each.start - start :][: each.width])
            )

        if part[0].pattern == "digits":
            return start, end, faults
        return start, end, lru_cache(maxsize=MOST_SLICES)(faults)

    def _faults(self, each: Position, text: str) -> list[Fault]:
        if not text or _fits(each, text):
            return []
        rule, wanted = self._rule, each.pattern or listed(each.codes)
        if not each.pattern:
            if text in each.codes or all(char in each.codes for char in text):
                rule = "code-obsolete"
            elif rule == "leader-code" and len(each.codes.legal) == 1:
                rule = "leader-constant"
            elif rule == "code-undefined" and text.isspace():
                rule, text, wanted = "code-blank", str(each.start), FILL
        return [Fault(rule, self._code, each.start, shown(text), wanted)] if rule not in self._off else []

    def faults(self, text: str) -> list[Fault]:
        """Faults of a value. Where it has the wrong length nothing else is said of it: all positions may be shifted."""
        if self._stop and len(text) not in self._stop:
            if not self._lengths:
                return []
            lengths = " ".join(map(str, sorted(self._lengths)))
            return [Fault("fixed-length", self._code, -1, str(len(text)), lengths)]
        found: list[Fault] = []
        for start, end, faults in self._slices:
            found += faults(text[start:end])
        return _together(found) if len(found) > 1 else found


def _fits(each: Position, text: str) -> bool:
    match each.pattern:
        case "digits":
            return bool(_DIGITS.fullmatch(text))
        case "year":
            return bool(_YEAR.fullmatch(text))
        case _:
            return text in each.codes.legal or each.codes.legal.issuperset(text)


def _together(faults: list[Fault]) -> list[Fault]:
    """Blank positions as one fault: where nothing was coded, that is one thing to be told."""
    blank = [fault for fault in faults if fault.rule == "code-blank"]
    if len(blank) < 2:
        return faults
    whole = blank[0]._replace(value=" ".join(str(fault.at) for fault in blank), wanted=FILL)
    return [whole, *(fault for fault in faults if fault.rule != "code-blank")]


def _parts(positions: list[Position]) -> list[list[Position]]:
    """Positions side by side, in parts that are not too wide; what is all digits by itself."""
    parts: list[list[Position]] = []
    for each in positions:
        last = parts[-1] if parts else []
        alone = each.pattern == "digits" or not last or last[-1].pattern == "digits"
        if alone or each.start + each.width - last[0].start > WIDEST:
            parts.append([each])
        else:
            last.append(each)
    return parts


class Coded:
    """The plans of one kind of record."""

    def __init__(self, definitions: Definitions | None, fmt: Format, kind: Kind | None, off: frozenset[str]) -> None:
        self._places: dict[str, Fixed] = definitions.fixed if definitions else {}
        self._off = off
        self._by_material = (fmt, kind) == (Format.MARC21, Kind.BIBLIOGRAPHIC)
        self._plans: dict[tuple[str, str], Plan] = {}
        self._codes: dict[str, str] = {}
        for place in self._places:
            tag, _, code = place.partition("$")
            self._codes[tag] = self._codes.get(tag, "") + code
        self.tags = frozenset(self._codes) - {LEADER}
        self._short = lru_cache(maxsize=MOST_SLICES)(self._in_subfields)

    def leader(self, leader: str) -> list[Fault]:
        """Faults of a leader."""
        return self._plan(LEADER, "*", "leader-code").faults(leader) if LEADER in self._places else []

    def field(self, tag: str, text: str, leader: str) -> list[Fault] | tuple[Fault, ...]:
        """Faults of a field that has fixed places; `tag` is one of `tags`."""
        if is_control(tag):
            return self._plan(tag, self._selector(tag, text, leader)).faults(text)
        return self._short(tag, text) if len(text) < 32 else self._in_subfields(tag, text)

    def _in_subfields(self, tag: str, text: str) -> tuple[Fault, ...]:
        codes = self._codes[tag]
        found: list[Fault] = []
        for part in text.split(DELIMITER)[1:]:
            if part[:1] and part[0] in codes and len(part) > 1:
                found += self._plan(f"{tag}${part[0]}", "*").faults(part[1:])
        return tuple(found)

    def _plan(self, place: str, selector: str, rule: str = "code-undefined") -> Plan:
        key = (place, selector)
        if key not in self._plans:
            fixed = self._places[place]
            known = {*fixed.lengths, *fixed.positions}
            plan = self._plans.get((place, "*")) if selector not in known else None
            self._plans[key] = plan or Plan(fixed, selector, place.partition("$")[2], rule, self._off)
        return self._plans[key]

    def _selector(self, tag: str, text: str, leader: str) -> str:
        if not self._by_material:
            return "*"
        if tag == "007":
            return text[:1]
        if tag == "006":
            return _BY_FORM.get(text[:1], "*")
        return _BY_TYPE.get(leader[6:7]) or _BY_LEVEL.get(leader[7:8], "*") if tag == "008" else "*"
