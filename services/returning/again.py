"""Cases of quarantine become loads: their bytes are read once more, with a fix if one is chosen (shell)."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from contextlib import ExitStack

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
PAGE = 10_000  # cases that are noted at once


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
    begun: list[Load] = []
    with ExitStack() as stack:
        found = await _gather(stack, database, source, rule)
        for carrier in filter(found.__contains__, CARRIER_NAMES):
            gathered, idents = found[carrier]
            inputs = gathered.inputs()
            load = await landing.open_load(
                database, source, inputs, mode="changes", encoding=encoding, assured=True, mends=mends
            )
            async with database.transaction() as conn:
                for start in range(0, len(idents), PAGE):
                    await quarantine.begin_rerun(conn, idents[start : start + PAGE], load.load)
            said = encoding if encoding != "auto" else source.encoding
            habits = habits_key(Habits(source=source, carrier=inputs.carrier, encoding=said))
            await landing.land(database, queue, source, load, inputs, lambda _position, _records: None, habits=habits)
            begun.append(load)
    if not begun:
        raise NotFound(f"nothing that came back from {source.name} can be read again here")
    return begun


async def _gather(
    stack: ExitStack, database: Database, source: Source, rule: str | None
) -> dict[Carrier, tuple[returns.Gathered, array[int]]]:
    """What is read again, with the numbers of its cases, by carrier. There may be more of it than fits in memory."""
    found: dict[Carrier, tuple[returns.Gathered, array[int]]] = {}
    async with database.transaction() as conn:
        async for case in quarantine.bodies(conn, source=source.no, rule=rule):
            carrier = Carrier(case["carrier"])
            # What another node told is mended there, and told again.
            if carrier is Carrier.PACKED or case["rule"] in ONCE:
                continue
            if carrier not in found:
                found[carrier] = (stack.enter_context(returns.Gathered(CARRIER_NAMES[carrier])), array("q"))
            gathered, idents = found[carrier]
            gathered.add(bodies.grow(case["body"]))
            idents.append(case["id"])
    return found
