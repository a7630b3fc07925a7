"""Batch changes at work: a page of records after the other, in the queue's hands (shell).

A page is looked at, its edits are kept and its records are landed in one transaction that holds the batch: a job that
is done twice, or by two workers, does nothing twice, and a batch goes on where it stopped. The records then run through
PREPARE and PLACE as those of any load, in which the edits are made of what the library sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from catalog import (
    batch_records,
    batches,
    bringing,
    clusters,
    dictionaries,
    hosting,
    loads,
    offering,
    quarantine,
    sources,
    versions,
)
from catalog.batches import Batch, Fate
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState, Source
from catalog.offering import Offer
from catalog.records import Row
from catalog.work.queue import Queue
from dms import batch_change, batch_plan, quality_scope
from dms.batch_edits import Edit, Standing
from dms.batch_plan import Job, Planned
from dms.crew import Runs

KIND = "batch"
PAGE = versions.PAGE


def encode(batch: int) -> bytes:
    """A job's payload."""
    return msgspec.msgpack.encode(batch)


async def announce(queue: Queue, conn: Connection, batch: int) -> None:
    """Put the job of a batch, unless it is there."""
    await queue.put(conn, KIND, encode(batch), dedupe=f"{KIND}:{batch}")


async def sweep(queue: Queue, conn: Connection) -> None:
    """Put jobs of batches that somebody must go on with."""
    for batch in await batches.unfinished(conn):
        await announce(queue, conn, batch)


@dataclass(slots=True)
class Batching:
    """Handles the queue's jobs."""

    database: Database
    queue: Queue
    crew: Runs
    wake: asyncio.Event

    async def handle(self, payload: bytes) -> None:
        """Go on with a batch until it is done, or the next source is busy."""
        number = msgspec.msgpack.decode(payload, type=int)
        while await self._page(number):
            self.wake.set()

    async def _page(self, number: int) -> bool:
        async with self.database.transaction() as conn:
            batch = await batches.get(conn, number, lock=True)
            if batch.state not in ("due", "undue"):
                return False
            no = await batches.next_source(conn, batch)
            if no is None:
                await batches.finish(conn, batch)
                if batch.state == "undue":
                    await offering.withdraw(conn, number)
                return False
            await sources.lock(conn, no)
            source = await sources.by_number(conn, no)
            own = await is_own(conn, source, await batches.within(conn, number))
            load = await loads.open_of_source(conn, no)
            if own and load is not None and load.origin != batches.origin(batch):
                return False  # the load that is under way comes first; the sweep puts the job again
            fates, rows = await self._fates(conn, batch, source, own)
            if not own:
                await batches.settle(conn, number, no, fates)
                await _offer(conn, batch, source, fates)
                return True
            changed = {one.local_id for one in fates if one.state == "changed" or -1 in one.ended}
            if changed and load is None:
                load = await _begin(conn, batch, source)
            numbered = [replace(one, load=load.load) if load and one.local_id in changed else one for one in fates]
            await batches.settle(conn, number, no, numbered)
            if load is not None:
                await _land(conn, self.queue, load, [rows[one] for one in sorted(changed) if one in rows])
                if not await batches.next_page(conn, batch, no, 1):
                    await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))
            return True

    async def _fates(
        self, conn: Connection, batch: Batch, source: Source, own: bool
    ) -> tuple[list[Fate], dict[str, Row]]:
        page = await batches.next_page(conn, batch, source.no, PAGE)
        rows = await batch_records.rows(conn, source.no, [one.local_id for one in page])
        known = await dictionaries.of(conn, {row.dictionary for row in rows.values()})
        if batch.state == "undue":
            return await self.crew.run(batch_plan.take_back, rows, known, page), rows
        if not batch.change:  # it is told record by record
            return await self.crew.run(batch_plan.given, rows, known, page), rows
        job = Job(
            source=source,
            change=batch_change.of_plain(batch.change),
            rule=batch.rule,
            profile=await quality_scope.of_library(conn, source.library),
            own=own,
            rows=list(rows.values()),
            dictionaries=known,
        )
        planned: list[Planned] = await self.crew.run(batch_plan.plan, job)
        await batch_records.leave_out(conn, batch.batch, source.no, [one.local_id for one in planned if not one.state])
        fates = [_fate(one, own) for one in planned if one.state]
        gone = [Fate(local_id=one.local_id, state="gone") for one in page if one.local_id not in rows]
        return fates + gone, rows


async def _offer(conn: Connection, batch: Batch, source: Source, fates: Sequence[Fate]) -> None:
    libraries = await batches.within(conn, batch.batch)
    offers = [
        Offer(
            local_id=one.local_id,
            changes=[(tag, before, after) for tag, _, before, after in one.edits],
            why=batch.why,
            who=batch.who,
            library=next(iter(libraries)) if libraries and len(libraries) == 1 else "",
            batch=batch.batch,
        )
        for one in fates
        if one.state == "offered"
    ]
    if offers:
        await offering.offer(conn, await clusters.symbol(conn), source.no, offers)


def _fate(one: Planned, own: bool) -> Fate:
    state = "offered" if one.state == "changed" and not own else one.state
    return Fate(local_id=one.local_id, state=state, edits=one.edits, ended=[0] * len(one.edits), reason=one.reason)


async def is_own(conn: Connection, source: Source, within: frozenset[str] | None) -> bool:
    """Whether a batch changes the records of a source: this node writes for its library, and whoever asks may."""
    if await sources.is_fed(conn, source.no) or (within is not None and source.library not in within):
        return False
    try:
        await hosting.writable(conn, source.library)
    except hosting.Moved:
        return False
    return True


def standing(edited: Mapping[str, Sequence[batches.Edited]]) -> dict[str, tuple[Standing, ...]]:
    """Edits as PREPARE makes them, by local id."""
    return {
        local_id: tuple(Standing(one.batch, tuple(Edit(*edit) for edit in one.edits), one.ended) for one in some)
        for local_id, some in edited.items()
    }


async def _begin(conn: Connection, batch: Batch, source: Source) -> Load:
    return await loads.begin(
        conn,
        source.no,
        source.library,
        mode="batch",
        origin=batches.origin(batch),
        fingerprint=b"",
        carrier=versions.CARRIER,
        encoding="auto",
        assured=True,
    )


async def _land(conn: Connection, queue: Queue, load: Load, rows: Sequence[Row]) -> None:
    known = await dictionaries.of(conn, {row.dictionary for row in rows})
    said = await loads.encodings(conn, {row.load for row in rows})
    found = await quarantine.findings_of_versions(conn, load.source, {row.local_id: row.load for row in rows})
    some = [
        msgspec.structs.replace(
            bringing.kept(row, known), said=said.get(row.load, "auto"), findings=found.get(row.local_id, ())
        )
        for row in rows
    ]
    landed = (await loads.get(conn, load.load)).landed
    await bringing.land(conn, queue, load, landed, some)
