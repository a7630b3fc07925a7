"""Nodes that do in one process what real ones do in several: a door, an exchange role and a pipeline each.

async with moving.node(server, "CN-DOM", tier="domain") as domain, moving.node(server, "CN-SZU") as own:
    async with domain.at_work(), own.at_work():
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from catalog import handed, holdings, hosting, libraries, loads
from catalog.hosting import Handover
from catalog.loads import Load
from catalog.model import Library
from catalog.peers import Peer
from catalog.work.queue import PgQueue
from exchange import manifest, running
from exchange.peer import Answer, Client
from node import alone
from protocols.http.guard import Rules
from protocols.marc import Record
from tests import builders, network, postgres
from tests.network import Stand
from tests.pipeline import Catalogue
from tests.postgres import Postgres

SZU = Library(symbol="CN-SZU", name="深圳大学图书馆", area="广东/深圳")
PAUSE = 0.02  # seconds between rounds of a pipeline


@dataclass(kw_only=True)
class Living:
    """A node."""

    stand: Stand
    catalogue: Catalogue
    working: bool = False

    @property
    def symbol(self) -> str:
        """Its code."""
        return self.stand.symbol

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Its exchange and its pipeline run for the length of the block; at its end they are cut off anywhere."""
        stop = asyncio.Event()
        self.working = True
        tasks = [asyncio.create_task(self._exchange(stop)), asyncio.create_task(self._pipeline())]
        try:
            yield
        finally:
            self.working = False
            for task in tasks:
                task.cancel()
            for failure in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(failure, Exception):
                    raise failure

    async def _exchange(self, stop: asyncio.Event) -> None:
        await running.run(
            self.stand.database,
            PgQueue(self.stand.database.dsn),
            symbol=self.symbol,
            keyring=self.stand.keyring,
            rules=Rules(),
            stop=stop,
            alone=alone.alone,
        )

    async def _pipeline(self) -> None:
        while True:
            await self.catalogue.settle()
            await asyncio.sleep(PAUSE)

    async def host(self, library: Library) -> None:
        """Enter a library that has no node."""
        async with self.stand.database.transaction() as conn:
            await libraries.add(conn, library)

    async def load(self, source: str, records: Sequence[Record], library: str, **how: object) -> Load:
        """Load records of a library, as a cataloguer would."""
        await self.catalogue.source(source, library)
        if self.working:
            begun = await self.catalogue.load(
                source,
                [builders.iso2709(each) for each in records],
                place=False,
                **how,  # type: ignore[arg-type]
            )

            async def over() -> bool:
                return (await self.catalogue.again(begun.load)).finished_at is not None

            await postgres.eventually(over)
            return await self.catalogue.again(begun.load)
        return await self.catalogue.load(source, [builders.iso2709(each) for each in records], **how)  # type: ignore[arg-type]

    async def handover(self, library: str) -> Handover | None:
        """The latest hand-over of a library."""
        async with self.stand.database.connection() as conn:
            found = [one for one in await hosting.every(conn) if one.library == library]
        return max(found, key=lambda one: one.reign) if found else None

    async def state(self, library: str) -> str:
        """Of the latest hand-over of a library."""
        found = await self.handover(library)
        return found.state if found else ""

    async def counted(self, library: str) -> int:
        """Titles that a library holds, as every search counts them."""
        async with self.stand.database.connection() as conn:
            found: int = await conn.fetchval(
                "select count(*) from merged where not deleted and $1 = any(libraries)", library
            )
            return found

    async def held(self, library: str) -> list[tuple[str, str]]:
        """(call number, location) of every copy of a library, as pages list them."""
        found = []
        async with self.stand.database.connection() as conn:
            rows = await conn.fetch("select cluster from merged where not deleted and $1 = any(libraries)", library)
            for row in rows:
                copies = await holdings.of_cluster(conn, row["cluster"])
                found += [(copy.call_number, copy.location) for _, _, copy in copies if copy.library == library]
        return sorted(found)

    async def origins(self, library: str) -> set[str]:
        """Whose copies they are, wherever they came from."""
        async with self.stand.database.connection() as conn:
            rows = await conn.fetch(
                f"""select distinct {holdings.ORIGIN} origin from (
                        select s.name, s.library, r.source, r.local_id from record r join source s using (source)) r
                    join holding h on h.source = r.source and h.local_id = r.local_id where h.library = $1""",
                library,
            )
        return {row["origin"] for row in rows}

    async def records(self, library: str) -> dict[str, bytes]:
        """Digests of a library's source records here, by `source/local id`."""
        async with self.stand.database.connection() as conn:
            rows = []
            for source in await handed.sources(conn, library):
                rows += await conn.fetch(
                    "select $2::text || '/' || local_id id, digest from record where source = $1",
                    source.no,
                    source.name,
                )
        return {row["id"]: row["digest"] for row in rows}

    async def brought(self, mode: str) -> int:
        """Records that loads of a mode changed here."""
        async with self.stand.database.connection() as conn:
            found: int = await conn.fetchval(
                "select coalesce(sum(added + updated + deleted), 0) from load where mode = $1", mode
            )
            return found

    async def newest(self, count: int = 50) -> list[Load]:
        """Loads, newest first."""
        async with self.stand.database.connection() as conn:
            return await loads.recent(conn, count, feeds=True)


@contextlib.asynccontextmanager
async def node(server: Postgres, symbol: str, *, tier: str = "local") -> AsyncIterator[Living]:
    """A node, its door open and nothing at work."""
    async with network.standing(server, symbol, tier=tier) as stand:
        yield Living(stand=stand, catalogue=await Catalogue(stand.database).open(symbol))


async def joined(child: Living, parent: Living) -> Peer:
    """The child has joined."""
    return await network.joined(child.stand, parent.stand)


def titles(first: int, count: int, *, shelf: str = "TP") -> list[Record]:
    """Records that nobody merges with one another, each with a copy."""
    return [
        builders.a_cnmarc(
            title=f"{SUBJECTS[n % len(SUBJECTS)]}研究第{n}号",
            author=f"作者{n}",
            isbn=builders.isbn13(10_000_000 + n),
            year=1900 + n % 100,
            local_id=f"b{n}",
            holdings=[builders.a_holding(call_number=f"{shelf}{n}", item=f"T{n}")],
        )
        for n in range(first, first + count)
    ]


SUBJECTS = ("园林", "水利", "天文", "医药", "农桑", "音律", "舟车", "织造")


async def until(living: Living, library: str, *states: str, patience: float = 60.0) -> None:
    """Until the hand-over is in one of these states here."""

    async def there() -> bool:
        return await living.state(library) in states

    await postgres.eventually(there, patience)


@dataclass(kw_only=True)
class Traffic:
    """Bytes of bodies that children sent and received, by the first word of the address and the channel or nothing."""

    sent: Counter[str] = field(default_factory=Counter)
    got: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # bytes of segments before they were packed, by channel
    send: Callable[..., Awaitable[Answer]] = Client.send

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Traffic:
        """Count from now on."""

        async def send(client: Client, method: str, path: str, body: bytes = b"", **more: Any) -> Answer:
            answer = await self.send(client, method, path, body, **more)
            where = path.removeprefix("/x/").partition("?")[0].partition("/")
            name = where[2]
            if where[0] == "up" and body:
                core = manifest.read(manifest.split(body)[0])
                name = core.channel
                self.told[name] += core.size
            self.sent[f"{where[0]} {name}".strip()] += len(body)
            self.got[f"{where[0]} {name}".strip()] += len(answer.body)
            return answer

        monkeypatch.setattr(Client, "send", send)
        return self


@dataclass(kw_only=True)
class Census:
    """Counts of a library at some nodes, again and again while the block runs."""

    seen: dict[str, set[int]] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def of(self, library: str, *nodes: Living) -> AsyncIterator[None]:
        """Count until the end of the block."""

        async def count() -> None:
            while True:
                for one in nodes:
                    self.seen.setdefault(one.symbol, set()).add(await one.counted(library))
                await asyncio.sleep(0.05)

        task = asyncio.create_task(count())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
