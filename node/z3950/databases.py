"""Which databases a node has: ours, and those that its settings name."""

from __future__ import annotations

from config import z3950
from config.errors import Misconfigured
from config.settings import Z3950
from services.delivery import turning
from services.retrieval.databases import Database, Databases


def of(told: Z3950) -> Databases:
    """Those of the settings besides ours. Misconfigured names a dialect that there isn't."""
    named = z3950.databases(told.databases)
    for each in named:
        if each.dialect not in turning.DIALECTS:
            raise Misconfigured(
                f"z3950.databases: {each.name} has the dialect {each.dialect}; known are {', '.join(turning.DIALECTS)}"
            )
    return Databases(Database(name=each.name, dialect=each.dialect, scope=each.scope) for each in named)
