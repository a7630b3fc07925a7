"""What is done with all that a rule returned from a source, from a page or a program: mend, read again, forget."""

from __future__ import annotations

from aiohttp import web

from catalog import quarantine
from catalog.model import Source
from node.web import auditing, context
from services.returning import again

ACTS = {"fix": "quarantine.fix", "rerun": "quarantine.rerun", "drop": "quarantine.drop"}


async def carry_out(request: web.Request, source: Source, asked: str, rule: str) -> tuple[list[int], int]:
    """Do what is asked, one of ACTS, and audit it: (loads that read the records again, how many were forgotten).
    NotFound if nothing can be read again.
    """
    deed, node = auditing.deed(request), context.node_of(request)
    deed.about(act=ACTS[asked], object=source.name, library=source.library, rule=rule)
    if asked == "drop":
        async with node.database.transaction() as conn:
            count = await quarantine.drop(conn, source=source.no, rule=rule)
            await deed.done(conn, count=count)
        return [], count
    async with node.database.transaction() as conn:
        await deed.begun(conn)
    begun = await again.begin(node.database, node.queue, source, rule=rule, mends=(rule,) if asked == "fix" else ())
    deed.about(load=begun[0].load)
    return [load.load for load in begun], 0
