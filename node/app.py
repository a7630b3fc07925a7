"""The one composition root: opens what a node is made of, in order, and closes it in reverse."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from catalog import ownership
from catalog.database import pool
from catalog.database.pool import Database
from catalog.search.port import Reader
from catalog.work.queue import PgQueue, Queue
from config import profile
from config.profile import Profile
from config.settings import Settings
from node import deeds
from node.context import Context

INDEX = "index"


@dataclass(frozen=True, kw_only=True)
class Node:
    """An open node. Hand its parts to those who need them, never the whole to logic."""

    home: Path
    settings: Settings
    profile: Profile
    database: Database
    queue: Queue

    @property
    def index_home(self) -> Path:
        """Folder of the search index: a cache that can be made again from the feed."""
        return self.home / INDEX

    @functools.cached_property
    def reader(self) -> Reader:
        """The search index, opened when it is first asked. Its engine and tables are imported only then: most commands
        can spare them.
        """
        reader: Reader = importlib.import_module("catalog.search.tantivy").TantivyReader(self.index_home)
        return reader

    @property
    def symbol(self) -> str:
        """Code of the node's own library; the prefix of its cluster ids."""
        return self.settings.node.symbol


@contextlib.asynccontextmanager
async def open(context: Context) -> AsyncIterator[Node]:
    """The node in the home folder of a command, for the length of the block; at its end the audit log has what the
    command did."""
    settings = context.settings
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            pool.open(context.home, settings.database.dsn.reveal() or None, settings.database.programs)
        )
        async with database.connection() as conn:
            await ownership.confirm(conn, settings.node.symbol)
        await stack.enter_async_context(deeds.settled(database, context.deed))
        yield Node(
            home=context.home,
            settings=settings,
            profile=profile.load(settings.node.tier),
            database=database,
            queue=PgQueue(database.dsn),
        )
