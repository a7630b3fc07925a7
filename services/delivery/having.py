"""Which library has a year, a volume or an issue, by what its statements say together (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.model import Holding
from dms.ranges import model, notes
from dms.ranges.model import Answer
from dms.ranges.writing import write


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is asked for: an issue is counted within its year or volume, and alone through the whole run."""

    year: int | None = None
    volume: int | None = None
    issue: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """A library's answer."""

    library: str
    answer: Answer
    held: str  # all that it holds, in the normal form


def libraries(holdings: Iterable[Holding], part: Part, lang: str = "en") -> Iterator[Has]:
    """Every library that holds anything of the title, those that have the part first, then those that may."""
    told: dict[str, list[str]] = {}
    for one in holdings:
        told.setdefault(one.library, []).append(one.note)
    found = []
    for library, said in told.items():
        held = notes.united(said)
        answer = model.holds(held, year=part.year, volume=part.volume, issue=part.issue) if held else Answer.UNKNOWN
        found.append(Has(library=library, answer=answer, held=write(held, lang)))
    order = [Answer.YES, Answer.PART, Answer.UNKNOWN, Answer.NO]
    yield from sorted(found, key=lambda one: order.index(one.answer))
