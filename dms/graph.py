"""The signature graph: records take or leave signatures, and the clusters follow (shell around pure rules).

The graph's nodes are distinct signatures, not records. What a batch may change is found first (new signatures, those
whose identifiers became or ceased to be ambiguous, those on a key that became or ceased to be a hub); their edges are
judged anew; then every connected component that lost or gained an edge is united again from its edges alone. So the
partition is a function of the records that are there, never of the order in which they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from catalog import clusters, pins, signatures
from catalog.connection import Connection
from catalog.model import Verdict
from dms import edges
from dms.edges import HUB
from dms.match import features as matching
from dms.match import keys as match_keys
from dms.match import union
from dms.match.features import Features
from dms.memory import Memory
from dms.pipeline import Signed


@dataclass(frozen=True, slots=True)
class Move:
    """One record leaves signature `old` (None: it is new) and takes `new` (None: it is gone or is never matched)."""

    old: int | None
    new: Signed | None


@dataclass(frozen=True, slots=True)
class Taken:
    """The signature that each move ended on (None: none), and those that are new."""

    moves: Sequence[Move]
    sids: list[int | None]
    new: dict[int, Signed]


async def take(conn: Connection, moves: Sequence[Move]) -> Taken:
    """Numbers of the moves' signatures; those that are new get a row. Write the records, then call `settle`."""
    wanted = {one.new.digest: one.new for one in moves if one.new is not None}
    numbers = await signatures.known(conn, wanted)
    missing = [digest for digest in wanted if digest not in numbers]
    new: dict[int, Signed] = {}
    if missing:
        for digest, sid in zip(missing, await signatures.reserve(conn, len(missing)), strict=True):
            numbers[digest] = sid
            new[sid] = wanted[digest]
        records = Counter(one.new.digest for one in moves if one.new is not None)
        await signatures.add(conn, [(sid, s.digest, s.features, records[s.digest]) for sid, s in new.items()])
    return Taken(moves, [None if one.new is None else numbers[one.new.digest] for one in moves], new)


async def settle(conn: Connection, taken: Taken, memory: Memory, loosened: Collection[int] = ()) -> set[int]:
    """Let edges and clusters follow the records; the clusters to merge again.

    `loosened`: signatures that a pin may hold no longer, since it is gone or its record has another signature now.
    Runs in the caller's transaction, after the records were written; the caller holds the matcher's lease.
    """
    deltas: Counter[int] = Counter()
    for one, sid in zip(taken.moves, taken.sids, strict=True):
        if one.old != sid:
            if sid is not None and sid not in taken.new:  # those were entered with their count
                deltas[sid] += 1
            if one.old is not None:
                deltas[one.old] -= 1
    dead = set(await signatures.recount(conn, deltas)) if deltas else set()
    gone = await memory.of(conn, dead)
    left_behind = await clusters.mates(conn, dead) if dead else {}
    if dead:
        await signatures.drop(conn, {sid: match_keys.keys(gone[sid]) for sid in sorted(dead)})
    focus, holders = await _focus(conn, taken.new, gone, memory)
    changed = await edges.judge_again(conn, focus, taken.new, holders, memory)
    moved = {sid for one, sid in zip(taken.moves, taken.sids, strict=True) for sid in (sid, one.old) if sid is not None}
    pinned = await pins.signatures_pinned(conn, moved) if await pins.any_pin(conn) else set()
    touched = (changed | set(left_behind) | pinned | set(loosened)) - dead
    dirty = await unite(conn, touched, taken.new, memory, _inherited(taken, dead, left_behind))
    dirty |= set(left_behind.values())
    await _lead_on(conn, taken, {sid: left_behind[sid] for sid in dead if sid in left_behind})
    settled = moved - dead - taken.new.keys()  # where the new ones went, `unite` has told
    return dirty | set((await clusters.membership(conn, settled)).values())


def _inherited(taken: Taken, dead: Collection[int], left: Mapping[int, int]) -> dict[int, int]:
    """The cluster that a fresh signature's records come from, where they leave nothing behind under the old one: a
    record that reads otherwise now keeps its cluster's id, if nobody has a better claim to it."""
    came: dict[int, Counter[int]] = {}
    for one, sid in zip(taken.moves, taken.sids, strict=True):
        old = one.old
        if sid is not None and old is not None and sid in taken.new and old in dead and old in left:
            came.setdefault(sid, Counter())[left[old]] += 1
    return {sid: _most(clusters) for sid, clusters in came.items()}


async def _lead_on(conn: Connection, taken: Taken, left: Mapping[int, int]) -> None:
    """A cluster that all its records have left, since they read otherwise now, leads to where most of them went.

    `left`: the clusters of signatures that are gone.
    """
    went = [
        (left[one.old], sid)
        for one, sid in zip(taken.moves, taken.sids, strict=True)
        if one.old is not None and one.old in left and sid is not None
    ]
    empty = {old for old, _ in went}
    if empty:
        empty -= await clusters.peopled(conn, empty)
    if not empty:
        return
    now = await clusters.membership(conn, {sid for _, sid in went})
    heirs: dict[int, Counter[int]] = {}
    for old, sid in went:
        if old in empty:
            heirs.setdefault(old, Counter())[now[sid]] += 1
    await clusters.redirect(conn, {old: _most(to) for old, to in heirs.items()})


def _most(to: Counter[int]) -> int:
    return min(to.items(), key=lambda c: (-c[1], c[0]))[0]


async def _focus(
    conn: Connection, fresh: Mapping[int, Signed], gone: Mapping[int, Features], memory: Memory
) -> tuple[set[int], dict[int, list[int]]]:
    """Signatures whose edges must be judged again, and who holds the keys of fresh ones that others hold too.

    Keys of fresh ones are entered only after it was asked who has them: nobody has most of them.
    """
    added: dict[int, list[int]] = {}
    for sid, signed in fresh.items():
        memory.learn(sid, signed.features)
        for key in signed.keys:
            added.setdefault(key, []).append(sid)
    removed = Counter(key for features in gone.values() for key in match_keys.keys(features))
    uses: Counter[tuple[int, int]] = Counter(use for signed in fresh.values() for use in signed.uses)
    uses.subtract(use for features in gone.values() for use in matching.uses(features))
    flipped = await signatures.use(conn, {use: n for use, n in uses.items() if n})
    holders = await signatures.holders(conn, added.keys() | removed.keys(), HUB + 1)
    await signatures.add_keys(conn, [(key, sid) for key, sids in added.items() for sid in sids])
    standing = {key: len(sids) for key, sids in holders.items()}
    for key, sids in added.items():
        if key in holders:
            holders[key] += sids
        elif len(sids) > 1:
            holders[key] = sids
    focus = set(fresh)
    for key, sids in holders.items():
        if (standing.get(key, 0) + removed[key] > HUB) != (len(sids) > HUB):
            focus.update(sids)
    if flipped:
        for sids in (await signatures.holders(conn, map(match_keys.identifier_key, flipped))).values():
            focus.update(sids)
    return focus, holders


async def unite(
    conn: Connection,
    touched: Collection[int],
    fresh: Collection[int],
    memory: Memory,
    inherited: Mapping[int, int] | None = None,
) -> set[int]:
    """Unite the components around `touched` again; place `fresh` ones that stand alone. The clusters that changed.

    `inherited`: the cluster that records of a fresh signature come from.
    """
    inherited = inherited or {}
    around = await component(conn, touched)
    alone = [sid for sid in fresh if sid not in around.nodes]
    dirty = await _found(conn, alone, inherited)
    if not around.nodes:
        return dirty
    groups = union.cluster(await memory.of(conn, around.nodes), around.edges, around.must, around.cannot)
    standing = await clusters.membership(conn, around.nodes)
    return dirty | await _settle(conn, groups, standing, inherited)


@dataclass(slots=True)
class Component:
    """What one union must see at once: signatures, join edges between them with their scores, and pins."""

    nodes: set[int] = field(default_factory=set)
    edges: list[tuple[int, int, int]] = field(default_factory=list)
    must: list[tuple[int, int]] = field(default_factory=list)
    cannot: list[tuple[int, int]] = field(default_factory=list)


async def component(conn: Connection, start: Collection[int]) -> Component:
    """Everything reachable over join edges, must-pins and present clusters: what one union must see at once."""
    found = Component()
    any_pin = await pins.any_pin(conn)
    joined: dict[tuple[int, int], int] = {}
    frontier = set(start)
    while frontier:
        found.nodes |= frontier
        reached = set(await clusters.mates(conn, frontier))
        for a, b, score, *_ in await signatures.edges(conn, frontier, verdict=Verdict.JOIN.value):
            joined[a, b] = score
            reached |= {a, b}
        for a, b in await pins.between_signatures(conn, frontier, "must") if any_pin else ():
            found.must.append((a, b))
            reached |= {a, b}
        frontier = reached - found.nodes
    found.edges = [(a, b, score) for (a, b), score in joined.items()]
    found.must = sorted(set(found.must))
    if any_pin and found.nodes:
        found.cannot = sorted(
            {(a, b) for a, b in await pins.between_signatures(conn, found.nodes, "cannot") if {a, b} <= found.nodes}
        )
    return found


async def _found(conn: Connection, alone: Sequence[int], inherited: Mapping[int, int]) -> set[int]:
    """Clusters for signatures that stand alone: the one they come from if nothing is left there, else a new one."""
    if not alone:
        return set()
    came = {inherited[sid] for sid in alone if sid in inherited}
    free = came - await clusters.peopled(conn, came) if came else set()
    number: dict[int, int] = {}
    for sid in sorted(alone):
        if (old := inherited.get(sid)) in free and old is not None:
            number[sid] = old
            free.discard(old)
    homeless = [sid for sid in alone if sid not in number]
    number |= dict(zip(homeless, await clusters.reserve(conn, len(homeless)) if homeless else [], strict=True))
    await clusters.add_members(conn, list(number.items()))
    return set(number.values())


async def _settle(
    conn: Connection, groups: list[list[int]], standing: Mapping[int, int], inherited: Mapping[int, int]
) -> set[int]:
    """Give each group a cluster: the one most of it is in, largest group first; redirect the ids that are left over."""
    taken: dict[int, int] = {}  # cluster -> index of the group that keeps it
    number: list[int | None] = [None] * len(groups)
    order = sorted(range(len(groups)), key=lambda i: (-len(groups[i]), min(groups[i])))
    for claims in (standing, inherited):  # who is there comes before who came from there
        for i in order:
            if number[i] is not None:
                continue
            overlap = Counter(claims[sid] for sid in groups[i] if sid in claims)
            for cluster, _ in sorted(overlap.items(), key=lambda c: (-c[1], c[0])):
                if cluster not in taken:
                    taken[cluster] = i
                    number[i] = cluster
                    break
    homeless = [i for i in order if number[i] is None]
    for i, cluster in zip(homeless, await clusters.reserve(conn, len(homeless)) if homeless else [], strict=True):
        number[i] = cluster
    final = {sid: cluster for i, cluster in enumerate(number) if cluster is not None for sid in groups[i]}
    moves = {sid: cluster for sid, cluster in final.items() if standing.get(sid) != cluster}
    if moves:
        await clusters.move_members(conn, moves)
    changed = set(moves.values()) | {standing[sid] for sid in moves if sid in standing}
    await clusters.redirect(conn, _heirs(standing, final, set(taken)))
    return changed


def _heirs(standing: Mapping[int, int], final: Mapping[int, int], alive: Collection[int]) -> dict[int, int]:
    """For each cluster that no group kept: the cluster that got most of its members."""
    went: dict[int, Counter[int]] = {}
    for sid, old in standing.items():
        if old not in alive and sid in final:
            went.setdefault(old, Counter())[final[sid]] += 1
    return {old: _most(to) for old, to in went.items()}
