"""A record of either family in a target that has a table for MARC 21 alone (pure).

A record of the UNIMARC family becomes MARC 21 first (`marc`). The report is of the record as it came: what the first
step kept or lost, and of what it mapped, what the second made of it.
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

NO_PLACE = "only a local field of MARC 21 has room for this, and the target has none for that"
Fates = tuple[tuple[int, tuple[Loss, ...]], ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A record's elements, and the way there."""

    record: Record
    crossed: Crossed
    before: Fates | None  # what became of the record in MARC 21, if it was another

    def fates(self) -> Fates:
        """(which of its tag from 1, its lines) of every field of the record as it came."""
        after = self.crossed.fates()
        if self.before is None:
            return after
        made = _Made(after)
        told = []
        for (nth, losses), (_, text) in zip(self.before, self.record.fields, strict=True):
            seen: Counter[str] = Counter()
            lines = []
            for loss in losses:
                values = marc.values(text, loss.code) if len(loss.code) == 1 else [text]
                lines.append(_joined(loss, made, values[min(seen[loss.code], len(values) - 1)] if values else ""))
                seen[loss.code] += 1
            told.append((nth, tuple(lines)))
        return tuple(told)


class _Made:
    """Where fields, subfields and positions of the MARC 21 record went."""

    def __init__(self, fates: Fates) -> None:
        self._whole: dict[str, dict[str, None]] = {}
        self._spans: dict[str, list[tuple[int, int, str]]] = {}
        for _, losses in fates:
            for loss in losses:
                if loss.fate is not Fate.MAPPED:
                    continue
                code, _, span = loss.code.partition("/")
                if span and not code:
                    self._spans.setdefault(loss.tag, []).append((*_ends(span), loss.to))
                else:
                    self._whole.setdefault(f"{loss.tag}${code}" if code else loss.tag, {})[loss.to] = None

    def of(self, place: str) -> Iterator[str]:
        """Elements made of `245$a`, `008/07-10` or `700`."""
        name, _, span = place.partition("/")
        if span and name in self._spans:
            first, last = _ends(span)
            yield from (to for start, end, to in self._spans[name] if start <= last and first <= end)
        elif name in self._whole:
            yield from self._whole[name]
        elif "$" not in name:
            yield from (to for key, told in self._whole.items() if key.startswith(name) for to in told)
            yield from (to for _, _, to in self._spans.get(name, ()))


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
    if loss.fate is Fate.LOCAL:
        return loss._replace(fate=Fate.LOST, to="", why=NO_PLACE, value=value)
    if to := ", ".join(dict.fromkeys(to for place in loss.to.split(", ") for to in made.of(place))):
        return loss._replace(to=to)
    why = f"MARC 21 has it as {loss.to}; the target has no element for that"
    return loss._replace(fate=Fate.LOST, to="", why=why, value=value)
