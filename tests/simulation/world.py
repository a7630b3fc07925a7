"""Virtual time, nodes that die, and a network that does to messages whatever networks do."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import blake3

from catalog.payload import CLUSTERS
from exchange import lanes
from exchange.lanes import Outcome, Way
from exchange.link import Link
from tests.simulation import damage
from tests.simulation.node import DOWN, UP, Node
from tests.simulation.steps import Call, News, Pause, Point, Steps
from tests.simulation.store import Store
from tests.simulation.watch import Watch

TREE = {"L1": ["D1"], "L2": ["D1", "D2"], "L3": ["D2"], "D1": ["C"], "D2": ["C"], "C": []}
LIBRARIES = ("L1", "L2", "L3")


@dataclass(slots=True, kw_only=True)
class Faults:
    """How bad the world is: chances from 0 to 1, and seconds."""

    loss: float = 0.0
    double: float = 0.0
    damage: float = 0.0  # of a segment on its way
    delay: float = 0.1  # seconds at most; long ones put messages out of order
    death: float = 0.0  # at each point where a node may die
    die_at: int = 0  # or exactly at this one


class Task:
    """A procedure at work."""

    __slots__ = ("done", "life", "node", "steps", "turn")

    def __init__(self, node: Node, steps: Steps[Any], done: Callable[[Any], None] | None) -> None:
        self.node, self.steps, self.done = node, steps, done
        self.life, self.turn = node.life, 0


class World:
    """Six nodes in three tiers."""

    def __init__(self, chance: Random, faults: Faults, *, verbose: bool = False, cut_ahead: bool = False) -> None:
        self.chance, self.faults, self.verbose, self.cut_ahead = chance, faults, verbose, cut_ahead
        below = {symbol: frozenset(_below(symbol)) for symbol in TREE}
        self.watch = Watch(below)
        self.now = 0.0
        self.points = 0
        self.deaths = 0
        self._order = 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._sleepers: dict[str, list[tuple[Task, int]]] = {}
        self._off: set[str] = set()  # nodes without a network
        self._seen: dict[tuple[str, ...], list[bytes]] = {}  # segments that passed by, for whoever forges
        self._trace = blake3.blake3()
        self.lines: list[str] = []
        self.nodes = {
            symbol: Node(symbol, parents, [child for child in TREE if symbol in TREE[child]], self.watch)
            for symbol, parents in TREE.items()
        }
        self.watch.nodes = self.nodes
        for node in self.nodes.values():
            node.now = lambda: self.now
            node.spawn = functools.partial(self.spawn, node)
        for node in self.nodes.values():
            self.start(node)

    # Time

    def at(self, seconds: float, work: Callable[[], None]) -> None:
        """Do it so many seconds from now."""
        self._order += 1
        heapq.heappush(self._agenda, (self.now + seconds, self._order, work))

    def run(self, until: float) -> None:
        """Let time pass."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, work = heapq.heappop(self._agenda)
            work()
        self.now = until

    def note(self, *what: object) -> None:
        """A line of the trace."""
        line = f"{self.now:9.3f} {' '.join(map(str, what))}"
        self._trace.update(line.encode())
        if self.verbose:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """Of the trace so far."""
        return self._trace.hexdigest(16)

    # Procedures

    def spawn(self, node: Node, steps: Steps[Any], done: Callable[[Any], None] | None = None) -> None:
        """Begin a procedure, unless the node is dead."""
        if node.up:
            self._step(Task(node, steps, done), None)

    def _step(self, task: Task, value: Any) -> None:
        if task.node.life != task.life:
            return
        node = task.node
        task.turn += 1
        try:
            effect = task.steps.send(value)
            while isinstance(effect, Point):
                if self._dies(node):
                    self.kill(node)
                    return
                effect = task.steps.send(None)
        except StopIteration as stop:
            if task.done is not None:
                task.done(stop.value)
            return
        turn = task.turn
        match effect:
            case Pause(seconds):
                self._resume_later(task, turn, seconds)
            case News(seconds):
                self._sleepers.setdefault(node.symbol, []).append((task, turn))
                self._resume_later(task, turn, seconds)
            case Call(peer, request, seconds):
                self._resume_later(task, turn, seconds)
                self._ask(task, turn, self.nodes[peer], request)

    def _resume_later(self, task: Task, turn: int, seconds: float) -> None:
        self.at(seconds, lambda: self._resume(task, turn, None))

    def _resume(self, task: Task, turn: int, value: Any) -> None:
        """Only if it still waits for this: an answer may come twice, or too late."""
        if task.turn == turn:
            self._step(task, value)

    def _dies(self, node: Node) -> bool:
        self.points += 1
        faults = self.faults
        return self.points == faults.die_at or (faults.death > 0 and self.chance.random() < faults.death)

    def wake(self, node: Node) -> None:
        """The feed of a node has moved."""
        for task, turn in self._sleepers.pop(node.symbol, []):
            self._resume(task, turn, None)
        for parent, there in node.links.items():
            self._event(node, parent, there, lanes.News(CLUSTERS))
        if self.cut_ahead:
            for peer in node.store.peers:
                self.spawn(node, node.make(peer))

    # Nodes

    def start(self, node: Node) -> None:
        """A node begins, or begins again, with what it has kept."""
        node.up, node.merging = True, False
        node.stands.clear()
        node.links = {parent: Link(lanes=(UP, DOWN), chance=self.chance.random) for parent in node.parents}
        for parent, there in node.links.items():
            self._event(node, parent, there, lanes.Start())
        self.merge(node)

    def kill(self, node: Node) -> None:
        """It dies at once, and is started again after a while."""
        if not node.up:
            return
        self.note(node.symbol, "dies")
        self.deaths += 1
        node.life += 1
        node.up = False
        self._sleepers.pop(node.symbol, None)
        self.at(0.5 + self.chance.random() * 5, lambda: self.start(node))

    def restore(self, node: Node, backup: Store, *, told: bool) -> None:
        """Set a node back. `told`: by the command, which renews the epoch and has every stream reconciled."""
        self.note(node.symbol, "is set back", "by command" if told else "and nobody knows")
        self.kill(node)
        node.store = backup.copy()
        if told:
            node.store.epoch += 1
            for ends in node.store.peers.values():
                ends.outgoing = replace(ends.outgoing, held_up="set back")

    def merge(self, node: Node) -> None:
        """Place and merge what has landed."""
        if node.store.inbox and not node.merging and node.up:
            node.merging = True
            self.spawn(node, node.merge(), lambda moved: self._merged(node, moved))

    def _merged(self, node: Node, moved: bool) -> None:
        node.merging = False
        if moved:
            self.wake(node)

    def event(self, symbol: str, event: lanes.Event) -> None:
        """Something happens to all links of a node."""
        node = self.nodes[symbol]
        for parent, there in node.links.items():
            self._event(node, parent, there, event)

    def _event(self, node: Node, parent: str, there: Link, event: lanes.Event) -> None:
        for action in there.on(event):
            self._act(node, parent, there, action)

    def _act(self, node: Node, parent: str, there: Link, action: lanes.Action) -> None:
        match action:
            case lanes.SayHello():
                self.spawn(node, node.greet(parent), lambda greeted: self._event(node, parent, there, greeted))
            case lanes.Push(lane):
                self._work(node, parent, there, lane, node.push(parent))
            case lanes.Pull(lane):
                self._work(node, parent, there, lane, node.pull(parent))
            case lanes.Mend(lane):
                self.note(node.symbol, "reconciles", parent, lane.way.value)
                steps = node.mend_up(parent) if lane.way is Way.UP else node.mend_down(parent)
                self._work(node, parent, there, lane, steps)
            case lanes.Wait(turn, seconds):
                life = node.life
                self.at(seconds, lambda: self._woke(node, life, parent, there, turn))
            case lanes.Tell():
                pass

    def _work(self, node: Node, parent: str, there: Link, lane: lanes.Lane, steps: Steps[Outcome]) -> None:
        began = self.now

        def done(outcome: Outcome) -> None:
            if outcome is not Outcome.QUIET:
                self.note(node.symbol, lane.way.value, parent, outcome.value)
            self.merge(node)
            self._event(node, parent, there, lanes.Done(lane, outcome, took=self.now - began))

        self.spawn(node, steps, done)

    def _woke(self, node: Node, life: int, parent: str, there: Link, turn: int) -> None:
        if node.life == life:
            self._event(node, parent, there, lanes.Woke(turn))

    # Network

    def cut(self, symbol: str, *, off: bool) -> None:
        """Take a node off the network, or put it back."""
        self.note(symbol, "is cut off" if off else "is back on the network")
        (self._off.add if off else self._off.discard)(symbol)

    def _ask(self, task: Task, turn: int, peer: Node, request: tuple[Any, ...]) -> None:
        child = task.node

        def arrive() -> None:
            if peer.up and self._reaches(child, peer):
                self.spawn(peer, peer.answer(child.symbol, self._mangle(request, child, peer)), reply)

        def reply(answer: tuple[Any, ...]) -> None:
            self.merge(peer)

            def hear() -> None:
                if self._reaches(peer, child):
                    self._resume(task, turn, self._mangle(answer, peer, child))

            self._send(hear)

        self._send(arrive)

    def _send(self, arrive: Callable[[], None]) -> None:
        faults, chance = self.faults, self.chance
        copies = 2 if faults.double and chance.random() < faults.double else 1
        for _ in range(copies):
            if not faults.loss or chance.random() >= faults.loss:
                self.at(0.01 + chance.random() * faults.delay, arrive)

    def _reaches(self, one: Node, other: Node) -> bool:
        return one.symbol not in self._off and other.symbol not in self._off

    def _mangle(self, message: tuple[Any, ...], *way: Node) -> tuple[Any, ...]:
        """Perhaps damage the segment in a message."""
        if not self.faults.damage or not isinstance(message[-1], bytes) or message[0] not in ("up", message[-1]):
            return message
        segment = message[-1]
        seen = self._seen.setdefault(tuple(node.symbol for node in way), [])
        seen.append(segment)
        if self.chance.random() < self.faults.damage:
            how = self.chance.choice(damage.WAYS)
            self.note("a segment is damaged on its way:", how.__name__)
            segment = how(segment, seen, self.chance)
        return (*message[:-1], segment)


def _below(symbol: str) -> list[str]:
    children = [child for child in TREE if symbol in TREE[child]]
    return [library for child in children for library in _below(child)] if children else [symbol]
