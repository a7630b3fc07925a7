"""Read a source's own records again by the profile that is active now: a load of mode `recheck` (shell).

It runs through PREPARE and PLACE like any load. What the profile says of a record is new: its score and digest; what it
mends is mended, out of the bytes as received; what it sends back is listed with the returns, while the version that
stands stays. So nothing vanishes, limits hold the load as they hold any, and it can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from catalog import bringing, dictionaries, hosting, loads, quarantine, records, sources, versions
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import LoadState
from catalog.records import Row
from catalog.versions import Version
from catalog.work.queue import Queue
from config.errors import Conflict


async def begin(database: Database, queue: Queue, source: int, *, assured: bool) -> Load:
    """Begin the load that reads the source's records again; Conflict if another one of it is under way.

    `assured`: it is not held, however many records it sends back.
    """
    async with database.transaction() as conn:
        await sources.lock(conn, source)
        there = await loads.open_of_source(conn, source)
        if there is not None:
            raise Conflict(f"load {there.load} of the same source is {there.state.value}: see it through first")
        found = await sources.by_number(conn, source)
        if not await sources.is_fed(conn, source):
            await hosting.writable(conn, found.library)
        load = await loads.begin(
            conn,
            source,
            found.library,
            mode="recheck",
            origin="recheck",
            fingerprint=b"",
            carrier="versions",
            encoding="auto",
            assured=assured,
        )
        after, landed = "", 0
        while rows := await records.behind(conn, source, after, versions.PAGE):
            landed = await bringing.land(conn, queue, load, landed, await _versions(conn, source, rows))
            after = rows[-1].local_id
        await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))
    return load


async def _versions(conn: Connection, source: int, rows: Sequence[Row]) -> list[Version]:
    """The records, with what reading found in each and the encoding that was said of it."""
    known = await dictionaries.of(conn, {row.dictionary for row in rows})
    said = await loads.encodings(conn, {row.load for row in rows})
    found = await quarantine.findings_of_versions(conn, source, {row.local_id: row.load for row in rows})
    return [_version(row, known, said.get(row.load, "auto"), found.get(row.local_id, ())) for row in rows]


def _version(row: Row, known: Mapping[int, bytes], said: str, found: tuple[tuple[str, str], ...]) -> Version:
    return msgspec.structs.replace(bringing.kept(row, known), said=said, findings=found)
