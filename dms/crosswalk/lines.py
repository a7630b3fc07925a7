"""What is found out about the lines of fields, remembered by which tuple of lines it is (pure).

Fields of one outline share the tuple of their lines, and such tuples are long to compare: their identity is enough, as
long as they are kept beside what was found out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import Generic, TypeVar

from dms.crosswalk.model import Fate, Loss

REMEMBERED = 50_000  # about 30 MB at worst
T = TypeVar("T")
Lines = tuple[Loss, ...]
# Itself in the place of a value that is told beside: the lines of fields of one outline are the same then.
AWAITED = "\x1e awaited"
Brief = tuple[int, Lines, tuple[str, ...]]  # which of its tag from 1, its lines, the values that they await


Fates = tuple[tuple[int, Lines], ...]


def every(told: Iterable[Brief]) -> Fates:
    """All lines with their values."""
    return tuple([(nth, whole(lines, values)) for nth, lines, values in told])


def whole(lines: Lines, values: tuple[str, ...]) -> Lines:
    """The lines with the values that they await."""
    if not values:
        return lines
    left = iter(values)
    return tuple([each._replace(value=next(left)) if each.value is AWAITED else each for each in lines])


@lru_cache(4096)
def mapped(tag: str, target: str, own: tuple[str, ...], codes: tuple[str, ...]) -> Lines:
    """Lines of subfields `own` that are all there as `codes`, the same tuple for the same."""
    return tuple(
        Loss(tag, one, Fate.MAPPED, f"{target}${code}" if code else target)
        for one, code in zip(own, codes, strict=True)
    )


class Known(Generic[T]):
    """A function of lines and of little more that remembers its results."""

    def __init__(self, find: Callable[..., T]) -> None:
        self._find = find
        self._known: dict[tuple[Hashable, ...], tuple[Lines, T]] = {}

    def __call__(self, lines: Lines, *more: Hashable) -> T:
        key = (id(lines), *more)
        known = self._known.get(key)
        if known is None or known[0] is not lines:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[key] = (lines, self._find(lines, *more))
        return known[1]

    def each(self, told: Iterable[tuple[Hashable, Lines]]) -> list[T]:
        """The results of lines, each with one thing more, in front."""
        found = []
        for more, lines in told:
            known = self._known.get((id(lines), more))
            found.append(known[1] if known is not None and known[0] is lines else self(lines, more))
        return found
