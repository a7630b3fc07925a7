"""Clusters and decisions about them as plain values, for programs and for tables (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.authority_conflicts import Contradiction
from catalog.decisions import Decision, Named
from catalog.model import cluster_id
from dms.match import reasons
from services.deciding.comparing import Compared
from services.deciding.inside import Edge, Inside, Reasons
from services.deciding.sides import Side

Plain = dict[str, Any]


def why(told: Reasons, lang: str) -> list[Plain]:
    """Rules with their points and what they say; a veto or a limit has no points."""
    return [{"rule": rule, "points": points, "text": reasons.text(rule, lang)} for rule, points in told]


def sentences(told: Reasons, lang: str) -> list[str]:
    """The same for people, each with its points."""
    return [f"{reasons.text(rule, lang)} {points:+}" if points else reasons.text(rule, lang) for rule, points in told]


def decision(one: Decision, names: Mapping[Named, str]) -> Plain:
    """A decision with the records that it names."""
    return {
        "decision": one.decision,
        "at": one.at.isoformat(timespec="seconds"),
        "kind": one.kind,
        "state": one.state,
        "clusters": list(one.clusters),
        "records": [names[name] for name in one.records],
        "others": [names[name] for name in one.others],
        "library": one.library,
        "who": one.who,
        "why": one.why,
        "result": one.result,
        "undone_by": one.undone_by or "",
        "undone_why": one.undone_why or "",
    }


def conflict(symbol: str, one: Contradiction) -> Plain:
    """A conflict of authority ids."""
    return {
        "conflict": one.conflict,
        "cluster": cluster_id(symbol, one.cluster),
        "field": f"{one.tag} {one.heading}",
        "file": one.file,
        "a": one.a,
        "id_a": one.id_a,
        "b": one.b,
        "id_b": one.id_b,
        "state": one.state,
        "libraries": sorted({one.library_a, one.library_b}),
        "found_at": one.found_at.isoformat(timespec="seconds"),
        "who": one.who or "",
        "why": one.why or "",
    }


def cluster(symbol: str, found: Inside, edges: Sequence[Edge], lang: str) -> Plain:
    """A cluster: its records, why they are one, what is related, decided and contradicts."""
    return {
        "cluster": found.side.id,
        "records": [{"record": each.name, "library": each.library} for each in found.members],
        "base": found.base,
        "base_by": found.base_by,
        "edges": [
            {"records": list(each.records), "score": each.score, "reasons": why(each.reasons, lang)} for each in edges
        ],
        "related": [
            {"cluster": each.cluster, "decision": each.decision, "reasons": why(each.reasons, lang)}
            for each in found.relations
        ],
        "conflicts": [conflict(symbol, one) for one in found.conflicts],
        "decisions": [decision(one, found.names) for one in found.decisions],
    }


def pair(one: Side, other: Side, found: Compared, lines: Sequence[tuple[str, str, str]], lang: str) -> Plain:
    """Two records side by side, and why they are, or are not, one. `lines`: label, what the one says, the other."""
    return {
        "a": one.name,
        "b": other.name,
        "clusters": [one.id, other.id],
        "together": found.together,
        "verdict": found.verdict.value,
        "score": found.score,
        "join_from": found.join,
        "reasons": why(found.reasons, lang),
        "held_apart": found.held_apart,
        "decisions": [each.decision for each in found.decisions],
        "fields": [{"label": label, "a": left, "b": right} for label, left, right in lines],
    }


def waiting(row: Any, lang: str) -> Plain:
    """A pair that a person must judge (a row of `catalog.decisions.waiting`)."""
    return {
        "a": f"{row['name_a']}/{row['local_id_a']}",
        "b": f"{row['name_b']}/{row['local_id_b']}",
        "libraries": [row["library_a"], row["library_b"]],
        "score": row["score"],
        "reasons": why(reasons.unpack(row["reasons"]), lang),
    }
