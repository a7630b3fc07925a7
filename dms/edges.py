"""Edges of the signature graph: candidates by key, judged anew for the signatures in focus (shell around `decide`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from catalog import signatures
from catalog.connection import Connection
from catalog.model import Verdict
from dms.match import decide, reasons
from dms.match import features as matching
from dms.match import keys as match_keys
from dms.match.features import Features
from dms.memory import Memory
from dms.pipeline import Signed

HUB = 400  # signatures on one key; an edge may exist only through a key that is no hub

_Pair = tuple[int, int]


async def judge_again(
    conn: Connection,
    focus: Collection[int],
    fresh: Mapping[int, Signed],
    holders: Mapping[int, list[int]],
    memory: Memory,
) -> set[int]:
    """Give every signature in focus the edges it should have; the signatures whose join edges changed.

    `holders`: signatures by key, of all keys of the `fresh` ones that others have too, cut off above HUB; `fresh` ones
    have no edges yet.
    """
    if not focus:
        return set()
    pairs = await _candidates(conn, focus, fresh, holders, memory)
    features = await memory.of(conn, {sid for pair in pairs for sid in pair})
    shared = shared_identifiers(pairs, features)
    ambiguous = await signatures.ambiguous(conn, shared) if shared else set()
    wanted = judged(pairs, features, ambiguous)
    settled = [sid for sid in focus if sid not in fresh]
    old = {(edge[0], edge[1]): edge for edge in await signatures.edges(conn, settled)} if settled else {}
    gone = [pair for pair, edge in old.items() if wanted.get(pair) != edge]
    new = [edge for pair, edge in wanted.items() if old.get(pair) != edge]
    await signatures.put_edges(conn, gone, new)
    join = Verdict.JOIN.value
    changed = [old[pair] for pair in gone] + new
    return {sid for edge in changed if edge[4] == join for sid in edge[:2]}


async def _candidates(
    conn: Connection,
    focus: Collection[int],
    fresh: Mapping[int, Signed],
    holders: Mapping[int, list[int]],
    memory: Memory,
) -> set[_Pair]:
    """Pairs of a focus signature with whatever shares a key that is no hub."""
    settled = await memory.of(conn, [sid for sid in focus if sid not in fresh])
    missing = {key for f in settled.values() for key in match_keys.keys(f) if key not in holders}
    found = await signatures.holders(conn, missing, HUB + 1) if missing else {}
    pairs: set[_Pair] = set()
    for sids in (*holders.values(), *found.values()):
        if len(sids) <= HUB:
            pairs.update((a, b) if a < b else (b, a) for a in sids if a in focus for b in sids if a != b)
    return pairs


def shared_identifiers(pairs: Iterable[_Pair], features: Mapping[int, Features]) -> set[int]:
    """Identifiers on both sides of some pair: only their ambiguity can matter."""
    own = {
        sid: (*f.isbns, *map(matching.unified_identifier, f.unified)) if f.unified else f.isbns
        for sid, f in features.items()
    }
    return {identifier for a, b in pairs if own[a] and own[b] for identifier in own[a] if identifier in own[b]}


def judged(
    pairs: Iterable[_Pair], features: Mapping[int, Features], ambiguous: Collection[int]
) -> dict[_Pair, signatures.Edge]:
    """Edges by pair, for every verdict but apart."""
    known = ambiguous.__contains__
    found: dict[_Pair, signatures.Edge] = {}
    for a, b in pairs:
        decision = decide.judge(features[a], features[b], known)
        if decision.verdict is not Verdict.APART:
            found[a, b] = (a, b, decision.score, decide.RULESET, decision.verdict.value, reasons.pack(decision.reasons))
    return found
