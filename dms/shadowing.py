"""A shadow run: a draft of a profile over what stands and what has come back, before it is active (shell)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from catalog import dictionaries, profiles, quarantine, records, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Source
from catalog.profiles import DOMAIN, Version
from catalog.records import Row
from dms import quality_scope, shadow
from dms.crew import Runs
from dms.rules.model import Profile
from dms.shadow import Seen, Shadow

PAGE = 1000  # records of a piece
AHEAD = 2  # pieces that wait for each process

Piece = tuple[list[Seen], dict[int, bytes], Profile, Profile]


async def run(
    database: Database,
    crew: Runs,
    draft: Version,
    *,
    limit: int | None,
    processes: int,
    looked: Callable[[int], None],
) -> Shadow:
    """Compare the draft with what is active. `limit`: records of each source, taken here and there; None = all.
    `looked` is told how many records have been looked at.
    """
    found = Shadow()
    going: deque[asyncio.Task[Shadow]] = deque()
    try:
        async for some, known, before, after in _pieces(database, draft, limit):
            going.append(asyncio.create_task(crew.run(shadow.look, some, known, before, after)))
            if len(going) >= processes * AHEAD:
                found.add(await going.popleft())
                looked(found.records)
        while going:
            found.add(await going.popleft())
            looked(found.records)
    finally:
        for each in going:
            each.cancel()
    return found


async def _pieces(database: Database, draft: Version, limit: int | None) -> AsyncIterator[Piece]:
    async with database.connection() as conn:
        some = [one for one in await sources.every(conn) if draft.scope in (DOMAIN, one.library)]
    for source in some:
        async with database.connection() as conn:
            layers = await profiles.layers(conn, source.library)
        before = quality_scope.of_versions(layers)
        others = [one for one in layers if one.scope != draft.scope]
        after = quality_scope.of_versions(sorted([*others, draft], key=lambda one: one.scope))
        async for page, known in _standing(database, source, limit):
            yield page, known, before, after
        last_case = 0
        while True:
            async with database.connection() as conn:
                rows = await quarantine.returned_behind(conn, source.no, last_case, PAGE)
            if not rows:
                break
            last_case = rows[-1]["id"]
            cases = [
                Seen(f"case {row['id']}", row["body"], 0, row["carrier"], source.encoding, 0, returned=True)
                for row in rows
            ]
            yield cases, {}, before, after


async def _standing(
    database: Database, source: Source, limit: int | None
) -> AsyncIterator[tuple[list[Seen], dict[int, bytes]]]:
    """The source's records in pages, or a sample of them."""
    if limit is not None:
        async with database.connection() as conn:
            names = await records.sample(conn, source.no, limit)
        for start in range(0, len(names), PAGE):
            async with database.connection() as conn:
                rows = await records.many(conn, source.no, names[start : start + PAGE])
                page = await _seen(conn, source, rows)
            yield page
        return
    last = ""
    while True:
        async with database.connection() as conn:
            rows = await records.behind(conn, source.no, last, PAGE)
            if not rows:
                return
            page = await _seen(conn, source, rows)
        yield page
        last = rows[-1].local_id


async def _seen(conn: Connection, source: Source, rows: Sequence[Row]) -> tuple[list[Seen], dict[int, bytes]]:
    known = dict(await dictionaries.of(conn, {row.dictionary for row in rows}))
    told = await quarantine.findings_of_versions(conn, source.no, {row.local_id: row.load for row in rows})
    page = [
        Seen(
            f"{source.name}/{row.local_id}",
            row.body,
            row.dictionary,
            row.carrier,
            row.encoding,
            row.format,
            told.get(row.local_id, ()),
        )
        for row in rows
    ]
    return page, known
