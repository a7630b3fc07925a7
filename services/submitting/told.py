"""Submissions and reservations as plain values, for tables and programs (pure)."""

from __future__ import annotations

from typing import Any

from catalog.reservations import Reservation
from catalog.submissions import Submission
from services.submitting import answer as answering
from services.submitting import states
from services.submitting.answer import Answer
from services.submitting.states import Event


def possible(one: Submission) -> tuple[Event, ...]:
    """What can be done with it."""
    return tuple(event for event in states.possible(one.state) if event is not Event.EDIT or one.action != "delete")


def submission(one: Submission, lang: str) -> dict[str, Any]:
    """A row of a list."""
    told = answering.read(one.answer)
    return {
        "submission": one.submission,
        "state": one.state,
        "action": one.action,
        "library": one.library,
        "title": one.title,
        "answer": answering.said(told, lang) if told else "",
        "outcome": told.outcome if told else "",
        "cluster": told.cluster if told else "",
        "made_by": one.made_by,
        "changed_at": one.changed_at.isoformat(timespec="seconds"),
        "reason": one.reason,
    }


def answer(one: Answer, lang: str) -> dict[str, Any]:
    """What is said of a record now."""
    return {
        "answer": answering.said(one, lang),
        "outcome": one.outcome,
        "cluster": one.cluster,
        "held": list(one.held),
        "why": answering.why(one, lang),
    }


def whole(one: Submission, lang: str) -> dict[str, Any]:
    """Everything about one, without its record."""
    said = answering.read(one.answer)
    return submission(one, lang) | {
        "local_id": one.local_id,
        "format": one.format,
        "note": one.note,
        "made_at": one.made_at.isoformat(timespec="seconds"),
        "decided_by": one.decided_by,
        "load": one.load,
        **(answer(said, lang) if said else {"held": [], "why": []}),
        "can": [str(event) for event in possible(one)],
    }


def reservation(one: Reservation) -> dict[str, Any]:
    """A row of a list."""
    return {
        "key": one.key,
        "what": one.told,
        "library": one.library,
        "until": one.until.isoformat(timespec="seconds"),
    }
