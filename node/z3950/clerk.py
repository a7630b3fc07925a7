"""The clerk: takes records that cataloguers hand in through the door, and says what becomes of each (shell).

It writes as the node's own role, for a visitor whose qualification the submission asks for; each is in the audit log.
"""

from __future__ import annotations

import asyncio

from catalog import submissions
from catalog.acts import Entry
from catalog.database.pool import Database
from catalog.work.queue import Queue
from config.errors import NotFound, Retry, TianluError
from node import soon, submitted
from node.deeds import Deed
from node.z3950.operations import ACTS
from node.z3950.tasks import Handed, HandIn, Offered
from node.z3950.visitors import Visitor
from services.submitting import answer as answering
from services.submitting import handing, looking

PATIENCE = 10.0  # seconds that a record's load is waited for
AT_ONCE = 4  # requests: each record is a load


class Clerk:
    """Takes records in."""

    def __init__(self, database: Database, queue: Queue, lang: str) -> None:
        self._database, self._queue, self._lang = database, queue, lang
        self._free = asyncio.Semaphore(AT_ONCE)

    async def take(self, visitor: Visitor, address: str, task: HandIn) -> tuple[Handed, ...]:
        """Records in their order; one that is refused doesn't keep the next ones out."""
        async with self._free:
            return tuple([await self._one(visitor, address, task, each) for each in task.records])

    async def _one(self, visitor: Visitor, address: str, task: HandIn, each: Offered) -> Handed:
        entry = Entry(
            actor=visitor.actor.name, act=ACTS["update"], object=each.ident, library=visitor.library, address=address
        )
        deed = Deed(entry=entry)
        try:
            handed = await self._handed(visitor, task, each, deed)
        except Retry:
            raise
        except TianluError as error:
            await deed.settle(self._database, "refused", error=error.code)
            return Handed(error=str(error))
        return await self._placed(handed, waits=task.waits)

    async def _handed(self, visitor: Visitor, task: HandIn, each: Offered, deed: Deed) -> handing.Handed:
        who, library = submitted.who(visitor.actor), visitor.library
        given = looking.read(each.data, each.carrier, encoding=each.encoding) if each.data else None
        async with self._database.transaction() as conn:
            action, of = task.actions[0], ""
            if action != "insert":
                try:
                    of = await handing.own(conn, library, given, each.ident)
                except NotFound:
                    if "insert" not in task.actions:
                        raise
                    action = "insert"
            if action == "delete":
                given = None
            elif given is not None and action == "replace":
                given = await handing.renamed(conn, given, of)
            made = await handing.draft(conn, who, library, action, given, of=of, note=task.note)
            handed = await handing.submit(conn, who, made.submission)
            done = handed.submission
            await deed.done(conn, object=str(done.submission), action=action, state=done.state)
        if done.state == "accepted":
            await handing.land(self._database, self._queue, done.submission)
        return handed

    async def _placed(self, handed: handing.Handed, *, waits: bool) -> Handed:
        """What is said of it, after its load if that comes to an end in time."""
        number = handed.submission.submission
        done = await soon.until(
            self._database,
            handed.submission,
            lambda now: not waits or now.state != "accepted",
            lambda conn: submissions.get(conn, number),
            PATIENCE,
        )
        told = handed.answer
        if done.state == "returned":
            return Handed(error=done.reason, submission=done.submission)
        return Handed(
            said=answering.said(told, self._lang) if told else "",
            why=tuple(answering.why(told, self._lang)) if told else (),
            waits=done.state == "submitted",
            under_way=done.state == "accepted",
            submission=done.submission,
        )
