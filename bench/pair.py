"""A child and its parent, each a node of its own with its own database, for benches and trials of the exchange."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import corpora, feeding
from bench.node import Node
from catalog.database import pool

CHILD, PARENT = "CN-TJU", "CN-C"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One of the two."""

    node: Node
    symbol: str
    port: int

    @property
    def address(self) -> str:
        """Where its web door is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def apart() -> Iterator[tuple[End, End]]:
    """(child, parent), which don't know each other yet; nothing runs."""
    folder = Path(tempfile.mkdtemp(prefix="pair-", dir=corpora.folder()))
    folder.chmod(0o755)
    try:
        yield _made(folder, CHILD, "local"), _made(folder, PARENT, "central")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined() -> Iterator[tuple[End, End]]:
    """The same after the child has joined."""
    with apart() as (child, parent):
        with parent.node.running("web"):
            join(child, parent, parent.address)
        yield child, parent


def join(child: End, parent: End, address: str) -> None:
    """Let the child join the parent, which runs, by an address that leads to it."""
    invited = parent.node.tianlu("invite", "--symbol", child.symbol, "--address", address, "--json")
    child.node.tianlu("join", json.loads(invited.out)["code"])


async def fill(child: End, count: int) -> list[int]:
    """Publish so many records at the child, which doesn't run; their clusters."""
    async with pool.open(child.node.home) as database, database.connection() as conn:
        made = await feeding.fill(conn, child.symbol, await feeding.source(conn, child.symbol), count)
        await conn.execute("vacuum analyze")
    return made


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _made(folder: Path, symbol: str, tier: str) -> End:
    node, port = Node(folder / symbol), free_port()
    node.tianlu("init", "--tier", tier, "--symbol", symbol, "--port", str(port))
    return End(node=node, symbol=symbol, port=port)
