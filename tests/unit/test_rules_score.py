"""A record's score: from 100 down, never better with more findings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dms.rules import catalogue, score
from dms.rules.model import Finding, Level, Profile

DEFAULT = Profile()
FINDINGS = st.lists(st.sampled_from(sorted(catalogue.rules())).map(Finding), max_size=40)


def test_a_record_without_findings_has_a_hundred() -> None:
    assert score.score([], DEFAULT) == 100


def test_an_error_weighs_more_than_a_warning_and_that_more_than_a_note() -> None:
    by_level = {rule.level: rule.id for rule in catalogue.rules().values()}
    points = [score.score([Finding(by_level[level])], DEFAULT) for level in Level]
    assert points[0] == 100
    assert points == sorted(set(points), reverse=True)


def test_a_profile_s_levels_count() -> None:
    found = [Finding("field-undefined", "123")]
    quiet = Profile(levels={"field-undefined": Level.OFF})
    strict = Profile(levels={"field-undefined": Level.ERROR})
    assert score.score(found, quiet) == 100 > score.score(found, DEFAULT) > score.score(found, strict)


def test_one_slip_forty_times_costs_less_than_forty_slips() -> None:
    notes = [rule.id for rule in catalogue.rules().values() if rule.level is Level.NOTE][:20]
    assert score.score([Finding(notes[0])] * 20, DEFAULT) > score.score(map(Finding, notes), DEFAULT)


@given(FINDINGS, FINDINGS)
def test_more_findings_are_never_better(some: list[Finding], more: list[Finding]) -> None:
    assert 0 <= score.score(some + more, DEFAULT) <= score.score(some, DEFAULT) <= 100
