"""One `run` a home, a note that a killed one can't leave behind, signals that ask to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import Conflict
from node import lifecycle

ROOT = Path(__file__).resolve().parents[2]
HOLD = (
    "import sys; from pathlib import Path; from node import lifecycle\n"
    "home = Path(sys.argv[1])\n"
    "with lifecycle.only(home), lifecycle.noted(home, {'web': 'http://x/'}):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


def holder(home: Path) -> subprocess.Popen[str]:
    """Another process that holds the home until its standard input is closed."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdout
    assert child.stdout.readline() == "held\n"
    return child


def test_second_run_in_a_home_is_a_conflict_that_names_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as child:
        with pytest.raises(Conflict, match=str(child.pid)) as caught, lifecycle.only(tmp_path):
            pass
        assert caught.value.exit_code == 5
        assert lifecycle.running(tmp_path) == {"pid": child.pid, "addresses": {"web": "http://x/"}}
        child.communicate()
    assert lifecycle.running(tmp_path) is None
    assert not (tmp_path / lifecycle.NOTE).exists()


def test_killed_run_leaves_a_home_that_can_be_run_at_once(tmp_path: Path) -> None:
    with holder(tmp_path) as child:
        child.kill()
        child.wait()
    assert (tmp_path / lifecycle.NOTE).exists()
    assert lifecycle.running(tmp_path) is None
    with lifecycle.only(tmp_path), lifecycle.noted(tmp_path, {}):
        pass


@pytest.mark.parametrize("number", lifecycle.STOPPING)
async def test_first_signal_asks_to_stop_and_the_second_has_its_usual_effect(number: signal.Signals) -> None:
    usual = []
    before = signal.signal(number, lambda *_: usual.append(number))
    try:
        with lifecycle.stop_wanted() as stop:
            os.kill(os.getpid(), number)
            await asyncio.wait_for(stop.wait(), 5)
            assert not usual
            os.kill(os.getpid(), number)
            assert usual == [number]
    finally:
        signal.signal(number, before)
