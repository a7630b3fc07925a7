"""A decision about clusters that was put by a command: carried out, and told."""

from __future__ import annotations

from catalog import decisions
from catalog.decisions import Decision
from node import attending
from node.app import Node
from node.context import Context
from services.deciding import deciding


async def tell(context: Context, node: Node, made: Decision) -> int:
    """Wait until the matcher has carried it out, and say where its records are now; 5 if it came to nothing."""
    await attending.drain(node)
    async with node.database.transaction() as conn:
        made = await decisions.get(conn, made.decision)
        now = await deciding.where(conn, node.symbol, made)
    if context.out.json:
        context.out.item({"decision": made.decision, "state": made.state, "clusters": now, "result": made.result})
    context.out.say(context.text(f"decided_{made.state}", decision=made.decision, clusters=", ".join(now)))
    if made.result:
        context.out.note(made.result)
    return 5 if made.state == "void" or made.result else 0
