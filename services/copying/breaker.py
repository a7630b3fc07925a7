"""Spares a target that doesn't answer, and us the waiting (pure).

closed -> (failures in a row) -> open -> (a while) -> half open: one request tries -> closed, or open for longer.
"""

from __future__ import annotations

from dataclasses import dataclass

FAILURES = 3  # in a row that open it
FIRST, LONGEST = 15.0, 600.0  # seconds that it stays open: the first time, and at most; each time twice as long


@dataclass(slots=True)
class Breaker:
    """Of one target. Times are seconds of any clock that goes forward."""

    failures: int = 0
    until: float | None = None  # open up to then; None = closed
    wait: float = FIRST
    trying: bool = False  # half open, and somebody tries

    def refuses(self, now: float) -> float:
        """Seconds that nobody need ask before; 0 = ask. Whoever is let through must say how it went."""
        if self.until is None:
            return 0.0
        if now < self.until:
            return self.until - now
        if self.trying:
            return self.wait
        self.trying = True
        return 0.0

    def answered(self) -> None:
        """It answers, whatever it says."""
        self.failures, self.until, self.wait, self.trying = 0, None, FIRST, False

    def failed(self, now: float) -> None:
        """It did not answer."""
        self.failures += 1
        if self.trying:
            self.wait = min(2 * self.wait, LONGEST)
        if self.trying or self.failures >= FAILURES:
            self.until = now + self.wait
        self.trying = False

    def given_up(self) -> None:
        """Nobody waited for its answer: that says nothing about it."""
        self.trying = False
