"""What must hold at every step, whatever is lost, doubled, damaged, killed or set back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from catalog.payload import Change
from exchange.consumer import Judged, Place, Plan
from exchange.model import START, Cursor, Key, Segment
from tests.simulation.store import unpack

if TYPE_CHECKING:
    from tests.simulation.node import Node


class Broken(AssertionError):
    """A promise was broken."""


class Watch:
    """Knows what was ever written and applied, in lives that are lost too."""

    def __init__(self, below: Mapping[str, frozenset[str]]) -> None:
        self.below = below  # libraries below each node
        self.nodes: dict[str, Node] = {}
        self.written: set[tuple[str, str, str]] = set()  # library, title, text
        self.places: dict[tuple[str, str], set[Cursor]] = {}  # ever committed, by consumer and producer
        self.excused: set[tuple[str, str]] = set()  # ledgers that were corrected by what is kept: consumer and producer
        self.segments = self.repairs = self.renewals = self.fenced = 0

    def wrote(self, library: str, title: str, text: str) -> None:
        self.written.add((library, title, text))

    def renewed(self, node: Node) -> None:
        self.renewals += 1

    def mended(self, count: int) -> None:
        self.repairs += count

    def corrected(self, node: Node, peer: str, key: Key) -> None:
        node.store.applied = {line for line in node.store.applied if line[:2] != (peer, key)}
        self.excused.add((node.symbol, peer))

    def cut(self, node: Node, peer: str, segments: tuple[Segment, ...]) -> None:
        self.segments += len(segments)
        self._claims(node, peer)
        self._nothing_lost(node, self.nodes[peer])

    def acknowledged(self, node: Node, peer: str) -> None:
        self._claims(node, peer)
        self._nothing_lost(node, self.nodes[peer])

    def land(self, node: Node, peer: str, plan: Plan, judged: Judged) -> None:
        ends, where = node.store.peers[peer], f"{node.symbol} from {peer}"
        if plan.cursor.place < ends.cursor.place:
            raise Broken(f"{where}: the cursor went back from {ends.cursor} to {plan.cursor}")
        self.fenced += judged.manifest.count - len(plan.heard)
        for line in plan.heard:
            before = ends.heard.get(line.key)
            if before is not None and line.version < before.version:
                raise Broken(f"{where}: {line.id} went back from {before.version} to {line.version}")
            effect = (peer, line.key, line.version, line.digest)
            if effect in node.store.applied:
                raise Broken(f"{where}: {line.id} {line.version} was applied twice")
            node.store.applied.add(effect)
        for place, changes in plan.landing.items():
            for change in changes:
                self._real(where, peer, place, change)

    def advanced(self, node: Node, peer: str, plan: Plan) -> None:
        self.places.setdefault((node.symbol, peer), set()).add(plan.cursor)
        self._nothing_lost(self.nodes[peer], node)

    def _real(self, where: str, peer: str, place: Place, change: Change) -> None:
        """Nothing is invented, and what a parent told is never told to a parent."""
        if not change.payload:
            return
        maker, values = unpack(change.payload)
        if maker != peer:
            raise Broken(f"{where}: {change.id} was made by {maker}")
        for library, text in values:
            if (library, change.id, text) not in self.written:
                raise Broken(f"{where}: nobody ever wrote {text} of {change.id}")
            if place is Place.INBOX and library not in self.below[peer]:
                raise Broken(f"{where}: {change.id} of {library} was received, and went up again")

    def _claims(self, node: Node, peer: str) -> None:
        known = node.store.peers[peer].outgoing.known
        if known != START and known not in self.places.get((peer, node.symbol), ()):
            raise Broken(f"{node.symbol} takes {known} for acknowledged, which {peer} never committed")

    def _nothing_lost(self, producer: Node, consumer: Node) -> None:
        """What was told is heard, or waits behind the consumer's place."""
        ends, other = producer.store.peers[consumer.symbol], consumer.store.peers[producer.symbol]
        if ends.outgoing.held_up or (consumer.symbol, producer.symbol) in self.excused:
            return
        waiting = ends.sent
        if other.cursor.link != ends.outgoing.known.link:
            here = [n for n, sent in enumerate(ends.sent) if sent.waiting.end.link == other.cursor.link]
            if not here:
                return  # a reconcile is due, and not yet begun
            waiting = ends.sent[here[0] + 1 :]
        state = {key: line.digest for key, line in other.heard.items()}
        for sent in waiting:
            state.update((line.key, line.digest) for line in sent.told)
        for key, line in ends.told.items():
            if line.digest != state.pop(key, None):
                raise Broken(f"{producer.symbol} told {consumer.symbol} of {line}, and nothing brings it there")
        if any(digest is not None for digest in state.values()):
            raise Broken(f"{consumer.symbol} has of {producer.symbol} what was never told: {state}")
