"""A child and its parent as real processes, each with a PostgreSQL of its own, to be killed and looked at."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from bench import feeding, pair
from bench.measure import environment, processes
from bench.pair import End
from catalog.changes import Version
from catalog.connection import Connection
from catalog.database import place, supervisor
from catalog.model import cluster_id
from catalog.payload import CLUSTERS, Kind
from tests import postgres
from tests.chaos import proxy
from tests.chaos.proxy import Proxy

ROLES = ("web", "worker", "exchange")
POSTGRES = "postgres"
VICTIMS = (*ROLES, POSTGRES)
NOBODY = -1  # a process without descendants
AWAY = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)  # what a killed database raises

T = TypeVar("T")


@dataclass(kw_only=True)
class Node:
    """One of the two: runs in all its roles, and is started again at once when its first process was killed."""

    end: End
    roles: Sequence[str] = ROLES
    kills: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _conn: Connection | None = field(default=None, repr=False)

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.end.node.home

    @property
    def log(self) -> str:
        """What it has said so far."""
        file = self.home / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start it without waiting until it is up."""
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "node.cli", "--home", str(self.home), "run", *self.roles],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment(),
            )

    def revive(self) -> None:
        """Start it again if it has ended, as whatever looks after services would: its database may have been killed
        while it was starting.
        """
        if self._process and self._process.poll() is not None:
            self.start()

    async def stop(self) -> None:
        """End it in order, PostgreSQL too."""
        await self._forget()
        if self._process:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait)
            self._process = None
        await postgres.eventually(self._quiet, 60.0)

    async def _quiet(self) -> bool:
        return processes(NOBODY, str(self.home)) == {NOBODY} and not supervisor.processes(place.prepare(self.home))

    async def kill(self, victim: str) -> None:
        """`kill -9` a role or PostgreSQL, waiting for it to be there first."""
        pid = await self._pid(victim)
        while pid is None:
            self.revive()
            await asyncio.sleep(0.05)
            pid = await self._pid(victim)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kills += 1
        if victim == "web":
            assert self._process
            await asyncio.to_thread(self._process.wait)
            self.start()

    async def _pid(self, victim: str) -> int | None:
        """The web role is the first process of a node."""
        if victim == POSTGRES:
            return supervisor.postmaster(place.prepare(self.home))
        if victim == "web":
            assert self._process
            return self._process.pid
        return await asyncio.to_thread(self._child, victim)

    def _child(self, role: str) -> int | None:
        words = ["node.cli", "run", role, "--child", "--home", str(self.home)]
        assert self._process
        for entry in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                said = Path(f"/proc/{entry}/cmdline").read_text().split("\0")
                if words == said[-len(words) - 1 : -1]:  # after Python's own options; the last ends with NUL too
                    return int(entry)
        return None

    async def asks(self, *words: str, allowed: Sequence[int] = (0,)) -> list[dict[str, Any]]:
        """What a command prints."""
        ran = await asyncio.to_thread(self.end.node.tianlu, "--json", *words, allowed=allowed)
        return [json.loads(line) for line in ran.out.splitlines()]

    async def fetch(self, query: str, *values: object) -> list[Any]:
        """Rows, as soon as the database is there."""
        while True:
            with contextlib.suppress(*AWAY):
                found: list[Any] = await (await self._connection()).fetch(query, *values)
                return found
            await self._forget()
            self.revive()
            await asyncio.sleep(0.1)

    async def value(self, query: str, *values: object) -> Any:
        """The first value."""
        return (await self.fetch(query, *values))[0][0]

    async def waiting(self) -> int:
        """Segments that were made and are not acknowledged: those of a repair move no place of the feed."""
        return int(await self.value("select count(*) from segment where channel = $1", CLUSTERS))

    async def publish(self, versions: Sequence[Version]) -> None:
        """Put states into the feed, again if the answer to the commit was lost."""
        while True:
            with contextlib.suppress(*AWAY):
                conn = await self._connection()
                async with conn.transaction():
                    await feeding.publish(conn, self.end.symbol, versions)
                return
            await self._forget()
            self.revive()
            await asyncio.sleep(0.1)

    async def fill(self, count: int) -> list[int]:
        """So many new clusters; only while nothing is killed."""
        await self.value("select 1")  # it may be starting
        conn = await self._connection()
        return await feeding.fill(conn, self.end.symbol, await feeding.source(conn, self.end.symbol), count)

    async def _connection(self) -> Connection:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncpg.connect(place.prepare(self.home).dsn(), timeout=10)
        return self._conn

    async def _forget(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None

    def keep(self, folder: Path) -> None:
        """A cold backup of the database; the node is stopped."""
        subprocess.run(["cp", "-a", place.prepare(self.home).data, folder], check=True)

    def restore(self, folder: Path) -> None:
        """Put the backup in the place of the database; the node is stopped."""
        data = place.prepare(self.home).data
        shutil.rmtree(data)
        subprocess.run(["cp", "-a", folder, data], check=True)


@dataclass(kw_only=True)
class Couple:
    """Both, and the proxy by which the child reaches its parent."""

    child: Node
    parent: Node
    proxy: Proxy
    clusters: Sequence[int]  # of the child, at the beginning

    async def head(self) -> int:
        """Place of the child's feed."""
        return int(await self.child.value("select last from feed where name = 'clusters'"))

    async def heard(self) -> int:
        """Place up to which the parent has applied it."""
        return int(await self.parent.value("select coalesce(max(seq), 0) from incoming where channel = $1", CLUSTERS))

    async def landed(self) -> bool:
        """The parent has applied everything, and the child knows."""
        head = await self.head()
        known = await self.child.value("select coalesce(max(known_seq), 0) from outgoing where channel = $1", CLUSTERS)
        held_up = await self.child.value("select coalesce(max(held_up), '') from outgoing where channel = $1", CLUSTERS)
        return known == head == await self.heard() and not held_up and not await self.child.waiting()

    async def placed(self) -> bool:
        """The parent has made records of all that landed, merged them, and told the child."""
        busy = await self.parent.value(
            "select exists (select from load where state in ('preparing', 'placing')) or exists (select from dirty)"
        )
        if busy or await self.parent.waiting():
            return False
        told = await self.parent.fetch("select last, known_seq, held_up from feed, outgoing "
                                       "where name = 'clusters' and channel = $1", CLUSTERS)  # fmt: skip
        return [(row["last"] == row["known_seq"], row["held_up"]) for row in told] == [(True, "")]

    async def kept(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """(what the child has told that stands, what the parent keeps as source records): digests by id."""
        gone = {
            cluster_id(self.child.end.symbol, row["cluster"])
            for row in await self.child.fetch("select cluster from merged where deleted")
        }
        told = await self.child.fetch(
            "select id, digest from told where channel = $1 and kind = $2 and digest is not null", CLUSTERS, Kind.BIB
        )
        keeps = await self.parent.fetch(
            "select local_id id, digest from record r join peer p using (source) where p.role = 'child'"
        )
        stands = {row["id"]: row["digest"] for row in told if row["id"] not in gone}
        return stands, {row["id"]: row["digest"] for row in keeps}


@contextlib.asynccontextmanager
async def couple(records: int, roles: Sequence[str] = ROLES) -> AsyncIterator[Couple]:
    """Joined, with so many records at the child; nothing runs yet."""
    with pair.apart() as (below, above):
        async with proxy.before(above.port) as between:
            child, parent = Node(end=below, roles=roles), Node(end=above, roles=roles)
            try:
                with above.node.running("web"):
                    await asyncio.to_thread(pair.join, below, above, between.address)
                clusters = await pair.fill(below, records)
                yield Couple(child=child, parent=parent, proxy=between, clusters=clusters)
            finally:
                for node in (child, parent):
                    try:
                        await node.stop()
                    finally:
                        postgres.end(node.home)
