"""Commands that search: they read the index that the running node follows the feed with, or catch it up themselves."""

from __future__ import annotations

import asyncio
import time

from catalog import changes
from catalog.search import indexer
from catalog.search.port import IndexBusy, NotBuilt
from catalog.search.tantivy import TantivyReader
from node.app import Node

PATIENCE = 5.0  # seconds that a running node has to index what was published before the command
LOOK = 0.05  # seconds between looks


async def reader(node: Node) -> TantivyReader:
    """A reader that sees everything published up to now, or after `PATIENCE` what there is."""
    try:
        await indexer.catch_up(node.database.pool, node.index_home, feed=changes)
        return TantivyReader(node.index_home)
    except IndexBusy:
        return await _followed(node)


async def caught_up(node: Node) -> None:
    """Until the search index has what is published: by the node's indexer, or by us where none runs."""
    async with node.database.connection() as conn:
        target = await changes.head(conn)
    while place(node) < target:
        await reader(node)


def place(node: Node) -> tuple[int, int]:
    """(epoch, place in the feed) that a search sees; (0, 0) without an index."""
    try:
        return TantivyReader(node.index_home).place()
    except NotBuilt:
        return 0, 0


async def _followed(node: Node) -> TantivyReader:
    found = TantivyReader(node.index_home)
    async with node.database.connection() as conn:
        head = await changes.head(conn)
    give_up = time.monotonic() + PATIENCE
    while True:
        if _reached(found, head) or time.monotonic() > give_up:
            return found
        await asyncio.sleep(LOOK)  # the other process has no way to tell us


def _reached(found: TantivyReader, head: tuple[int, int]) -> bool:
    try:
        epoch, seq = found.place()
    except NotBuilt:
        return False
    return epoch == head[0] and seq >= head[1]
