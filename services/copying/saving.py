"""What was copied becomes records of the library, by an ordinary load: checked, clustered, and undone like any other
(shell).
"""

from __future__ import annotations

from collections.abc import Sequence

from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import Source
from catalog.work.queue import Queue
from dms.pipeline import Habits, habits_key
from exchange import bringing, returns
from exchange.landing import Inputs
from protocols import iso2709, writing
from protocols.charsets import codec
from services.copying.taking import Copied

SOURCE = "copied"


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
    habits = habits_key(Habits(source=into, carrier=inputs(copied).carrier, encoding=codec.UTF8))
    return await bringing.land(database, queue, into, lambda: inputs(copied), habits=habits)
