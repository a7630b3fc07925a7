"""The stretches of a file one after the other, read in a thread (shell).

Apart from what looks at them: a command that only converts imports no rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from config.errors import BadRecord, Refused
from protocols import stream


class Piece(NamedTuple):
    """A stretch, or what is said of bytes that could not become one."""

    position: int
    data: bytes
    fault: str


async def following(waiting: Iterator[Piece]) -> Piece | None:
    """The next stretch, read in a thread; None at the end.

    Who is cancelled closes what is read from, and a thread can't be taken away from it: it is waited for.
    """
    reading = asyncio.create_task(asyncio.to_thread(next, waiting, None))
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        await asyncio.wait([reading])
        raise


def pieces(source: stream.Readable, carrier: str) -> Iterator[Piece]:
    """The stretches of an opened input, and last what was wrong with it."""
    end = 0
    try:
        for each in stream.stretches(source, carrier):
            yield Piece(each.position, each.data, each.fault)
            end = each.end
    except (BadRecord, Refused) as error:  # what came before is kept, the fault is reported
        yield Piece(end, b"", str(error))
