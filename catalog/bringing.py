"""Versions of records on their way into the inbox: of an undo, and of a library that moves (store)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog import bodies, inbox, versions
from catalog.connection import Connection
from catalog.loads import Load
from catalog.records import Row
from catalog.versions import Version
from catalog.work import units
from catalog.work.queue import Queue


def kept(row: Row, dictionaries: Mapping[int, bytes]) -> Version:
    """The version that a row keeps."""
    raw = bodies.open_body(row.body, row.dictionary, dictionaries)
    return Version(row.local_id, raw, row.carrier, row.encoding, row.digest, row.load, row.parent)


async def land(conn: Connection, queue: Queue, load: Load, landed: int, some: Sequence[Version]) -> int:
    """Units of these versions behind `landed`; where the load stands then."""
    for start in range(0, len(some), versions.PAGE):
        unit = some[start : start + versions.PAGE]
        end = landed + len(unit)
        payload = bodies.pass_on(versions.encode(unit))
        number = await inbox.land(
            conn, load.load, position=landed, ordinal=landed, payload=payload, expected=landed, landed=end
        )
        await units.announce(queue, conn, load.load, [number])
        landed = end
    return landed
