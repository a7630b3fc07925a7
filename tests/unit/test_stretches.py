"""Stretches that are read in a thread while others are looked at."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest

from dms import stretches
from dms.stretches import Piece


async def test_who_is_cancelled_may_close_what_was_read_from() -> None:
    reads, goes_on = threading.Event(), threading.Event()

    def told() -> Generator[Piece, None, None]:
        reads.set()
        assert goes_on.wait(10)
        yield Piece(0, b"", "")

    waiting = told()
    task = asyncio.create_task(stretches.following(waiting))
    await asyncio.to_thread(reads.wait, 10)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=0.05)
    assert not done, "it waits for the thread"
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    waiting.close()  # it would be executing still


async def test_the_end_is_none() -> None:
    waiting = iter([Piece(0, b"a", "")])
    assert await stretches.following(waiting) == Piece(0, b"a", "")
    assert await stretches.following(waiting) is None
