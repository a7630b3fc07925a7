"""Putting decisions: who decides says why; the matcher carries it out (store)."""

from __future__ import annotations

from collections.abc import Sequence

from catalog import decisions
from catalog.connection import Connection
from catalog.decisions import Decision
from catalog.model import cluster_id
from config.errors import Conflict, Misconfigured, NotFound, Refused
from services.deciding import sides
from services.deciding.sides import MOST, Side

LONGEST = 500  # characters of a reason
MOST_PAIRS = 10_000  # of records that leave and records that stay
SPEAKERS = 4  # records that stand for a cluster which is joined, linked or kept apart
Within = frozenset[str] | None  # libraries whose things may be decided on; None = all


async def between(
    conn: Connection, symbol: str, kind: str, a: str, b: str, *, who: str, why: str, within: Within
) -> Decision:
    """What two clusters are to each other: one manifestation (`join`), not one (`apart`), or related (`link`), and
    shall not become one. Conflict if they are one already."""
    one, other = await sides.find(conn, symbol, a), await sides.find(conn, symbol, b)
    if one.cluster == other.cluster:
        raise Conflict(f"{a} and {b} are one cluster, {one.id}: to part them use split")
    if within is not None and not (one.libraries | other.libraries) & within:
        raise Refused("neither side has a record of your library")
    return await decisions.add(
        conn,
        kind,
        await _speakers(conn, one),
        await _speakers(conn, other),
        clusters=[one.id, other.id],
        library=library(within),
        who=who,
        why=reason(why),
    )


async def split(
    conn: Connection, symbol: str, ident: str, names: Sequence[str], *, who: str, why: str, within: Within
) -> Decision:
    """The named records (source/local id) leave a cluster together. NotFound if one isn't in it, Conflict if all are
    named."""
    side = await sides.find(conn, symbol, ident)
    may(side, within)
    inside = await sides.members(conn, side.cluster)
    if len(inside) > MOST:
        raise Refused(f"{side.id} has more than {MOST} records: split what is wrong in it record by record")
    known = {each.name: each.record for each in inside}
    if missing := [name for name in names if name not in known]:
        raise NotFound(f"{side.id} has no record {', '.join(missing)}")
    leaving = [known[name] for name in dict.fromkeys(names)]
    staying = [each.record for each in inside if each.record not in leaving]
    if len(leaving) * len(staying) > MOST_PAIRS:
        raise Refused(f"{len(leaving)} records from {len(staying)} are too many at once: split off fewer")
    if not leaving or not staying:
        raise Conflict(f"name some of the {len(inside)} records of {side.id}: at least one, and not all")
    return await decisions.add(
        conn, "split", leaving, staying, clusters=[side.id], library=library(within), who=who, why=reason(why)
    )


async def undo(conn: Connection, number: int, *, who: str, why: str, within: Within) -> Decision:
    """Take a decision back. NotFound if it is about nothing within reach."""
    one = await decisions.get(conn, number)
    if within is not None and not await _concerns(conn, one, within):
        raise NotFound(f"there is no decision {number}")
    return await decisions.take_back(conn, number, who=who, why=reason(why))


async def where(conn: Connection, symbol: str, one: Decision) -> list[str]:
    """The ids of the clusters in which the records of a decision are now."""
    named = (*one.records, *one.others)
    there = await decisions.clusters_of(conn, named)
    return list(dict.fromkeys(cluster_id(symbol, there[name][0]) for name in named if name in there))


async def _speakers(conn: Connection, side: Side) -> list[decisions.Named]:
    """Records that stand for a side: the one named, and a few more, since any may be deleted one day."""
    others = [each.record for each in await sides.members(conn, side.cluster) if each.record != side.record]
    return [side.record, *others[: SPEAKERS - 1]]


def may(side: Side, within: Within) -> None:
    """Refused unless one of the cluster's records is of a library within reach."""
    if within is not None and not side.libraries & within:
        raise Refused("the cluster has no record of your library")


async def _concerns(conn: Connection, one: Decision, within: frozenset[str]) -> bool:
    if one.library in within:
        return True
    there = await decisions.clusters_of(conn, (*one.records, *one.others))
    for cluster in {cluster for cluster, _ in there.values()}:
        if {each.library for each in await sides.members(conn, cluster)} & within:
            return True
    return False


def library(within: Within) -> str:
    """Whose staff decides; "" = the node's."""
    return next(iter(within)) if within is not None and len(within) == 1 else ""


def reason(why: str) -> str:
    """A reason as it is kept. Misconfigured if there is none."""
    why = " ".join(why.split())
    if not why:
        raise Misconfigured("say why: others will read it, and you will in a year (--why)")
    return why[:LONGEST]
