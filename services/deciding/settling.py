"""Settling a conflict of authority ids: somebody looked, and says what became of it (store)."""

from __future__ import annotations

from catalog import authority_conflicts
from catalog.authority_conflicts import Contradiction
from catalog.connection import Connection
from config.errors import NotFound
from services.deciding import deciding
from services.deciding.deciding import Within


async def settle(conn: Connection, number: int, *, who: str, why: str, within: Within) -> Contradiction:
    """Don't ask again. NotFound if no record of a library within reach is part of it, Conflict if it is settled."""
    one = await authority_conflicts.get(conn, number)
    if within is not None and not within & {one.library_a, one.library_b}:
        raise NotFound(f"there is no conflict {number} of authority ids within your reach")
    await authority_conflicts.settle(conn, number, who=who, why=deciding.reason(why))
    return await authority_conflicts.get(conn, number)
