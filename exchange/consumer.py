"""The consumer's end of a stream: is this the next segment, what of it is new, where does it land (pure).

Everything in a `Plan` is written in one transaction, under the lock of the stream's cursor, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from catalog.payload import CLUSTERS, HANDOVER, NOTICES, Change, Kind
from config.errors import BadRecord
from exchange import manifest
from exchange.manifest import Content, Manifest
from exchange.model import Cursor, Key, Leaf, Trusted, Untrusted, leaf

CHILD, PARENT = "child", "parent"  # what the producer is to us


class Verdict(Enum):
    """What a segment is to the stream's cursor."""

    NEXT = "next"  # apply it
    DONE = "done"  # it is the last one that was applied
    STALE = "stale"  # it is behind us
    GAP = "gap"  # something before it is missing


class Place(Enum):
    """Where a change lands."""

    INBOX = "inbox"  # as a source record, to be matched and merged
    RECEIVED = "received"  # as the parent's version: shown, never merged or sent up
    NOTICES = "notices"  # directory, corrections, receipts
    HANDOVER = "handover"  # as a record of a source that this node takes over


_HANDOVER: Mapping[int, Place] = {Kind.RAW: Place.HANDOVER}
TAKEN: Mapping[tuple[str, str], Mapping[int, Place]] = {
    (CHILD, CLUSTERS): {Kind.BIB: Place.INBOX},
    (PARENT, CLUSTERS): {Kind.BIB: Place.RECEIVED},
    (CHILD, NOTICES): dict.fromkeys((Kind.LIBRARY, Kind.RECEIPT), Place.NOTICES),
    (PARENT, NOTICES): dict.fromkeys((Kind.LIBRARY, Kind.CORRECTION), Place.NOTICES),
    (CHILD, HANDOVER): _HANDOVER,
    (PARENT, HANDOVER): _HANDOVER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A segment's manifest, verified."""

    verdict: Verdict
    manifest: Manifest
    link: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """A change that can't be taken in: it goes to quarantine, and the stream goes on."""

    change: Change | None  # None = not even a change
    body: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One transaction."""

    base: Cursor  # the cursor must still stand here
    cursor: Cursor  # and is then moved here
    heard: tuple[Leaf, ...]
    landing: Mapping[Place, tuple[Change, ...]]
    poison: tuple[Poison, ...]


def judge(signed: bytes, *, cursor: Cursor, me: str, peer: str, channel: str, trusted: Trusted) -> Judged:
    """Look at the manifest of a segment. Damaged, Untrusted, or Incompatible if the stream can't take it at all."""
    core, link = manifest.verify(signed, trusted)
    if (core.origin, core.peer, core.channel) != (peer, me, channel):
        raise Untrusted(f"a segment from {core.origin} to {core.peer} on {core.channel} came by the stream of {peer}")
    return Judged(verdict=verdict(core, link, cursor), manifest=core, link=link)


def verdict(core: Manifest, link: bytes, cursor: Cursor) -> Verdict:
    """Does this segment follow on what was applied last? Never back: not even the producer may say so."""
    if link == cursor.link:
        return Verdict.DONE
    there = (core.epoch, core.seq)
    if core.base == cursor.link and there >= cursor.place:
        return Verdict.NEXT
    return Verdict.STALE if there <= cursor.place else Verdict.GAP


def fence(changes: Iterable[Change], heard: Mapping[Key, Leaf], *, repair: bool) -> list[tuple[Change, Leaf]]:
    """The changes that are newer than what was heard of their keys, with their lines for the ledger.

    A repair also replaces the same version where its digest differs: one of the two was damaged.
    """
    latest: dict[Key, Leaf] = {}
    kept: dict[Key, tuple[Change, Leaf]] = {}
    for change in changes:
        line = leaf(change)
        before = latest.get(line.key) or heard.get(line.key)
        newer = before is None or line.version > before.version
        if newer or (repair and before is not None and line.version == before.version and line.digest != before.digest):
            latest[line.key] = line
            kept[line.key] = change, line
    return list(kept.values())


def plan(
    judged: Judged,
    cursor: Cursor,
    content: Content,
    heard: Mapping[Key, Leaf],
    role: str,
    read: Callable[[Change], object],
) -> Plan:
    """What to write for a segment that is the next one.

    `heard`: the ledger's lines of the segment's keys. `role`: what the producer is to us. `read` raises BadRecord where
    a payload can't be read; it is not asked about tombstones.
    """
    core = judged.manifest
    places = TAKEN[role, core.channel]
    lines = []
    landing: dict[Place, list[Change]] = {}
    poison = [Poison(change=None, body=body, reason=reason) for body, reason in content.unreadable]
    for change, line in fence(content.changes, heard, repair=core.repair):
        lines.append(line)  # of poison too: it was heard, and is not asked for again
        place = places.get(change.kind)
        try:
            if place is None:
                raise BadRecord(f"a {role} has nothing of kind {change.kind} to say on {core.channel}")
            if change.payload:
                read(change)
        except BadRecord as error:
            poison.append(Poison(change=change, body=change.payload, reason=str(error)))
        else:
            landing.setdefault(place, []).append(change)
    return Plan(
        base=cursor,
        cursor=Cursor(core.epoch, core.seq, judged.link),
        heard=tuple(lines),
        landing={place: tuple(changes) for place, changes in landing.items()},
        poison=tuple(poison),
    )
