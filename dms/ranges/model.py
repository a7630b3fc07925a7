"""What is held: sets of whole years, volumes and issues, that can be united, lessened and asked (pure).

A year and the issues in it lie on one line of whole numbers: year × MANY + issue − 1, so that a whole year is a span of
MANY places, neighbouring years touch, and a year without an issue is two spans. The same goes for volumes. Where year
and volume are both told, each volume has its year (`cells`); what does not come out even, such as a volume over two
years or a run that goes on, is kept as its two ends (`stretches`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

MANY = 1_000_000  # issues that a year or a volume has room for
MONTHS = 12
OPEN = 1 << 62  # the end of a span that goes on

Span = tuple[int, int]  # both ends belong to it
Spans = tuple[Span, ...]  # in order, never touching
WHOLE: Spans = ((0, MANY - 1),)


class Answer(enum.Enum):
    """Whether something is held."""

    YES = "yes"
    PART = "part"
    NO = "no"
    UNKNOWN = "unknown"  # the statement does not count in what was asked for, or can't be read


class Point(NamedTuple):
    """An end of a stretch; issue 0 = none is told."""

    year: int
    volume: int
    issue: int = 0


class Stretch(NamedTuple):
    """A run with years and volumes that don't come out even; without `last` it goes on."""

    first: Point
    last: Point | None = None


class Cell(NamedTuple):
    """Issues of one volume of one year: spans of issue − 1."""

    year: int
    volume: int
    issues: Spans = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """All of one statement, or of several united. Two that hold the same are equal."""

    years: Spans = ()  # year × MANY + issue − 1
    volumes: Spans = ()  # volume × MANY + issue − 1
    issues: Spans = ()  # issues counted through, without year and volume
    months: Spans = ()  # year × MONTHS + month − 1
    cells: tuple[Cell, ...] = ()  # by year and volume
    stretches: tuple[Stretch, ...] = ()
    unread: tuple[str, ...] = ()  # parts that are not understood, as they were transcribed

    def __bool__(self) -> bool:
        """Is anything held that was understood?"""
        return bool(self.years or self.volumes or self.issues or self.months or self.cells or self.stretches)

    def size(self) -> int:
        """How many spans it takes."""
        flat = len(self.years) + len(self.volumes) + len(self.issues) + len(self.months)
        return flat + len(self.stretches) + len(self.unread) + sum(len(cell.issues) for cell in self.cells)


def spans(some: Iterable[Span]) -> Spans:
    """Spans in any order, those that touch made one."""
    found: list[Span] = []
    for first, last in sorted(some):
        if found and first <= found[-1][1] + 1:
            if last > found[-1][1]:
                found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)


def without(some: Spans, gaps: Spans) -> Spans:
    """What of `some` is in none of the `gaps`."""
    for start, end in gaps:
        left: list[Span] = []
        for first, last in some:
            if last < start or first > end:
                left.append((first, last))
                continue
            left += [(first, start - 1)] if first < start else []
            left += [(end + 1, last)] if last > end else []
        some = tuple(left)
    return some


def union(some: Iterable[Held]) -> Held:
    """Everything that any of them holds: the order and repeats don't matter."""
    each = tuple(some)
    cells: dict[tuple[int, int], list[Span]] = {}
    for one in each:
        for cell in one.cells:
            cells.setdefault((cell.year, cell.volume), []).extend(cell.issues)
    return Held(
        years=spans(span for one in each for span in one.years),
        volumes=spans(span for one in each for span in one.volumes),
        issues=spans(span for one in each for span in one.issues),
        months=spans(span for one in each for span in one.months),
        cells=tuple(Cell(*key, spans(found)) for key, found in sorted(cells.items())),
        stretches=tuple(sorted({run for one in each for run in one.stretches}, key=_order)),
        unread=tuple(sorted({text for one in each for text in one.unread})),
    )


def less(one: Held, gone: Held) -> Held:
    """What is left of `one` where `gone` is lacking. A year or a volume that is lacking goes from the cells too."""
    cells = []
    lacking = {(cell.year, cell.volume): cell.issues for cell in gone.cells}
    for cell in one.cells:
        gaps = lacking.get(cell[:2], ())
        for line, upper in ((gone.years, cell.year), (gone.volumes, cell.volume)):
            gaps += tuple(_within(line, upper))
        if left := without(cell.issues, gaps):
            cells.append(cell._replace(issues=left))
    whole_years = tuple((first // MANY, last // MANY) for first, last in gone.years if _is_whole(first, last))
    return replace(
        one,
        years=without(one.years, gone.years),
        volumes=without(one.volumes, gone.volumes),
        issues=without(one.issues, gone.issues),
        months=without(
            one.months, gone.months + tuple((a * MONTHS, min(b * MONTHS + 11, OPEN)) for a, b in whole_years)
        ),
        cells=tuple(cells),
        stretches=tuple(run for run in one.stretches if run not in gone.stretches),
    )


def holds(held: Held, *, year: int | None = None, volume: int | None = None, issue: int | None = None) -> Answer:
    """Whether it has this year, volume or issue, as closely as it was asked. Issues are counted within the year or
    volume; alone, through the whole run.
    """
    if issue is not None and year is None and volume is None:
        found = [_one(held.issues, issue)] if held.issues else []
    else:
        found = list(_answers(held, year, volume, issue))
    for answer in (Answer.YES, Answer.PART):
        if answer in found:
            return answer
    return Answer.NO if Answer.NO in found and Answer.UNKNOWN not in found and not held.unread else Answer.UNKNOWN


def _answers(held: Held, year: int | None, volume: int | None, issue: int | None) -> Iterator[Answer]:
    """What each part says."""
    for line, upper in ((held.years, year), (held.volumes, volume)):
        if line and upper is not None:
            yield _of_line(line, upper, issue)
    if year is not None and held.months:
        told = _of_line(held.months, year, None, MONTHS)
        yield Answer.UNKNOWN if told is Answer.PART and issue is not None else told
    yield from _of_cells(held.cells, year, volume, issue)
    for run in held.stretches:
        yield _of_stretch(run, year, volume, issue)


def _of_line(line: Spans, upper: int, issue: int | None, many: int = MANY) -> Answer:
    there = spans(_within(line, upper, many))
    if issue is not None:
        return _one(there, issue - 1)
    return (Answer.YES if there == ((0, many - 1),) else Answer.PART) if there else Answer.NO


def _of_cells(cells: tuple[Cell, ...], year: int | None, volume: int | None, issue: int | None) -> Iterator[Answer]:
    if not cells:
        return
    there = [cell for cell in cells if year in (None, cell.year) and volume in (None, cell.volume)]
    if not there:
        yield Answer.NO
    elif issue is not None:
        yield Answer.YES if any(_one(cell.issues, issue - 1) is Answer.YES for cell in there) else Answer.NO
    else:
        yield Answer.YES if all(cell.issues == WHOLE for cell in there) else Answer.PART


def _of_stretch(run: Stretch, year: int | None, volume: int | None, issue: int | None) -> Answer:
    """Years and volumes within its ends; of the years and volumes at its ends perhaps not all is there."""
    inside, edge = True, False
    for asked, first, last in (
        (year, run.first.year, run.last.year if run.last else OPEN),
        (volume, run.first.volume, run.last.volume if run.last else OPEN),
    ):
        if asked is not None:
            inside = inside and first <= asked <= last
            edge = edge or asked in (first, last)
    if not inside:
        return Answer.NO
    told = bool(run.first.issue or (run.last and run.last.issue))
    if issue is None:
        return Answer.PART if edge and told else Answer.YES
    if volume is None or not told or not edge:
        return Answer.UNKNOWN if edge else Answer.YES
    if volume == run.first.volume and issue < run.first.issue:
        return Answer.NO
    return Answer.NO if run.last and volume == run.last.volume and issue > run.last.issue else Answer.YES


def _one(some: Spans, number: int) -> Answer:
    return Answer.YES if any(first <= number <= last for first, last in some) else Answer.NO


def _within(line: Spans, upper: int, many: int = MANY) -> Iterator[Span]:
    """The parts of a line that lie in one year or volume, counted from its beginning."""
    start = upper * many
    for first, last in line:
        if first < start + many and last >= start:
            yield max(first - start, 0), min(last - start, many - 1)


def _is_whole(first: int, last: int) -> bool:
    return first % MANY == 0 and (last >= OPEN or last % MANY == MANY - 1)


def _order(run: Stretch) -> tuple[Point, bool, Point]:
    return run.first, run.last is None, run.last or run.first
