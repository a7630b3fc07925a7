"""Submissions from the first draft to the load that brings them (shell).

What is accepted is landed as a load of one record; when that load is placed, the matcher turns the submission (merged,
or returned with the reason). `see_through` lands again what was accepted and whose landing was cut short.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from catalog import (
    clusters,
    hosting,
    libraries,
    records,
    reservations,
    sources,
    submissions,
)
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.hosting import Moved
from catalog.model import HELD_PREFIX, Format, Source
from catalog.submissions import Action, Submission
from catalog.work import leases, lives
from catalog.work.queue import Queue
from config.errors import BadRecord, Conflict, Misconfigured, NotFound, Refused, Retry
from dms import identity
from dms.pipeline import Habits, habits_key
from dms.rules import kinds
from dms.rules.model import Kind
from exchange import bringing, returns
from exchange.bringing import FORMATS
from protocols import marcjson
from protocols.charsets import codec
from protocols.marc import Record
from services.submitting import answer as answering
from services.submitting import looking, naming, reserving, states
from services.submitting.answer import Answer
from services.submitting.looking import Given
from services.submitting.states import STEPS, Event, Who

NUMBER = "S{:08d}"  # the 001 of a record that names itself by nothing
CARRIER = "marcjson"
NAMES = {name: fmt for fmt, name in FORMATS.items()}
LONGEST = 500  # characters of a note or a reason
LEASE, LEASE_SECONDS = "submissions", 60  # of whoever makes up for landings


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A submission after a step, with what was said of it."""

    submission: Submission
    answer: Answer | None


async def draft(
    conn: Connection, who: Who, library: str, action: Action, given: Given | None, *, of: str = "", note: str = ""
) -> Submission:
    """A new draft. `of`: SOURCE/LOCAL-ID of the record that is replaced or deleted. Refused where it isn't the
    library's; NotFound if it isn't there; Misconfigured if the record is missing or too much; Moved if another node
    writes for the library.
    """
    if not who.may(Event.EDIT, library):
        raise Refused(f"{who.name} may not submit records of {library}")
    _bounded(note)
    if await libraries.get(conn, library) is None:
        raise NotFound(f"there is no library {library} here")
    await hosting.writable(conn, library)
    if given is not None and given.kind is Kind.HOLDINGS:
        given = await _attached(conn, library, given)
    if action == "insert":
        if given is None:
            raise Misconfigured("what is inserted? give the record")
        await naming.free(conn, library, await naming.source_of(conn, library, FORMATS[given.format]), given)
        return await _add(conn, who, library, action, given, None, "", note)
    source, row = await naming.standing(conn, of, library)
    if action == "delete":
        given = Given(record=await naming.kept(conn, row), format=Format(row.format), kind=Kind(row.kind))
    elif given is None:
        raise Misconfigured("what replaces the record? give the new one")
    elif naming.called(given, source) not in ("", naming.number(given, row.local_id)):
        raise Conflict(f"the record names itself {naming.called(given, source)}, not {row.local_id}")
    return await _add(conn, who, library, action, given, source.no, row.local_id, note)


async def own(conn: Connection, library: str, given: Given | None, ident: str) -> str:
    """The library's record that a client means, as SOURCE/LOCAL-ID: named so, by a cluster that it has one record in,
    or by a number, which may be the record's own 001. NotFound if it has none. A holdings record means another one.
    """
    told = ident or (identity.named_id(given.record, "001") if given else "")
    if "/" in told:
        return told
    held = given is not None and given.kind is Kind.HOLDINGS
    number = HELD_PREFIX + told.removeprefix(HELD_PREFIX) if held else told
    found = await records.of_library(conn, library, number)
    if not found and not held and (published := await clusters.resolve(conn, told)) is not None:
        found = await records.of_library_in(conn, library, published.cluster)
    if len(found) > 1:
        raise Conflict(f"{library} has several records {told}: {', '.join(found)}; name one of them")
    if not found:
        raise NotFound(f"{library} has no record {told or 'without a number'}")
    return found[0]


async def renamed(conn: Connection, given: Given, of: str) -> Given:
    """A record that was fetched from a merged one names the cluster: as the library's own it has its own number."""
    name, _, local_id = of.partition("/")
    number = naming.number(given, local_id)
    source = await sources.get(conn, name)
    if source.identity != "001" or naming.called(given, source) in ("", number):
        return given
    return naming.numbered(given, number)


async def edit(conn: Connection, who: Who, number: int, given: Given, note: str = "") -> Submission:
    """The record as its cataloguer has it now."""
    there = await submissions.get(conn, number, lock=True, within=who.within(Event.EDIT))
    states.on(there.state, Event.EDIT)
    if there.action == "delete":
        raise Conflict(f"submission {number} deletes a record: there is nothing to edit in it")
    _bounded(note)
    body, title = _written(given), given.description.title
    await submissions.write(conn, number, format=FORMATS[given.format], body=body, title=title, note=note or there.note)
    return await submissions.get(conn, number)


async def look(conn: Connection, who: Who, submission: Submission) -> Answer:
    """What would become of it now; nothing is changed."""
    qualified = who.may(Event.ACCEPT, submission.library)
    instead = None
    if submission.source is not None:
        there = await records.standing(conn, submission.source, [submission.local_id])
        instead = there[submission.local_id].sid if there else None
    return await looking.look(conn, given_of(submission), submission.library, qualified=qualified, instead=instead)


async def foresee(
    database: Database, who: Who, library: str, action: Action, given: Given | None, *, of: str = "", note: str = ""
) -> tuple[Submission, Answer]:
    """What would become of what is not handed in yet; nothing is kept. Raises as `draft`."""
    async with database.connection() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            made = await draft(conn, who, library, action, given, of=of, note=note)
            return made, await look(conn, who, made)
        finally:
            await transaction.rollback()


async def submit(conn: Connection, who: Who, number: int) -> Handed:
    """Hand it in: it waits for a reviewer, unless its cataloguer is qualified and nothing speaks against it: then it is
    accepted at once, and is to be landed (`land`) when the transaction has ended.
    """
    there = await submissions.get(conn, number, lock=True, within=who.within(Event.SUBMIT))
    states.on(there.state, Event.SUBMIT)
    told = await _answered(conn, who, there)
    await submissions.turn(
        conn, number, "submitted", since=STEPS[Event.SUBMIT].since, answer=answering.plain(told), reason=""
    )
    if not told.held:
        await _accept(conn, who, there)
    return Handed(submission=await submissions.get(conn, number), answer=told)


async def accept(conn: Connection, who: Who, number: int) -> Handed:
    """A reviewer lets it in, to be landed when the transaction has ended. Refused while rules find errors in it or
    another library has reserved it: doubts about a match are settled by decisions, when it is there.
    """
    there = await submissions.get(conn, number, lock=True, within=who.within(Event.ACCEPT))
    states.on(there.state, Event.ACCEPT)
    told = await _answered(conn, who, there)
    if answering.ERRORS in told.held:
        raise Refused(f"submission {number} has errors: {', '.join(dict.fromkeys(told.wrong))}")
    if answering.RESERVED in told.held:
        what, library, until = told.reserved[0]
        raise Refused(f"{what} is reserved by {library} until {until[:16]}")
    await submissions.turn(conn, number, "submitted", since=("submitted",), answer=answering.plain(told))
    await _accept(conn, who, there)
    return Handed(submission=await submissions.get(conn, number), answer=told)


async def send_back(conn: Connection, who: Who, number: int, reason: str) -> Submission:
    """A reviewer returns it with a reason."""
    there = await submissions.get(conn, number, lock=True, within=who.within(Event.RETURN))
    if not reason.strip():
        raise Misconfigured("say what is to be put right")
    _bounded(reason)
    await _turn(conn, there, Event.RETURN, decided_by=who.name, reason=reason.strip())
    return await submissions.get(conn, number)


async def withdraw(conn: Connection, who: Who, number: int) -> Submission:
    """Its library wants it no longer."""
    there = await submissions.get(conn, number, lock=True, within=who.within(Event.WITHDRAW))
    await _turn(conn, there, Event.WITHDRAW, decided_by=who.name)
    return await submissions.get(conn, number)


async def land(database: Database, queue: Queue, number: int) -> int:
    """Land what was accepted, for the node's workers; the load's number. What has been landed stays so."""
    async with database.transaction() as conn:
        there = await submissions.get(conn, number)
        if there.load is not None:
            return there.load
        source = await _source(conn, there)
    record = given_of(there).record
    if there.action == "delete":
        record = Record(record.leader[:5] + "d" + record.leader[6:], record.fields)
    opened = functools.partial(returns.inputs, [marcjson.write(record).encode()], CARRIER, name=f"submission {number}")
    habits = habits_key(Habits(source=source, carrier=CARRIER, encoding=codec.UTF8))
    load = await bringing.land(database, queue, source, opened, habits=habits)
    async with database.transaction() as conn:
        await submissions.brought(conn, number, load.load)
    return load.load


async def see_through(database: Database, queue: Queue, limit: int = 100) -> int:
    """Land what was accepted and has no load, because whoever accepted it is gone; how many there were. What can't be
    landed any more is returned with the reason. One process does so at a time.
    """
    holder = lives.name()
    async with database.connection() as conn:
        numbers = await submissions.unlanded(conn, limit)
        term = await leases.acquire(conn, LEASE, holder, LEASE_SECONDS) if numbers else None
    if term is None:
        return 0
    for number in numbers:
        try:
            await land(database, queue, number)
        except (BadRecord, Misconfigured, Moved, NotFound, Refused) as error:
            async with database.transaction() as conn:
                await submissions.turn(conn, number, "returned", since=("accepted",), reason=str(error))
        except (Conflict, Retry):
            break  # the source or the database is busy: at the next look
    async with database.connection() as conn:
        await leases.release(conn, LEASE, holder, term)
    return len(numbers)


def given_of(submission: Submission) -> Given:
    """The record of a submission."""
    record, _ = marcjson.read(submission.body)
    fmt = NAMES[submission.format]
    return Given(record=record, format=fmt, kind=kinds.kind_of(record, fmt))


async def _answered(conn: Connection, who: Who, there: Submission) -> Answer:
    if there.action == "delete":
        qualified = who.may(Event.ACCEPT, there.library)
        return answering.of_deletion(qualified=qualified)
    return await look(conn, who, there)


async def _accept(conn: Connection, who: Who, there: Submission) -> None:
    await hosting.writable(conn, there.library)
    given = given_of(there)
    source = await _source(conn, there)
    local_id = there.local_id
    if there.action == "insert":  # whatever it was called when it came back
        local_id = naming.called(given, source) or NUMBER.format(there.submission)
        if not naming.called(given, source):
            given = naming.numbered(given, local_id)
            title = given.description.title
            await submissions.write(
                conn,
                there.submission,
                format=FORMATS[given.format],
                body=_written(given),
                title=title,
                note=there.note,
            )
    if there.action == "insert":
        await sources.lock(conn, source.no)  # of two with one number the second sees the first
        await naming.free(conn, there.library, source.name, given)
        if await submissions.coming(conn, source.no, local_id):
            raise Conflict(f"another submission brings {source.name}/{local_id}: look at it when that is there")
    await submissions.turn(
        conn, there.submission, "accepted", since=("submitted",), decided_by=who.name, record=(int(source.no), local_id)
    )
    await reservations.end(conn, reserving.keys(given.facts, given.description), there.library)


async def _turn(
    conn: Connection, there: Submission, event: Event, *, decided_by: str | None = None, reason: str | None = None
) -> None:
    to = states.on(there.state, event)
    await submissions.turn(conn, there.submission, to, since=STEPS[event].since, decided_by=decided_by, reason=reason)


async def _add(
    conn: Connection,
    who: Who,
    library: str,
    action: Action,
    given: Given,
    source: int | None,
    local_id: str,
    note: str,
) -> Submission:
    return await submissions.add(
        conn,
        library,
        action,
        format=FORMATS[given.format],
        body=_written(given),
        title=given.description.title,
        made_by=who.name,
        note=note,
        source=source,
        local_id=local_id,
    )


async def _attached(conn: Connection, library: str, given: Given) -> Given:
    """A holdings record that names its title as it was found here (004 with the id of a cluster) names the library's
    own record of it. Conflict if the library has none: whose copies would they be?
    """
    told = (given.record.first("004") or "").strip()
    if not told:
        return given  # by another rule, or by nothing, which is told when it is placed
    try:
        name = await own(conn, library, None, told)
    except NotFound as error:
        raise Conflict(f"{library} has no bibliographic record {told} that these could be holdings of") from error
    record = given.record
    number = name.partition("/")[2]
    fields = tuple((tag, number if tag == "004" else text) for tag, text in record.fields)
    return Given(record=Record(record.leader, fields), format=given.format, kind=given.kind, told=given.told)


async def _source(conn: Connection, there: Submission) -> Source:
    if there.source is not None:
        return await sources.by_number(conn, there.source)
    name = await naming.source_of(conn, there.library, there.format)
    return await bringing.source(conn, name, there.library, NAMES[there.format])


def _written(given: Given) -> bytes:
    return marcjson.write(given.record).encode()


def _bounded(text: str) -> None:
    if len(text) > LONGEST:
        raise Misconfigured(f"a note or reason has at most {LONGEST} characters, not {len(text)}")
