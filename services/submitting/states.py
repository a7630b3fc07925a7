"""The life of a submission as a table of states (pure).

    draft -> submitted -> accepted -> merged
                 |  ^         |
                 v  |         v
               returned <-----+          draft, submitted, returned -> withdrawn

Whose qualification allows it, accepts what he or she submits by submitting it, unless something speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from catalog.submissions import State
from config.errors import Conflict
from services.access.policy import Permission


class Event(StrEnum):
    """What a person does with a submission."""

    EDIT = "edit"
    SUBMIT = "submit"
    ACCEPT = "accept"
    RETURN = "return"
    WITHDRAW = "withdraw"


class Step(NamedTuple):
    """An event's states of departure, the state that it leads to (None: it stays), and what it takes."""

    since: tuple[State, ...]
    to: State | None
    needs: Permission


STEPS: Mapping[Event, Step] = {
    Event.EDIT: Step(("draft", "returned"), None, Permission.SUBMIT),
    Event.SUBMIT: Step(("draft", "returned"), "submitted", Permission.SUBMIT),
    Event.ACCEPT: Step(("submitted",), "accepted", Permission.CHANGE),
    Event.RETURN: Step(("submitted",), "returned", Permission.CHANGE),
    Event.WITHDRAW: Step(("draft", "submitted", "returned"), "withdrawn", Permission.SUBMIT),
}


def on(state: State, event: Event) -> State:
    """The state after it. Conflict if it is nothing for this state."""
    step = STEPS[event]
    if state not in step.since:
        raise Conflict(f"what is {state} can't {event}: that is for what is {' or '.join(step.since)}")
    return step.to or state


def possible(state: State) -> tuple[Event, ...]:
    """What can be done with a submission in this state."""
    return tuple(event for event, step in STEPS.items() if state in step.since)
