"""One seed: a bad time of some minutes, then healing, then everything must be where it belongs.

`.venv/bin/python -m tests.simulation SEED` prints what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from catalog.payload import Change, Kind
from exchange import lanes, reconcile
from exchange.model import Key, Leaf
from tests.simulation import damage
from tests.simulation.node import DOWN, UP, Node
from tests.simulation.store import Kept, Merged, Own, Store, Value
from tests.simulation.watch import Broken
from tests.simulation.world import LIBRARIES, TREE, Faults, World

BAD_TIME = 120.0  # seconds
EVENTS = 45  # in it
PATIENCE = 2400.0  # seconds that healing may take
LOOK = 5.0  # seconds between looks whether it has
TITLES = ("t0", "t1", "t2", "t3", "t4", "t5")
POISON = "p0"  # a title whose record nobody can read
HARSH = 25 * 3600.0  # seconds that a clock jumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    trace: str  # digest
    segments: int
    deaths: int
    repairs: int
    renewals: int
    fenced: int
    seconds: float  # of healing
    points: int
    lines: tuple[str, ...]


class Scenario:
    """A seed at work."""

    def __init__(self, seed: int, *, verbose: bool = False, faults: Faults | None = None, events: int = EVENTS) -> None:
        self.chance = chance = Random(seed)
        self.calm = faults is not None
        self.world = World(chance, faults or _faults(chance), verbose=verbose, cut_ahead=chance.random() < 0.5)
        self.backups: list[tuple[str, Store]] = []
        self.texts = 0
        self.patient = chance.random() < 0.5  # healing without a word that the others are back
        self.kinds = self._kinds()
        for library in LIBRARIES:
            for title in chance.sample(TITLES, 3):
                self._write(library, title)
        for _ in range(events):
            self.world.at(chance.random() * BAD_TIME, self._event)

    def run(self) -> Outcome:
        """Broken if a promise is."""
        world, chance = self.world, self.chance
        world.run(BAD_TIME)
        self._heal()
        seconds = self._until_still()
        drifts = self._drift in self.kinds
        for _ in range(2 if drifts else chance.random() < 0.2):
            seconds += self._reconcile_all()
            self._prove()
            if drifts:  # the same again: its version is now the one that a repair would give it
                self._lose("D1", "L1")
        if drifts:
            seconds += self._reconcile_all()
        self._prove()
        watch = world.watch
        return Outcome(
            trace=world.digest,
            segments=watch.segments,
            deaths=world.deaths,
            repairs=watch.repairs,
            renewals=watch.renewals,
            fenced=watch.fenced,
            seconds=seconds,
            points=world.points,
            lines=tuple(world.lines),
        )

    # The bad time

    def _kinds(self) -> list[Callable[[], None]]:
        """What can happen in this seed: always edits, and some of the rest."""
        rare = [
            self._share, self._remove, self._poison, self._kill, self._partition, self._suspend, self._clock,
            self._backup, self._restore, self._restore_and_write, self._rogue, self._drift, self._check,
            self._check_beside,
        ]  # fmt: skip
        if self.calm:
            return [self._edit, self._edit, self._share, self._remove]
        some = [kind for kind in rare if self.chance.random() < 0.5]
        return [self._edit] * max(4, len(some)) + some

    def _event(self) -> None:
        self.chance.choice(self.kinds)()

    def _any(self, symbols: tuple[str, ...] = tuple(TREE)) -> Node:
        return self.world.nodes[self.chance.choice(symbols)]

    def _change(self, library: Node, title: str, change: Callable[[Own | None], Own]) -> None:
        if library.up:
            steps = library.edit(title, change, self.chance.random() * 0.3)
            self.world.spawn(library, steps, lambda _: self.world.wake(library))

    def _write(self, library: str, title: str) -> None:
        self.texts += 1
        text = f"{library}:{self.texts:04}"
        self.world.note(library, "writes", title, text)
        self._change(self.world.nodes[library], title, lambda own: Own(text, "", own.shared if own else True))

    def _edit(self) -> None:
        for _ in range(self.chance.choice((1, 1, 3))):
            self._write(self.chance.choice(LIBRARIES), self.chance.choice(TITLES))

    def _share(self) -> None:
        library, title = self._any(LIBRARIES), self.chance.choice(TITLES)
        self.world.note(library.symbol, "shares, or no more,", title)
        self._change(library, title, lambda own: own._replace(shared=not own.shared) if own else Own("", "", False))

    def _remove(self) -> None:
        library, (title, heir) = self._any(LIBRARIES), self.chance.sample(TITLES, 2)
        self.world.note(library.symbol, "removes", title, "for", heir)
        self._change(library, title, lambda own: Own("", heir, own.shared if own else True))

    def _poison(self) -> None:
        self._write(self.chance.choice(LIBRARIES), POISON)

    def _kill(self) -> None:
        self.world.kill(self._any())

    def _partition(self) -> None:
        symbol = self._any().symbol
        self.world.cut(symbol, off=True)
        self.world.at(self.chance.random() * 40, lambda: self.world.cut(symbol, off=False))

    def _suspend(self) -> None:
        parent = self._any(("D1", "D2", "C"))
        child = self.chance.choice(parent.children)
        self.world.note(parent.symbol, "suspends, or no more,", child)
        parent.suspended ^= {child}
        self.world.wake(parent)

    def _clock(self) -> None:
        node = self._any()
        node.skew += self.chance.choice((-HARSH, HARSH))
        self.world.note("the clock of", node.symbol, "jumps")

    def _backup(self) -> None:
        node = self._any()
        self.backups.append((node.symbol, node.store.copy()))

    def _restore(self) -> None:
        if self.backups:
            symbol, backup = self.chance.choice(self.backups)
            self.world.restore(self.world.nodes[symbol], backup, told=self.chance.random() < 0.5)

    def _restore_and_write(self) -> None:
        """Set back, and on past the former head before anybody notices."""
        libraries = [(symbol, backup) for symbol, backup in self.backups if symbol in LIBRARIES]
        if not libraries:
            return
        symbol, backup = self.chance.choice(libraries)
        node, former = self.world.nodes[symbol], self.world.nodes[symbol].store.last
        self.world.cut(symbol, off=True)
        self.world.restore(node, backup, told=False)

        def write() -> None:
            for n in range(former - node.store.last + 2 if node.up else 0):
                self._write(symbol, TITLES[n % len(TITLES)])

        def publish() -> None:
            for parent in node.parents if node.up else ():
                self.world.spawn(node, node.make(parent))

        self.world.at(7, write)
        self.world.at(8, publish)
        self.world.at(12, lambda: self.world.cut(symbol, off=False))

    def _rogue(self) -> None:
        """A child signs again what it told before, as if it were next."""
        child = self._any(("L1", "L2", "L3", "D1", "D2"))
        parent = self.world.nodes[child.parents[0]]
        cursor, heard = parent.store.peers[child.symbol].cursor, parent.store.peers[child.symbol].heard
        old = tuple(
            Change(line.kind, line.id, line.epoch, line.seq - self.chance.randrange(2))
            for line in list(heard.values())[:2]
        )
        self.world.note(child.symbol, "tells old versions again:", [change.id for change in old])
        segment = damage.rogue(child.symbol, parent.symbol, cursor.link, old, cursor.place)
        if parent.up and old:
            self.world.spawn(parent, parent.take(child.symbol, segment), lambda _: self.world.merge(parent))

    def _drift(self) -> None:
        """A byte at rest changes, with no trace in any ledger."""
        node = self._any(("L1", "L2", "D1", "D2", "C"))
        self._lose(node.symbol, self.chance.choice(list(node.store.peers)))

    def _lose(self, symbol: str, peer: str) -> None:
        """The first title that is kept of a peer."""
        titles = self.world.nodes[symbol].store.kept.get(peer, {})
        for title in [title for title, kept in titles.items() if kept.payload][:1]:
            self.world.note(symbol, "loses", title, "of", peer)
            titles[title] = Kept(b"")

    def _check(self) -> None:
        """An operator reconciles, with nothing wrong."""
        node = self._any(("L1", "L2", "L3", "D1", "D2"))
        lane = self.chance.choice((UP, DOWN))
        self.world.event(node.symbol, lanes.Check(lane))

    def _check_beside(self) -> None:
        """The same from another process, which knows nothing of what the link is doing."""
        node = self._any(("L1", "L2", "L3", "D1", "D2"))
        parent, mend = self.chance.choice(node.parents), self.chance.choice((node.mend_up, node.mend_down))
        if node.up:
            self.world.note(node.symbol, "reconciles beside its link:", mend.__name__)
            self.world.spawn(node, mend(parent))
            self.world.at(self.chance.random(), lambda: self.world.spawn(node, mend(parent)))

    # Healing

    def _heal(self) -> None:
        world = self.world
        world.note("healing begins")
        world.faults = Faults(delay=world.faults.delay, die_at=world.faults.die_at)
        for node in world.nodes.values():
            world.cut(node.symbol, off=False)
            node.suspended.clear()
            if not self.patient:
                world.event(node.symbol, lanes.Back())

    def _until_still(self) -> float:
        began = self.world.now
        while self.world.now < began + PATIENCE:
            self.world.run(self.world.now + LOOK)
            if self._still():
                return self.world.now - began
        raise Broken(f"no rest {PATIENCE:.0f} s after healing: {self._unrest()}")

    def _still(self) -> bool:
        return not self._unrest(1)

    def _unrest(self, most: int = 12) -> list[str]:
        """What is still under way."""
        found: list[str] = []
        for node in self.world.nodes.values():
            if not node.up or node.store.inbox:
                found.append(f"{node.symbol} is at work")
            for peer, ends in node.store.peers.items():
                out, there = ends.outgoing, self.world.nodes[peer].store.peers[node.symbol].cursor
                if out.held_up or ends.sent or out.made.seq < node.store.last or there != out.known:
                    found.append(f"{node.symbol} to {peer}: {out}, {len(ends.sent)} wait, the other is at {there}")
            if len(found) >= most:
                return found
        return found

    def _reconcile_all(self) -> float:
        """By what is really kept."""
        for node in self.world.nodes.values():
            for peer in node.store.peers:
                node.correct(peer)
        for symbol in TREE:
            for lane in (UP, DOWN):
                self.world.event(symbol, lanes.Check(lane))
        self.world.run(self.world.now + 40)  # a long-poll may still be open
        return self._until_still()

    # What must be so in the end

    def _prove(self) -> None:
        for node in self.world.nodes.values():
            for peer, ends in node.store.peers.items():
                self._prove_stream(node, peer)
                summaries = [reconcile.summary(ledger.values()) for ledger in (ends.told, self._heard(node, peer))]
                if not reconcile.compare(*summaries).equal:
                    raise Broken(f"{node.symbol} to {peer}: the ledgers differ")
        self._prove_meaning()

    def _heard(self, node: Node, peer: str) -> dict[Key, Leaf]:
        return self.world.nodes[peer].store.peers[node.symbol].heard

    def _prove_stream(self, node: Node, peer: str) -> None:
        """What would be told now was told, and is kept."""
        told, kept = node.store.peers[peer].told, self.world.nodes[peer].store.kept.get(node.symbol, {})
        for title in (*TITLES, POISON):
            line = told.get((Kind.BIB, title))
            now = node.rendered(peer, title)
            if now.payload and (line is None or line.digest != now.digest):
                raise Broken(f"{node.symbol} has never told {peer} its latest {title}")
            if not now.payload and line is not None and line.digest is not None and not now.redirect:
                raise Broken(f"{node.symbol} has never told {peer} that {title} is gone")
            there = kept.get(title, Kept(b""))
            if title != POISON and there.payload != now.payload:
                raise Broken(f"{peer} keeps another {title} of {node.symbol} than the one that stands")

    def _prove_meaning(self) -> None:
        """Every library's titles are where they belong, by a sum that knows nothing of streams."""
        shared = {
            library: {
                title: own.text
                for title, own in self.world.nodes[library].store.own.items()
                if own.text and own.shared and title != POISON
            }
            for library in LIBRARIES
        }
        for symbol in ("D1", "D2", "C"):
            store = self.world.nodes[symbol].store
            for title in TITLES:
                wanted: tuple[Value, ...] = tuple(
                    (library, shared[library][title])
                    for library in sorted(self.world.watch.below[symbol])
                    if title in shared[library]
                )
                if store.merged.get(title, Merged((), "", ())).values != wanted:
                    raise Broken(f"{symbol} has {store.merged.get(title)} of {title} and not {wanted}")


def _faults(chance: Random) -> Faults:
    return Faults(
        loss=chance.choice((0, 0.05, 0.25)),
        double=chance.choice((0, 0.1)),
        damage=chance.choice((0, 0.1, 0.3)),
        delay=chance.choice((0.1, 2.0)),
        death=chance.choice((0, 0.005, 0.02)),
    )


def run(seed: int, *, verbose: bool = False) -> Outcome:
    """Play a seed. Broken if a promise is."""
    return Scenario(seed, verbose=verbose).run()
