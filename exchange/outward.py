"""Clusters as one peer gets to see them: states of the feed in, changes out (pure).

Upwards goes our own merged record with all its holdings; where nobody describes it but sources that share holdings
only, its stub. Downwards, to a child, go the clusters that hold a record of
the child, with everybody's holdings and the child's own cluster ids. What the peer may not have comes out as a
tombstone without redirect, which the producer leaves out where nothing was told before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog import bodies, packing, sheets, stub
from catalog.model import Format, cluster_id
from catalog.outward import State
from catalog.payload import Bib, Change, Held, Kind, Level, encode
from config.errors import Misconfigured

LEVELS = {"all": Level.ALL, "holdings": Level.HOLDINGS, "nothing": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is published to a peer."""

    level: Level | None = Level.ALL  # None = nothing
    libraries: frozenset[str] | None = None  # only what these hold; None = all
    sources: frozenset[str] | None = None  # only what these sources bring; None = all


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """States with what belongs to them."""

    epoch: int  # of the feed
    symbol: str  # of this node
    states: Sequence[State]
    openers: Mapping[int, bytes]  # dictionaries by number
    holdings: Sequence[Any]  # rows of catalog.outward.holdings
    of_sources: frozenset[int] | None = None  # clusters that the policy's sources bring; None = all
    yours: Mapping[int, Sequence[str]] | None = None  # downwards: the child's cluster ids by cluster


def policy(told: Mapping[str, Any]) -> Policy:
    """The policy in a peer's row: `{level: all|holdings|nothing, libraries: […], sources: […]}`; Misconfigured.

    A part that is missing narrows nothing.
    """
    if unknown := set(told) - {"level", "libraries", "sources"}:
        raise Misconfigured(f"a publish policy has no {', '.join(sorted(unknown))}: only level, libraries and sources")
    level = told.get("level", "all")
    if not isinstance(level, str) or level not in LEVELS:
        raise Misconfigured(f"a publish policy has no level {level!r}: known are {', '.join(LEVELS)}")
    named = _with_sheets(_names(told, "sources"))
    return Policy(level=LEVELS[level], libraries=_names(told, "libraries"), sources=named)


def _with_sheets(names: frozenset[str] | None) -> frozenset[str] | None:
    """Sheets of holdings beside a source are told with it."""
    return None if names is None else names | {name + sheets.SUFFIX for name in names}


def _names(told: Mapping[str, Any], part: str) -> frozenset[str] | None:
    names = told.get(part)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Misconfigured(f"the {part} of a publish policy are a list of names, not {names!r}")
    return frozenset(names)


def render(batch: Batch, to: Policy) -> list[Change]:
    """One change a state, in order of the feed."""
    held = _held(batch.holdings, to)
    return [_change(batch, state, to, held.get(state.cluster, ())) for state in batch.states]


def _change(batch: Batch, state: State, to: Policy, held: tuple[Held, ...]) -> Change:
    ident = cluster_id(batch.symbol, state.cluster)
    if state.gone:
        heir = cluster_id(batch.symbol, state.redirect) if state.redirect is not None else ""
        return Change(Kind.BIB, ident, batch.epoch, state.seq, b"", heir)
    if to.level is None or not _shared(batch, state, to, held):
        return Change(Kind.BIB, ident, batch.epoch, state.seq)
    content = state.content if state.outward is None else state.outward
    body, description = packing.unpack_content(bodies.open_body(content, state.dictionary, batch.openers))
    level = Level.HOLDINGS if state.deleted else to.level
    if level is Level.HOLDINGS:
        body, description = stub.stub(body, Format(state.format)), b""
    elif batch.yours is None:
        description = b""
    yours = () if batch.yours is None else tuple(sorted(batch.yours[state.cluster]))
    bib = Bib(state.format, level, body, held, description, yours)
    return Change(Kind.BIB, ident, batch.epoch, state.seq, encode(bib))


def _shared(batch: Batch, state: State, to: Policy, held: tuple[Held, ...]) -> bool:
    if state.outward == b"":
        return False
    if batch.yours is not None and (state.deleted or state.cluster not in batch.yours):
        return False  # downwards goes what is shown
    if batch.of_sources is not None and state.cluster not in batch.of_sources:
        return False
    return to.libraries is None or bool(held)


def _held(rows: Sequence[Any], to: Policy) -> dict[int, tuple[Held, ...]]:
    """Holdings by cluster in order of origin, each origin once: it may have come by two paths."""
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for row in rows:
        cluster, source, origin, *rest = row
        if (to.libraries is None or rest[0] in to.libraries) and (to.sources is None or source in to.sources):
            copies = found.setdefault(cluster, {})
            told = tuple(rest)
            there = copies.get(origin)
            if there is None or told < there:  # whichever row comes first, the same one is told
                copies[origin] = told
    return {
        cluster: tuple(Held(origin, *copies[origin]) for origin in sorted(copies)) for cluster, copies in found.items()
    }
