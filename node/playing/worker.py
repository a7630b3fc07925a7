"""Prepares, matches and merges what was loaded, and sees to what was let in and never landed."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from config.errors import Retry
from dms import worker
from node.app import Node
from services.submitting import handing

log = logging.getLogger(__name__)

EVERY = 15.0  # seconds between looks for submissions whose landing was cut short


async def play(node: Node, stop: asyncio.Event, inherited: int | None) -> None:
    """With as many processes as the settings say."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            worker.run(
                node.database,
                node.queue,
                processes=node.settings.worker.processes,
                limits=node.settings.limits,
                stop=stop,
            )
        )
        tasks.create_task(_see_through(node, stop))


async def _see_through(node: Node, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            if count := await handing.see_through(node.database, node.queue):
                log.info("%d submissions were let in and not landed: made up for", count)
        except Retry as error:
            log.warning("looking for submissions that were not landed pauses: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)
