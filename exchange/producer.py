"""The producer's end of a stream: what is told next, what a peer may go on from, how a lost stream is mended (pure).

Everything here is decided over values that the caller fetched under the lock of the stream, and is written by it in the
same transaction: `told` says what is in segments that were made, no more and no less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from catalog.payload import Change
from exchange import manifest
from exchange.model import (
    Cursor,
    Draft,
    Feed,
    Implausible,
    Key,
    Label,
    Leaf,
    Outgoing,
    Overtaken,
    Segment,
    Signer,
    Version,
    Waiting,
    leaf,
)

CHANGES = 4000  # in a segment
BYTES = 16 * 1024 * 1024  # of payload in a segment, unless one change alone has more

MOST_AHEAD = 2**40  # milliseconds that a lost epoch can be ahead of this one: 34 years
LOST = "the peer is at a place that this node does not know: one of the two has lost its latest state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What to write: the drafts as segments, the lines into `told`, and the state of the stream."""

    drafts: tuple[Draft, ...] = ()
    told: tuple[Leaf, ...] = ()
    outgoing: Outgoing  # after it; `chain` gives it the link of the last segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What a consumer's cursor means to the producer."""

    known: Cursor | None  # acknowledged up to here; None = the place is unknown, a reconcile is due
    upto: int | None = None  # segments up to this number may go
    next: int | None = None  # number of the segment that follows


def cut(feed: Feed, outgoing: Outgoing, rendered: Iterable[Change], told: Mapping[Key, bytes | None], upto: int) -> Cut:
    """Tell what is new in the feed after `outgoing.made`, up to `upto`.

    `rendered`: what those rows are to this peer now, in order of the feed; what it may not have, as a tombstone without
    redirect. `told`: digests by key of what was told before, of these keys at least. What the peer has been told
    already is left out, so an echo ends here; a tombstone of what it has never had is left out too. Nothing is cut
    while a reconcile is due.
    """
    if outgoing.held_up:
        return Cut(outgoing=outgoing)
    news = []
    for change in rendered:
        before, digest = told.get((change.kind, change.id)), change.digest
        if digest != before and (change.payload or before is not None):
            news.append((change, digest))
    drafts = tuple(_drafts([change for change, _ in news], feed.epoch, upto))
    return Cut(
        drafts=drafts,
        told=tuple(Leaf(change.kind, change.id, change.epoch, change.seq, digest) for change, digest in news),
        outgoing=replace(outgoing, made=Cursor(feed.epoch, upto, outgoing.made.link)),
    )


def chain(after: Cut, label: Label, base: bytes, signer: Signer) -> tuple[tuple[Segment, ...], Outgoing]:
    """Sign the drafts, each behind the one before, the first behind the link `base`: (segments, stream after them)."""
    segments = []
    for draft in after.drafts:
        segments.append(manifest.pack(draft, label, base, signer))
        base = segments[-1].link
    made = after.outgoing.made
    return tuple(segments), replace(after.outgoing, made=Cursor(made.epoch, made.seq, base))


def admit(outgoing: Outgoing, waiting: Sequence[Waiting], cursor: Cursor) -> Admitted:
    """What follows from the place that the consumer says it has applied. `waiting` in order."""
    for here, segment in enumerate(waiting):
        if segment.end.link == cursor.link:
            after = waiting[here + 1].number if here + 1 < len(waiting) else None
            return Admitted(known=segment.end, upto=segment.number, next=after)
    if cursor.link == outgoing.known.link:
        return Admitted(known=outgoing.known, next=waiting[0].number if waiting else None)
    return Admitted(known=None)


def outrun(feed: Feed, outgoing: Outgoing, waiting: Sequence[Waiting], cursor: Cursor, top: Version) -> int | None:
    """The epoch that the feed's next one must exceed, before a reconcile; None if it can stay.

    It can't when the consumer has seen what this node no longer knows that it told: this node's latest state is lost
    (restore, failover), and versions that it gives out must win over all that were given out in that lost future.
    A peer on a place that is known isn't touched by the new epoch: its stream goes on over it. `top`: the highest
    version in the consumer's ledger. Implausible if it claims what can't be: epochs must not run out because somebody
    says so.
    """
    if max(cursor.epoch, top[0]) > feed.epoch + MOST_AHEAD:
        raise Implausible(
            f"the peer claims to have heard of epoch {max(cursor.epoch, top[0])}, far beyond {feed.epoch}"
        )
    strange = admit(outgoing, waiting, cursor).known is None
    ahead = max(cursor.place, top) > (feed.epoch, outgoing.made.seq)
    if ahead or (strange and cursor.place >= outgoing.known.place):
        return max(feed.epoch, cursor.epoch, top[0])
    return None


def open_repair(feed: Feed, outgoing: Outgoing, cursor: Cursor, reason: str) -> Cut:
    """Begin to mend a stream, from wherever the consumer is; segments that wait are discarded first.

    An empty segment takes the consumer over to this node's line: `chain` it behind `cursor.link`. Whatever else is on
    the way to the consumer then follows on nothing and changes nothing. The reconcile is due until the last `repair`.
    """
    made = Cursor(feed.epoch, outgoing.made.seq, cursor.link)
    return Cut(
        drafts=(Draft(epoch=made.epoch, seq=made.seq, changes=(), repair=True),),
        outgoing=Outgoing(made=made, known=cursor, held_up=reason),
    )


def repair(outgoing: Outgoing, base: bytes, keys: Iterable[Key], rendered: Iterable[Change], *, final: bool) -> Cut:
    """Tell these keys anew: `rendered` as for `cut`, keys that it lacks are gone. `final`: none are to follow.

    `base`: link of the last segment that this reconcile made. Overtaken if the stream doesn't end there any more: what
    another reconcile compares must not be called done by the end of this one.

    They get the version of the place where the feed goes on, which is later than all that the consumer has of them and
    earlier than all that the feed will say.
    """
    if not outgoing.held_up or outgoing.made.link != base:
        raise Overtaken("another reconcile of this stream was begun or done meanwhile: begin again")
    epoch, seq, _ = outgoing.made
    found = {(change.kind, change.id): change for change in rendered}
    changes = []
    for kind, ident in sorted(keys):
        state = found.get((kind, ident)) or Change(kind, ident, epoch, seq)
        changes.append(msgspec.structs.replace(state, epoch=epoch, seq=seq))
    return Cut(
        drafts=tuple(_drafts(changes, epoch, seq, repair=True)),
        told=tuple(leaf(change) for change in changes),
        outgoing=replace(outgoing, held_up="" if final else outgoing.held_up),
    )


def _drafts(changes: Sequence[Change], epoch: int, upto: int, *, repair: bool = False) -> Iterator[Draft]:
    """Portions that a segment can take; the last one reaches `upto`, those before it their last change."""
    portion: list[Change] = []
    size = 0
    for change in changes:
        if portion and (len(portion) == CHANGES or size + len(change.payload) > BYTES):
            seq = upto if repair else portion[-1].seq
            yield Draft(epoch=epoch, seq=seq, changes=tuple(portion), repair=repair)
            portion, size = [], 0
        portion.append(change)
        size += len(change.payload)
    if portion:
        yield Draft(epoch=epoch, seq=upto, changes=tuple(portion), repair=repair)
