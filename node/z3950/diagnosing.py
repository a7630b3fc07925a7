"""Diagnostics as the client may be told them: in its version of the protocol, in its characters (pure)."""

from __future__ import annotations

from node.z3950.state import State
from node.z3950.tasks import Trouble
from protocols.z3950 import diagnostics
from protocols.z3950.apdu.parts import DefaultDiagFormat

LONGEST = 1000  # characters of additional information: what a client sent comes back in it


def default(state: State, trouble: Trouble) -> DefaultDiagFormat:
    """The diagnostic of a trouble."""
    return diagnostics.diagnostic(trouble.number, state.shown(trouble.about[:LONGEST]), version=3 if state.is_v3 else 2)


def words(trouble: Trouble) -> str:
    """The same in words."""
    return diagnostics.TEXTS.get(trouble.number, "")
