"""How fast a key may ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.access.pace import Pace


def test_half_a_minutes_worth_may_come_at_once_and_then_as_fast_as_it_fills() -> None:
    pace = Pace()
    assert [pace.turn(1, 60, 0.0).go for _ in range(31)] == [True] * 30 + [False]
    refused = pace.turn(1, 60, 0.5)
    assert not refused.go
    assert refused.pause == 0.5
    assert pace.turn(1, 60, 1.0).go
    assert not pace.turn(1, 60, 1.0).go


def test_keys_have_paces_of_their_own_and_a_new_rate_counts_at_once() -> None:
    pace = Pace()
    assert pace.turn(1, 1, 0.0).go
    assert not pace.turn(1, 1, 0.0).go
    assert pace.turn(2, 1, 0.0).go
    assert pace.turn(1, 4, 0.0).left == 1


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200), st.integers(1, 600))
def test_never_more_than_the_burst_and_what_the_time_brings(gaps: list[float], rate: int) -> None:
    pace, now, gone = Pace(), 0.0, 0
    for gap in gaps:
        now += gap
        gone += pace.turn(7, rate, now).go
        assert gone <= max(1.0, rate / 2) + now * rate / 60 + 1e-6


def test_a_pause_is_as_long_as_it_says() -> None:
    pace, now = Pace(), 0.0
    while (turn := pace.turn(3, 10, now)).go:
        pass
    assert not pace.turn(3, 10, now + turn.pause * 0.99).go
    assert pace.turn(3, 10, now + turn.pause + 1e-6).go


def test_buckets_are_bounded_and_the_spent_ones_are_kept() -> None:
    pace = Pace(most=3)
    while pace.turn(1, 60, 0.0).go:
        pass
    for key in range(2, 50):
        assert pace.turn(key, 60, 0.001 * key).go
    assert not pace.turn(1, 60, 0.05).go
