"""What is known of a cluster: its records, why they are one, what was decided, what contradicts (store)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog import authority_conflicts, decisions, signatures
from catalog.authority_conflicts import Contradiction
from catalog.connection import Connection
from catalog.decisions import Decision, Named
from catalog.model import Verdict, cluster_id
from dms import contributors_of
from dms.match.reasons import unpack
from services.deciding import sides
from services.deciding.sides import Member, Side

MOST = 200  # edges, relations

Reasons = Sequence[tuple[str, int]]  # rule, points


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Why records are one: two by their score, or several that are equal in all that is compared (no score)."""

    records: tuple[str, ...]  # source/local id
    score: int | None
    reasons: Reasons = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Another cluster that is shown with this one. No reasons where a person said so."""

    cluster: str
    reasons: Reasons
    decision: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A cluster as people who decide need it."""

    side: Side
    members: Sequence[Member]
    base: str  # source/local id; "" = no record may be shown
    base_by: str  # one of `dms.merge_base.STEPS`
    conflicts: Sequence[Contradiction]
    relations: Sequence[Relation]
    decisions: Sequence[Decision]  # that name one of the records, the oldest first
    names: Mapping[Named, str]  # of the records in them


async def look(conn: Connection, symbol: str, ident: str) -> Inside:
    """The cluster that an id names, or that has the record (source/local id). NotFound if there is none."""
    side = await sides.find(conn, symbol, ident)
    members = await sides.members(conn, side.cluster)
    key, by = await contributors_of.base(conn, side.cluster) or ("", "")
    past = await decisions.of_records(conn, [each.record for each in members])
    related = await decisions.relations(conn, side.cluster, MOST)
    return Inside(
        side=side,
        members=members,
        base=key,
        base_by=by,
        conflicts=await authority_conflicts.of_cluster(conn, side.cluster),
        relations=[
            Relation(cluster=cluster_id(symbol, other), reasons=unpack(told) if told else (), decision=decision)
            for other, (told, decision) in related.items()
        ],
        decisions=past,
        names=await decisions.names(conn, {name for one in past for name in (*one.records, *one.others)}),
    )


async def edges(conn: Connection, members: Sequence[Member]) -> list[Edge]:
    """Why the records of a cluster are one: those that are alike, then every edge, the strongest first."""
    alike: dict[int, list[str]] = {}
    for each in members:
        alike.setdefault(each.sid, []).append(each.name)
    found = [Edge(records=tuple(names), score=None) for names in alike.values() if len(names) > 1]
    inner = [
        e for e in await signatures.edges(conn, set(alike), verdict=Verdict.JOIN.value) if {e[0], e[1]} <= {*alike}
    ]
    for a, b, score, _, _, packed in sorted(inner, key=lambda edge: (-edge[2], edge[:2]))[:MOST]:
        found.append(Edge(records=(alike[a][0], alike[b][0]), score=score, reasons=unpack(packed)))
    return found
