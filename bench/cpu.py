"""CPU time of whole nodes, PostgreSQL included, read from /proc while they run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import measure
from catalog.database import place, supervisor

TICK = os.sysconf("SC_CLK_TCK")
NOBODY = -1  # a process without descendants


@dataclass(slots=True, kw_only=True)
class Spent:
    """Seconds of a block of work."""

    wall: float = 0.0
    own: float = 0.0  # CPU of this process
    nodes: float = 0.0  # CPU of the nodes' processes, PostgreSQL's included

    @property
    def cpu(self) -> float:
        """Of all of them."""
        return self.own + self.nodes

    def add(self, other: Spent) -> None:
        """One block more."""
        self.wall, self.own, self.nodes = self.wall + other.wall, self.own + other.own, self.nodes + other.nodes


@contextmanager
def spent(*homes: Path) -> Iterator[Spent]:
    """What the block takes of this process and of the nodes in `homes`."""
    found = Spent()
    before, own, began = _nodes(homes), time.process_time(), time.perf_counter()
    yield found
    found.wall, found.own = time.perf_counter() - began, time.process_time() - own
    found.nodes = _nodes(homes) - before


def _nodes(homes: tuple[Path, ...]) -> float:
    """Processes that have ended count with the one that waited for them."""
    found: set[int] = set()
    for home in homes:
        found |= set(supervisor.processes(place.prepare(home)))
        found |= measure.processes(NOBODY, str(home))
    return sum(map(_of, found - {NOBODY, os.getpid()}))


def _of(pid: int) -> float:
    try:
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, values[11:15])) / TICK  # utime, stime, cutime, cstime
