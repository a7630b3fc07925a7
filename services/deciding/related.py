"""What is shown with a cluster and is not one with it: sets and volumes, other editions, accompanying works (store)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog import clusters, decisions
from catalog.connection import Connection
from catalog.model import Published
from dms.match import reasons

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another cluster, and why it is related: rules that fired, or a person's decision."""

    published: Published
    rules: Sequence[str]
    decision: int | None


async def of(conn: Connection, cluster: int) -> list[Related]:
    """Related clusters that may be shown, in the order of their numbers."""
    found = await decisions.relations(conn, cluster, MOST)
    shown = await clusters.many(conn, list(found))
    return [
        Related(published=one, rules=[rule for rule, _ in reasons.unpack(packed)] if packed else (), decision=decision)
        for other, (packed, decision) in sorted(found.items())
        if (one := shown.get(other)) is not None and not one.deleted
    ]


def values(found: Sequence[Related]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{"id": each.published.id, "rules": each.rules, "decision": each.decision} for each in found]
