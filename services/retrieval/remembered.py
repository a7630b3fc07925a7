"""Records that were made for somebody, kept for the next one: as exact as the change feed, whatever has changed is
forgotten.

The feed is looked at when records are asked for, at most every `KEPT` seconds; so a record that has changed, or may no
longer be shown, is given for no longer than that. What is being made while the feed moves on is not kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from catalog import changes
from services.retrieval.results import Connect

KEPT = 0.25  # seconds between two looks at the feed
MOST_CHANGES = 5_000  # since the last look, of which each is forgotten by itself; of more everything is
LARGEST = 32 << 20  # octets

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values by cluster and form, the young and the old. When the young have come to half of the room, they are the old
    ones and the old ones go; an old one that is asked for is young again.
    """

    def __init__(self, connect: Connect, largest: int = LARGEST) -> None:
        self._connect, self._half = connect, largest // 2
        self._young: dict[int, dict[Hashable, tuple[Value, int]]] = {}
        self._old: dict[int, dict[Hashable, tuple[Value, int]]] = {}
        self._size = 0  # of the young
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
        forms = self._young.get(cluster)
        if forms is not None and (found := forms.get(form)) is not None:
            return found[0]
        forms = self._old.get(cluster)
        if forms is None or (found := forms.pop(form, None)) is None:
            return None
        self._put(cluster, form, found)
        return found[0]

    def every(self, clusters: Sequence[int], form: Hashable) -> list[Value] | None:
        """`get` of each, in their order; None if one isn't there."""
        made = []
        young = self._young
        for cluster in clusters:
            if (forms := young.get(cluster)) is not None and (known := forms.get(form)) is not None:
                made.append(known[0])
            elif (found := self.get(cluster, form)) is not None:
                made.append(found)
                young = self._young
            else:
                return None
        return made

    def keep(self, turn: int, cluster: int, form: Hashable, value: Value, size: int) -> None:
        """Keep what was made of a state that was read in this turn; `size` in octets."""
        if turn == self.turn and self.get(cluster, form) is None:
            self._put(cluster, form, (value, size))

    def _put(self, cluster: int, form: Hashable, value: tuple[Value, int]) -> None:
        self._size += value[1]
        if self._size > self._half:
            self._old, self._young, self._size = self._young, {}, value[1]
        self._young.setdefault(cluster, {})[form] = value

    def _forget(self, changed: list[int] | None) -> None:
        """These clusters, None or too many = all."""
        self.turn += 1
        if changed is None or len(changed) >= MOST_CHANGES:
            self._young.clear()
            self._old.clear()
            self._size = 0
            return
        for cluster in changed:
            self._old.pop(cluster, None)
            self._size -= sum(size for _, size in self._young.pop(cluster, {}).values())
