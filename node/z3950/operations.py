"""What each operation of the protocol takes: the policy beside the services, as `Route.allow` is beside the addresses.

An operation that isn't here is refused, whatever the session knows.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.access.policy import PUBLIC, Need, Permission, Subject

SUBMITS = Need(permission=Permission.SUBMIT, subject=Subject.LIBRARY)

NEEDS: Mapping[str, Need] = {
    "init": PUBLIC,
    "search": PUBLIC,
    "present": PUBLIC,
    "scan": PUBLIC,
    "sort": PUBLIC,
    "delete": PUBLIC,
    "trigger": PUBLIC,
    "close": PUBLIC,
    "update": SUBMITS,  # extended services
}
ACTS: Mapping[str, str] = {"init": "z3950.sign-in", "update": "z3950.update"}
