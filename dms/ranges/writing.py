"""One normal form of what is held: in the manner of ANSI/NISO Z39.71 (`v.1-5 (1980-1984), 1986:no.1-6`) or in Chinese
(`第1-5卷（1980-1984年）；1986年第1-6期`) (pure).

`reading.read` gives the same value again. What was not understood stands first, as it was transcribed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from dms.ranges.model import MANY, MONTHS, OPEN, WHOLE, Cell, Held, Point, Span, Spans, Stretch
from dms.ranges.tokens import YEARS

_Name = Callable[[str], str]
_MOST_ALIKE = 100  # years that are written as one
_MONTHS = ("Jan.", "Feb.", "Mar.", "Apr.", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")


@dataclass(frozen=True, slots=True)
class _Words:
    """How one language says it. Each takes the numbers as they are to stand there: `3`, `3-5`."""

    year: _Name
    volume: _Name
    issue: _Name
    month: Callable[[int, int], str]
    colon: str
    aside: Callable[[str], str]
    lacks: str
    comma: str
    then: str


_EN = _Words(
    year=lambda text: text,
    volume=lambda text: f"v.{text}",
    issue=lambda text: f"no.{text}",
    month=lambda first, last: _MONTHS[first - 1] + (f"-{_MONTHS[last - 1]}" if last != first else ""),
    colon=":",
    aside=lambda text: f" ({text})",
    lacks="lacks ",
    comma=", ",
    then=", ",
)
_ZH = _Words(
    year=lambda text: f"{text}年",
    volume=lambda text: f"第{text}卷",
    issue=lambda text: f"第{text}期",
    month=lambda first, last: f"{_range(first, last)}月",
    colon="",
    aside=lambda text: f"（{text}）",
    lacks="缺",
    comma="，",
    then="；",
)


def write(held: Held, lang: str = "en") -> str:
    """The normal form in English or Chinese (`zh`); "" if nothing is held."""
    say = _ZH if lang == "zh" else _EN
    parts: list[str] = []
    parts += _line(held.years, say.year, say)
    parts += _line(held.volumes, say.volume, say)
    parts += _months(held.months, say)
    parts += _cells(held.cells, say)
    parts += [_stretch(run, say) for run in held.stretches]
    through = say.then.join([_named(say.issue, first, last, say) for first, last in held.issues])
    return "; ".join(filter(None, (*held.unread, through, say.then.join(parts))))


def _range(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}-{last}"


def _named(name: _Name, first: int, last: int, say: _Words) -> str:
    """A range with its caption; at both ends where a number alone would be taken for a year."""
    if last >= OPEN:
        return name(f"{first}") + "-"
    if first != last and name is not say.year and (first in YEARS or last in YEARS):
        return f"{name(str(first))}-{name(str(last))}"
    return name(_range(first, last))


def _line(line: Spans, name: _Name, say: _Words) -> Iterator[str]:
    """Spans of whole years or volumes, and of issues in one."""
    inside: list[tuple[int, list[Span]]] = []  # (year, issues in it) that were not written yet
    for run, gaps in _joined(line):
        pieces = list(_cut(run))
        if not gaps and len(pieces) == 1 and _is_inside(*run):
            year, numbers = run[0] // MANY, (run[0] % MANY + 1, run[1] % MANY + 1)
            if inside and inside[-1][0] == year:
                inside[-1][1].append(numbers)
            else:
                inside.append((year, [numbers]))
            continue
        yield from _insides(inside, name, say)
        inside = []
        whole = say.then.join([_piece(first, last, name, say) for first, last in pieces])
        yield whole + _lacks(run, gaps, name, say)
    yield from _insides(inside, name, say)


def _is_inside(first: int, last: int) -> bool:
    """Is it some issues of one year, not all of them?"""
    return first // MANY == last // MANY and last - first < MANY - 1


def _insides(inside: Sequence[tuple[int, list[Span]]], name: _Name, say: _Words) -> Iterator[str]:
    """Years with the same issues, one behind the other, as one: 1998-2000:no.1-6,8-12."""
    for numbers, some in groupby(inside, key=lambda entry: entry[1]):
        years = [year for year, _ in some]
        first = 0
        for at in range(1, len(years) + 1):
            if at == len(years) or years[at] != years[at - 1] + 1 or at - first == _MOST_ALIKE:
                yield _named(name, years[first], years[at - 1], say) + say.colon + _listed(numbers, say)
                first = at


def _listed(numbers: Sequence[Span], say: _Words) -> str:
    if any(end in YEARS for span in numbers for end in span):
        return ",".join([_named(say.issue, *span, say) for span in numbers])
    return say.issue(",".join([_range(*span) for span in numbers]))


def _lacks(run: Span, gaps: Sequence[Span], name: _Name, say: _Words) -> str:
    """In parentheses; of a single year without saying it once more."""
    if not gaps:
        return ""
    alone = run[0] // MANY == run[1] // MANY
    missing = [("" if alone else name(f"{gap[0] // MANY}") + say.colon) + _issues(*gap, say) for gap in gaps]
    return say.aside(say.lacks + say.comma.join(missing))


def _joined(line: Spans) -> Iterator[tuple[Span, list[Span]]]:
    """(span, gaps in it): spans that only issues within years at hand part from each other are written as one."""
    at = 0
    while at < len(line):
        first, last = line[at]
        gaps: list[Span] = []
        at += 1
        while at < len(line) and (behind := _reached(line, at - 1)):
            gaps += [(line[n][1] + 1, line[n + 1][0] - 1) for n in range(at - 1, behind)]
            last, at = line[behind][1], behind + 1
        if first % MANY and last < OPEN and (last + 1) % MANY == 0:  # from within a year to its very end
            gaps.insert(0, (first - first % MANY, first - 1))
            first -= first % MANY
        yield (first, last), gaps


def _reached(line: Spans, at: int) -> int:
    """Which span holds the end of the year in which this one ends, if this one has its beginning; 0 = none."""
    first, last = line[at]
    start = last - last % MANY
    if first > start or last >= OPEN or (last + 1) % MANY == 0:
        return 0
    for n in range(at + 1, len(line)):
        if line[n][0] >= start + MANY:
            return 0
        if line[n][1] >= start + MANY - 1:
            return n
    return 0


def _cut(run: Span) -> Iterator[Span]:
    """Whole years, and what is left of the last one."""
    first, last = run
    if first % MANY == 0 and last < OPEN and (last + 1) % MANY and last // MANY > first // MANY:
        middle = last - last % MANY
        yield first, middle - 1
        first = middle
    yield first, last


def _piece(first: int, last: int, name: _Name, say: _Words) -> str:
    upper, end = first // MANY, last // MANY
    if first % MANY == 0 and (last >= OPEN or (last + 1) % MANY == 0):
        return _named(name, upper, OPEN if last >= OPEN else end, say)
    start = name(f"{upper}") + say.colon
    if last >= OPEN:
        return start + _named(say.issue, first % MANY + 1, OPEN, say)
    if upper == end:
        return start + _issues(first, last, say)
    return f"{start}{say.issue(str(first % MANY + 1))}-{name(str(end))}{say.colon}{say.issue(str(last % MANY + 1))}"


def _issues(first: int, last: int, say: _Words) -> str:
    return _named(say.issue, first % MANY + 1, last % MANY + 1, say)


def _months(line: Spans, say: _Words) -> Iterator[str]:
    for first, last in line:
        year, month = divmod(first, MONTHS)
        end, until = divmod(last, MONTHS)
        start = say.year(f"{year}") + say.colon
        if last >= OPEN:
            yield f"{start}{say.month(month + 1, month + 1)}-"
        elif year == end:
            yield start + say.month(month + 1, until + 1)
        else:
            last_month = say.month(until + 1, until + 1)
            yield f"{start}{say.month(month + 1, month + 1)}-{say.year(str(end))}{say.colon}{last_month}"


def _cells(cells: Sequence[Cell], say: _Words) -> Iterator[str]:
    """Volumes with their years; those that follow each other evenly as one."""
    whole = [(cell.year, cell.volume) for cell in cells if cell.issues == WHOLE]
    for years, volumes in _even(whole):
        yield _named(say.volume, *volumes, say) + say.aside(say.year(_range(*years)))
    for cell in cells:
        if cell.issues == WHOLE:
            continue
        year, volume = say.year(f"{cell.year}"), say.volume(f"{cell.volume}")
        if cell.issues[0][0] == 0 and cell.issues[-1][1] == MANY - 1:
            gaps = [(a[1] + 1, b[0] - 1) for a, b in pairwise(cell.issues)]
        elif cell.issues[-1][1] == MANY - 1:
            ends = [(-1, -1), *cell.issues]
            gaps = [(a[1] + 1, b[0] - 1) for a, b in pairwise(ends)]
        else:
            yield from (
                f"{volume}{say.colon}{_issues(first, last, say)}{say.aside(year)}" for first, last in cell.issues
            )
            continue
        missing = [_issues(*gap, say) for gap in gaps]
        yield f"{volume}{say.aside(year)}{say.aside(say.lacks + say.comma.join(missing))}"


def _even(pairs: Sequence[tuple[int, int]]) -> list[tuple[Span, Span]]:
    """(years, volumes) with as many volumes in each of the years."""
    blocks: list[tuple[int, int, int]] = []  # year, first and last volume
    for year, volume in pairs:
        if blocks and blocks[-1][0] == year and blocks[-1][2] == volume - 1:
            blocks[-1] = (year, blocks[-1][1], volume)
        else:
            blocks.append((year, volume, volume))
    found: list[tuple[Span, Span]] = []
    ends: dict[tuple[int, int, int], int] = {}  # what would follow on (year, volume, how many) -> place in `found`
    for year, first, last in blocks:
        many = last - first + 1
        at = ends.pop((year, first, many), None)
        if at is None:
            at = len(found)
            found.append(((year, year), (first, last)))
        else:
            years, volumes = found[at]
            found[at] = ((years[0], year), (volumes[0], last))
        ends[year + 1, last + 1, many] = at
    return found


def _stretch(run: Stretch, say: _Words) -> str:
    first, last = run
    if last is None:
        issue = say.colon + say.issue(f"{first.issue}") if first.issue else ""
        return say.volume(f"{first.volume}") + issue + "-" + say.aside(say.year(f"{first.year}") + "-")
    years = say.aside(say.year(_range(first.year, last.year)))
    if not first.issue:
        return _named(say.volume, first.volume, last.volume, say) + years
    if first.volume == last.volume:
        return say.volume(f"{first.volume}") + say.colon + _named(say.issue, first.issue, last.issue, say) + years
    return f"{_end(first, say)}-{_end(last, say)}{years}"


def _end(point: Point, say: _Words) -> str:
    return say.volume(f"{point.volume}") + say.colon + say.issue(f"{point.issue}")
