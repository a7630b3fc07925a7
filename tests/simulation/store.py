"""What a simulated node keeps: a store that survives crashes, can be copied and set back.

Titles stand for clusters, and a merged record is simply what the children say of its title, together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec

from catalog.payload import Change, Kind
from config.errors import BadRecord
from exchange.model import START, Cursor, Key, Leaf, Outgoing, Segment, Version, Waiting

Value = tuple[str, str]  # library and what it says of a title
Told = tuple[str, tuple[Value, ...]]  # who made the merged record, and what is in it

_decode: Callable[[bytes], Told] = msgspec.msgpack.Decoder(Told).decode


class Own(NamedTuple):
    """A title of a library's own; empty text = deleted."""

    text: str
    redirect: str = ""
    shared: bool = True


class Kept(NamedTuple):
    """A title as a peer told it; empty payload = gone."""

    payload: bytes
    redirect: str = ""


class Merged(NamedTuple):
    """What the children say together, and which of them have it."""

    values: tuple[Value, ...]
    redirect: str
    children: tuple[str, ...]


def is_news(now: Merged, before: Merged) -> bool:
    """Must the feed say so? Also where only a child came or went: what it is told depends on it."""
    return now != before


class Sent(NamedTuple):
    """A segment that waits, with the lines that it wrote into `told`."""

    waiting: Waiting
    segment: Segment
    told: tuple[Leaf, ...]


def pack(maker: str, values: tuple[Value, ...]) -> bytes:
    """A record as it is told."""
    return msgspec.msgpack.encode((maker, values))


def unpack(payload: bytes) -> Told:
    """Raises BadRecord of poison."""
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"poison: {error}") from error


@dataclass(slots=True)
class Ends:
    """Both streams with one peer."""

    outgoing: Outgoing = field(default_factory=Outgoing)
    told: dict[Key, Leaf] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    number: int = 0
    cursor: Cursor = START
    heard: dict[Key, Leaf] = field(default_factory=dict)

    def copy(self) -> Ends:
        return replace(self, told=dict(self.told), sent=list(self.sent), heard=dict(self.heard))

    @property
    def waiting(self) -> list[Waiting]:
        return [sent.waiting for sent in self.sent]


@dataclass(slots=True)
class Store:
    """Everything durable."""

    peers: dict[str, Ends]
    epoch: int = 1
    last: int = 0
    rows: dict[str, int] = field(default_factory=dict)  # the feed: seq by title
    own: dict[str, Own] = field(default_factory=dict)
    kept: dict[str, dict[str, Kept]] = field(default_factory=dict)  # by peer and title
    merged: dict[str, Merged] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)  # peers whose titles are merged
    inbox: list[tuple[str, Change]] = field(default_factory=list)  # from children, not merged yet
    quarantine: int = 0
    applied: set[tuple[str, Key, Version, bytes | None]] = field(default_factory=set)

    def copy(self) -> Store:
        return replace(
            self,
            peers={peer: ends.copy() for peer, ends in self.peers.items()},
            rows=dict(self.rows),
            own=dict(self.own),
            kept={peer: dict(titles) for peer, titles in self.kept.items()},
            merged=dict(self.merged),
            sources=set(self.sources),
            inbox=list(self.inbox),
            applied=set(self.applied),
        )

    def draw(self) -> int:
        """The next place in the feed, taken as the last thing before a commit."""
        self.last += 1
        return self.last

    def after(self, seq: int, limit: int) -> list[tuple[int, str]]:
        """(seq, title) of the feed after a place, in order."""
        return sorted((there, title) for title, there in self.rows.items() if there > seq)[:limit]

    def remerge(self, titles: set[str]) -> None:
        """Make the merged records of these titles anew; rows of the feed where something is different."""
        for title in sorted(titles):
            there = {child: self.kept.get(child, {}).get(title) for child in sorted(self.sources)}
            living = {child: unpack(kept.payload)[1] for child, kept in there.items() if kept and kept.payload}
            values = tuple(sorted({value for told in living.values() for value in told}))
            redirect = "" if values else max((kept.redirect for kept in there.values() if kept), default="")
            merged = Merged(values, redirect, tuple(sorted(living)))
            before = self.merged.get(title, Merged((), "", ()))
            self.merged[title] = merged
            if is_news(merged, before):
                self.rows[title] = self.draw()


def render(store: Store, symbol: str, title: str, peer: str, *, child: bool) -> Change:
    """A title as the peer gets to see it; what it may not have as a tombstone."""
    seq = store.rows.get(title, 0)
    if (own := store.own.get(title)) is not None:
        if own.text and own.shared:
            poison = title.startswith("p")
            payload = b"\xc1" + own.text.encode() if poison else pack(symbol, ((symbol, own.text),))
            return Change(Kind.BIB, title, store.epoch, seq, payload)
        return Change(Kind.BIB, title, store.epoch, seq, b"", "" if own.text else own.redirect)
    merged = store.merged.get(title, Merged((), "", ()))
    if merged.values and (not child or peer in merged.children):
        return Change(Kind.BIB, title, store.epoch, seq, pack(symbol, merged.values))
    return Change(Kind.BIB, title, store.epoch, seq, b"", merged.redirect)
