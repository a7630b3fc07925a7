"""Libraries that move between this node and a child: where each end is, and which bodies need not be sent."""

from __future__ import annotations

from aiohttp import web

from config.errors import BadRecord
from exchange import ends, handover, parting, spares
from exchange.handover import Ask, Have
from node.web.exchange_door import Caller, answer


async def handed(_request: web.Request, caller: Caller) -> web.Response:
    """The child says where it is in a hand-over, and hears where this node is."""
    asked = caller.message(Ask)
    if len(asked.statement) > handover.LONGEST:
        raise BadRecord("the statement is too long")
    node = caller.door.node
    async with node.database.transaction() as conn:
        return answer(await parting.hear(conn, node.symbol, ends.peer(caller.peer), asked))


async def have(_request: web.Request, caller: Caller) -> web.Response:
    """Which of these bibs this node can put together itself."""
    asked = caller.message(Have)
    if len(asked.proofs) > handover.MOST_ASKED:
        raise BadRecord(f"at most {handover.MOST_ASKED} proofs at a time")
    async with caller.door.node.database.connection() as conn:
        return answer(await spares.answer(conn, ends.peer(caller.peer), asked))
