"""The process pool in which a worker's pure work is done, and how it is started early.

Imports nothing of that work, so that a command may start the pool's processes while it is still importing itself.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Protocol, TypeVar

from config.errors import Retry

T = TypeVar("T")

LIGHT_BYTES = 600_000  # of a unit that is prepared in about a second
LIGHT_CLUSTERS = 600
PRELOADED = ("dms.prepare", "dms.merge_many")
SAFE_PATH = "PYTHONSAFEPATH"  # the environment's name for Python's option -P
GARBAGE = 50_000  # objects made between two looks for garbage: a batch makes many, and hardly any are in circles


def warm(modules: Sequence[str] = PRELOADED) -> None:
    """Start the server from which the pool's processes are forked: it imports for half a second, on another core. For
    whoever knows that heavy work is coming. `modules`: of that work; a server that runs keeps those it began with.

    Forked from a server of their own: from us they would inherit the event loop's sockets and the index writer's locks,
    and each on its own would spend most of a second importing. Python would have the server look for modules in the
    folder where the command was given, and run a `config.py` that lies there: a safe path forbids it. An interrupt at
    the terminal is for the command, which then ends them: they are born with it blocked.
    """
    forkserver.set_forkserver_preload(list(modules))
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    resource_tracker.ensure_running()  # which unblocks what it finds blocked
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


def _begin() -> None:
    """In a pool process: look for garbage seldom, and leave when the worker is gone, which if killed can't end us."""
    gc.set_threshold(GARBAGE)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_leave, args=(parent,), daemon=True).start()


def _wait_and_leave(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


class Runs(Protocol):
    """Runs pure work somewhere."""

    async def run(self, work: Callable[..., T], *args: object, light: bool = False) -> T:
        """The work's result. `light`: it takes no longer than starting a process."""


@dataclass(slots=True)
class Crew:
    """The process pool of one worker; a pool that lost a process is replaced.

    Starting its processes takes a second: light pieces run in a thread while there is no pool, so that a small load
    needs none.
    """

    processes: int
    modules: Sequence[str] = PRELOADED  # of the work that it is for
    pool: ProcessPoolExecutor | None = field(default=None)
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    def _open(self) -> ProcessPoolExecutor:
        if self.pool is None:
            warm(self.modules)
            self.pool = ProcessPoolExecutor(self.processes, mp_context=get_context("forkserver"), initializer=_begin)
        return self.pool

    async def run(self, work: Callable[..., T], *args: object, light: bool = False) -> T:
        """Run pure work in the pool."""
        if light and self.pool is None:
            async with self.alone:
                return await asyncio.to_thread(work, *args)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._open(), work, *args)
        except BrokenProcessPool as error:
            self.close()
            raise Retry("a worker process ended suddenly (out of memory, or killed); its work is done again") from error

    def close(self) -> None:
        """End the processes."""
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
            self.pool = None
