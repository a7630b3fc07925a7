"""Which searches are done at once and not in a thread: handing one over takes as long as most of them.

Plain words and numbers alone, since the engine walks lists for the others; and only while such searches are quick in
this catalogue. One that isn't sends all of them to the threads for a hundred times as long as it took: slow ones keep
others waiting for a hundredth of the time at most, and the first of a process, which opens the index, matters little.
"""

from __future__ import annotations

from catalog.search import tree

PLAIN = (tree.Text, tree.Number, tree.Value, tree.All, tree.Either, tree.Sound, tree.Spelled)
MOST_NODES = 8
QUICK = 0.003  # seconds of processor time: on a busy machine the clock says nothing of the search
PAUSE = 100  # times as long as a slow one took


class Quick:
    """What is known of how long searches take."""

    def __init__(self) -> None:
        self._not_before = float("-inf")

    def may(self, asked: tree.Query, now: float) -> bool:
        """Whether this one is done at once; `now` is of a clock that never goes back."""
        if now < self._not_before:
            return False
        nodes = [node for node, _ in tree.walk(asked.wanted + asked.unwanted)]
        return len(nodes) <= MOST_NODES and all(isinstance(node, PLAIN) for node in nodes)

    def took(self, seconds: float, now: float) -> None:
        """One has been done."""
        if seconds > QUICK:
            self._not_before = now + PAUSE * seconds
