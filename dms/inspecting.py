"""Files through `dms.checking`, on all cores, in bounded memory, the answers in the files' order (shell)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import msgspec

from dms import checking, stretches
from dms.checking import Asked, Looked
from dms.crew import LIGHT_BYTES, Runs
from dms.stretches import Piece
from protocols import stream

AHEAD = 2  # stretches that wait for each process, beside the one it is at


async def inspect(
    source: stream.Readable, asked: Asked, profile: bytes, crew: Runs, processes: int
) -> AsyncIterator[Looked]:
    """What is found in each stretch of an opened input. One after the other where the number of mended records is
    limited, so that nothing is looked at beyond the last of them."""
    limited = asked.most != checking.NO_LIMIT
    most = 1 if limited else processes * (1 + AHEAD)
    going: deque[asyncio.Task[Looked]] = deque()
    waiting = stretches.pieces(source, asked.carrier)
    ended = False
    try:
        while going or not ended:
            while not ended and len(going) < most:
                piece = await stretches.following(waiting)
                if piece is None:
                    ended = True
                else:
                    going.append(asyncio.create_task(_looked(piece, asked, profile, crew)))
            if going:
                looked = await going.popleft()
                yield looked
                if limited:
                    asked = msgspec.structs.replace(asked, most=asked.most - looked.mended)
                    ended = ended or asked.most <= 0
    finally:
        for each in going:
            each.cancel()


async def _looked(piece: Piece, asked: Asked, profile: bytes, crew: Runs) -> Looked:
    if piece.fault:
        return checking.fault(piece.fault, piece.position, asked, profile)
    light = len(piece.data) < LIGHT_BYTES
    return await crew.run(checking.look, piece.data, piece.position, asked, profile, light=light)
