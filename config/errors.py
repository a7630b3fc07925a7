"""Errors, named by what the caller should do next.

A specific error lives where it is raised and inherits one of these. `code` and the message are safe to show outside;
whatever is not safe goes to the log. `EXIT` maps each consequence to the exit code of `tianlu` (docs: contracts).
"""

from __future__ import annotations

from typing import ClassVar


class TianluError(Exception):
    """Root of all our errors. The message is one sentence that says what happened and what to do."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1


class Retry(TianluError):
    """A passing fault: the same call may work later."""

    code = "retry"


class BadRecord(TianluError):
    """One record is wrong; the others are not. The message names source, position and reason."""

    code = "bad-record"
    exit_code = 3


class Refused(TianluError):
    """The actor may not do this."""

    code = "refused"


class NotFound(TianluError):
    """There is no such thing (or none that the actor may see)."""

    code = "not-found"


class Conflict(TianluError):
    """The thing has changed or is in use; look again before repeating."""

    code = "conflict"
    exit_code = 5


class Misconfigured(TianluError):
    """A setting, file or program is missing or wrong; the message names it and the mend."""

    code = "misconfigured"
    exit_code = 2


class Unreachable(TianluError):
    """A peer does not answer."""

    code = "unreachable"
    exit_code = 4


class Fatal(TianluError):
    """The node can't go on."""

    code = "fatal"
