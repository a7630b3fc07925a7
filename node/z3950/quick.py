"""Which searches are done at once and not in a thread: handing one over takes as long as most of them.

Plain words and numbers alone, since the engine walks lists for the others; and only while such searches are quick in
this catalogue. One that isn't sends all of them to the threads for a hundred times as long as it took: slow ones keep
others waiting for a hundredth of the time at most, and the first of a process, which opens the index, matters little.
"""

from __future__ import annotations

from catalog.search import tree

PLAIN = frozenset((tree.Text, tree.Number, tree.Value, tree.All, tree.Either, tree.Sound, tree.Spelled))
MOST_NODES = 8
QUICK = 0.003  # seconds of processor time: on a busy machine the clock says little of the search
WATCHED = 100  # searches, after one that took long by the clock
PAUSE = 100  # times as long as a slow one took


class Quick:
    """What is known of how long searches take."""

    def __init__(self) -> None:
        self._not_before = float("-inf")
        self._watched = 0  # searches whose processor time is still to be looked at

    def may(self, asked: tree.Query, now: float) -> bool:
        """Whether this one is done at once; `now` is of a clock that never goes back."""
        if now < self._not_before:
            return False
        nodes = [*asked.wanted, *asked.unwanted]
        for node in nodes:  # which grow on the way
            if type(node) not in PLAIN or len(nodes) > MOST_NODES:
                return False
            if isinstance(node, tree.All | tree.Either):
                nodes += node.parts
        return True

    @property
    def watches(self) -> bool:
        """The processor time of the next one is to be told: asking for it takes as long as many a part of a search."""
        return self._watched > 0

    def took(self, passed: float, used: float | None, now: float) -> None:
        """One has been done; seconds on the clock, and of processor time where that was looked at."""
        if passed <= QUICK:
            self._watched = max(0, self._watched - 1)
        elif used is None:
            self._watched = WATCHED
        elif used > QUICK:
            self._not_before = now + PAUSE * used
