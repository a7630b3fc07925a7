"""The whole pipeline over a real database in one process: land, prepare, judge, place, merge. No queue, no pool."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog import bodies, changes, dictionaries, inbox, libraries, loads, packing, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState, Source
from catalog.work import leases, units
from catalog.work.queue import PgQueue
from config.errors import NotFound
from config.settings import Limits
from dms import merge_many
from dms import undo as undoing
from dms.matcher import LEASE, Matcher
from dms.merge_many import Job, Made
from dms.worker import Preparing
from exchange import landing
from exchange.landing import Inputs
from protocols import detect
from protocols.gunzip import Input

GENEROUS = Limits(mojibake=1.0, rejects=1.0, title_changes=1.0, delete_share=1.0, delete_records=1 << 30)


KEPT = ("name", "local_id", "library", "load", "format", "carrier", "encoding", "visibility", "digest", "stamp")


class Inline:
    """A crew that works here and now."""

    async def run(self, work: Callable[..., Any], *args: object, light: bool = False) -> Any:
        """Run it."""
        return work(*args)


async def merge_here(
    jobs: Sequence[Job], known: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]
) -> list[Made]:
    """Merge in this process."""
    return merge_many.make(jobs, known, newest)


@dataclass
class Catalogue:
    """One node's catalogue under test."""

    database: Database
    limits: Limits = GENEROUS
    matcher: Matcher = field(init=False)

    def __post_init__(self) -> None:
        self.matcher = Matcher(database=self.database, merge=merge_here, limits=self.limits, holder="test")
        self.queue = PgQueue(self.database.dsn)

    async def open(self, symbol: str = "CN-TST") -> Catalogue:
        """Give the node its symbol and this process the matcher's lease."""
        async with self.database.transaction() as conn:
            await conn.execute("insert into node (symbol) values ($1) on conflict do nothing", symbol)
            self.matcher.term = await leases.acquire(conn, LEASE, "test", 3600) or 0
        return self

    async def source(self, name: str, library: str = "LIB", **habits: Any) -> Source:
        """The source of this name, made if it is new."""
        async with self.database.transaction() as conn:
            try:
                return await sources.get(conn, name)
            except NotFound:
                await libraries.ensure(conn, library)
                return await sources.add(conn, name, library, **habits)

    async def load(
        self,
        name: str,
        records: Sequence[bytes],
        *,
        mode: str = "changes",
        carrier: str = "iso2709",
        unit: int = 1000,
        assured: bool = False,
        place: bool = True,
    ) -> Load:
        """Land records in units of `unit`, and see the load through unless `place` is false."""
        source = await self.source(name)
        async with self.database.transaction() as conn:
            load = await loads.begin(
                conn,
                source.no,
                source.library,
                mode=mode,
                origin="test",
                fingerprint=hashlib.blake2b(b"".join(records), digest_size=16).digest(),
                carrier=carrier,
                encoding="auto",
                assured=assured,
            )
            landed = 0
            joiner = b"" if carrier == "iso2709" else b"\n"
            for n in range(0, len(records), unit):
                data = joiner.join(records[n : n + unit]) + joiner
                await inbox.land(
                    conn,
                    load.load,
                    position=landed,
                    ordinal=n,
                    payload=bodies.pass_on(data),
                    expected=landed,
                    landed=landed + len(data),
                )
                landed += len(data)
            await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))
        if place:
            await self.settle()
        return await self.again(load.load)

    async def give(
        self,
        name: str,
        data: bytes,
        *,
        mode: str = "changes",
        encoding: str = "auto",
        assured: bool = False,
    ) -> Load:
        """Land a whole input as `tianlu load` does, and see the load through."""
        source = await self.source(name)
        inputs = an_input(data)
        load = await landing.open_load(self.database, source, inputs, mode=mode, encoding=encoding, assured=assured)
        await landing.land(self.database, self.queue, source, load, inputs, lambda position, records: None, habits=b"")
        await self.settle()
        return await self.again(load.load)

    async def undo(self, load: int) -> Load:
        """Undo a load; the load that did it."""
        back = await undoing.undo(self.database, self.queue, load)
        await self.settle()
        return await self.again(back.load)

    async def again(self, load: int) -> Load:
        """The load as it stands."""
        async with self.database.connection() as conn:
            return await loads.get(conn, load)

    async def settle(self) -> None:
        """Prepare, judge, place and merge until nothing is left."""
        preparing = Preparing(self.database, Inline(), asyncio.Event())
        async with self.database.connection() as conn:
            waiting = {
                load.load: await inbox.unprepared(conn, load.load)
                for load in await loads.in_state(conn, LoadState.PREPARING)
            }
        for load, numbers in waiting.items():
            for number in numbers:
                await preparing.handle(units.encode(load, number))
        while await self.matcher.step():
            pass

    async def standing(self) -> dict[str, Any]:
        """Everything that a load may change, apart from its own row: records with their bytes, holdings, clusters."""
        async with self.database.connection() as conn:
            known = await dictionaries.every(conn)
            rows = await conn.fetch("select s.name, r.* from record r join source s using (source) order by 1, 3")
            held = await conn.fetch("select * from holding order by source, local_id, n")
            return {
                "records": [
                    {name: row[name] for name in KEPT}
                    | {"bytes": bodies.open_body(row["body"], row["dictionary"], known)}
                    for row in rows
                ],
                "holdings": [tuple(row) for row in held],
                "partition": await partition(conn),
            }

    async def head(self) -> int:
        """The last place of the feed."""
        async with self.database.connection() as conn:
            return (await changes.head(conn))[1]

    async def partition(self) -> dict[frozenset[str], str]:
        """For each cluster its records (source/local id), with a digest of all that is published of it."""
        async with self.database.connection() as conn:
            return await partition(conn)


def an_input(data: bytes, name: str = "records") -> Inputs:
    """An input of these bytes."""
    return Inputs(
        names=(name,),
        streams=(Input(io.BytesIO(data), name),),
        carrier=detect.carrier_of(data[: landing.HEAD]),
        fingerprint=hashlib.blake2b(data, digest_size=16).digest(),
        size=len(data),
    )


async def partition(conn: Connection) -> dict[frozenset[str], str]:
    """See `Catalogue.partition`."""
    rows = await conn.fetch(
        """select m.cluster, s.name || '/' || r.local_id name from record r join source s using (source)
           join membership m using (sid)"""
    )
    members: dict[int, set[str]] = {}
    for row in rows:
        members.setdefault(row["cluster"], set()).add(row["name"])
    shown: dict[int, str] = {}
    for one in await changes.after(conn, 0, 1_000_000):
        if not one.deleted and one.description is not None:
            told = one.body + packing.pack_description(one.description) + "\t".join(one.libraries).encode()
            shown[one.cluster] = hashlib.sha256(told).hexdigest()
    assert set(shown) == set(members), "what is published is what has members"
    return {frozenset(names): shown[cluster] for cluster, names in members.items()}
