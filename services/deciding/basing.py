"""A person's word on which record of a cluster is the base of its merged record (store)."""

from __future__ import annotations

from catalog import base_choices, clusters
from catalog.connection import Connection
from config.errors import Conflict, Misconfigured
from services.deciding import deciding, sides
from services.deciding.deciding import Within
from services.deciding.sides import Side


async def choose(conn: Connection, symbol: str, name: str, *, who: str, why: str, within: Within) -> Side:
    """Make a record (source/local id) the base; what was chosen before in its cluster counts no longer."""
    if "/" not in name:
        raise Misconfigured("name the record that shall be the base: source/local id (tianlu cluster show ID)")
    side = await sides.find(conn, symbol, name)
    deciding.may(side, within)
    await _withdraw(conn, side)
    library = deciding.library(within)
    await base_choices.choose(conn, side.record, library=library, who=who, why=deciding.reason(why))
    await clusters.soil(conn, [side.cluster])
    return side


async def leave(conn: Connection, symbol: str, ident: str, *, why: str, within: Within) -> Side:
    """Let the policy choose the base again. Conflict if nobody has chosen one."""
    side = await sides.find(conn, symbol, ident)
    deciding.may(side, within)
    deciding.reason(why)
    if not await _withdraw(conn, side):
        raise Conflict(f"nobody chose the base of {side.id}: the policy does")
    await clusters.soil(conn, [side.cluster])
    return side


async def _withdraw(conn: Connection, side: Side) -> int:
    chosen = await base_choices.of_cluster(conn, side.cluster)
    for one in chosen:
        await base_choices.withdraw(conn, (one.source, one.local_id))
    return len(chosen)
