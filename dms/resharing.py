"""A source's new sharing profile takes effect on the records that are there already (shell).

Batch by batch, beside placing and under the same lease; how far it is stands with the source, so that it goes on after
a stop. Only who may see a record changes: its signature, its holdings and its bytes stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from catalog import attached, bodies, clusters, dictionaries, records, sources
from catalog.connection import Connection
from catalog.model import Source
from catalog.records import Row
from config.errors import BadRecord
from dms import sharing

BATCH = 2000  # records


async def share_next(conn: Connection) -> None:
    """Look at the next batch of the first source that needs it, in the caller's transaction."""
    due = await sources.sharing_due(conn)
    if due is None:
        return
    source, after = due
    rows = await records.behind(conn, source.no, after, BATCH)
    if rows:
        known = await dictionaries.of(conn, {row.dictionary for row in rows})
        changed = await asyncio.to_thread(_changed, source, rows, known)
        if changed:
            await records.show(conn, source.no, changed)
            await attached.resign(conn, [(source.no, local_id) for local_id in changed])
            sids = {row.sid for row in rows if row.local_id in changed and row.sid is not None}
            await clusters.soil(conn, set((await clusters.membership(conn, sids)).values()))
    await sources.shared_up_to(conn, source, rows[-1].local_id if len(rows) == BATCH else None)


def _changed(source: Source, rows: Sequence[Row], known: Mapping[int, bytes]) -> dict[str, int]:
    """Visibilities by local id, where they are to be others."""
    found = {}
    for row in rows:
        if row.visibility not in sharing.BY_PROFILE:
            continue
        raw = bodies.open_body(row.body, row.dictionary, known)
        try:
            now = sharing.of_kept(source, raw, row.carrier, row.encoding)
        except BadRecord:  # whoever can't read it can't tell what is in it: reconciling mends it
            now = sharing.LEVELS["nothing"]
        if now != row.visibility:
            found[row.local_id] = int(now)
    return found
