"""The link with a parent: what follows on what."""

from __future__ import annotations

from exchange.lanes import (
    Action,
    Back,
    Check,
    Done,
    Event,
    Greeted,
    Lane,
    Mend,
    News,
    Outcome,
    Pull,
    Push,
    SayHello,
    Start,
    Stop,
    Tell,
    Wait,
    Way,
    Woke,
)
from exchange.link import ASKED, CAP, DEAF, FIRST, GREET, HASTY, OFTEN, PROBE, Doing, Link, State

UP, DOWN, OTHER = Lane("clusters", Way.UP), Lane("clusters", Way.DOWN), Lane("notices", Way.DOWN)


def a_link(*lanes: Lane, chance: float = 1.0) -> Link:
    return Link(lanes=lanes or (UP, DOWN), chance=lambda: chance)


def an_open_link(*lanes: Lane) -> Link:
    link = a_link(*lanes)
    link.on(Start())
    link.on(Greeted(Outcome.MOVED))
    return link


def waits(actions: list[Action]) -> list[float]:
    return [action.seconds for action in actions if isinstance(action, Wait)]


def turn(actions: list[Action]) -> Woke:
    [wait] = [action for action in actions if isinstance(action, Wait)]
    return Woke(wait.turn)


def after(link: Link, *events: Event) -> list[Action]:
    actions: list[Action] = []
    for event in events:
        actions = link.on(event)
    return actions


def test_a_link_begins_with_a_hello_and_opens_every_lane() -> None:
    link = a_link()
    assert link.on(Start()) == [SayHello()]
    assert link.on(Greeted(Outcome.MOVED)) == [Wait(1, GREET), Push(UP), Pull(DOWN)]
    assert link.state is State.OPEN


def test_a_second_start_changes_nothing() -> None:
    assert an_open_link().on(Start()) == []


def test_what_moved_goes_on_at_once() -> None:
    link = an_open_link()
    assert link.on(Done(UP, Outcome.MOVED)) == [Push(UP)]
    assert link.on(Done(DOWN, Outcome.MOVED)) == [Pull(DOWN)]


def test_an_idle_lane_waits_for_news_or_the_next_hello() -> None:
    link = an_open_link()
    assert link.on(Done(UP, Outcome.QUIET)) == []
    assert link.on(News("clusters")) == [Push(UP)]
    assert link.on(Woke(1)) == [SayHello()]
    greeted = link.on(Greeted(Outcome.MOVED))
    assert waits(greeted) == [GREET], "the lane is at work"
    assert link.on(Done(UP, Outcome.QUIET)) == []
    assert after(link, turn(greeted), Greeted(Outcome.MOVED))[1:] == [Push(UP)]
    assert GREET < 30


def test_news_that_come_while_a_lane_is_busy_are_not_forgotten() -> None:
    link = an_open_link()
    assert link.on(News("clusters")) == []
    assert link.on(Done(UP, Outcome.QUIET)) == [Push(UP)]


def test_news_of_a_channel_without_a_lane_are_nothing() -> None:
    assert an_open_link(DOWN).on(News("clusters")) == []


def test_a_long_poll_follows_on_the_last_and_a_hasty_one_doesnt() -> None:
    link = an_open_link()
    assert link.on(Done(DOWN, Outcome.QUIET, took=25.0)) == [Pull(DOWN)]
    assert waits(link.on(Done(DOWN, Outcome.QUIET, took=0.01))) == [HASTY]


def test_pauses_double_up_to_the_cap_and_half_of_each_is_chance() -> None:
    for chance, part in ((1.0, 1.0), (0.0, 0.5)):
        link = a_link(chance=chance)
        actions = after(link, Start())
        pauses = []
        for _ in range(14):
            actions = link.on(Greeted(Outcome.FAILED, "no answer"))
            pauses += waits(actions)
            assert link.on(turn(actions)) == [SayHello()]
        assert pauses == [min(CAP, FIRST * 2**n) * part for n in range(14)]
    assert CAP == 2 * 60, "an answered failure is looked at again soon: whoever mends the parent sees that it went well"


def test_a_parent_that_does_not_answer_at_all_is_asked_again_soon() -> None:
    """However long it was away, it is heard within `DEAF` when it is back."""
    link = a_link()
    actions = after(link, Start())
    for n in range(14):
        actions = link.on(Greeted(Outcome.SILENT, "no answer"))
        assert waits(actions) == [min(DEAF, FIRST * 2**n)]
        link.on(turn(actions))
    link = an_open_link(UP)
    for n in range(14):
        actions = link.on(Done(UP, Outcome.SILENT, "no answer"))
        assert waits(actions) == [min(DEAF, FIRST * 2**n)]
        link.on(turn(actions))
    assert DEAF <= 20.0


def test_a_wake_up_cuts_the_pause_short() -> None:
    link = a_link()
    actions = after(link, Start(), Greeted(Outcome.FAILED, "no answer"))
    assert link.state is State.AWAY
    assert link.on(Back()) == [SayHello()]
    assert link.on(turn(actions)) == [], "the wait that was cut short is over"


def test_a_failing_lane_pauses_and_the_others_go_on() -> None:
    link = an_open_link(UP, DOWN, OTHER)
    failed = link.on(Done(UP, Outcome.FAILED, "no answer"))
    assert failed[0] == Tell("no answer")
    assert waits(failed) == [FIRST]
    assert link.doing(UP) is Doing.PAUSED
    assert link.on(Done(DOWN, Outcome.MOVED)) == [Pull(DOWN)]
    assert link.on(News("clusters")) == [], "news don't cut a pause short"
    assert link.on(turn(failed)) == [Push(UP)]


def test_whoever_succeeds_after_a_failure_wakes_the_others_and_greets_the_parent() -> None:
    link = an_open_link(UP, DOWN, OTHER)
    for lane in (UP, DOWN):
        failed = link.on(Done(lane, Outcome.FAILED, "no answer"))
    assert link.on(turn(failed)) == [Pull(DOWN)]
    assert link.on(Done(DOWN, Outcome.MOVED)) == [Push(UP), SayHello(), Pull(DOWN)]


def test_trouble_is_over_when_nobody_fails_any_more() -> None:
    link = an_open_link(DOWN)
    woken = link.on(turn(link.on(Done(DOWN, Outcome.DAMAGED, "damaged"))))
    assert woken == [Pull(DOWN)]
    assert Tell("") in link.on(Done(DOWN, Outcome.MOVED))
    assert link.trouble == ""


def test_ends_that_dont_fit_are_reconciled_once_and_then_with_a_pause() -> None:
    link = an_open_link()
    assert link.on(Done(UP, Outcome.HELD_UP, "lost")) == [Tell("lost"), Mend(UP)]
    assert link.doing(UP) is Doing.MENDING
    assert link.on(Done(UP, Outcome.MOVED)) == [Push(UP)]
    again = link.on(Done(UP, Outcome.HELD_UP, "lost"))
    assert waits(again) == [FIRST]
    assert after(link, turn(again)) == [Push(UP)]
    assert link.on(Done(UP, Outcome.HELD_UP, "lost")) == [Mend(UP)]


def test_what_always_comes_damaged_is_made_anew_and_the_other_lanes_go_on() -> None:
    link = an_open_link()
    for n in range(OFTEN):
        damaged = link.on(Done(UP, Outcome.DAMAGED, "not signed by a trusted key"))
        assert waits(damaged) == [FIRST * 2**n]
        assert link.trouble == "not signed by a trusted key"
        assert link.on(Done(DOWN, Outcome.QUIET, took=25.0)) == [Pull(DOWN)]
        assert link.on(turn(damaged)) == [Push(UP)]
    assert link.on(Done(UP, Outcome.DAMAGED, "not signed by a trusted key")) == [Mend(UP)]
    assert link.on(Done(UP, Outcome.MOVED)) == [Push(UP)]
    assert waits(link.on(Done(UP, Outcome.DAMAGED, "still not"))) == [FIRST * 2**OFTEN], "never one after the other"


def test_a_busy_parent_is_left_alone_for_as_long_as_it_asks() -> None:
    for chance, most in ((0.0, 1.0), (1.0, 1.5)):
        link = an_open_link()
        link.chance = lambda chance=chance: chance  # type: ignore[misc]
        for _ in range(20):
            busy = link.on(Done(UP, Outcome.BUSY, "too much waits", pause=7.0))
            assert waits(busy) == [7.0 * most], "it doesn't grow: nothing is wrong"
            assert link.trouble == ""
            assert link.on(News("clusters")) == []
            assert link.on(turn(busy)) == [Push(UP)]
        assert waits(link.on(Done(UP, Outcome.BUSY, pause=1e9))) == [ASKED * most], "nobody can silence us for longer"


def test_a_reconcile_that_fails_pauses() -> None:
    link = an_open_link()
    link.on(Done(DOWN, Outcome.HELD_UP))
    assert waits(link.on(Done(DOWN, Outcome.FAILED, "no answer"))) == [FIRST]


def test_an_operator_s_reconcile_waits_for_its_lane_to_be_free() -> None:
    link = an_open_link()
    assert link.on(Check(DOWN)) == []
    assert link.on(Done(DOWN, Outcome.QUIET, took=25.0)) == [Mend(DOWN)]
    assert link.on(Done(DOWN, Outcome.MOVED)) == [Pull(DOWN)]
    link.on(Done(UP, Outcome.QUIET))
    assert link.on(Check(UP)) == [Mend(UP)]


def test_a_parent_that_was_set_back_is_found_by_the_next_hello() -> None:
    link = a_link()
    link.on(Start())
    opened = link.on(Greeted(Outcome.MOVED))
    link.on(Done(UP, Outcome.QUIET))
    assert link.on(Woke(next(action.turn for action in opened if isinstance(action, Wait)))) == [SayHello()]
    assert link.on(Greeted(Outcome.MOVED))[1:] == [Push(UP)]
    assert link.on(Done(UP, Outcome.HELD_UP)) == [Mend(UP)]


def test_a_hello_that_fails_on_an_open_link_leaves_it_open() -> None:
    link = an_open_link()
    link.on(Woke(1))
    assert waits(link.on(Greeted(Outcome.FAILED, "no answer"))) == [GREET]
    assert link.state is State.OPEN


def test_a_suspended_node_asks_from_time_to_time_and_does_nothing_else() -> None:
    link = an_open_link()
    suspended = link.on(Done(DOWN, Outcome.SUSPENDED, "suspended by the domain"))
    assert link.state is State.SUSPENDED
    assert waits(suspended) == [PROBE]
    assert link.on(Done(UP, Outcome.MOVED)) == []
    assert link.on(News("clusters")) == []
    assert link.on(turn(suspended)) == [SayHello()]
    assert link.on(Greeted(Outcome.MOVED))[-2:] == [Push(UP), Pull(DOWN)]


def test_a_refused_node_says_why() -> None:
    link = a_link()
    link.on(Start())
    refused = link.on(Greeted(Outcome.REFUSED, "this key was revoked"))
    assert refused[0] == Tell("this key was revoked")
    assert link.state is State.REFUSED
    assert link.on(Back()) == [SayHello()]


def test_a_lane_that_is_still_busy_is_not_begun_twice() -> None:
    link = an_open_link()
    suspended = link.on(Done(UP, Outcome.SUSPENDED))  # the poll downwards is still open
    assert after(link, turn(suspended), Greeted(Outcome.MOVED))[-1] == Push(UP)
    assert link.on(Done(DOWN, Outcome.QUIET, took=25.0)) == [Pull(DOWN)]


def test_a_stopped_link_begins_nothing() -> None:
    link = an_open_link()
    link.on(Stop())
    assert link.on(Done(UP, Outcome.MOVED)) == []
    assert link.on(Back()) == []
    assert link.on(Greeted(Outcome.MOVED)) == []
    assert link.on(Start()) == [SayHello()]
