"""A simulated node: the shell around the real core, a procedure for everything that a real shell does.

A commit is what happens between two yields; a node that dies keeps what was committed and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.payload import CLUSTERS, Change, Kind, bucket
from config.errors import Refused
from exchange import consumer, lanes, manifest, producer, reconcile
from exchange.consumer import CHILD, PARENT, Judged, Place, Plan, Verdict
from exchange.lanes import Lane, Outcome, Way
from exchange.link import Link
from exchange.model import Cursor, Damaged, Feed, Key, Label, Leaf, Outgoing, Overtaken, Segment, Version
from exchange.producer import Admitted, Cut
from tests.simulation import keys
from tests.simulation.keys import SUITE
from tests.simulation.steps import POINT, Call, News, Pause, Steps
from tests.simulation.store import Ends, Kept, Own, Sent, Store, render, unpack
from tests.simulation.watch import Watch

UP, DOWN = Lane(CLUSTERS, Way.UP), Lane(CLUSTERS, Way.DOWN)
ROWS = 3  # of the feed, in one cut
AHEAD = 3  # segments that may wait
POLL = 25.0  # seconds
BUCKETS = 1  # whose leaves are compared in one request

Answer = tuple[Any, ...]


class Node:
    """One node, with what it keeps and what it does."""

    def __init__(self, symbol: str, parents: list[str], children: list[str], watch: Watch) -> None:
        self.symbol, self.parents, self.children, self.watch = symbol, parents, children, watch
        self.store = Store(peers={peer: Ends() for peer in (*parents, *children)}, epoch=1000)
        self.key = keys.Key(symbol)
        self.links: dict[str, Link] = {}
        self.suspended: set[str] = set()
        self.stands: dict[str, Cursor] = {}  # where each parent last said it is; forgotten by whoever dies
        self.up = True
        self.life = 0
        self.skew = 0.0  # seconds that its clock is wrong
        self.now: Callable[[], float] = float  # the world's clock
        self.merging = False
        self.spawn: Callable[[Steps[None]], None]

    # Telling

    def make(self, peer: str) -> Steps[int]:
        """Cut segments ahead for a peer; how many."""
        ends, made = self.store.peers[peer], 0
        while True:
            stands = ends.outgoing
            if stands.held_up or len(ends.sent) >= AHEAD or stands.made.seq >= self.store.last:
                return made
            head, rows = self.store.last, self.store.after(stands.made.seq, ROWS)
            upto = rows[-1][0] if len(rows) == ROWS else head
            rendered = [self.rendered(peer, title) for _, title in rows]
            yield Pause(0.01)
            if ends.outgoing != stands or ends is not self.store.peers[peer]:
                continue
            told = {(change.kind, change.id): self._told(ends, change.id) for change in rendered}
            cut = producer.cut(self.feed, stands, rendered, told, upto)
            yield POINT
            made += yield from self.write(peer, cut, stands.made.link)

    def write(self, peer: str, cut: Cut, base: bytes) -> Steps[int]:
        """Segments, ledger and stream, in one transaction."""
        yield from ()
        return self.commit_cut(peer, cut, base)

    def commit_cut(self, peer: str, cut: Cut, base: bytes) -> int:
        segments, outgoing = producer.chain(cut, self.label(peer), base, self.key)
        ends = self.store.peers[peer]
        ends.told.update((line.key, line) for line in cut.told)
        self.keep(ends, cut, segments)
        ends.outgoing = outgoing
        self.watch.cut(self, peer, segments)
        return len(segments)

    def keep(self, ends: Ends, cut: Cut, segments: tuple[Segment, ...]) -> None:
        lines = {(line.key, line.version): line for line in cut.told}
        for draft, segment in zip(cut.drafts, segments, strict=True):
            ends.number += 1
            told = tuple(lines[(change.kind, change.id), (change.epoch, change.seq)] for change in draft.changes)
            ends.sent.append(Sent(manifest.waiting(ends.number, segment.link, segment.manifest), segment, told))

    def acknowledge(self, peer: str, admitted: Admitted) -> None:
        """The peer has everything up to here."""
        ends = self.store.peers[peer]
        assert admitted.known is not None
        ends.outgoing = Outgoing(made=ends.outgoing.made, known=admitted.known, held_up=ends.outgoing.held_up)
        if admitted.upto is not None:
            ends.sent = [sent for sent in ends.sent if sent.waiting.number > admitted.upto]
        self.watch.acknowledged(self, peer)

    def rendered(self, peer: str, title: str) -> Change:
        return render(self.store, self.symbol, title, peer, child=peer in self.children)

    def label(self, peer: str) -> Label:
        return Label(origin=self.symbol, peer=peer, channel=CLUSTERS, made=int(self.now() + self.skew))

    @property
    def feed(self) -> Feed:
        return Feed(epoch=self.store.epoch, last=self.store.last)

    @staticmethod
    def _told(ends: Ends, title: str) -> bytes | None:
        line = ends.told.get((Kind.BIB, title))
        return line.digest if line else None

    # Taking

    def take(self, peer: str, segment: bytes) -> Steps[tuple[Outcome | Verdict, Cursor]]:
        """Apply a segment if it is the next one; where the stream is then."""
        ends = self.store.peers[peer]
        trusted = {SUITE: keys.Key(peer)}
        try:
            signed, body = manifest.split(segment)
            judged = consumer.judge(
                signed, cursor=ends.cursor, me=self.symbol, peer=peer, channel=CLUSTERS, trusted=trusted
            )
            if judged.verdict is not Verdict.NEXT:
                return judged.verdict, ends.cursor
            content = manifest.unpack(judged.manifest, body, trusted[SUITE])
        except (Damaged, Refused):
            return Outcome.DAMAGED, ends.cursor
        yield Pause(0.01)
        ends = self.store.peers[peer]
        verdict = consumer.verdict(judged.manifest, judged.link, ends.cursor)
        if verdict is not Verdict.NEXT:
            return verdict, ends.cursor
        role = CHILD if peer in self.children else PARENT
        plan = consumer.plan(judged, ends.cursor, content, ends.heard, role, lambda change: unpack(change.payload))
        yield POINT
        yield from self.apply(peer, plan, judged)
        yield POINT
        return Verdict.NEXT, plan.cursor

    def apply(self, peer: str, plan: Plan, judged: Judged) -> Steps[None]:
        """Ledger, landings and cursor, in one transaction."""
        yield from ()
        self.land(peer, plan, judged)
        self.advance(peer, plan)

    def land(self, peer: str, plan: Plan, judged: Judged) -> None:
        ends = self.store.peers[peer]
        self.watch.land(self, peer, plan, judged)
        ends.heard.update((line.key, line) for line in plan.heard)
        self.store.quarantine += len(plan.poison)
        for change in plan.landing.get(Place.RECEIVED, ()):
            self.store.kept.setdefault(peer, {})[change.id] = Kept(change.payload, change.redirect)
        landed = plan.landing.get(Place.INBOX, ())
        self.store.inbox.extend((peer, change) for change in landed)
        if landed:
            self.store.sources.add(peer)

    def advance(self, peer: str, plan: Plan) -> None:
        self.store.peers[peer].cursor = plan.cursor
        self.watch.advanced(self, peer, plan)

    def merge(self) -> Steps[bool]:
        """Place and merge what is in the inbox; was there anything?"""
        yield POINT
        store, titles = self.store, set()
        for child, change in store.inbox:
            store.kept.setdefault(child, {})[change.id] = Kept(change.payload, change.redirect)
            titles.add(change.id)
        store.inbox.clear()
        before = store.last
        store.remerge(titles)
        return store.last > before

    # A library's own work

    def edit(self, title: str, change: Callable[[Own | None], Own], work: float) -> Steps[None]:
        """A save that takes so many seconds of work before its commit."""
        yield Pause(work)
        yield POINT
        self.store.own[title] = own = change(self.store.own.get(title))
        self.store.rows[title] = self.store.draw()
        self.watch.wrote(self.symbol, title, own.text)

    # Asking a parent

    def greet(self, parent: str) -> Steps[lanes.Greeted]:
        before = self.stands.get(parent)
        answer = yield Call(parent, ("hello",))
        if answer is None or answer[0] is not Outcome.MOVED:
            return lanes.Greeted(answer[0] if answer else Outcome.FAILED)
        if self.stands.get(parent) == before:  # else a push has a later answer than this one
            self.stands[parent] = answer[1]
        return lanes.Greeted(Outcome.MOVED)

    def push(self, parent: str) -> Steps[Outcome]:
        yield from self.make(parent)
        ends = self.store.peers[parent]
        admitted = producer.admit(ends.outgoing, ends.waiting, self.stands[parent])
        if admitted.known is None or (admitted.next is None and ends.outgoing.held_up):
            return Outcome.HELD_UP
        if admitted.known != ends.outgoing.known:
            yield POINT
            self.acknowledge(parent, admitted)
        if admitted.next is None:
            return Outcome.QUIET
        segment = next(sent.segment for sent in ends.sent if sent.waiting.number == admitted.next)
        answer = yield Call(parent, ("up", manifest.join(segment.manifest, segment.content)))
        if answer is None or answer[0] in (Outcome.SUSPENDED, Outcome.DAMAGED):
            return Outcome.FAILED if answer is None else answer[0]
        moved = answer[1] != self.stands[parent]
        self.stands[parent] = answer[1]  # acknowledged by the next push, which begins at once
        return Outcome.MOVED if moved else Outcome.FAILED

    def pull(self, parent: str) -> Steps[Outcome]:
        answer = yield Call(parent, ("down", self.store.peers[parent].cursor), POLL + 10)
        if answer is None:
            return Outcome.FAILED
        if isinstance(answer[0], Outcome):
            return answer[0]
        done, _ = yield from self.take(parent, answer[0])
        if isinstance(done, Outcome):
            return done
        return Outcome.MOVED if done in (Verdict.NEXT, Verdict.DONE) else Outcome.FAILED

    def mend_up(self, parent: str) -> Steps[Outcome]:
        answer = yield Call(parent, ("heard",))
        if answer is None or answer[0] is not Outcome.MOVED:
            return answer[0] if answer else Outcome.FAILED
        _, cursor, top, theirs = answer
        self.stands[parent] = cursor
        yield POINT
        buckets, made = self.open(parent, cursor, top, theirs)
        while buckets:
            some, buckets = buckets[:BUCKETS], buckets[BUCKETS:]
            answer = yield Call(parent, ("leaves", some))
            if answer is None or answer[0] is not Outcome.MOVED:
                return answer[0] if answer else Outcome.FAILED
            try:
                made = self.mend(parent, some, answer[1], made, final=not buckets)
            except Overtaken:
                return Outcome.FAILED
            yield POINT
        return Outcome.MOVED

    def mend_down(self, parent: str) -> Steps[Outcome]:
        ends = self.store.peers[parent]
        heard = list(ends.heard.values())
        answer = yield Call(parent, ("open", ends.cursor, reconcile.top(heard), reconcile.summary(heard)))
        while answer is not None and answer[0] is Outcome.MOVED:
            _, buckets, made = answer
            if not buckets:
                return Outcome.MOVED
            some, rest = buckets[:BUCKETS], buckets[BUCKETS:]
            answer = yield Call(parent, ("mend", some, rest, self.leaves(parent, some), made))
        return answer[0] if answer else Outcome.FAILED

    def leaves(self, peer: str, buckets: tuple[int, ...]) -> list[Leaf]:
        return _of(self.store.peers[peer].heard, buckets)

    # Mending what was told

    def open(self, peer: str, cursor: Cursor, top: Version, theirs: bytes) -> tuple[tuple[int, ...], bytes]:
        """Begin to reconcile; the buckets that differ, and the link of the repair."""
        ends = self.store.peers[peer]
        above = producer.outrun(self.feed, ends.outgoing, ends.waiting, cursor, top)
        if above is not None:
            self.watch.renewed(self)
            self.store.epoch = above + 1
        ends.sent.clear()
        self.commit_cut(peer, producer.open_repair(self.feed, ends.outgoing, cursor, "reconciling"), cursor.link)
        buckets = reconcile.differing(reconcile.summary(ends.told.values()), theirs)
        if not buckets:
            self.mend(peer, (), [], ends.outgoing.made.link, final=True)
        return buckets, ends.outgoing.made.link

    def mend(self, peer: str, buckets: tuple[int, ...], theirs: list[Leaf], base: bytes, *, final: bool) -> bytes:
        """Tell anew what differs in these buckets; the link of the repair."""
        ends = self.store.peers[peer]
        wrong = reconcile.unequal(_of(ends.told, buckets), theirs)
        self.watch.mended(len(wrong))
        rendered = [self.rendered(peer, title) for _, title in wrong]
        cut = producer.repair(ends.outgoing, base, wrong, rendered, final=final)
        self.commit_cut(peer, cut, base)
        return ends.outgoing.made.link

    def correct(self, peer: str) -> None:
        """Look at what is really kept from a peer, and set the ledger right by it."""
        ends, store = self.store.peers[peer], self.store
        for line in list(ends.heard.values()):
            kept = store.kept.get(peer, {}).get(line.id, Kept(b""))
            really = Change(line.kind, line.id, line.epoch, line.seq, *kept).digest
            right = reconcile.corrected(line, really)
            if right is not None and not line.id.startswith("p"):
                ends.heard[line.key] = right
                self.watch.corrected(self, peer, line.key)

    # Answering a child

    def answer(self, child: str, request: tuple[Any, ...]) -> Steps[Answer]:
        """What a child is told."""
        if child in self.suspended:
            return (Outcome.SUSPENDED,)
        ends = self.store.peers[child]
        match request:
            case ("hello",):
                return Outcome.MOVED, ends.cursor
            case ("up", segment):
                return (yield from self.take(child, segment))
            case ("down", cursor):
                return (yield from self.give(child, cursor))
            case ("heard",):
                heard = list(ends.heard.values())
                return Outcome.MOVED, ends.cursor, reconcile.top(heard), reconcile.summary(heard)
            case ("leaves", buckets):
                return Outcome.MOVED, self.leaves(child, buckets)
            case ("open", cursor, top, theirs):
                yield POINT
                buckets, made = self.open(child, cursor, top, theirs)
                yield POINT
                return Outcome.MOVED, buckets, made
            case ("mend", some, rest, theirs, made):
                try:
                    made = self.mend(child, some, theirs, made, final=not rest)
                except Overtaken:
                    return (Outcome.FAILED,)
                yield POINT
                return Outcome.MOVED, rest, made
        raise AssertionError(request)

    def give(self, child: str, cursor: Cursor) -> Steps[Answer]:
        """The segment after this place, once there is one."""
        until = self.now() + POLL
        while True:
            ends = self.store.peers[child]
            admitted = producer.admit(ends.outgoing, ends.waiting, cursor)
            if admitted.known is None:
                return (Outcome.HELD_UP,)
            if admitted.known != ends.outgoing.known:
                yield POINT
                self.acknowledge(child, admitted)
            if admitted.next is not None:
                segment = next(sent.segment for sent in ends.sent if sent.waiting.number == admitted.next)
                return (manifest.join(segment.manifest, segment.content),)
            if ends.outgoing.held_up:
                return (Outcome.HELD_UP,)
            if not (yield from self.make(child)):
                if self.now() >= until:
                    return (Outcome.QUIET,)
                yield News(until - self.now())
            if child in self.suspended:
                return (Outcome.SUSPENDED,)


def _of(ledger: dict[Key, Leaf], buckets: tuple[int, ...]) -> list[Leaf]:
    return [line for line in ledger.values() if _bucket(line.key) in buckets]


_buckets: dict[Key, int] = {}


def _bucket(key: Key) -> int:
    if key not in _buckets:
        _buckets[key] = bucket(*key)
    return _buckets[key]
