"""A fresh node for a bench, driven by its command line like a user's."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import corpora, measure
from bench.measure import Ran, Watch
from catalog.database import pool
from config import settings

TIANLU = Path(sys.executable).parent / "tianlu"

SIZES = """
select relname::text, pg_total_relation_size(oid), pg_relation_size(oid)
from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 2 desc
"""


class Failed(Exception):
    """A command of the node failed: the bench has no result."""


class Node:
    """A node in a home folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def tianlu(self, *words: str, allowed: Sequence[int] = (0,)) -> Ran:
        """Run one command. Raises `Failed` with the end of its messages on another exit code than those allowed."""
        ran = measure.run([str(TIANLU), "--home", str(self.home), *words], home=self.home)
        if ran.code not in allowed:
            raise Failed(f"tianlu {' '.join(words)}: exit code {ran.code}\n{ran.err[-2000:]}{ran.out[-500:]}")
        return ran

    def load(self, file: Path, *, source: str, library: str) -> Ran:
        """Load a file in mode `changes`; records returned or unreadable (code 3) are part of life."""
        words = ("load", str(file), "--source", source, "--library", library, "--mode", "changes", "--yes", "--json")
        return self.tianlu(*words, allowed=(0, 3))

    @contextmanager
    def clusters(self) -> Iterator[tuple[Path, Ran]]:
        """A file for `membership`: the cluster of every record, once everything is placed and merged; how it ran."""
        with tempfile.NamedTemporaryFile(dir=self.home.parent, suffix=".ndjson") as file:
            command = [str(TIANLU), "--home", str(self.home), "export", "--clusters"]
            ran = measure.run(command, home=self.home, stdout=file.file)
            if ran.code:
                raise Failed(f"tianlu export --clusters: exit code {ran.code}\n{ran.err[-2000:]}")
            yield Path(file.name), ran

    @contextmanager
    def running(self, *roles: str) -> Iterator[Watch]:
        """`tianlu run` for the length of the block, its memory watched."""
        process = subprocess.Popen(
            [str(TIANLU), "--home", str(self.home), "run", *roles],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=measure.environment(),
        )
        assert process.stdout is not None
        if not process.stdout.readline():
            raise Failed("tianlu run has ended before it was up")
        watch = Watch(process.pid, str(self.home))
        watch.start()
        try:
            yield watch
        finally:
            watch.stop()
            process.terminate()
            process.wait()

    def table_sizes(self) -> list[tuple[str, int, int]]:
        """(table, bytes with indexes and TOAST, bytes of the table alone), the largest first."""
        return asyncio.run(_sizes(self.home))


def membership(file: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """((source, local id), cluster) of every record."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield (row["source"], row["local_id"]), row["cluster"]


@contextmanager
def fresh() -> Iterator[Node]:
    """A new node that goes when the block ends."""
    home = Path(tempfile.mkdtemp(prefix="node-", dir=corpora.folder()))
    home.chmod(0o755)
    node = Node(home / "home")
    try:
        node.tianlu("init", "--tier", "local", "--symbol", "BENCH")
        yield node
    finally:
        shutil.rmtree(home, ignore_errors=True)


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of NDJSON output."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


async def _sizes(home: Path) -> list[tuple[str, int, int]]:
    told = settings.load(home, os.environ)
    async with (
        pool.open(home, told.database.dsn.reveal() or None, told.database.programs) as database,
        database.connection() as conn,
    ):
        return [(row[0], row[1], row[2]) for row in await conn.fetch(SIZES)]
