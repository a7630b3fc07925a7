"""What each other node may ask of this one in an hour: so many requests and so many bytes, both ways (pure).

Each has a bucket that holds an hour's worth and fills again all the time (token bucket). What a request costs is known
only when it is done, so a bucket may go below nothing; then its node waits until it has filled. What is kept is two
numbers a peer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.errors import Retry

HOUR = 3600.0  # seconds


class Spent(Retry):
    """A node has asked for more than its share; `pause` = seconds until it may go on."""

    code = "allowance-spent"

    def __init__(self, message: str, pause: float) -> None:
        super().__init__(message)
        self.pause = pause


@dataclass(slots=True)
class _Bucket:
    left: dict[str, float]
    at: float  # time of the clock up to which it has been filled


class Allowance:
    """The buckets of all peers."""

    def __init__(self, hourly: Mapping[str, float]) -> None:
        """`hourly`: by what is counted, e.g. requests, how much of it an hour brings."""
        self._hourly = dict(hourly)
        self._buckets: dict[int, _Bucket] = {}

    def check(self, peer: int, now: float) -> None:
        """Raises Spent if the peer has to wait. `now` is a clock's that never goes back."""
        bucket = self._filled(peer, now)
        for name, left in bucket.left.items():
            if left < 0:
                pause = -left * HOUR / self._hourly[name]
                raise Spent(f"more {name} than the {self._hourly[name]:,.0f} that an hour has for each node", pause)

    def spend(self, peer: int, now: float, **cost: float) -> None:
        """Take what a request has cost."""
        bucket = self._filled(peer, now)
        for name, amount in cost.items():
            bucket.left[name] -= amount

    def _filled(self, peer: int, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(peer, _Bucket(left=dict(self._hourly), at=now))
        for name, hourly in self._hourly.items():
            bucket.left[name] = min(hourly, bucket.left[name] + (now - bucket.at) * hourly / HOUR)
        bucket.at = now
        return bucket
