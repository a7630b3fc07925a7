"""Measuring programs from outside: time, and the memory of a process with all its children, read from /proc.

PostgreSQL leaves the tree of the command that started it, so processes whose command line names the node's home count
too. Memory is PSS (each page shared by n processes counts 1/n for each), else RSS where the kernel won't tell.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO

PROC = Path("/proc")
POSTGRES = "PostgreSQL"
INTERVAL = 0.25  # seconds between two looks at memory
ORPHANS_END = 3.0  # seconds that what a command leaves behind has to end
PAUSE = 0.01
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most memory seen, in bytes."""

    tree: int = 0  # all processes at one moment
    largest: int = 0  # one process that is not PostgreSQL's
    database: int = 0  # PostgreSQL's processes at one moment
    kinds: Mapping[str, int] = field(default_factory=dict)  # the largest process of each kind that is not PostgreSQL's


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A finished command."""

    seconds: float
    cpu: float  # seconds of the command and of all processes that it started and that have ended
    code: int
    out: str
    err: str
    peak: Peak


def run(command: Sequence[str], *, home: Path | None = None, stdout: IO[bytes] | None = None) -> Ran:
    """Run a command to its end and watch its memory. With `stdout` the output goes there and `out` is empty."""
    before, began = os.times(), time.perf_counter()
    with _orphans_counted():
        process = subprocess.Popen(command, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        watch = Watch(process.pid, str(home) if home else "")
        watch.start()
        try:
            out, err = process.communicate()
        finally:
            watch.stop()
        seconds = time.perf_counter() - began
    after = os.times()
    return Ran(
        seconds=seconds,
        cpu=after.children_user + after.children_system - before.children_user - before.children_system,
        code=process.returncode,
        out=(out or b"").decode(errors="replace"),
        err=err.decode(errors="replace"),
        peak=watch.peak,
    )


@contextlib.contextmanager
def _orphans_counted() -> Iterator[None]:
    """Wait for what the block's processes leave behind: only a process that somebody waits for is counted, and nobody
    waits for the server of a process pool. As their reaper we get them when their parent has ended (prctl(2)).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    others = _children()
    try:
        yield
        give_up = time.monotonic() + ORPHANS_END
        # What goes on is left alone: PostgreSQL may have gone over to another command.
        while any(not _ended(one) for one in _children() - others) and time.monotonic() < give_up:
            time.sleep(PAUSE)
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _children() -> set[int]:
    return {one for one, parent in _parents() if parent == os.getpid()}


def _ended(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True


def environment() -> dict[str, str]:
    """Ours, with Python's compiled files allowed as on a user's machine: without them every start compiles again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_seconds(work: Callable[[], object], runs: int = 3) -> float:
    """Median CPU time of this process over some runs of `work`."""
    return median(_cpu(work) for _ in range(runs))


def child_cpu_seconds(command: Sequence[str], runs: int = 3) -> float:
    """Median user and system time of a command that must succeed; its output is thrown away."""
    taken = []
    for _ in range(runs):
        before = os.times()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return median(taken)


def processes(pid: int, mark: str = "") -> set[int]:
    """A process, its descendants, and whatever names `mark` in its command line (this process and its parents not)."""
    parents = dict(_parents())
    ancestors = set(_ancestors(os.getpid(), parents))
    found = {pid} | {one for one in parents if mark and one not in ancestors and mark in _command(one)}
    grown = True
    while grown:
        children = {one for one, parent in parents.items() if parent in found} - found
        grown = bool(children)
        found |= children
    return found


def memory(pid: int) -> int:
    """Bytes of memory of one process; 0 if it is gone."""
    for name, label in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            text = (PROC / str(pid) / name).read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        except PermissionError:
            continue
        for line in text.splitlines():
            if line.startswith(label):
                return int(line.split()[1]) * 1024
    return 0


class Watch(threading.Thread):
    """Looks at the memory of a tree of processes until told to stop. `peak` is what it saw."""

    def __init__(self, pid: int, mark: str) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.mark = mark
        self.peak = Peak()
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(INTERVAL):
            self._look()

    def stop(self) -> None:
        """Look no more."""
        self._end.set()
        self.join()

    def _look(self) -> None:
        sizes = {one: memory(one) for one in processes(self.pid, self.mark)}
        named = {one: kind(_command(one)) for one in sizes}
        kinds = dict(self.peak.kinds)
        for one, name in named.items():
            if name != POSTGRES:
                kinds[name] = max(kinds.get(name, 0), sizes[one])
        self.peak = Peak(
            tree=max(self.peak.tree, sum(sizes.values())),
            largest=max(kinds.values(), default=0),
            database=max(self.peak.database, sum(sizes[one] for one, name in named.items() if name == POSTGRES)),
            kinds=kinds,
        )


def kind(command: str) -> str:
    """What a process of a node is, by its command line."""
    if "postgres" in command:
        return POSTGRES
    if "multiprocessing" in command:
        return "pool process"
    found = re.search(r"(?:bin/tianlu|node\.cli) (?:--home \S+ )?(\w+)(?: (worker|indexer))?", command)
    return " ".join(part for part in found.groups() if part) if found else "other"


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _parents() -> Iterator[tuple[int, int]]:
    """(process, its parent). The name in /proc/PID/stat may hold blanks: what follows its closing bracket counts."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid in parents:
        yield pid
        pid = parents[pid]


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
