"""Who hands in and reviews single records, by the roles of an account."""

from __future__ import annotations

from services.access.policy import Actor, Permission
from services.submitting.states import Who, Within


def who(actor: Actor) -> Who:
    """Somebody's qualifications."""
    return Who(name=actor.name, submits=_within(actor, Permission.SUBMIT), changes=_within(actor, Permission.CHANGE))


def _within(actor: Actor, permission: Permission) -> Within:
    reach = actor.reach(permission)
    return None if reach.everywhere else reach.libraries
