"""Cases of quarantine become loads: their bytes are read once more, with a fix if one is chosen (shell)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from catalog import bodies, quarantine
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import CARRIER_NAMES, Carrier, Source
from catalog.work.queue import Queue
from config.errors import NotFound
from dms import repeating
from dms.pipeline import Habits, habits_key
from exchange import landing, returns

# Cases whose bytes are no record, and those that would take the place of the record that has their number.
ONCE = (landing.INPUT_FAULT, repeating.RULE)


async def begin(
    database: Database,
    queue: Queue,
    source: Source,
    *,
    rule: str | None = None,
    mends: Collection[str] = (),
    encoding: str = "auto",
) -> list[Load]:
    """A load of all cases of a source (of one rule) for each carrier that they came by. `mends`: rules whose fixes are
    made on the way. What passes is settled when the load is judged, what doesn't keeps its place. NotFound if no case
    can be read again.
    """
    async with database.transaction() as conn:
        cases = [dict(row) async for row in quarantine.bodies(conn, source=source.no, rule=rule)]
    begun: list[Load] = []
    for carrier, raws, idents in _by_carrier(cases):
        inputs = returns.inputs(raws, carrier)
        load = await landing.open_load(
            database, source, inputs, mode="changes", encoding=encoding, assured=True, mends=mends
        )
        async with database.transaction() as conn:
            await quarantine.begin_rerun(conn, idents, load.load)
        said = encoding if encoding != "auto" else source.encoding
        habits = habits_key(Habits(source=source, carrier=carrier, encoding=said))
        await landing.land(database, queue, source, load, inputs, lambda _position, _records: None, habits=habits)
        begun.append(load)
    if not begun:
        raise NotFound(f"nothing that came back from {source.name} can be read again here")
    return begun


def _by_carrier(cases: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[bytes], list[int]]]:
    for carrier in CARRIER_NAMES:
        if carrier == Carrier.PACKED:  # what another node told is mended there, and told again
            continue
        mine = [case for case in cases if case["carrier"] == carrier and case["rule"] not in ONCE]
        if mine:
            yield CARRIER_NAMES[carrier], [bodies.grow(case["body"]) for case in mine], [case["id"] for case in mine]
