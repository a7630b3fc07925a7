"""Every target on its corpus, and a bounded number of new inputs each."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import seeds
from tests.fuzz.__main__ import CORPUS, MISSING
from tests.fuzz.targets import TARGETS

RUNS = 800
SEED = 7


def test_every_target_has_a_corpus_of_our_own_making() -> None:
    assert set(TARGETS) == set(seeds.SEEDS)
    for target, made in seeds.SEEDS.items():
        assert {path.name: path.read_bytes() for path in (CORPUS / target).iterdir()} == dict(made()), (
            f"{target}: make it again with `python -m tests.fuzz.seeds`"
        )


@pytest.mark.parametrize("target", TARGETS)
def test_what_must_hold_holds_of_the_corpus(target: str) -> None:
    for path in (CORPUS / target).iterdir():
        TARGETS[target](path.read_bytes())


@pytest.mark.full
@pytest.mark.parametrize("target", TARGETS)
def test_what_must_hold_holds_of_new_inputs(target: str) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip(MISSING)
    command = [sys.executable, "-m", "tests.fuzz", target, "--runs", str(RUNS), "--seed", str(SEED)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
