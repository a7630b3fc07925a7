"""Two nodes that exchange while their processes are killed and their databases drop every connection: nothing is lost,
nothing comes twice, and both say the same at the end.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from catalog import bodies, packing, payload
from catalog.model import Format
from tests import builders
from tests.e2e.test_exchange_cli import Operator, operators
from tests.e2e.test_run import PATIENCE, ROOT, environ, processes, tianlu, until

__all__ = ["operators"]  # the fixture

RECORDS = 60_000
KILLS = 10
SEED = 20261121


class Run:
    """A node that is started again whenever it was killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            tianlu("--home", str(self.home), "run", "web", "exchange"),
            env=environ(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """All of it, at once; then start it again."""
        self.kill_children()
        self.process.kill()
        self.process.wait()
        until(lambda: not processes(self.home))
        self.start()

    def kill_children(self) -> None:
        """The exchange alone: the node starts it again."""
        for pid in processes(self.home):
            if pid != self.process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Run]:
    run = Run(home)
    try:
        yield run
    finally:
        run.process.terminate()
        run.process.wait(PATIENCE)


async def fill(conn: asyncpg.Connection) -> None:
    """So many clusters of one record each, all alike but for their numbers."""
    body = packing.pack(builders.a_cnmarc(local_id=""))
    content = bodies.shrink(packing.pack_content(body, b""))
    source = await conn.fetchval("select source from source where name = 'own'")
    first = await conn.fetchval("select coalesce(max(cluster), 0) + 1 from merged")
    numbers = f"generate_series({first}, {first + RECORDS - 1}) g"
    async with conn.transaction():
        await conn.execute(
            f"""insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility,
                    dictionary, digest, stamp, title_hash, body)
                select $1, 'k' || g, 'TJU', 100000 + g, 1, 2, 1, 'utf-8', 0, 0, '', '', 0, '' from {numbers}""",
            source,
        )
        await conn.execute(
            f"insert into holding (source, local_id, n, library, call_number, item, location, status, note)"
            f" select $1, 'k' || g, 0, 'TJU', 'K' || g, '', '', '', '' from {numbers}",
            source,
        )
        await conn.execute(f"insert into membership (sid, cluster) select 100000 + g, g from {numbers}")
        last = await conn.fetchval("update feed set last = last + $1 where name = 'clusters' returning last", RECORDS)
        await conn.execute(
            f"""insert into merged (cluster, seq, at, deleted, format, fingerprint, libraries, dictionary, content)
                select g, $1 + g, now(), false, $2, '', '{{TJU}}', 0, $3 from {numbers}""",
            last - RECORDS - first + 1,
            int(Format.CNMARC),
            content,
        )


async def drop_connections(*conns: asyncpg.Connection) -> None:
    for conn in conns:
        await conn.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"""
        )


@pytest.mark.chaos
async def test_kills_lose_and_double_nothing(operators: tuple[Operator, Operator]) -> None:
    centre, local = operators
    chance = random.Random(SEED)
    above, below = await asyncpg.connect(centre.dsn), await asyncpg.connect(local.dsn)
    with contextlib.ExitStack() as stack:
        await fill(below)
        wanted = await below.fetchval("select count(*) from merged where not deleted")
        parent = stack.enter_context(running(centre.home))
        child = stack.enter_context(running(local.home))
        harm: list[Callable[[], None] | None] = [parent.kill, child.kill, child.kill_children, None]
        deadline = time.monotonic() + 4 * PATIENCE
        kills, heard = 0, -1
        while True:
            now = await above.fetchval("select count(*) from heard where channel = 'clusters'")
            waiting = await below.fetchval("select count(*) from segment where channel = 'clusters'")
            if now == wanted and not waiting:
                break
            assert time.monotonic() < deadline, f"{now} of {wanted} after {kills} kills"
            if kills < KILLS and now > heard:  # it went on since the last one
                heard, kills = now, kills + 1
                do = chance.choice(harm)
                await drop_connections(above, below) if do is None else do()
        rows = await above.fetch("select payload from inbox")
        landed = [change.id for row in rows for change in payload.changes(bodies.grow(row["payload"]))]
        assert kills > 3
        assert len(landed) == len(set(landed)) == wanted
        assert all(row["equal"] for row in local.asks("reconcile", "NLC"))
    await above.close()
    await below.close()
