"""How fast each key may ask: a bucket a key, filled all the time, from which each request takes one (pure).

The web door of a node is one process, so its memory is the whole truth; a restart forgives a minute. RFC 9110, 10.2.3
(Retry-After) and the draft on RateLimit fields say how it is told.
"""

from __future__ import annotations

from dataclasses import dataclass

BURST = 0.5  # of a minute's requests may come at once, but one always may
MOST = 10_000  # buckets kept; the fullest are forgotten first, which loses nothing


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whether a request may go on, and what its answer tells of the pace."""

    go: bool
    left: int  # requests that may come at once after this one
    pause: float  # seconds until the next may come; 0 = now


class Pace:
    """The buckets of all keys."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._buckets: dict[int, _Bucket] = {}

    def turn(self, key: int, rate: int, now: float) -> Turn:
        """A request with this key, which has `rate` a minute; `now` is a clock's that never goes back."""
        size = _size(rate)
        bucket = self._buckets.get(key)
        if bucket is None or bucket.rate != rate:
            self._make_room(now)
            bucket = self._buckets[key] = _Bucket(left=size, at=now, rate=rate)
        bucket.left = min(size, bucket.left + (now - bucket.at) * rate / 60)
        bucket.at = now
        go = bucket.left >= 1
        if go:
            bucket.left -= 1
        return Turn(go=go, left=int(bucket.left), pause=max(0.0, (1 - bucket.left) * 60 / rate))

    def _make_room(self, now: float) -> None:
        if len(self._buckets) < self._most:
            return

        def emptiness(key: int) -> float:
            each = self._buckets[key]
            return (_size(each.rate) - each.left - (now - each.at) * each.rate / 60) / _size(each.rate)

        del self._buckets[min(self._buckets, key=emptiness)]


def _size(rate: int) -> float:
    return max(1.0, rate * BURST)
