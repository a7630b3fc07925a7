"""What was copied becomes records of the library, by an ordinary load: checked, clustered, and undone like any other
(shell).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from catalog import libraries, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import Format, Source
from catalog.work.queue import Queue
from config.errors import Conflict, Misconfigured, NotFound
from dms.pipeline import Habits, habits_key
from exchange import landing, returns
from exchange.landing import Inputs
from protocols import iso2709, writing
from protocols.charsets import codec
from services.copying.taking import Copied

SOURCE = "copied"
FORMATS = {Format.MARC21: "marc21", Format.CNMARC: "cnmarc"}
PATIENCE, PAUSE = 15.0, 0.2  # seconds that another load of the same source is waited for, and between looks


def name_of(library: str, own: str) -> str:
    """The source of what a library copies; `own`: the node's own library."""
    return SOURCE if library == own else f"{SOURCE}-{library}"


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


def inputs(copied: Sequence[Copied]) -> Inputs:
    """What is loaded; its name tells the targets. MARCXML only where ISO 2709 can't say a record."""
    names = " ".join(dict.fromkeys(each.candidate.target.name for each in copied))
    try:
        raws, carrier = [iso2709.encoded(each.record, codec.UTF8).data for each in copied], "iso2709"
    except iso2709.TooLong:
        raws, carrier = [writing.write(each.record, "marcxml").data for each in copied], "marcxml"
        around = writing.AROUND["marcxml"]
        raws = [around.before + b"".join(raws) + around.after]
    return returns.inputs(raws, carrier, name=f"copied: {names}")


async def land(database: Database, queue: Queue, into: Source, copied: Sequence[Copied]) -> Load:
    """Land them for the node's workers. Conflict if another load of the source doesn't end in time."""
    given, give_up = inputs(copied), time.monotonic() + PATIENCE
    while True:
        try:
            load = await landing.open_load(database, into, given, mode="changes", encoding=codec.UTF8, assured=True)
            break
        except Conflict:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(PAUSE)
    habits = habits_key(Habits(source=into, carrier=given.carrier, encoding=codec.UTF8))
    await landing.land(database, queue, into, load, given, lambda _position, _records: None, habits=habits)
    return load
