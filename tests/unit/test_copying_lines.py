"""Asking many targets: connections are used again, the silent are spared, answers come as they come."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import pytest

from catalog.targets import Target
from config.errors import Misconfigured, Refused, Unreachable
from protocols.query import Node, Term
from protocols.target import Profile
from protocols.z3950.client import NotAdmitted
from services.copying import breaker, lines, metasearch
from services.copying.asking import Answer, Closed
from services.copying.breaker import Breaker
from services.copying.lines import Spared

QUERY = Term(text="园冶")


def a_target(name: str) -> Target:
    return Target(no=1, name=name, kind="z3950", profile=Profile(host=f"{name}.example.org"), state="active")


@dataclass
class FakeLine:
    """Answers, unless its target is called what it does."""

    name: str
    asked: list[str]
    usable: bool = True

    async def ask(self, query: Node, most: int) -> Answer:
        self.asked.append(self.name)
        match self.name:
            case "silent":
                self.usable = False
                await asyncio.Event().wait()
            case "dead":
                self.usable = False
                raise Unreachable("nobody there")
            case "closing" if self.asked.count(self.name) == 2:
                self.usable = False
                raise Closed("gone")
            case "refusing":
                raise Refused("unsupported use attribute 1")
        return Answer(hits=most)

    async def close(self) -> None:
        self.usable = False

    @property
    def open(self) -> bool:
        return self.usable


@dataclass
class Network:
    """Counts what is opened and asked."""

    opened: list[FakeLine] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def open(self, target: Target) -> FakeLine:
        if target.name == "sealed":
            raise Misconfigured("the password can't be opened")
        if target.name == "strict":
            raise NotAdmitted("strict does not let us in")
        line = FakeLine(target.name, self.asked)
        self.opened.append(line)
        return line


async def test_every_target_has_one_outcome_and_the_last_ones_are_those_that_do_not_answer() -> None:
    network = Network()
    names = ["silent", "a", "dead", "sealed", "b", "refusing", "strict"]
    async with lines.of(network.open) as kept:
        told = [each async for each in metasearch.search(kept, [*map(a_target, names)], QUERY, most=3, deadline=0.2)]
    found = {each.target.name: each for each in told}
    assert sorted(found) == sorted(names)
    assert told[-1].target.name == "silent"
    assert [found[name].answer for name in ("a", "b")] == [Answer(hits=3)] * 2
    assert found["dead"].trouble == "nobody there"
    assert found["refusing"].trouble == "unsupported use attribute 1"
    assert found["sealed"].trouble == "the password can't be opened"
    assert {name for name in names if found[name].refused} == {"refusing"}, "who lets nobody in was not asked"
    assert "0.2 s" in found["silent"].trouble


async def test_a_search_that_nobody_waits_for_leaves_nothing_behind() -> None:
    network = Network()
    async with lines.of(network.open) as kept:
        found = metasearch.search(kept, [a_target("a"), a_target("silent")], QUERY, most=1, deadline=60)
        async with contextlib.aclosing(found):
            assert (await anext(found)).target.name == "a"
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not any(line.open for line in network.opened)


async def test_a_connection_is_used_again_and_replaced_when_the_other_end_has_closed_it() -> None:
    network = Network()
    async with lines.of(network.open) as kept:
        for _ in range(3):
            await kept.ask(a_target("closing"), QUERY, 1, within=5)
    assert len(network.opened) == 2
    assert len(network.asked) == 4


async def test_a_connection_that_was_idle_for_long_is_closed_whoever_asks_next(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()
    async with lines.of(network.open) as kept:
        await kept.ask(a_target("a"), QUERY, 1, within=5)
        monkeypatch.setattr(lines, "IDLE", 0.0)
        await kept.ask(a_target("b"), QUERY, 1, within=5)
        assert [(line.name, line.open) for line in network.opened] == [("a", False), ("b", True)]


async def test_more_questions_than_connections_wait_for_their_turn() -> None:
    network = Network()
    async with lines.of(network.open) as kept:
        await asyncio.gather(*(kept.ask(a_target("a"), QUERY, 1, within=5) for _ in range(20)))
    assert len(network.opened) <= lines.EACH
    assert len(network.asked) == 20


@pytest.mark.parametrize("name", ["dead", "silent"])
async def test_who_does_not_answer_is_not_asked_again_for_a_while(name: str) -> None:
    network = Network()
    async with lines.of(network.open) as kept:
        for _ in range(breaker.FAILURES):
            with pytest.raises(Unreachable):
                await kept.ask(a_target(name), QUERY, 1, within=0.05)
        with pytest.raises(Spared):
            await kept.ask(a_target(name), QUERY, 1, within=0.05)
    assert len(network.asked) == breaker.FAILURES


async def test_a_refusal_is_an_answer() -> None:
    network = Network()
    async with lines.of(network.open) as kept:
        for _ in range(2 * breaker.FAILURES):
            with pytest.raises(Refused):
                await kept.ask(a_target("refusing"), QUERY, 1, within=5)
    assert len(network.opened) == 1


def test_after_a_while_one_tries_and_the_others_wait_for_what_becomes_of_it() -> None:
    each = Breaker()
    for _ in range(breaker.FAILURES):
        assert each.refuses(0) == 0
        each.failed(0)
    assert each.refuses(breaker.FIRST - 1) == 1
    assert each.refuses(breaker.FIRST) == 0
    assert each.refuses(breaker.FIRST) > 0
    each.failed(breaker.FIRST)
    assert each.refuses(breaker.FIRST + 1) == 2 * breaker.FIRST - 1
    assert each.refuses(3 * breaker.FIRST) == 0
    each.given_up()
    assert each.refuses(3 * breaker.FIRST) == 0
    each.answered()
    assert [each.refuses(3 * breaker.FIRST) for _ in range(3)] == [0, 0, 0]


def test_it_is_never_spared_for_longer_than_ten_minutes() -> None:
    each, now = Breaker(), 0.0
    for _ in range(breaker.FAILURES):
        each.failed(now)
    for _ in range(20):
        now += each.refuses(now)
        assert each.refuses(now) == 0
        each.failed(now)
    assert each.refuses(now) == breaker.LONGEST
