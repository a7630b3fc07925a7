"""Every planted mutant is noticed within a few dozen seeds, which the core itself passes."""

from __future__ import annotations

import pytest

from tests.simulation import mutants, scenario
from tests.simulation.watch import Broken

WITHIN = 60  # seeds, of those in test_seeds


def first_broken(name: str) -> int | None:
    for seed in range(WITHIN):
        try:
            with mutants.planted(name):
                scenario.run(seed)
        except Broken:
            scenario.run(seed)  # it was the mutant: without it the same seed keeps every promise
            return seed
    return None


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_mutant_is_killed(name: str) -> None:
    assert first_broken(name) is not None, f"{WITHIN} seeds don't notice: {name}"


def test_there_are_at_least_twelve() -> None:
    assert len(mutants.MUTANTS) >= 12
