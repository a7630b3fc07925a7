"""The clerk: takes records that cataloguers hand in through the door, and says what becomes of each (shell).

It writes as the node's own role, for a visitor whose qualification the submission asks for; each is in the audit log.
"""

from __future__ import annotations

import asyncio
import logging

from catalog import submissions
from catalog.acts import Entry
from catalog.database.pool import Database
from catalog.work.queue import Queue
from config import sentences
from config.errors import Conflict, NotFound, Retry, TianluError
from node import soon, submitted
from node.deeds import Deed
from node.z3950.operations import ACTS
from node.z3950.tasks import Handed, HandIn, Offered
from node.z3950.visitors import Visitor
from services.submitting import answer as answering
from services.submitting import handing, looking

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds that the loads of a request's records are waited for, all together
ENOUGH = 30.0  # seconds after which no further record of a request is taken, so that what became of the others is told
AT_ONCE = 4  # requests: each record is a load


class Clerk:
    """Takes records in."""

    def __init__(self, database: Database, queue: Queue, lang: str) -> None:
        self._database, self._queue, self._lang = database, queue, lang
        self._free = asyncio.Semaphore(AT_ONCE)

    async def take(self, visitor: Visitor, address: str, task: HandIn) -> tuple[Handed, ...]:
        """Records in their order; one that is refused doesn't keep the next ones out."""
        loop = asyncio.get_running_loop()
        async with self._free:
            began, handed = loop.time(), list[Handed]()
            for each in task.records:
                waited = loop.time() - began
                if waited > ENOUGH:
                    handed.append(self._not("not taken: it would have taken too long, hand it in once more"))
                    continue
                try:
                    patience = max(0.0, PATIENCE - waited) if task.waits else 0.0
                    handed.append(await self._one(visitor, address, task, each, patience))
                except Retry as error:
                    if not handed:
                        raise
                    handed.append(self._not(str(error)))  # those before it have been taken, which is told
        return tuple(handed)

    def _not(self, why: str, submission: int = 0) -> Handed:
        return Handed(error=sentences.told(why, self._lang), submission=submission)

    async def _one(self, visitor: Visitor, address: str, task: HandIn, each: Offered, patience: float) -> Handed:
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
            return self._not(str(error))
        return await self._placed(handed, patience)

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
            try:
                await handing.land(self._database, self._queue, done.submission)
            except (Retry, Conflict) as error:  # it is accepted: a worker makes up for it
                log.warning("submission %d is landed later: %s", done.submission, error)
        return handed

    async def _placed(self, handed: handing.Handed, patience: float) -> Handed:
        """What is said of it, after its load if that comes to an end in time."""
        number = handed.submission.submission
        done = await soon.until(
            self._database,
            handed.submission,
            lambda now: now.state != "accepted",
            lambda conn: submissions.get(conn, number),
            patience,
        )
        told = handed.answer
        if done.state == "returned":
            return self._not(done.reason, done.submission)
        return Handed(
            said=answering.said(told, self._lang) if told else "",
            why=tuple(answering.why(told, self._lang)) if told else (),
            waits=done.state == "submitted",
            under_way=done.state == "accepted",
            submission=done.submission,
        )
