"""An act as the audit log is told of it, before it is an entry (pure; imports no database)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["begun", "done", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody did. Nothing of it may be a secret."""

    actor: str  # account:wang, key:wang/ab12cd, os:root, node:CN-TJ, nobody
    act: str  # e.g. library.add
    object: str = ""  # what it was done to
    library: str = ""  # whose data it was about; '' = the node's
    outcome: Outcome = "done"
    detail: Mapping[str, Any] = field(default_factory=dict)  # texts, numbers, truths, lists and maps of them
    address: str = ""  # of the visitor
    request: str = ""  # its number, as in the log and on error pages
