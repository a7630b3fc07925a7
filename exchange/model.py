"""Values of the exchange: places in a stream, segments, what is wrong with one (pure).

A *stream* is what one node (the producer) tells a peer (the consumer) on a channel. How a shell uses the core, one
transaction each, over values that it fetched and locked in that transaction:

* making (producer): unless held up, `producer.cut` over rendered feed rows and `told`; `producer.chain` signs the
  drafts; write the segments, `told` and the stream's state together;
* giving (producer): `producer.admit(outgoing, waiting, cursor)` says what is acknowledged, what may go, what is next;
* taking (consumer): `consumer.judge` the manifest and `manifest.unpack` the content (neither needs a transaction), then
  under the lock of `incoming` `consumer.verdict` again, `consumer.plan`, and write heard, landings, cursor together;
* reconciling: the consumer gives its cursor, and `reconcile.top` and `reconcile.summary` of `heard`. The producer
  renews the feed's epoch above `producer.outrun` if that says so, discards its waiting segments and writes
  `producer.open_repair` (chained behind the consumer's link); then, for stretches of `reconcile.differing` buckets, it
  compares the leaves (`reconcile.unequal`), renders those keys and writes `producer.repair` (chained behind the
  reconcile's own last link), the last time with `final=True`. Repair segments wait and go the way of all others.

The *link* of a segment is the digest of its manifest, and each manifest names the link before it: two places are the
same when their links are, whatever clocks, epochs and numbers say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from catalog.payload import Change
from config.errors import Conflict, Refused, Retry

PROTO = (1, 1)  # versions of the protocol that this release speaks, first to last
MOST_CHANGES = 4096  # in a segment
MOST_RAW = 64 * 1024 * 1024  # bytes of a segment's content, unpacked
MOST_PACKED = 64 * 1024 * 1024  # the same, as it travels
MOST_MANIFEST = 4096  # bytes

Key = tuple[int, str]  # kind and id of what a change is about
Version = tuple[int, int]  # epoch and seq


class Cursor(NamedTuple):
    """A place in a stream: behind the segment whose manifest has this link, up to (epoch, seq) of the feed."""

    epoch: int
    seq: int
    link: bytes

    @property
    def place(self) -> Version:
        """Where in the feed."""
        return self.epoch, self.seq


START = Cursor(0, 0, b"")  # nothing was told yet


class Leaf(NamedTuple):
    """A line of a ledger: the latest that was told or heard of a key. Digest None = it is gone."""

    kind: int
    id: str
    epoch: int
    seq: int
    digest: bytes | None

    @property
    def key(self) -> Key:
        """Whose line."""
        return self.kind, self.id

    @property
    def version(self) -> Version:
        """Of which version."""
        return self.epoch, self.seq


def leaf(change: Change) -> Leaf:
    """The line that a change writes into both ledgers."""
    return Leaf(change.kind, change.id, change.epoch, change.seq, change.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where the feed behind a channel stands."""

    epoch: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The producer's end of a stream."""

    made: Cursor = START  # the feed is told up to here; link of the last segment made
    known: Cursor = START  # what the consumer has acknowledged
    held_up: str = ""  # why a reconcile is due: nothing new is cut before it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A segment that the consumer has not acknowledged yet."""

    number: int  # rises along the stream
    base: bytes  # link of the segment before it
    end: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a segment shall tell."""

    epoch: int
    seq: int
    changes: tuple[Change, ...]
    repair: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a producer writes on all segments of a stream."""

    origin: str  # symbol of the producer
    peer: str  # symbol of the consumer
    channel: str
    made: int  # seconds since 1970, for people: nothing is decided by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Signed and immutable."""

    link: bytes
    manifest: bytes
    content: bytes
    end: Cursor


class Signer(Protocol):
    """The node's own key, with the algorithms of one suite."""

    @property
    def suite(self) -> str:
        """Its name."""

    def digest(self, data: bytes) -> bytes:
        """At least 16 bytes."""

    def sign(self, data: bytes) -> bytes:
        """The signature."""


class Verifier(Protocol):
    """A peer's keys that are trusted now, with the algorithms of one suite."""

    def digest(self, data: bytes) -> bytes:
        """At least 16 bytes."""

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Did one of the keys sign this?"""


Trusted = Mapping[str, Verifier]  # by name of the suite


class Damaged(Retry):
    """A segment did not arrive as it was signed: ask for it again."""

    code = "damaged-segment"


class Untrusted(Refused):
    """A segment is not signed by a trusted key of the peer, or is not meant for this stream."""

    code = "untrusted-segment"


class Incompatible(Refused):
    """A segment is what its producer signed, and this release can't read it."""

    code = "incompatible-segment"


class Overtaken(Conflict):
    """A reconcile is not the latest one of its stream."""

    code = "reconcile-overtaken"


class Implausible(Refused):
    """A peer claims to be at a place that can't be."""

    code = "implausible-place"
