"""Cleans up after a demonstration that was killed: a process that outlives it, stops its PostgreSQL and removes it all.

`python -m node.demo.keeper HOME keep|remove`; it ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from catalog.database import embedded
from config.errors import TianluError
from node import lifecycle, roles

# Of one server for four nodes on a small machine: some twenty processes, each with a few connections. Whoever starts it
# says so, the demonstration or its keeper.
POSTGRES = {"max_connections": "240", "shared_buffers": "128MB", "work_mem": "8MB", "maintenance_work_mem": "64MB"}
PATIENCE = 60.0  # seconds that the nodes have to end, which notice by themselves that nobody is there
LOOK = 0.1  # seconds between looks


@contextlib.asynccontextmanager
async def watching(home: Path, *, remove: bool) -> AsyncIterator[None]:
    """A keeper of this home for the length of the block, after which it cleans up in any case."""
    words = [sys.executable, "-m", "node.demo.keeper", str(home), "remove" if remove else "keep"]
    keeper = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        assert keeper.stdin
        keeper.stdin.close()
        await keeper.wait()


async def keep(home: Path, *, removes: bool) -> None:
    """Uses the home's PostgreSQL until nobody is there, so that it is the last to leave and stops it."""
    gone = asyncio.Event()
    async with embedded.server(home, settings=POSTGRES):
        await roles.parent_gone(gone)
        for _ in range(int(PATIENCE / LOOK)):
            if not _nodes_run(home):
                break
            await asyncio.sleep(LOOK)
    if removes:
        remove(home)


def _nodes_run(home: Path) -> bool:
    return any(lifecycle.running(note.parent) for note in home.glob(f"*/{lifecycle.NOTE}"))


def remove(home: Path) -> None:
    """The folder, and the database's files where they are elsewhere (`catalog.database.place`)."""
    elsewhere = home / "pg" / "elsewhere"
    if elsewhere.is_file():
        shutil.rmtree(elsewhere.read_text().strip(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    with contextlib.suppress(TianluError):  # of a server that doesn't start: the demonstration says so itself
        asyncio.run(keep(Path(sys.argv[1]), removes=sys.argv[2] == "remove"))
