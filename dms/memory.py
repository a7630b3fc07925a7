"""Features of signatures seen lately. A signature never changes, so what is remembered never goes stale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog import signatures
from catalog.connection import Connection
from dms.match import features as matching
from dms.match.features import Features

LARGEST = 100_000  # signatures remembered between batches, about 1.5 kB each


@dataclass(slots=True)
class Memory:
    """One matcher's memory."""

    known: dict[int, Features] = field(default_factory=dict)

    def learn(self, sid: int, packed: bytes) -> None:
        """Remember a signature that was just made."""
        self.known[sid] = matching.unpack(packed)

    async def of(self, conn: Connection, sids: Iterable[int]) -> dict[int, Features]:
        """Features of these signatures, fetched where they are not remembered."""
        wanted = set(sids)
        missing = [sid for sid in wanted if sid not in self.known]
        if missing:
            for sid, packed in (await signatures.features(conn, missing)).items():
                self.learn(sid, packed)
        return {sid: self.known[sid] for sid in wanted if sid in self.known}

    def forget(self) -> None:
        """Between batches: drop the oldest half when there is too much."""
        if len(self.known) > LARGEST:
            for sid in list(self.known)[: len(self.known) // 2]:
                del self.known[sid]
