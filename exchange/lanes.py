"""The words of a link with a parent: its lanes, what happens to it, what a shell has to do (pure; `exchange.link`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Way(Enum):
    """Which end of the stream the child is."""

    UP = "up"
    DOWN = "down"


class Lane(NamedTuple):
    """A stream as the child sees it."""

    channel: str
    way: Way


class Outcome(Enum):
    """What became of an action."""

    MOVED = "moved"  # a segment got through, or a hello or a reconcile was answered
    QUIET = "quiet"  # there was nothing to move
    HELD_UP = "held up"  # the two ends don't fit: a reconcile is due
    DAMAGED = "damaged"  # what arrived, there or here, was not what was sent
    FAILED = "failed"  # the answer was of no use
    SILENT = "silent"  # no answer
    BUSY = "busy"  # the parent takes no more for now
    SUSPENDED = "suspended"  # the parent has suspended this node
    REFUSED = "refused"  # the parent doesn't know this node, or can't understand it; or the other way round


# What happens to a link.


@dataclass(frozen=True, slots=True)
class Start:
    """Begin, or go on after `Stop`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Begin nothing new."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """The hello was answered, or not."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """An action of a lane has ended."""

    lane: Lane
    outcome: Outcome
    reason: str = ""
    took: float = 0.0  # seconds
    pause: float = 0.0  # seconds that a busy parent asks for


@dataclass(frozen=True, slots=True)
class News:
    """There may be something to tell on a channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class Check:
    """Reconcile a lane's stream when it is free, though nothing seems to be wrong."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class Back:
    """The parent, or the network, is there again: whoever pauses tries at once."""


@dataclass(frozen=True, slots=True)
class Woke:
    """A wait is over."""

    turn: int


Event = Start | Stop | Greeted | Done | News | Check | Back | Woke


# What a shell has to do.


@dataclass(frozen=True, slots=True)
class SayHello:
    """Greet the parent; answer with `Greeted`."""


@dataclass(frozen=True, slots=True)
class Push:
    """Send the next segment, which is cut now if none waits; answer with `Done`."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class Pull:
    """Ask for the next segment and apply it; answer with `Done`."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class Mend:
    """Reconcile the stream; answer with `Done`."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class Wait:
    """Answer with `Woke` after so many seconds."""

    turn: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Show the trouble to people, empty = it is over."""

    trouble: str


Action = SayHello | Push | Pull | Mend | Wait | Tell
