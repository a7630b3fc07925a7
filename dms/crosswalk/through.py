"""A record that becomes another MARC first and a target of elements then, and one report of both steps (pure).

A record of the UNIMARC family becomes MARC 21 on its way to a target that has a table for MARC 21 alone. The report is
of the record as it came: what the first step kept or lost, and of what it mapped, what the second made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.model import Format
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.marc import convert
from dms.crosswalk.model import Fate, Loss
from protocols import marc
from protocols.marc import Record

NO_PLACE = "only a local field has room for this in the format between, and the target has none for that"
Fates = tuple[tuple[int, tuple[Loss, ...]], ...]
_LEADER = "LDR"


@dataclass(frozen=True, slots=True)
class Gone:
    """A record's elements, and the way there."""

    record: Record
    crossed: Crossed
    before: Fates | None  # what became of the record in MARC 21, if it was another

    def fates(self) -> Fates:
        """(which of its tag from 1, its lines) of every field of the record as it came."""
        after = self.crossed.fates()
        return after if self.before is None else joined(self.record, self.before, after)


def joined(record: Record, before: Fates, after: Fates) -> Fates:
    """The lines of two steps as one: `before` is of the record's fields (and leader), `after` of what they became."""
    made = _Made(after)
    told = []
    fields = [*record.fields, *((_LEADER, record.leader) for _ in before[len(record.fields) :])]
    for (nth, losses), (_, text) in zip(before, fields, strict=True):
        seen: Counter[str] = Counter()
        lines = []
        for loss in losses:
            values = marc.values(text, loss.code) if len(loss.code) == 1 else [text]
            lines.append(_joined(loss, made, values[min(seen[loss.code], len(values) - 1)] if values else ""))
            seen[loss.code] += 1
        told.append((nth, tuple(lines)))
    return tuple(told)


class _Made:
    """Where fields, subfields and positions of the record between went."""

    def __init__(self, fates: Fates) -> None:
        self._whole: dict[str, dict[str, None]] = {}
        self._spans: dict[str, list[tuple[int, int, str]]] = {}
        for _, losses in fates:
            for loss in losses:
                if loss.fate is not Fate.MAPPED:
                    continue
                code, _, span = loss.code.partition("/")
                name = f"{loss.tag}${code}" if code else loss.tag
                if span:
                    self._spans.setdefault(name, []).append((*_ends(span), loss.to))
                else:
                    self._whole.setdefault(name, {})[loss.to] = None

    def of(self, place: str) -> Iterator[str]:
        """Elements made of `245$a`, `008/07-10`, `100$a/22-24` or `700`."""
        name, _, span = place.partition("/")
        if span and name in self._spans:
            first, last = _ends(span)
            yield from (to for start, end, to in self._spans[name] if start <= last and first <= end)
            return
        names = (name,) if "$" in name else tuple(each for each in {**self._whole, **self._spans} if each[:3] == name)
        for each in names:
            yield from self._whole.get(each, ())
            yield from (to for _, _, to in self._spans.get(each, ()))


def crossed(record: Record, fmt: Format, crosswalk: Crosswalk) -> Gone:
    """The record's elements by a table for MARC 21."""
    if fmt is Format.MARC21:
        return Gone(record, crosswalk.record(record), None)
    converted = convert.crosswalk("cnmarc_marc21").convert(record)
    return Gone(record, crosswalk.record(converted.record), converted.fates)


def _ends(span: str) -> tuple[int, int]:
    first, _, last = span.partition("-")
    return int(first), int(last or first)


def _joined(loss: Loss, made: _Made, value: str) -> Loss:
    if loss.fate is Fate.LOST:
        return loss
    if to := ", ".join(dict.fromkeys(to for place in loss.to.split(", ") for to in made.of(place))):
        return loss._replace(fate=Fate.MAPPED, to=to, why="")
    if loss.fate is Fate.LOCAL:
        return loss._replace(fate=Fate.LOST, to="", why=NO_PLACE, value=value)
    why = f"the format between has it as {loss.to}; the target has no element for that"
    return loss._replace(fate=Fate.LOST, to="", why=why, value=value)
