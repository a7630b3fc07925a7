"""Prepares, matches and merges what was loaded."""

from __future__ import annotations

import asyncio

from dms import worker
from node.app import Node


async def play(node: Node, stop: asyncio.Event, inherited: int | None) -> None:
    """With as many processes as the settings say."""
    await worker.run(
        node.database,
        node.queue,
        processes=node.settings.worker.processes,
        limits=node.settings.limits,
        stop=stop,
    )
