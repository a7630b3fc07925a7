"""Jobs that say: this unit of this load waits for PREPARE. Put by whoever lands input, handled by workers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from catalog.connection import Connection
from catalog.work.queue import Queue

KIND = "prepare"


class UnitJob(msgspec.Struct, array_like=True, frozen=True):
    """One unit of one load."""

    load: int
    unit: int


_encode = msgspec.msgpack.Encoder().encode


def encode(load: int, unit: int) -> bytes:
    """A job's payload."""
    return _encode(UnitJob(load, unit))


decode = msgspec.msgpack.Decoder(UnitJob).decode


async def announce(queue: Queue, conn: Connection, load: int, units: Sequence[int]) -> None:
    """Put jobs for units of a load; a job that is there already is not doubled."""
    await queue.put_many(
        conn, KIND, [encode(load, unit) for unit in units], [f"{KIND}:{load}:{unit}" for unit in units]
    )
