"""Three hundred bad times of six nodes: promises hold at each step, and in the end all is where it belongs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import scenario
from tests.simulation.scenario import Scenario
from tests.simulation.watch import Broken
from tests.simulation.world import Faults

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 300
CHUNK = 20
QUIET = 8  # things that happen while a node is killed at one point after the other
EVERY = 18  # points; each seed begins at another one


def play(seed: int) -> scenario.Outcome:
    try:
        return scenario.run(seed)
    except Broken as broken:
        pytest.fail(f"{broken}\nSee it happen: .venv/bin/python -m tests.simulation {seed}", pytrace=False)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_promises_hold_and_everything_converges(first: int) -> None:
    outcomes = [play(seed) for seed in range(first, first + CHUNK)]
    assert min(outcome.segments for outcome in outcomes) > 20
    # The bad times were bad: nodes died, streams were mended, lost futures were outrun, old versions were held off.
    for hardship in ("deaths", "repairs", "renewals", "fenced"):
        assert sum(getattr(outcome, hardship) for outcome in outcomes), hardship


def die_at_each(seed: int, first: int) -> None:
    points = Scenario(seed, faults=Faults(), events=QUIET).run().points
    for at in range(first, points, EVERY):
        try:
            outcome = Scenario(seed, faults=Faults(die_at=at), events=QUIET).run()
        except Broken as broken:
            pytest.fail(f"seed {seed}, killed at point {at} of {points}: {broken}", pytrace=False)
        assert outcome.deaths == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_node_may_die_between_any_two_steps(seed: int) -> None:
    die_at_each(seed, 1 + seed * (EVERY // 3))


@pytest.mark.full
@pytest.mark.parametrize("first", range(1, 1 + EVERY))
@pytest.mark.parametrize("seed", range(3, 6))
def test_a_node_may_die_between_all_steps(seed: int, first: int) -> None:
    die_at_each(seed, first)


def test_a_seed_always_plays_the_same() -> None:
    """In other processes too, whose sets and dictionaries are in another order."""
    here = scenario.run(7).trace
    assert scenario.run(7).trace == here
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "7"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert done.stdout.splitlines()[-1].startswith(here)


def test_other_seeds_play_otherwise() -> None:
    assert scenario.run(7).trace != scenario.run(8).trace


def test_a_broken_seed_is_told_with_its_trace() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "0", "echo sent up again"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert "BROKEN" in done.stdout.splitlines()[-1]
    assert "writes" in done.stdout
