"""Statements of holdings, in the usual hands, as values: what is held, what lacks, what is not understood (pure).

Read are lists and ranges of years, volumes, issues and months with captions before or behind them (ANSI/NISO Z39.71,
GB/T 24424 and common practice): `v.1-5(1980-1984)`, `2001:1-6,8-12`, `第1-3卷`, `1998年第5期-1999年第3期`, 缺第5期.
A number of four digits from 1500 to 2199 is a year, one behind a year or volume and a colon an issue. Words for bound
volumes (合订本) say nothing of what is held. What is not understood stays as it is, part by part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dms.ranges import model, runs
from dms.ranges.model import Held
from dms.ranges.runs import NotRead, Run
from dms.ranges.tokens import Level, Token, listed, plain

LONGEST = 4000  # characters of a statement that is read; a longer one stays as it is
MOST = 2000  # spans


def read(text: str, bare: Level | None = None) -> Held:
    """What the statement says is held. `bare`: what a number counts of which nothing is said. Never raises."""
    whole = " ".join(text.split())
    if len(whole) > LONGEST:
        return Held(unread=(whole.replace(";", ","),))
    reader = _Reader(bare)
    for segment in plain(whole).split(";"):
        reader.begin()
        for part, tokens in listed(segment):
            reader.part(part, tokens)
    return model.union([reader.held, Held(unread=tuple(reader.unread))])


def united(statements: Iterable[str], bare: Level | None = None) -> Held:
    """What several statements of one library say together; in any order."""
    return model.union([read(text, bare) for text in dict.fromkeys(statements)])


class _Reader:
    """What was read so far, and what the next bare number counts."""

    def __init__(self, bare: Level | None) -> None:
        self.held = Held()
        self.unread: list[str] = []
        self.lacking = False
        self._same_list = False
        self._bare = bare
        self._before: runs.Levels = {}  # of the last part, for one that names its lowest level only

    def begin(self) -> None:
        """Behind a semicolon."""
        self.lacking = self._same_list = False

    def part(self, text: str, tokens: Sequence[Token] | None) -> None:
        """One part of a list, in its order."""
        if tokens is not None and not tokens:
            return
        if tokens and tokens[0].sign == "lacks":
            self.lacking, tokens = True, tokens[1:]
        try:
            if tokens is None:
                raise NotRead
            self._take(runs.parse(tokens, self._context(), self._bare))
        except NotRead:
            said = text if not self.lacking or text[:1] in "缺欠无lL" else f"lacks {text}"
            self.unread.append(said)

    def _context(self) -> runs.Context:
        return runs.Context(self._before, lacking=self.lacking, same_list=self._same_list)

    def _take(self, run: Run) -> None:
        found = runs.held(run)
        if self.lacking:
            if run.lacks:
                raise NotRead
            self.held = _less(self.held, found)
            return
        both = model.union([self.held, found])
        for gone in run.lacks:
            both = _less(both, gone)
        if both.size() > MOST:
            raise NotRead
        self.held = both
        self._before, self._same_list = run.named, True


def _less(held: Held, gone: Held) -> Held:
    """Raises NotRead if nothing is lacking of what is held: then something else is meant."""
    left = model.less(held, gone)
    if left == held:
        raise NotRead
    return left
