"""What a procedure of a simulated node may ask of the world. It is a generator, and may die wherever it yields."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    """Go on at once, unless the node dies here."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Others come in between for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class News:
    """Until the feed moves, or so many seconds have passed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """Ask a peer; the answer, or None when the time for one is over."""

    peer: str
    request: tuple[Any, ...]
    seconds: float = 10.0


Effect = Point | Pause | News | Call
Steps = Generator[Effect, Any, T]
POINT = Point()
