"""The one composition root: opens what a node is made of, in order, and closes it in reverse."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from catalog import ownership
from catalog.database import pool
from catalog.database.pool import Database
from config import profile
from config.profile import Profile
from config.settings import Settings
from node.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An open node. Hand its parts to those who need them, never the whole to logic."""

    home: Path
    settings: Settings
    profile: Profile
    database: Database

    @property
    def symbol(self) -> str:
        """Code of the node's own library; the prefix of its cluster ids."""
        return self.settings.node.symbol


@contextlib.asynccontextmanager
async def open(context: Context) -> AsyncIterator[Node]:
    """The node in the home folder of a command, for the length of the block."""
    settings = context.settings
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            pool.open(context.home, settings.database.dsn.reveal() or None, settings.database.programs)
        )
        async with database.connection() as conn:
            await ownership.confirm(conn, settings.node.symbol)
        yield Node(home=context.home, settings=settings, profile=profile.load(settings.node.tier), database=database)
