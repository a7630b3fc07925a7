"""Records that were made for somebody, kept for the next one: as exact as the change feed, whatever has changed is
forgotten.

The feed is looked at when records are asked for, at most every `KEPT` seconds; so a record that has changed, or may no
longer be shown, is given for no longer than that. What is being made while the feed moves on is not kept.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from catalog import changes
from services.retrieval.results import Connect

KEPT = 0.25  # seconds between two looks at the feed
MOST_CHANGES = 5_000  # since the last look, of which each is forgotten by itself; of more everything is
LARGEST = 32 << 20  # octets

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values by cluster and form; those that were used last stay longest."""

    def __init__(self, connect: Connect, largest: int = LARGEST) -> None:
        self._connect, self._largest = connect, largest
        self._kept: dict[tuple[int, Hashable], tuple[Value, int]] = {}
        self._forms: dict[int, set[Hashable]] = {}  # by cluster
        self._size = 0
        self._looked = float("-inf")
        self._place = (-1, -1)  # epoch and place in the feed
        self.turn = 0  # rises whenever something was forgotten because it changed

    def is_fresh(self, now: float) -> bool:
        """The feed needs no look."""
        return now - self._looked < KEPT

    async def look(self, now: float) -> int:
        """Forget what has changed. `now` is of a clock that never goes back. The turn for `keep`."""
        if not self.is_fresh(now):
            async with self._connect() as conn:
                epoch, last = await changes.head(conn)
                before = self._place
                if (epoch, last) != before:
                    changed = await changes.changed(conn, before[1], MOST_CHANGES) if epoch == before[0] else None
                    self._forget(changed)
                    self._place = (epoch, last)
            self._looked = now
        return self.turn

    def get(self, cluster: int, form: Hashable) -> Value | None:
        """What was made of it in this form."""
        found = self._kept.pop((cluster, form), None)
        if found is None:
            return None
        self._kept[cluster, form] = found
        return found[0]

    def keep(self, turn: int, cluster: int, form: Hashable, value: Value, size: int) -> None:
        """Keep what was made of a state that was read in this turn; `size` in octets."""
        if turn != self.turn or (cluster, form) in self._kept:
            return
        self._kept[cluster, form] = (value, size)
        self._forms.setdefault(cluster, set()).add(form)
        self._size += size
        while self._size > self._largest:
            self._drop(*next(iter(self._kept)))

    def _forget(self, changed: list[int] | None) -> None:
        """These clusters, None or too many = all."""
        self.turn += 1
        if changed is None or len(changed) >= MOST_CHANGES:
            self._kept.clear()
            self._forms.clear()
            self._size = 0
            return
        for cluster in changed:
            for form in list(self._forms.get(cluster, ())):
                self._drop(cluster, form)

    def _drop(self, cluster: int, form: Hashable) -> None:
        self._size -= self._kept.pop((cluster, form))[1]
        forms = self._forms[cluster]
        forms.discard(form)
        if not forms:
            del self._forms[cluster]
