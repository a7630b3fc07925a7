"""Enumeration and chronology of serials: captions (853-855) and values (863-865) to text (pure).

MARC 21 Format for Holdings Data, 853-855 and 863-865: $8 links a pattern (`1`) with its values (`1.1`, `1.2` in their
sequence); $a-$f enumerate, $g and $h number once more, $i-$l date. A caption in parentheses names what the value is and
is not written. The text is that of ANSI/NISO Z39.71: `v.1:no.6-8 (1990:June-Aug.)`. Neighbours in the lowest level
become ranges, what another range holds already is left out, and a gap stays a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocols import marc

ENUMERATION, ALTERNATIVE, CHRONOLOGY = "abcdef", "gh", "ijkl"
_MONTHS = ["Jan.", "Feb.", "Mar.", "Apr.", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."]
_SEASONS = {"21": ("Spring", "春"), "22": ("Summer", "夏"), "23": ("Autumn", "秋"), "24": ("Winter", "冬")}
_KINDS = {"(month)": "month", "(season)": "season", "(月)": "月", "(季)": "季", "(季节)": "季"}
_NUMBER = re.compile(r"\d+")
_LARGEST = 1_000_000  # of a number that is counted with; a longer one is no number of an issue
OPEN = 1 << 62


@dataclass(frozen=True, slots=True)
class Pattern:
    """Captions by subfield code, and how many parts make one of the next higher level ("r" = they begin anew)."""

    captions: Mapping[str, str]
    units: Mapping[str, tuple[int, bool]]  # by code: (how many, begin anew); only where both are known
    unit: str = ""  # $o: what is described, of supplements and indexes

    @property
    def levels(self) -> str:
        """Codes of the enumeration, highest first."""
        return "".join(code for code in ENUMERATION if code in self.captions)


@dataclass(frozen=True, slots=True)
class Run:
    """Values of one 863: what begins and what ends, equal for a single issue; `open` = it goes on."""

    first: Mapping[str, str]
    last: Mapping[str, str]
    open: bool = False
    note: str = ""


def pattern(text: str) -> Pattern:
    """A pattern from a field 853-855. $u and $v stand behind the caption that they are of."""
    captions: dict[str, str] = {}
    many: dict[str, int] = {}
    anew: dict[str, bool] = {}
    unit = level = ""
    for code, value in marc.subfields(text):
        value = value.strip()
        if code in ENUMERATION + ALTERNATIVE + CHRONOLOGY and value:
            captions.setdefault(code, value)
            level = code
        elif code == "u" and value.isdecimal() and level and len(value) < 5:
            many.setdefault(level, int(value))
        elif code == "v" and level:
            anew.setdefault(level, value == "r")
        elif code == "o":
            unit = value
    return Pattern(captions, {code: (many[code], anew[code]) for code in many if many[code] and code in anew}, unit)


def run(text: str) -> Run:
    """The values of a field 863-865. "6-8" begins with 6 and ends with 8, "11-" is open."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    is_open = False
    notes = []
    for code, value in marc.subfields(text):
        value = value.strip()
        if code in ENUMERATION + ALTERNATIVE + CHRONOLOGY and value:
            start, ranged, end = value.partition("-")
            is_open = is_open or (ranged != "" and not end)
            first.setdefault(code, start.strip())
            last.setdefault(code, (end or start).strip())
        elif code == "z":
            notes.append(value)
    return Run(first, last, is_open, "; ".join(notes))


def statements(patterns: Sequence[str], values: Sequence[str]) -> list[tuple[str, str]]:
    """(link, text) of fields 853 (or 854, 855) with their fields 863 (864, 865), by $8; in the order of the patterns.

    Values whose pattern is missing are written without captions.
    """
    by_link: dict[str, list[tuple[int, str]]] = {}
    for n, text in enumerate(values):
        link, _, place = _link(text).partition(".")
        by_link.setdefault(link, []).append((int(place) if place.isdecimal() and len(place) < 9 else n, text))
    captions = {_link(text).partition(".")[0]: pattern(text) for text in reversed(patterns)}
    order = dict.fromkeys([*(_link(text).partition(".")[0] for text in patterns), *by_link])
    found = []
    for link in order:
        runs = [run(text) for _, text in sorted(by_link.get(link, ()), key=lambda one: one[0])]
        one = captions.get(link) or Pattern({}, {})
        if text := written(one, runs):
            found.append((link, f"{one.unit}: {text}" if one.unit else text))
    return found


def _link(text: str) -> str:
    return marc.value(text, "8").partition("\\")[0].strip()


def written(one: Pattern, runs: Sequence[Run]) -> str:
    """All of it as one statement, neighbours joined."""
    return ", ".join(filter(None, [_text(one, each) for each in joined(one, runs)]))


def joined(one: Pattern, runs: Iterable[Run]) -> list[Run]:
    """Runs in their order, neighbours and overlapping ones as one. What can't be counted stays as it is, at the end."""
    counted, others = [], []
    for each in runs:
        ends = place(one, each.first, 0), place(one, each.last, -1)
        if ends[0] is None or ends[1] is None or each.note:
            others.append(each)
        else:
            counted.append((ends[0], OPEN if each.open else ends[1], each))
    counted.sort(key=lambda entry: entry[:2])
    found: list[tuple[int, Run]] = []
    for start, end, each in counted:
        if found and start <= found[-1][0] + 1:
            before, whole = found[-1]
            if end > before:
                found[-1] = (end, Run(whole.first, each.last, each.open))
        else:
            found.append((end, each))
    return [each for _, each in found] + others


def place(one: Pattern, values: Mapping[str, str], part: int) -> int | None:
    """Where in the run of all issues these values stand, so that neighbours differ by one; None if that isn't known.

    `part` 0 counts a combined issue (11/12) by its first number, -1 by its last.
    """
    levels = [code for code in one.levels or ENUMERATION if code in values]
    numbers = []
    for code in levels:
        found = _NUMBER.findall(values[code])
        if not found or len(found[part]) > len(str(_LARGEST)):
            return None
        numbers.append(int(found[part]))
    if not numbers:
        return None
    count = numbers[0]
    for code, number in zip(levels[1:], numbers[1:], strict=True):
        units = one.units.get(code)
        if units is None:
            count = count * _LARGEST + number  # how many make a whole isn't known: neighbours within the whole only
        elif units[1]:
            count = count * units[0] + number - 1
        else:
            count = number  # counted on over the wholes
    return count if count < OPEN else None


def _text(one: Pattern, each: Run) -> str:
    enumeration = _part(one, each, [code for code in ENUMERATION if code in each.first])
    other = _part(one, each, [code for code in ALTERNATIVE if code in each.first])
    chronology = _part(one, each, [code for code in CHRONOLOGY if code in each.first])
    numbered = " = ".join(filter(None, (enumeration, other)))
    text = f"{numbered} ({chronology})" if numbered and chronology else numbered or chronology
    return f"{text} {each.note}" if text and each.note else text or each.note


def _part(one: Pattern, each: Run, codes: Sequence[str]) -> str:
    """Some levels, as `v.1:no.6-8` where only the lowest changes, else as `v.1:no.6-v.2:no.3`."""
    if not codes:
        return ""
    start = [_value(one, code, each.first[code]) for code in codes]
    end = [_value(one, code, each.last[code]) for code in codes if code in each.last]
    text = ":".join(caption + value for caption, value in start)
    if each.open:
        return text + "-"
    if start == end or not end:
        return text
    if start[:-1] == end[:-1]:
        return f"{text}-{end[-1][1]}"
    return text + "-" + ":".join(caption + value for caption, value in end)


def _value(one: Pattern, code: str, value: str) -> tuple[str, str]:
    """(caption, value) as they are written: months and seasons are coded."""
    caption = one.captions.get(code, "")
    kind = _KINDS.get(caption, "")
    if kind:
        return "", _NUMBER.sub(lambda found: _word(kind, found[0]), value)
    return ("", value) if caption.startswith("(") else (caption, value)


def _word(kind: str, number: str) -> str:
    if number in _SEASONS:
        return _SEASONS[number][kind in ("季", "月")]
    month = int(number) if len(number) <= 2 else 0
    if kind in ("month", "season") and 1 <= month <= 12:
        return _MONTHS[month - 1]
    return f"{month}月" if kind == "月" and month else number
