"""Chance that repeats: everything rests on `Random.random()`, whose sequence for a seed Python promises to keep."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw:
    """A seeded source of choices. Not for secrets."""

    __slots__ = ("random",)

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random

    def below(self, n: int) -> int:
        """0 ≤ result < n."""
        return int(self.random() * n)

    def between(self, low: int, high: int) -> int:
        """low ≤ result ≤ high."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def pick(self, values: Sequence[T]) -> T:
        """One of the values, each as likely."""
        return values[int(self.random() * len(values))]

    def some(self, values: Sequence[T], n: int) -> list[T]:
        """n different ones in random order (all of them where there are fewer)."""
        pool = list(values)
        for place in range(min(n, len(pool))):
            other = place + int(self.random() * (len(pool) - place))
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:n]


class Wheel(Generic[T]):
    """Values drawn by weight."""

    __slots__ = ("bounds", "values")

    def __init__(self, weighted: Sequence[tuple[float, T]]) -> None:
        self.bounds = list(accumulate(weight for weight, _ in weighted))
        self.values = [value for _, value in weighted]

    def spin(self, draw: Draw) -> T:
        """One of the values."""
        return self.values[bisect_right(self.bounds, draw.random() * self.bounds[-1])]
