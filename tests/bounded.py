"""Work on hostile input in a process of its own, whose processor time and memory are measured."""

from __future__ import annotations

import os
import resource
import time
import traceback
from collections.abc import Callable
from multiprocessing import forkserver
from typing import TypeVar, cast

T = TypeVar("T")

SECONDS = 1.0  # of the processor, for one hostile megabyte or two
MEGABYTES = 50  # more than before
MEGABYTE = 1 << 20


def bounded(work: Callable[[], T], megabytes: int = MEGABYTES, seconds: float = SECONDS) -> T:
    """What `work` gives, which is something that can be written down; it may not take more than is said."""
    seeing, telling = os.pipe()
    if not (child := os.fork()):
        try:
            forkserver._forkserver.__init__()  # type: ignore[misc]  # the one that runs is our parent's
            before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            found = work()
            spent = time.process_time() - start
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
            os.write(telling, repr((found, spent, grown)).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(telling)
    with open(seeing, "rb") as told:
        said = told.read()
    os.waitpid(child, 0)
    given, spent, grown = eval(said)
    assert spent <= seconds, f"{spent:.1f} s"
    assert grown <= megabytes, f"{grown} MB"
    return cast(T, given)
