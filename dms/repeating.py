"""Different records that bear one id in one load: what lost is kept with what came back (store).

In the installed base a number is sometimes copied to many books. One of them is taken; the others would be gone without
a trace. A version that says itself, by an older 005, that another stands for it is no such loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog import bodies, dictionaries, inbox, original, quarantine
from catalog.connection import Connection
from catalog.loads import Load
from catalog.quarantine import Case
from dms import pipeline
from dms.judging import Entry
from dms.pipeline import Item, decode_prepared

RULE = "id-repeated"
MODES = ("changes", "full")  # loads of a library's own input


async def keep(conn: Connection, load: Load, beaten: Sequence[tuple[str, Entry]]) -> None:
    """Put what lost into quarantine, unit by unit."""
    by_unit: dict[int, list[tuple[str, Entry]]] = {}
    for local_id, entry in beaten:
        by_unit.setdefault(entry.unit, []).append((local_id, entry))
    known = await dictionaries.every(conn) if by_unit else {}
    for unit, mine in sorted(by_unit.items()):
        items = decode_prepared(bodies.grow(await inbox.prepared(conn, load.load, unit))).items
        await quarantine.put(conn, [_case(load, local_id, items[entry.index], known) for local_id, entry in mine])


def _case(load: Load, local_id: str, item: Item, known: Mapping[int, bytes]) -> Case:
    came = original.received(bodies.open_body(item.body, item.dictionary, known), item.carrier, item.encoding)
    return Case(
        source=load.source,
        library=load.library,
        load=load.load,
        position=item.position,
        ordinal=item.ordinal,
        local_id=local_id,
        verdict="returned",
        rule=RULE,
        reason=local_id,
        carrier=came.carrier,
        digest=pipeline.plain_digest(came.raw),
        body=bodies.shrink(came.raw),
    )
