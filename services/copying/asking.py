"""What is asked of a target and what it answers, whatever the protocol (pure)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from catalog.targets import Target
from config.errors import Unreachable
from protocols.query import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record as it came."""

    raw: bytes
    carrier: str  # of `protocols.detect`: iso2709, marcxml
    database: str = ""
    position: int = 0  # in the target's result, from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a target says to a query."""

    hits: int
    found: tuple[Found, ...] = ()
    notes: tuple[str, ...] = ()  # what of it did not work, in words: records that could not be sent


class Closed(Unreachable):
    """The other end had closed the connection: on a new one it may work."""

    code = "closed-connection"


class Line(Protocol):
    """A connection to one target. One query at a time."""

    async def ask(self, query: Node, most: int) -> Answer:
        """At most so many records. Raises Unreachable if the target doesn't answer, Refused if it answers that it
        can't."""
        ...

    async def close(self) -> None:
        """Say good-bye, without waiting for an answer."""
        ...

    @property
    def open(self) -> bool:
        """Whether it may be used again."""
        ...


Open = Callable[[Target], Awaitable[Line]]  # a new connection; raises as `ask` does
