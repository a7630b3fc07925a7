"""Features of signatures seen lately. A signature never changes, so what is remembered never goes stale.

They are kept packed until somebody asks for them: of most new signatures nobody does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog import signatures
from catalog.connection import Connection
from dms.match import features as matching
from dms.match.features import Features

LARGEST = 100_000  # signatures remembered between batches, at most 1.5 kB each


@dataclass(slots=True)
class Memory:
    """One matcher's memory."""

    known: dict[int, Features | bytes] = field(default_factory=dict)

    def learn(self, sid: int, packed: bytes) -> None:
        """Remember a signature that was just made."""
        self.known[sid] = packed

    async def of(self, conn: Connection, sids: Iterable[int]) -> dict[int, Features]:
        """Features of these signatures, fetched where they are not remembered."""
        wanted = set(sids)
        missing = [sid for sid in wanted if sid not in self.known]
        if missing:
            self.known.update(await signatures.features(conn, missing))
        return {sid: self._unpacked(sid) for sid in wanted if sid in self.known}

    def _unpacked(self, sid: int) -> Features:
        there = self.known[sid]
        if isinstance(there, bytes):
            there = self.known[sid] = matching.unpack(there)
        return there

    def forget(self) -> None:
        """Between batches: drop the oldest half when there is too much."""
        if len(self.known) > LARGEST:
            for sid in list(self.known)[: len(self.known) // 2]:
                del self.known[sid]
