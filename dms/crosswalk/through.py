"""A record that becomes another MARC first and a target of elements then, and one report of both steps (pure).

A record of the UNIMARC family becomes MARC 21 on its way to a target that has a table for MARC 21 alone. The report is
of the record as it came: what the first step kept or lost, and of what it mapped, what the second made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from catalog.model import Format
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.lines import AWAITED, Brief, Fates, Known, Lines, every, whole
from dms.crosswalk.marc import convert
from dms.crosswalk.model import Fate, Loss
from protocols import marc
from protocols.marc import Record

NO_PLACE = "only a local field has room for this in the format between, and the target has none for that"
REMEMBERED = 20_000  # places; about 10 MB at worst
_LEADER = "LDR"


@dataclass(frozen=True, slots=True)
class Gone:
    """A record's elements, and the way there."""

    record: Record
    crossed: Crossed
    before: Fates | None  # what became of the record in MARC 21, if it was another

    def fates(self) -> Fates:
        """(which of its tag from 1, its lines) of every field of the record as it came."""
        return every(self.brief())

    def brief(self) -> list[Brief]:
        """The same, with the values beside the lines."""
        after = self.crossed.brief()
        return after if self.before is None else joined(self.record, self.before, after)


def joined(record: Record, before: Fates, after: Iterable[Brief]) -> list[Brief]:
    """The lines of two steps as one: `before` is of the record's fields (and leader), `after` of what they became."""
    made = _Made(after)
    told = []
    fields = [*record.fields, *((_LEADER, record.leader) for _ in before[len(record.fields) :])]
    for (nth, losses), (_, text) in zip(before, fields, strict=True):
        lines, valued = _both(losses, tuple(map(made.of, _places(losses))))
        values = _values(text, valued) if valued else ()
        if values and "" in values:  # a line without a value awaits none
            lines, values = whole(lines, values), ()
        told.append((nth, lines, values))
    return told


class _Made:
    """Where fields, subfields and positions of the record between went."""

    def __init__(self, fates: Iterable[Brief]) -> None:
        self._lines: dict[str, list[Lines]] = {}  # by tag
        for _, losses, _ in fates:
            if losses:
                self._lines.setdefault(losses[0].tag, []).append(losses)
        self._gone: dict[str, _Gone | None] = {}
        self._of: dict[str, str] = {"": ""}

    def of(self, places: str) -> str:
        """Elements made of `245$a`, `008/07-10`, `100$a/22-24` or `700`, or of several with commas."""
        found = self._of.get(places)
        if found is None:
            each: dict[str, None] = {}
            for place in _parsed(places):
                self._add(place, each)
            found = self._of[places] = ", ".join(each)
        return found

    def _add(self, place: _Place, found: dict[str, None]) -> None:
        if place.tag in self._gone:
            gone = self._gone[place.tag]
        else:
            several = self._lines.get(place.tag, ())  # none where a name has its kind: `007c`
            gone = _gone(several[0]) if len(several) == 1 else _gathered(several) if several else None
            self._gone[place.tag] = gone
        if gone is None:
            return
        if place.last >= 0 and place.name in gone.spans:
            for start, end, to in gone.spans[place.name]:
                if start <= place.last and place.first <= end:
                    found[to] = None
            return
        for each in (place.name,) if place.code else {**gone.whole, **gone.spans}:
            found.update(gone.whole.get(each, {}))
            for _, _, to in gone.spans.get(each, ()):
                found[to] = None


class _Place(NamedTuple):
    """A place in the record between."""

    name: str  # `245$a`, `008`
    tag: str
    code: str  # "" = the whole field
    first: int  # position
    last: int  # -1 = no position is told


@lru_cache(REMEMBERED)
def _parsed(places: str) -> tuple[_Place, ...]:
    """Places with commas between them."""
    found = []
    for place in places.split(", "):
        name, _, span = place.partition("/")
        tag, _, code = name.partition("$")
        found.append(_Place(name, tag, code, *(_ends(span) if span else (0, -1))))
    return tuple(found)


class _Gone(NamedTuple):
    """Where the fields of a tag went."""

    whole: dict[str, dict[str, None]]  # `245$a` → elements
    spans: dict[str, list[tuple[int, int, str]]]  # `008` → (first position, last, element)


def _gathered(several: Iterable[Lines]) -> _Gone:
    gone = _Gone({}, {})
    for loss in (loss for losses in several for loss in losses if loss.fate is Fate.MAPPED):
        code, _, span = loss.code.partition("/")
        name = f"{loss.tag}${code}" if code else loss.tag
        if span:
            gone.spans.setdefault(name, []).append((*_ends(span), loss.to))
        else:
            gone.whole.setdefault(name, {})[loss.to] = None
    return gone


@Known
def _gone(losses: Lines) -> _Gone:
    """Where one field went."""
    return _gathered((losses,))


@Known
def _places(losses: Lines) -> tuple[str, ...]:
    """Where each subfield of a field went in the first step; "" = nowhere."""
    return tuple("" if loss.fate is Fate.LOST else loss.to for loss in losses)


@Known
def _both(losses: Lines, went: tuple[str, ...]) -> tuple[Lines, tuple[tuple[str, int], ...]]:
    """The lines of both steps, and the values that some await: (code, which of its code from 0)."""
    lines = []
    seen: Counter[str] = Counter()
    valued = []
    for before, to in zip(losses, went, strict=True):
        after = _joined(before, to)
        if after.fate is Fate.LOST and before.fate is not Fate.LOST:
            valued.append((before.code, seen[before.code]))
            after = after._replace(value=AWAITED)
        lines.append(after)
        seen[before.code] += 1
    return tuple(lines), tuple(valued)


def _joined(loss: Loss, to: str) -> Loss:
    """A line of the first step, and where what it made went in the second."""
    if loss.fate is Fate.LOST:
        return loss
    if to:
        return loss._replace(fate=Fate.MAPPED, to=to, why="")
    why = NO_PLACE
    if loss.fate is not Fate.LOCAL:
        why = f"the format between has it as {loss.to}; the target has no element for that"
    return loss._replace(fate=Fate.LOST, to="", why=why)


def _values(text: str, wanted: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The values of subfields, which of its code from 0; of positions and control fields the whole field."""
    found = []
    of: dict[str, list[str]] = {}
    for code, value in marc.subfields(text):
        of.setdefault(code, []).append(value)
    for code, at in wanted:
        values = of.get(code, []) if len(code) == 1 else [text]
        found.append(values[min(at, len(values) - 1)] if values else "")
    return tuple(found)


def crossed(record: Record, fmt: Format, crosswalk: Crosswalk) -> Gone:
    """The record's elements by a table for MARC 21."""
    if fmt is Format.MARC21:
        return Gone(record, crosswalk.record(record), None)
    converted = convert.crosswalk("cnmarc_marc21").convert(record)
    return Gone(record, crosswalk.record(converted.record), converted.fates)


def _ends(span: str) -> tuple[int, int]:
    first, _, last = span.partition("-")
    return int(first), int(last or first)
