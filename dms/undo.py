"""Undo a load: a further load that brings back what it replaced and deletes what it added (shell).

It runs through PREPARE and PLACE like any load, so records, holdings, clusters and the feed follow by the same code.
"""

from __future__ import annotations

from catalog import batches, bringing, dictionaries, loads, records, rekeys, sources, versions
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState
from catalog.work.queue import Queue
from config.errors import Conflict


async def undo(database: Database, queue: Queue, number: int) -> Load:
    """Begin the undoing load; Conflict if a later load of the source stands on this one."""
    async with database.transaction() as conn:
        load = await loads.get(conn, number)
        await sources.lock(conn, load.source)
        if load.mode == "undo":
            raise Conflict(f"load {number} is itself an undo (of load {load.undoes}): load the file of that one again")
        if load.mode == "feed":
            raise Conflict(f"load {number} is what another node told: it tells itself when something is to be put back")
        if load.mode == "batch":
            batch = await batches.of_load(conn, number)
            raise Conflict(f"load {number} carries out batch {batch}: undo that (tianlu batch undo {batch})")
        if load.state is not LoadState.DONE:
            raise Conflict(f"load {number} is {load.state.value}: only a load that is done can be undone")
        last = await loads.last_done(conn, load.source)
        if last != number:
            raise Conflict(f"load {last} of the same source came later: undo it first (tianlu loads undo {last})")
        if await rekeys.since(conn, load.source, number) is not None:
            raise Conflict(f"the records of load {number} have other ids since: re-key the source back first")
        there = await loads.open_of_source(conn, load.source)
        if there is not None:
            raise Conflict(f"load {there.load} of the same source is {there.state.value}: see it through first")
        back = await loads.begin(
            conn,
            load.source,
            load.library,
            mode="undo",
            origin=f"undo of {number}",
            fingerprint=b"",
            carrier="versions",
            encoding="auto",
            assured=True,
            undoes=number,
        )
        known = await dictionaries.every(conn)
        landed = 0
        async for added in records.brought_by(conn, load.source, number):
            landed = await bringing.land(conn, queue, back, landed, [versions.deletion(one) for one in added])
        async for rows in records.replaced_by(conn, load.source, number):
            landed = await bringing.land(conn, queue, back, landed, [bringing.kept(row, known) for row in rows])
        await loads.turn(conn, back.load, LoadState.PREPARING, since=(LoadState.LANDING,))
    return back
