"""Where a record would go if it were placed now: asked before it is (store).

The rules are those of placing, over the same signatures and pins; nothing is written. What comes meanwhile may change
the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from catalog import clusters, signatures
from catalog.connection import Connection
from catalog.facts import Facts
from catalog.model import Verdict
from dms import edges, graph
from dms.match import features as matching
from dms.match import keys as match_keys
from dms.match import reasons, union

THE_RECORD = 0  # no signature has this number


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would become of a record."""

    cluster: int | None = None  # that it would be in; None = one of its own
    score: int = 0
    reasons: Sequence[tuple[str, int]] = ()  # rule, points; none where a record that reads the same is there
    doubtful: Sequence[int] = ()  # clusters that it may belong to: a person would be asked


async def foresee(conn: Connection, facts: Facts, instead: int | None = None) -> Foreseen:
    """Where a record with these facts would go. Authority and holdings records are in no cluster. `instead`: signature
    of the record that it replaces.
    """
    if not facts.bibliographic:
        return Foreseen()
    features = matching.features(facts)
    packed = matching.pack(features)
    there = await signatures.known(conn, [matching.signature(packed)])
    if there:
        return Foreseen(cluster=next(iter((await clusters.membership(conn, there.values())).values()), None))
    holders = await signatures.holders(conn, match_keys.keys(features), edges.HUB + 1)
    near = {sid for sids in holders.values() if len(sids) < edges.HUB for sid in sids}  # one more will be on the key
    known = {sid: matching.unpack(told) for sid, told in (await signatures.features(conn, near)).items()}
    known[THE_RECORD] = features
    pairs = [(THE_RECORD, sid) for sid in near & known.keys()]
    shared = edges.shared_identifiers(pairs, known)
    going = None if instead is None else await signatures.only(conn, instead)  # with the record that is replaced
    uses = {use: n for use, n in _uses(features, going).items() if use[0] in shared}
    ambiguous = await signatures.ambiguous(conn, shared) if shared else set()
    judged = edges.judged(
        pairs, known, ambiguous - {use[0] for use in uses} | await signatures.ambiguous_after(conn, uses)
    )
    joins = {sid: (edge[2], edge[5]) for (_, sid), edge in judged.items() if edge[4] == Verdict.JOIN.value}
    asked = [
        sid
        for (_, sid), edge in judged.items()
        if edge[4] == Verdict.REVIEW.value and (going is None or sid != instead)
    ]
    cluster = await _united(conn, features, {sid: score for sid, (score, _) in joins.items()}) if joins else None
    members = await clusters.membership(conn, [*joins, *asked])
    best = max((told for sid, told in joins.items() if members.get(sid) == cluster), default=(0, b""))
    return Foreseen(
        cluster=cluster,
        score=best[0],
        reasons=reasons.unpack(best[1]) if best[1] else (),
        doubtful=tuple(sorted({members[sid] for sid in (*joins, *asked) if sid in members} - {cluster})),
    )


def _uses(features: matching.Features, going: bytes | None) -> Counter[tuple[int, int]]:
    """How the uses of identifiers would change: an ISBN of one book becomes one of two by this record."""
    uses = Counter(matching.uses(features))
    if going is not None:
        uses.subtract(matching.uses(matching.unpack(going)))
    return uses


async def _united(conn: Connection, features: matching.Features, joins: dict[int, int]) -> int | None:
    """The cluster that the union of the component would put the record into: the one that most of its company is in."""
    component = await graph.component(conn, joins)
    nodes = {sid: matching.unpack(told) for sid, told in (await signatures.features(conn, component.nodes)).items()}
    nodes[THE_RECORD] = features
    own = [(THE_RECORD, sid, score) for sid, score in joins.items()]
    groups = union.cluster(nodes, [*component.edges, *own], component.must, component.cannot)
    company = next(group for group in groups if THE_RECORD in group)
    standing = Counter((await clusters.membership(conn, company)).values())
    return min(standing.items(), key=lambda each: (-each[1], each[0]))[0] if standing else None
