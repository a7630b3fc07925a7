"""Three nodes in a line, and hypothesis decides what happens next: finer than the seeds, and it makes failures small.

Segments and acknowledgements lie on a table and are delivered in any order, again, damaged, to a node that was set back
since; reconciles are broken off at any question. The core is the one that the simulator drives, and so is the watch.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from exchange import manifest, producer
from exchange.consumer import Verdict
from exchange.lanes import Outcome
from exchange.model import Cursor
from tests.simulation import mutants
from tests.simulation.node import POLL, Node
from tests.simulation.steps import Call, News, Steps
from tests.simulation.store import Own, Store
from tests.simulation.watch import Broken, Watch

LINE = {"L1": ["D1"], "D1": ["C"], "C": []}
STREAMS = [("L1", "D1"), ("D1", "L1"), ("D1", "C"), ("C", "D1")]  # producer and consumer
CHILDREN = [("L1", "D1"), ("D1", "C")]
TITLES = ["t0", "t1", "t2"]
ROUNDS = 40  # that healing may take

streams = st.sampled_from(STREAMS)
symbols = st.sampled_from(sorted(LINE))


class BrokenOff(Exception):
    """A conversation ended before its end."""


class Exchange(RuleBasedStateMachine):
    """What can happen, and what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Watch({symbol: frozenset({"L1"}) for symbol in LINE})
        self.nodes = {
            symbol: Node(symbol, parents, [child for child in LINE if symbol in LINE[child]], self.watch)
            for symbol, parents in LINE.items()
        }
        self.watch.nodes = self.nodes
        self.time = 0.0
        for node in self.nodes.values():
            node.now = lambda: self.time
        self.table: list[tuple[str, str, bytes]] = []  # segments: producer, consumer, bytes
        self.receipts: list[tuple[str, str, Cursor]] = []  # the same, with where the consumer is
        self.backups: dict[str, Store] = {}
        self.texts = 0

    def finish(self, node: Node, steps: Steps[Any], questions: int = 1000) -> Any:
        """Run a procedure to its end; so many questions are answered, the next one never is."""
        value = None
        while True:
            try:
                effect = steps.send(value)
            except StopIteration as stop:
                return stop.value
            value = None
            if isinstance(effect, News):
                self.time += POLL
            if isinstance(effect, Call):
                if not questions:
                    raise BrokenOff
                questions -= 1
                peer = self.nodes[effect.peer]
                value = self.finish(peer, peer.answer(node.symbol, effect.request))

    @rule(title=st.sampled_from(TITLES), living=st.booleans(), shared=st.booleans())
    def write(self, title: str, living: bool, shared: bool) -> None:
        self.texts += 1
        own = Own(f"L1:{self.texts}" if living else "", "" if living else "t9", shared)
        library = self.nodes["L1"]
        self.finish(library, library.edit(title, lambda _: own, 0))

    @rule(stream=streams)
    def cut(self, stream: tuple[str, str]) -> None:
        node = self.nodes[stream[0]]
        self.finish(node, node.make(stream[1]))
        sent = node.store.peers[stream[1]].sent
        self.table.extend((*stream, manifest.join(each.segment.manifest, each.segment.content)) for each in sent)

    @precondition(lambda self: self.table)
    @rule(which=st.integers(0, 99), again=st.booleans(), flip=st.none() | st.integers(0, 4000))
    def deliver(self, which: int, again: bool, flip: int | None) -> None:
        which %= len(self.table)
        origin, peer, segment = self.table[which] if again else self.table.pop(which)
        if flip is not None:
            at = flip // 8 % len(segment)
            segment = segment[:at] + bytes([segment[at] ^ 1 << flip % 8]) + segment[at + 1 :]
        node = self.nodes[peer]
        verdict, cursor = self.finish(node, node.take(origin, segment))
        assert flip is None or verdict is not Verdict.NEXT
        self.receipts.append((origin, peer, cursor))

    @precondition(lambda self: self.receipts)
    @rule(which=st.integers(0, 99))
    def acknowledge(self, which: int) -> None:
        origin, peer, cursor = self.receipts.pop(which % len(self.receipts))
        node = self.nodes[origin]
        ends = node.store.peers[peer]
        admitted = producer.admit(ends.outgoing, ends.waiting, cursor)
        if admitted.known is not None:
            node.acknowledge(peer, admitted)

    @rule()
    def merge(self) -> None:
        for symbol in ("D1", "C"):
            self.finish(self.nodes[symbol], self.nodes[symbol].merge())

    @rule(pair=st.sampled_from(CHILDREN), up=st.booleans(), questions=st.integers(0, 4))
    def reconcile(self, pair: tuple[str, str], up: bool, questions: int) -> None:
        child = self.nodes[pair[0]]
        try:
            self.finish(child, child.mend_up(pair[1]) if up else child.mend_down(pair[1]), questions)
        except BrokenOff:
            pass

    @rule(symbol=symbols)
    def back_up(self, symbol: str) -> None:
        self.backups[symbol] = self.nodes[symbol].store.copy()

    @rule(symbol=symbols)
    def set_back(self, symbol: str) -> None:
        if symbol in self.backups:
            self.nodes[symbol].store = self.backups[symbol].copy()

    @invariant()
    def what_merged_says_was_written(self) -> None:
        for node in self.nodes.values():
            for title, merged in node.store.merged.items():
                assert all((library, title, text) in self.watch.written for library, text in merged.values)

    def teardown(self) -> None:
        """Heal, and see that everything is where it belongs."""
        for _ in range(ROUNDS):
            moved = [self._talk(child, parent) for child, parent in CHILDREN]
            if not any(moved):
                break
        else:
            raise Broken(f"still at it after {ROUNDS} rounds")
        own = self.nodes["L1"].store.own
        wanted = {title: (("L1", own[title].text),) for title in own if own[title].text and own[title].shared}
        for symbol in ("D1", "C"):
            merged = self.nodes[symbol].store.merged
            if {title: each.values for title, each in merged.items() if each.values} != wanted:
                raise Broken(f"{symbol} has {merged} and not {wanted}")
        for origin, peer in STREAMS:
            told = self.nodes[origin].store.peers[peer].told
            heard = self.nodes[peer].store.peers[origin].heard
            if {k: v.digest for k, v in told.items() if v.digest} != {
                k: v.digest for k, v in heard.items() if v.digest
            }:
                raise Broken(f"{origin} to {peer}: the ledgers differ")

    def _talk(self, child: str, parent: str) -> bool:
        """What a link does, once round; did anything move?"""
        node, moved = self.nodes[child], False
        self.finish(node, node.greet(parent))
        for work, mend in ((node.push, node.mend_up), (node.pull, node.mend_down)):
            outcome = self.finish(node, work(parent))
            if outcome is Outcome.HELD_UP:
                outcome = self.finish(node, mend(parent))
            moved |= outcome is not Outcome.QUIET
        for each in (node, self.nodes[parent]):
            moved |= self.finish(each, each.merge())
        return moved


HOW = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
TestExchange = Exchange.TestCase
TestExchange.settings = HOW


def test_mutant_is_killed() -> None:
    with mutants.planted("no cursor check"), pytest.raises(AssertionError):
        run_state_machine_as_test(
            Exchange,
            settings=settings(HOW, max_examples=2000, phases=(Phase.generate,), derandomize=True, database=None),
        )
