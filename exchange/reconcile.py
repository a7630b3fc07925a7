"""Do both ends of a stream say the same in their ledgers? Bucket digests first, then leaves where they differ (pure).

A summary is 4,096 digests of 16 bytes in a row: of each bucket the exclusive or of its leaves' digests, which hold the
key. Versions don't count: what is equal need not be sent again, whatever epoch it is from. What is gone is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.payload import BUCKETS, bucket
from exchange.model import Damaged, Key, Leaf, Version

WIDTH = 16  # bytes of a digest
STRIDE = 64  # buckets that are looked at together first


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a reconcile found."""

    buckets: tuple[int, ...]  # that differ

    @property
    def equal(self) -> bool:
        """Proved: both ledgers say the same."""
        return not self.buckets


def summary(leaves: Iterable[Leaf]) -> bytes:
    """Digests of all buckets of a ledger."""
    sums: dict[int, int] = {}
    for kind, ident, _, _, digest in leaves:
        if digest is not None:
            number = bucket(kind, ident)
            sums[number] = sums.get(number, 0) ^ int.from_bytes(digest, "big")
    return pack({number: total.to_bytes(WIDTH, "big") for number, total in sums.items()})


def pack(digests: Mapping[int, bytes]) -> bytes:
    """A summary from the digests of the buckets that aren't empty."""
    packed = bytearray(BUCKETS * WIDTH)
    for number, digest in digests.items():
        packed[number * WIDTH : (number + 1) * WIDTH] = digest
    return bytes(packed)


def differing(mine: bytes, theirs: bytes) -> tuple[int, ...]:
    """Numbers of the buckets that differ. Damaged if the other summary isn't one."""
    if len(theirs) != BUCKETS * WIDTH:
        raise Damaged(f"a summary has {len(theirs)} bytes and not {BUCKETS * WIDTH}: ask for it again")
    found: list[int] = []
    for first in range(0, BUCKETS, STRIDE):
        here = slice(first * WIDTH, (first + STRIDE) * WIDTH)
        if mine[here] != theirs[here]:  # most are alike
            found += (number for number in range(first, first + STRIDE) if _of(mine, number) != _of(theirs, number))
    return tuple(found)


def _of(summary: bytes, number: int) -> bytes:
    return summary[number * WIDTH : (number + 1) * WIDTH]


def compare(told: bytes, heard: bytes) -> Comparison:
    """The proof, from both summaries."""
    return Comparison(buckets=differing(told, heard))


def unequal(told: Iterable[Leaf], heard: Iterable[Leaf]) -> list[Key]:
    """Keys that the two ledgers disagree on, in order; give both the leaves of the same buckets."""
    mine = {leaf.key: leaf.digest for leaf in told if leaf.digest is not None}
    theirs = {leaf.key: leaf.digest for leaf in heard if leaf.digest is not None}
    return sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))


def top(leaves: Iterable[Leaf]) -> Version:
    """The highest version in a ledger, (0, 0) of an empty one."""
    return max(((leaf.epoch, leaf.seq) for leaf in leaves), default=(0, 0))


def corrected(line: Leaf, kept: bytes | None) -> Leaf | None:
    """The line as it must be after a look at what is really kept (its digest, None = nothing); None if it was right."""
    return None if line.digest == kept else line._replace(digest=kept)
