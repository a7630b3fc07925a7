"""The bounded queue: never more than its limits, nobody is forgotten, and a greedy client takes only from itself."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from node.web.admission import EVERYBODY, Limits, Queue, Ticket, Verdict
from node.web.allowance import HOUR, Allowance, Spent

GO, WAIT, CROWDED, GREEDY = Verdict.GO, Verdict.WAIT, Verdict.CROWDED, Verdict.GREEDY
LIMITS = Limits(at_work=4, waiting=4, share_at_work=2, share_waiting=3)


def come(queue: Queue, client: str) -> list[tuple[str, Verdict]]:
    return [(ticket.client, verdict) for ticket, verdict in queue.come(Ticket(client), 0.0)]


def test_one_client_has_its_share_and_others_theirs() -> None:
    queue = Queue(LIMITS)
    assert [come(queue, "a") for _ in range(6)] == [
        [("a", GO)], [("a", GO)], [("a", WAIT)], [("a", WAIT)], [("a", WAIT)], [("a", GREEDY)],
    ]  # fmt: skip
    assert [come(queue, "b") for _ in range(2)] == [[("b", GO)], [("b", GO)]]
    assert come(queue, "c") == [("c", WAIT)]  # the fourth that waits
    assert come(queue, "d") == [("a", GREEDY), ("d", WAIT)]  # the greediest makes room
    assert come(queue, "d") == [("d", CROWDED)]  # nobody is greedier than d would be


def test_whoever_has_least_at_work_is_next() -> None:
    queue = Queue(Limits(at_work=2, waiting=8, share_at_work=2, share_waiting=8))
    tickets = [Ticket("a"), Ticket("a"), Ticket("a"), Ticket("a"), Ticket("b")]
    for each in tickets:
        queue.come(each, 0.0)
    assert queue.done(tickets[0]) == [(tickets[4], GO)]  # b came last and has none
    assert queue.done(tickets[4]) == [(tickets[2], GO)]


def test_of_equals_who_came_first_is_next() -> None:
    queue = Queue(Limits(at_work=1, waiting=8, share_at_work=1, share_waiting=8))
    tickets = [Ticket(name) for name in ("a", "b", "a", "c", "b")]
    for each in tickets:
        queue.come(each, 0.0)
    served = tickets[:1]
    while told := queue.done(served[-1]):
        served.append(told[0][0])
    assert served == tickets


def test_those_who_cannot_be_told_apart_have_no_share() -> None:
    queue = Queue(LIMITS)
    assert [come(queue, EVERYBODY)[0][1] for _ in range(9)] == [GO] * 4 + [WAIT] * 4 + [CROWDED]


PACED = Limits(at_work=999, waiting=0, share_at_work=999, share_waiting=0, rate=10.0)


def test_a_client_alone_has_all_there_is_and_beside_others_its_pace() -> None:
    queue = Queue(PACED)
    assert {queue.come(Ticket("crawler"), n / 100)[0][1] for n in range(300)} == {GO}
    assert queue.come(Ticket("reader"), 3.0)[0][1] is GO
    verdicts = []
    for n in range(1000):  # ten seconds, in which a reader asks twice a second
        now = 3.0 + n / 100
        if n % 50 == 0:
            assert queue.come(Ticket("reader"), now)[0][1] is GO
        verdicts.append(queue.come(Ticket("crawler"), now)[0][1])
    assert verdicts.count(GO) == pytest.approx(100, abs=2)
    assert set(verdicts) == {GO, GREEDY}
    assert queue.come(Ticket("crawler"), 15.0)[0][1] is GO  # the reader has gone


def test_a_pause_saves_up_some_seconds_and_no_more() -> None:
    queue = Queue(PACED)
    queue.come(Ticket("reader"), 100.0)
    assert [queue.come(Ticket("crawler"), 100.0)[0][1] for _ in range(40)] == [GO] * 30 + [GREEDY] * 10


def test_not_all_who_ever_came_are_remembered() -> None:
    queue = Queue(PACED)
    for n in range(10_000):
        ticket = Ticket(f"{n}")
        queue.come(ticket, 0.0)
        queue.done(ticket)
    assert (len(queue._clients), len(queue._paces)) == (0, 4096)


class Crowd(RuleBasedStateMachine):
    """Any order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue(LIMITS)
        self.working: list[Ticket] = []
        self.waiting: list[Ticket] = []

    def learn(self, told: list[tuple[Ticket, Verdict]]) -> None:
        for ticket, verdict in told:
            if ticket in self.waiting:
                assert verdict is not WAIT
                self.waiting.remove(ticket)
            if verdict is GO:
                self.working.append(ticket)
            elif verdict is WAIT:
                self.waiting.append(ticket)

    @rule(client=st.sampled_from(["", "a", "b", "c"]))
    def come(self, client: str) -> None:
        ticket = Ticket(client)
        told = self.queue.come(ticket, 0.0)
        assert [verdict for each, verdict in told if each is ticket] and len(told) <= 2
        self.learn(told)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.working))
        self.working.remove(ticket)
        self.learn(self.queue.done(ticket))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def gone(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(ticket)
        self.queue.gone(ticket)

    @invariant()
    def within_limits(self) -> None:
        assert len(self.working) == self.queue.at_work <= LIMITS.at_work
        assert len(self.waiting) == self.queue.waiting <= LIMITS.waiting
        for client, count in Counter(each.client for each in self.working).items():
            assert count <= LIMITS.share_at_work or client == EVERYBODY
        for client, count in Counter(each.client for each in self.waiting).items():
            assert count <= LIMITS.share_waiting or client == EVERYBODY

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        if len(self.working) < LIMITS.at_work:
            busy = Counter(each.client for each in self.working)
            assert all(busy[each.client] >= LIMITS.share_at_work and each.client for each in self.waiting)

    @invariant()
    def nothing_is_kept_of_those_who_left(self) -> None:
        assert set(self.queue._clients) == {each.client for each in (*self.working, *self.waiting)}


TestCrowd = Crowd.TestCase
TestCrowd.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_node_that_spent_its_hour_waits_until_it_is_refilled() -> None:
    allowance = Allowance({"requests": 3600, "bytes": 7200})
    for _ in range(3600):
        allowance.check(1, 0.0)
        allowance.spend(1, 0.0, requests=1)
    allowance.spend(1, 0.0, requests=10)
    with pytest.raises(Spent, match="more requests than the 3,600 that an hour has for each node") as told:
        allowance.check(1, 0.0)
    assert told.value.pause == pytest.approx(10.0)
    allowance.check(2, 0.0)  # another node has its own
    with pytest.raises(Spent):
        allowance.check(1, 9.0)
    allowance.check(1, 10.5)
    allowance.spend(1, 10.5, bytes=9000)
    with pytest.raises(Spent, match="bytes") as told:
        allowance.check(1, 10.5)
    assert told.value.pause == pytest.approx(900.0)


def test_no_more_than_an_hour_is_saved_up() -> None:
    allowance = Allowance({"requests": 60})
    allowance.check(1, 0.0)
    allowance.spend(1, 50 * HOUR, requests=61)
    with pytest.raises(Spent):
        allowance.check(1, 50 * HOUR)
