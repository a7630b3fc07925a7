"""A decision about clusters that was put by a command: carried out, and told."""

from __future__ import annotations

from catalog import decisions
from catalog.decisions import Decision
from dms.deciding import AGAINST, MISSING
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
    if against := _after(made, AGAINST):
        context.out.say(context.text("decided_against", decision=made.decision, against=against))
        return 5
    context.out.say(context.text(f"decided_{made.state}", decision=made.decision, clusters=", ".join(now)))
    if missing := _after(made, MISSING):
        context.out.note(context.text("decision_missing", missing=missing))
    return 5 if made.state == "void" else 0


def said(context: Context, one: Decision) -> str:
    """A decision on a line."""
    line = context.text(
        "decision_line",
        decision=one.decision,
        date=f"{one.at:%Y-%m-%d}",
        kind=context.text(f"decision_{one.kind}"),
        state=context.text(f"decision_{one.state}"),
        who=one.who,
        why=one.why,
    )
    if against := _after(one, AGAINST):
        line += "; " + context.text("decision_against", against=against)
    if missing := _after(one, MISSING):
        line += "; " + context.text("decision_missing", missing=missing)
    return line


def _after(one: Decision, word: str) -> str:
    """What stands behind the word in a decision's result; "?" if nothing does, "" if the result is another."""
    if one.state not in ("done", "void") or not one.result.startswith(word):
        return ""
    return one.result.removeprefix(word).strip() or "?"
