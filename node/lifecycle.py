"""Being the one `run` of a home: the lock, the note of what runs where (`run.json`), and the wish to stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from config.errors import Conflict

NOTE = "run.json"
LOCK = "run.lock"
ATTEMPTS, PAUSE = 5, 0.02  # seconds
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def only(home: Path) -> Iterator[None]:
    """Holds the home for this process; Conflict if another `run` does. The lock ends with the process, however it
    ends, so a killed node leaves nothing that must be removed by hand.
    """
    with (home / LOCK).open("a") as file:
        if not _locked(file):
            other = running(home) or {}
            raise Conflict(f"the node in {home} runs already (process {other.get('pid', 'unknown')}): stop it first")
        yield


def _locked(file: IO[str]) -> bool:
    """Takes the lock. Several attempts, because `running` in another process holds it for the blink of a look."""
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False


@contextlib.contextmanager
def noted(home: Path, addresses: Mapping[str, str]) -> Iterator[None]:
    """Keeps `run.json` (pid, addresses) in the home while the block runs."""
    note = home / NOTE
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": os.getpid(), "addresses": dict(addresses)}) + "\n", encoding="utf-8")
    fresh.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def running(home: Path) -> dict[str, Any] | None:
    """`run.json` of the node that runs in this home, or None: what a killed one left doesn't count."""
    try:
        told: dict[str, Any] = json.loads((home / NOTE).read_text(encoding="utf-8"))
        with (home / LOCK).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return told
    except (OSError, ValueError):
        return None
    return None


@contextlib.contextmanager
def stop_wanted() -> Iterator[asyncio.Event]:
    """An event that SIGINT, SIGTERM and a closed terminal set; the second one is left to its usual effect, for those in
    a hurry. A program that was told to outlive its terminal (nohup) does.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def wanted() -> None:
        stop.set()
        release()

    def release() -> None:
        for number, before in usual.items():
            if loop.remove_signal_handler(number):
                signal.signal(number, before)

    usual = {number: signal.getsignal(number) for number in STOPPING}
    if usual[signal.SIGHUP] is signal.SIG_IGN:
        del usual[signal.SIGHUP]
    for number in usual:
        loop.add_signal_handler(number, wanted)
    try:
        yield stop
    finally:
        release()
