"""A batch change as a form or a program asks for it: which records, what is done to them, seen before it is made."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from catalog import batches
from catalog.batches import Batch
from catalog.connection import Connection
from config.errors import Misconfigured
from dms import batch_change
from dms.batch_change import Operation
from node.web import auditing, context, permits
from node.web.inputs import reasoned
from node.web.middleware import BadInput
from services.access.policy import Permission
from services.cataloguing import batch as batching
from services.cataloguing import choosing
from services.cataloguing.batch import Preview
from services.cataloguing.choosing import Chosen

PREVIEWED = 500  # records that a preview looks at, the first of them
SELECT, SOURCE, IDS = "query", "source", "ids"
WAYS = (SELECT, SOURCE, IDS)
LONGEST_LINE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for. `way`: one of WAYS; `which`: a query, a source's name, or ids (one a line)."""

    way: str
    which: str
    rule: str
    lines: tuple[str, ...]
    change: tuple[Operation, ...]


def read(way: str, which: str, rule: str, lines: tuple[str, ...]) -> Asked:
    """What was sent, if it can be done; BadInput says what can't."""
    if way not in WAYS or not which.strip():
        raise BadInput("Say which records: a query, a source, or ids.")
    if any(len(line) > LONGEST_LINE for line in (*lines, *which.splitlines())):
        raise BadInput(f"A line has {LONGEST_LINE} characters at most.")
    try:
        batching.check_rule(rule)
        change = batch_change.read(lines)
    except Misconfigured as error:
        raise BadInput(str(error)) from error
    return Asked(way=way, which=which, rule=rule, lines=lines, change=change)


async def preview(request: web.Request, asked: Asked) -> Preview:
    """What it would do with the first PREVIEWED records. All is read as the visitor may."""
    async with context.private(request, Permission.CHANGE) as conn:
        chosen = await _chosen(request, conn, asked)
        return await batching.preview(
            conn, chosen, asked.change, rule=asked.rule, within=within(request), limit=PREVIEWED
        )


async def make(request: web.Request, asked: Asked, why: str) -> Batch:
    """Put the batch; workers carry it out. In the audit log as the command is."""
    reasoned(why)
    node, deed = context.node_of(request), auditing.deed(request)
    deed.about(object=asked.which[:LONGEST_LINE], change=list(asked.lines), rule=asked.rule, why=why)
    async with context.private(request, Permission.CHANGE) as conn:
        chosen = await _chosen(request, conn, asked)
    async with node.database.transaction() as conn:
        made = await batching.make(
            conn,
            node.queue,
            chosen,
            asked.change,
            who=permits.actor_of(request).name,
            why=why,
            rule=asked.rule,
            within=within(request),
        )
        await deed.done(conn, batch=made.batch, selection=made.selection)
    return made


async def undo(request: web.Request, number: int, why: str) -> Batch:
    """Take a batch back."""
    reasoned(why)
    node, deed = context.node_of(request), auditing.deed(request)
    deed.about(object=str(number), why=why)
    who = permits.actor_of(request).name
    async with context.private(request, Permission.CHANGE) as conn:
        await batches.get(conn, number, within=within(request))
    async with node.database.transaction() as conn:
        taken = await batching.undo(conn, node.queue, number, who=who, why=why, within=within(request))
        await deed.done(conn)
    return taken


def within(request: web.Request) -> frozenset[str] | None:
    """Libraries whose records the visitor may change; None = all."""
    return permits.actor_of(request).reach(Permission.CHANGE).within


async def _chosen(request: web.Request, conn: Connection, asked: Asked) -> Chosen:
    try:
        if asked.way == SOURCE:
            return await batching.source(conn, asked.which.strip(), within(request))
        if asked.way == IDS:
            return await choosing.of_ids(conn, asked.which.splitlines(), "ids", within(request))
        return await choosing.of_query(conn, context.node_of(request).reader, asked.which, within(request))
    except Misconfigured as error:
        raise BadInput(str(error)) from error
