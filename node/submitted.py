"""Who hands in and reviews single records, by the roles of an account."""

from __future__ import annotations

from services.access.policy import Actor, Permission
from services.submitting.states import Who


def who(actor: Actor) -> Who:
    """Somebody's qualifications."""
    return Who(
        name=actor.name,
        submits=actor.reach(Permission.SUBMIT).within,
        changes=actor.reach(Permission.CHANGE).within,
    )
