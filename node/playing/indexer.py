"""Keeps this home's search index in step with the feed."""

from __future__ import annotations

import asyncio

from catalog import changes
from catalog.search import indexer
from node.app import Node


async def play(node: Node, stop: asyncio.Event, inherited: int | None) -> None:
    """Raises IndexBusy when another process writes the index."""
    await indexer.follow(node.database.pool, node.index_home, stop=stop, feed=changes)
