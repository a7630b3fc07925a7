"""Records that a person brings one by one, copied or submitted: into a source of their library, by an ordinary load, so
that they are checked, clustered, and undone like any other (shell).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from catalog import hosting, libraries, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import Format, Source
from catalog.work.queue import Queue
from config.errors import Conflict, Misconfigured, NotFound
from exchange import landing
from exchange.landing import Inputs
from protocols.charsets import codec

FORMATS = {Format.MARC21: "marc21", Format.CNMARC: "cnmarc"}
PATIENCE, PAUSE = 15.0, 0.2  # seconds that another load of the same source is waited for, and between looks


def name_of(what: str, library: str, own: str) -> str:
    """The source of what a library brings so; `own`: the node's own library."""
    return what if library == own else f"{what}-{library}"


async def source(conn: Connection, name: str, library: str, fmt: Format) -> Source:
    """The source, made if it isn't there. Misconfigured if it is of another library or format."""
    try:
        found = await sources.get(conn, name)
    except NotFound:
        await libraries.ensure(conn, library)
        return await sources.add(conn, name, library, format=FORMATS[fmt])
    if found.library != library:
        raise Misconfigured(f"source {name} is of library {found.library}, not {library}: use another name")
    if found.format not in ("auto", FORMATS[fmt]):
        raise Misconfigured(f"source {name} is {found.format}, not {FORMATS[fmt]}: use another name or dialect")
    return found


async def land(database: Database, queue: Queue, into: Source, opened: Callable[[], Inputs], *, habits: bytes) -> Load:
    """Land records in UTF-8 for the node's workers; `habits` as for `landing.land`. Moved if another node writes for
    the library; Conflict if other loads of the source leave it no turn in time. The inputs are opened for each attempt:
    what was read of them is gone.
    """
    give_up = time.monotonic() + PATIENCE
    while True:
        inputs = opened()
        try:
            load = await landing.open_load(database, into, inputs, mode="changes", encoding=codec.UTF8, assured=True)
            # It may have to give way to another that somebody brings in the same moment, and begin again.
            await landing.land(database, queue, into, load, inputs, lambda _position, _records: None, habits=habits)
        except hosting.Moved:
            raise
        except Conflict:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return load
