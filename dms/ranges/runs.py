"""One part of a statement: its numbers by what they count, and what that makes (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dms.ranges import model
from dms.ranges.model import MANY, MONTHS, OPEN, WHOLE, Cell, Held, Point, Span, Stretch
from dms.ranges.tokens import YEARS, Level, Token, is_year

_MOST_EACH = 400  # years and volumes that have to be counted one by one
_LARGEST = {Level.YEAR: YEARS.stop - 1, Level.VOLUME: 99_999, Level.ISSUE: MANY - 1, Level.MONTH: MONTHS}
_LEAST = {Level.YEAR: YEARS.start, Level.VOLUME: 1, Level.ISSUE: 1, Level.MONTH: 1}

Levels = Mapping[Level, Span]  # first and last number


class NotRead(ValueError):
    """A part that is not understood."""


@dataclass(frozen=True, slots=True)
class Run:
    """A part: its numbers by level. `until` is there where its ends differ in more than one level."""

    ends: Levels
    until: Levels | None = None
    goes_on: bool = False
    lacks: tuple[Held, ...] = ()
    named: Levels = field(default_factory=dict)  # outside of parentheses: what the next part of a list may leave out


@dataclass(frozen=True, slots=True)
class Context:
    """What a part may leave out because it was said before it."""

    levels: Levels = field(default_factory=dict)
    lacking: bool = False  # it tells of what is lacking there
    same_list: bool = True  # no semicolon stands between


def parse(tokens: Sequence[Token], before: Context, bare: Level | None) -> Run:
    """The run that a part says. `before`: what it may leave out. Raises NotRead."""
    outer, groups = _groups(tokens)
    run = _Ends(before, bare).read(outer)
    ends, until, goes_on = dict(run.ends), run.until, run.goes_on
    named = until or dict(ends)
    lacks: list[Held] = []
    for group in groups:
        if group[0].sign == "lacks":
            context = Context(until or ends, lacking=True)
            lacks += [held(parse(piece, context, None)) for piece in _pieces(group[1:])]
            continue
        aside = _Ends(Context(), Level.ISSUE).read(group)
        own = {level: numbers for level, numbers in aside.ends.items() if level not in ends}
        if aside.until is not None and Level.YEAR in own and Level.YEAR in aside.until:
            own[Level.YEAR] = own[Level.YEAR][0], aside.until[Level.YEAR][1]
        if not own or len(own) < len(aside.ends):
            raise NotRead
        ends |= own
        until = {**until, **own} if until is not None else None
        goes_on = goes_on or aside.goes_on
    if Level.MONTH in ends and (Level.ISSUE in ends or Level.VOLUME in ends):
        del ends[Level.MONTH]
        until = {level: each for level, each in until.items() if level is not Level.MONTH} if until else None
    return Run(ends, until, goes_on, tuple(lacks), named)


def _groups(tokens: Sequence[Token]) -> tuple[list[Token], list[list[Token]]]:
    """What stands outside of parentheses, and what in them; behind `lacks` all is a group."""
    outer: list[Token] = []
    groups: list[list[Token]] = []
    depth = 0
    for at, one in enumerate(tokens):
        if one.sign == ")":
            depth -= 1
            if depth < 0:
                raise NotRead
            if depth == 0:
                continue
        if one.sign == "lacks" and not depth:
            groups.append(list(tokens[at:]))
            return outer, [group for group in groups if group]
        if depth:
            groups[-1].append(one)
        else:
            outer += [one] if one.sign != "(" else []
        if one.sign == "(":
            depth += 1
            if depth == 1:
                groups.append([])
    if depth:
        raise NotRead
    return outer, [group for group in groups if group]


def _pieces(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Parts of a list in parentheses."""
    piece: list[Token] = []
    depth = 0
    for one in tokens:
        depth += (one.sign == "(") - (one.sign == ")")
        if one.sign in ",;" and one.sign and not depth:
            yield piece
            piece = []
        else:
            piece.append(one)
    yield piece


class _Ends:
    """Numbers of one level behind the other, with a range in one of them or between two ends."""

    def __init__(self, before: Context, bare: Level | None) -> None:
        self._before = before
        self._bare = bare
        self.ends: dict[Level, Span] = {}
        self.until: dict[Level, Span] | None = None
        self.goes_on = False
        self._at: dict[Level, Span] = self.ends
        self._last: Token | None = None
        self._level: Level | None = None
        self._combined = False  # the last two numbers are one issue, as 11/12

    def read(self, tokens: Sequence[Token]) -> _Ends:
        """Raises NotRead."""
        sign = ""
        for at, one in enumerate(tokens):
            if one.sign:
                if sign or self._last is None or one.sign not in ("-", "/", ":"):
                    raise NotRead
                sign = one.sign
                continue
            self._number(one, sign, tokens[at + 1].sign if at + 1 < len(tokens) else "")
            sign = ""
        if not self.ends or sign in ("/", ":") or (sign and self.until is not None):
            raise NotRead
        self.goes_on = sign == "-"
        if self.goes_on and any(first != last for first, last in self.ends.values()):
            raise NotRead
        if self.until is not None:
            upper = {level: each for level, each in self.ends.items() if level not in self.until}
            if any(level > min(self.until) for level in upper):
                raise NotRead
            self.until |= upper
        return self

    def _number(self, one: Token, sign: str, then: str) -> None:
        level = self._level_of(one, sign, then)
        number = one.number
        if sign in ("-", "/") and level is self._level:
            first, last = self._at[level]
            if level is Level.YEAR and one.digits == 2:
                number += last // 100 * 100
            if (first != last and sign == "-" and not self._combined) or number < last or (one.caption and then == ":"):
                raise NotRead
            self._at[level] = first, number
            self._combined = sign == "/"
        elif sign == "-":
            if self.until is not None:
                raise NotRead
            self.until = self._at = {level: (number, number)}
        elif sign == "/" or level in self._at or (self._at and level < max(self._at)):
            raise NotRead
        else:
            self._at[level] = number, number
        if not _LEAST[level] <= number <= _LARGEST[level]:
            raise NotRead
        self._last, self._level = one, level

    def _level_of(self, one: Token, sign: str, then: str) -> Level:
        if one.level is not None:
            if not self.ends:
                self._inherit(one.level)
            return one.level
        if sign in ("-", "/") and self._level is not None and self._last is not None:
            return self._behind_dash(one, self._level, self._last, then)
        if is_year(one) and Level.YEAR not in self._at:
            return Level.YEAR
        named = self._last is not None and self._last.level is not None
        if self._level in (Level.YEAR, Level.VOLUME) and (sign == ":" or named):
            return Level.ISSUE
        if self._at:
            raise NotRead
        if self._before.levels:
            lowest = max(self._before.levels)
            if self._before.lacking and lowest is Level.YEAR:
                lowest = Level.ISSUE
            self._inherit(lowest, named=False)
            return lowest
        if self._bare is None:
            raise NotRead
        return self._bare

    def _behind_dash(self, one: Token, level: Level, last: Token, then: str) -> Level:
        """The other end of a range; a number that may be a year is one if its own issue follows."""
        if level is Level.YEAR or not is_year(one) or last.number in YEARS:
            return level
        if then == ":":
            return Level.YEAR
        if Level.YEAR in self._at:
            raise NotRead
        return level

    def _inherit(self, lowest: Level, *, named: bool = True) -> None:
        """Take over what stands above this level. A number that says what it counts may begin something new."""
        before = self._before
        if named and not (before.same_list and (before.lacking or lowest in before.levels)):
            return
        upper = {level: each for level, each in before.levels.items() if level < lowest}
        if before.lacking and any(first != last for first, last in upper.values()):
            raise NotRead
        self.ends |= upper


def held(run: Run) -> Held:
    """What a run says is held. Raises NotRead if it says nothing that can be counted."""
    levels = frozenset(run.ends)
    if run.until is not None:
        return _between(levels, run.ends, run.until)
    years, volumes = run.ends.get(Level.YEAR), run.ends.get(Level.VOLUME)
    lowest = run.ends.get(Level.ISSUE) or run.ends.get(Level.MONTH)
    if run.goes_on:
        return _open(levels, run.ends)
    if years and volumes:
        return _volumes_of_years(years, volumes, run.ends.get(Level.ISSUE))
    many = MONTHS if Level.MONTH in levels else MANY
    if years:
        found = _each(years, lowest, many)
        return Held(months=found) if Level.MONTH in levels else Held(years=found)
    if Level.MONTH in levels:
        raise NotRead
    if volumes:
        return Held(volumes=_each(volumes, lowest, MANY))
    if lowest is None:
        raise NotRead
    return Held(issues=(lowest,))


def _each(upper: Span, lower: Span | None, many: int) -> model.Spans:
    """The same issues in each of the years or volumes, or all of them."""
    first, last = upper
    if lower is None:
        return ((first * many, last * many + many - 1),)
    if last - first >= _MOST_EACH:
        raise NotRead
    return model.spans((each * many + lower[0] - 1, each * many + lower[1] - 1) for each in range(first, last + 1))


def _volumes_of_years(years: Span, volumes: Span, issues: Span | None) -> Held:
    """Each year with its volumes where these come out even."""
    many, left = divmod(volumes[1] - volumes[0] + 1, years[1] - years[0] + 1)
    if left or (issues and many > 1 and years[0] != years[1]):
        if volumes[0] != volumes[1] and issues:
            raise NotRead
        numbers = issues or (0, 0)
        first, last = Point(years[0], volumes[0], numbers[0]), Point(years[1], volumes[1], numbers[1])
        return Held(stretches=(Stretch(first, last),))
    if volumes[1] - volumes[0] >= _MOST_EACH:
        raise NotRead
    inside = ((issues[0] - 1, issues[1] - 1),) if issues else WHOLE
    return Held(
        cells=tuple(
            Cell(years[0] + n // many, volume, inside) for n, volume in enumerate(range(volumes[0], volumes[1] + 1))
        )
    )


def _between(levels: frozenset[Level], ends: Levels, until: Levels) -> Held:
    """From one end to the other, which differ in more than one level."""
    if levels != frozenset(until):
        raise NotRead
    first = {level: numbers[0] for level, numbers in ends.items()}
    last = {level: numbers[1] for level, numbers in until.items()}
    if [last[level] for level in sorted(levels)] < [first[level] for level in sorted(levels)]:
        raise NotRead
    if levels == {Level.YEAR, Level.VOLUME}:
        years, volumes = (first[Level.YEAR], last[Level.YEAR]), (first[Level.VOLUME], last[Level.VOLUME])
        if volumes[1] < volumes[0]:
            raise NotRead
        return _volumes_of_years(years, volumes, None)
    if levels == {Level.YEAR, Level.VOLUME, Level.ISSUE}:
        start, end = (Point(*(each[level] for level in sorted(levels))) for each in (first, last))
        if end.volume < start.volume:
            raise NotRead
        if start[:2] == end[:2]:
            return _volumes_of_years((start.year, end.year), (start.volume, end.volume), (start.issue, end.issue))
        return Held(stretches=(Stretch(start, end),))
    if len(levels) != 2:
        raise NotRead
    upper, lower = sorted(levels)
    many = MONTHS if lower is Level.MONTH else MANY
    span = ((first[upper] * many + first[lower] - 1, last[upper] * many + last[lower] - 1),)
    return _on_line(upper, lower, span)


def _open(levels: frozenset[Level], ends: Levels) -> Held:
    """From an end on."""
    first = {level: numbers[0] for level, numbers in ends.items()}
    if Level.YEAR in levels and Level.VOLUME in levels:
        return Held(
            stretches=(Stretch(Point(first[Level.YEAR], first[Level.VOLUME], first.get(Level.ISSUE, 0)), None),)
        )
    if levels == {Level.ISSUE}:
        return Held(issues=((first[Level.ISSUE], OPEN),))
    upper, lower = min(levels), max(levels)
    many = MONTHS if lower is Level.MONTH else MANY
    start = first[upper] * many + (first[lower] - 1 if lower is not upper else 0)
    return _on_line(upper, lower, ((start, OPEN),))


def _on_line(upper: Level, lower: Level, span: model.Spans) -> Held:
    if upper is Level.MONTH or upper is Level.ISSUE:
        raise NotRead
    if lower is Level.MONTH:
        return Held(months=span)
    return Held(years=span) if upper is Level.YEAR else Held(volumes=span)
