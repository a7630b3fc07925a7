"""Work in threads (shell)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def done(threads: Executor, work: Callable[P, T], *given: P.args, **more: P.kwargs) -> T:
    """What comes of work in a thread.

    A thread can't be stopped. So whoever is cancelled waits for its end: else the turn that it was begun in would be
    free for the next request, and searches that take too long would fill the threads with what nobody waits for.
    """
    job = threads.submit(work, *given, **more)
    outcome = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(outcome)
    except asyncio.CancelledError:
        if not job.cancel():
            await asyncio.wait((outcome,))
        raise
