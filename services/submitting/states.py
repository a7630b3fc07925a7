"""The life of a submission as a table of states (pure).

    draft -> submitted -> accepted -> merged
                 |  ^         |
                 v  |         v
               returned <-----+          draft, submitted, returned -> withdrawn

Whose qualification allows it, accepts what he or she submits by submitting it, unless something speaks against it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from catalog.submissions import State
from config.errors import Conflict

Within = Collection[str] | None  # libraries; None = all


class Event(StrEnum):
    """What a person does with a submission."""

    EDIT = "edit"
    SUBMIT = "submit"
    ACCEPT = "accept"
    RETURN = "return"
    WITHDRAW = "withdraw"


class Level(StrEnum):
    """What a cataloguer is qualified for."""

    SUBMIT = "submit"  # hands in what others review
    CHANGE = "change"  # reviews


class Step(NamedTuple):
    """An event's states of departure, the state that it leads to (None: it stays), and what it takes."""

    since: tuple[State, ...]
    to: State | None
    needs: Level


STEPS: Mapping[Event, Step] = {
    Event.EDIT: Step(("draft", "returned"), None, Level.SUBMIT),
    Event.SUBMIT: Step(("draft", "returned"), "submitted", Level.SUBMIT),
    Event.ACCEPT: Step(("submitted",), "accepted", Level.CHANGE),
    Event.RETURN: Step(("submitted",), "returned", Level.CHANGE),
    Event.WITHDRAW: Step(("draft", "submitted", "returned"), "withdrawn", Level.SUBMIT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody with a name for the log, and the libraries in which each qualification counts."""

    name: str
    submits: Within
    changes: Within

    def within(self, event: Event) -> Within:
        """The libraries with whose submissions this may be done."""
        return self.submits if STEPS[event].needs is Level.SUBMIT else self.changes

    def may(self, event: Event, library: str) -> bool:
        """Whether it may be done with a library's submissions."""
        within = self.within(event)
        return within is None or library in within


def on(state: State, event: Event) -> State:
    """The state after it. Conflict if it is nothing for this state."""
    step = STEPS[event]
    if state not in step.since:
        raise Conflict(
            f"a submission that is {state} can't do this: {event} is for one that is {' or '.join(step.since)}"
        )
    return step.to or state


def possible(state: State) -> tuple[Event, ...]:
    """What can be done with a submission in this state."""
    return tuple(event for event, step in STEPS.items() if state in step.since)
