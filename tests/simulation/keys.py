"""A suite for the simulator: quick, and as hard to forge as the simulated forger is dull."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import blake3

SUITE = "simulated"


@dataclass(frozen=True, slots=True)
class Key:
    """Signs and verifies by the same secret."""

    secret: str

    @property
    def suite(self) -> str:
        return SUITE

    def digest(self, data: bytes) -> bytes:
        return blake3.blake3(data).digest()

    def sign(self, data: bytes) -> bytes:
        return blake3.blake3(data, key=_key(self.secret)).digest(16)

    def verify(self, data: bytes, signature: bytes) -> bool:
        return self.sign(data) == signature


@functools.cache
def _key(secret: str) -> bytes:
    return blake3.blake3(secret.encode()).digest()
