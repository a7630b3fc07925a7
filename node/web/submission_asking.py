"""What the pages and addresses for submissions share: reading a record that was typed, steps, and landing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from catalog import reservations, submissions
from catalog.connection import Connection
from catalog.reservations import Reservation
from catalog.submissions import ACTIONS, Action, Submission
from config.errors import BadRecord, Misconfigured
from node import submitted
from node.web import auditing, context, permits
from node.web.middleware import BadInput
from services.submitting import handing, looking, reserving
from services.submitting.answer import Answer
from services.submitting.handing import Handed
from services.submitting.looking import Given
from services.submitting.states import Event, Who

LARGEST = 200_000  # characters of a record
STEPS = (Event.EDIT, Event.SUBMIT, Event.WITHDRAW)  # of its cataloguer
DECIDES = (Event.ACCEPT, Event.RETURN)  # of a reviewer


def who(request: web.Request) -> Who:
    """The visitor's qualifications."""
    return submitted.who(permits.actor_of(request))


def library_of(request: web.Request, told: str) -> str:
    """Whose record it is: as told, else where the visitor is at home; 404 beyond reach."""
    library = told.strip() or permits.actor_of(request).library or context.node_of(request).symbol
    permits.within(request, library)
    return library


def action_of(told: str) -> Action:
    """What is done. BadInput if it is nothing."""
    for action in ACTIONS:
        if told == action:
            return action
    raise BadInput(f"do one of {', '.join(ACTIONS)}, not {told!r}")


def given(record: str) -> Given | None:
    """A record in lines of `.mrk`; None if nothing was typed. BadInput names what is wrong."""
    if not record.strip():
        return None
    if len(record) > LARGEST:
        raise BadInput(f"a record has at most {LARGEST:,} characters")
    try:
        return looking.read(record.replace("\r\n", "\n").encode("utf-8", "replace"), "mrk", encoding="utf-8")
    except BadRecord as error:
        raise BadInput(f"the record can't be read: {error}") from error


async def look(
    request: web.Request, library: str, action: Action, record: Given | None, of: str
) -> tuple[Submission, Answer]:
    """What would become of it; nothing is kept."""
    auditing.deed(request).nothing()
    try:
        return await handing.foresee(context.node_of(request).database, who(request), library, action, record, of=of)
    except Misconfigured as error:
        raise BadInput(str(error)) from error


async def make(
    request: web.Request, library: str, action: Action, record: Given | None, of: str, note: str, *, draft: bool
) -> Handed:
    """Keep it, and unless it is a draft hand it in."""

    async def step(conn: Connection) -> Handed:
        try:
            made = await handing.draft(conn, who(request), library, action, record, of=of, note=note)
        except Misconfigured as error:
            raise BadInput(str(error)) from error
        if draft:
            return Handed(submission=made, answer=None)
        return await handing.submit(conn, who(request), made.submission)

    return await _hand(request, step)


async def step(request: web.Request, number: int, event: Event, record: Given | None, why: str) -> Handed:
    """A step of a submission."""

    async def go(conn: Connection) -> Handed:
        try:
            return await _gone(conn, who(request), number, event, record, why)
        except Misconfigured as error:
            raise BadInput(str(error)) from error

    return await _hand(request, go)


async def _gone(conn: Connection, person: Who, number: int, event: Event, record: Given | None, why: str) -> Handed:
    match event:
        case Event.SUBMIT:
            if record is not None:  # as it was typed last
                await handing.edit(conn, person, number, record)
            return await handing.submit(conn, person, number)
        case Event.ACCEPT:
            return await handing.accept(conn, person, number)
        case Event.RETURN:
            done = await handing.send_back(conn, person, number, why)
        case Event.WITHDRAW:
            done = await handing.withdraw(conn, person, number)
        case Event.EDIT:
            if record is None:
                raise BadInput("what shall the record be?")
            done = await handing.edit(conn, person, number, record)
    return Handed(submission=done, answer=None)


async def _hand(request: web.Request, go: Callable[[Connection], Awaitable[Handed]]) -> Handed:
    """Do it, with the audit log; what was let in is landed for the workers."""
    node = context.node_of(request)
    async with node.database.transaction() as conn:
        handed = await go(conn)
        done = handed.submission
        await auditing.deed(request).done(
            conn, object=str(done.submission), library=done.library, action=done.action, state=done.state
        )
    if done.state == "accepted":
        await handing.land(node.database, node.queue, done.submission)
        async with node.database.connection() as conn:
            handed = Handed(submission=await submissions.get(conn, done.submission), answer=handed.answer)
    return handed


async def reserve(request: web.Request, what: str, library: str, hours: float, *, end: bool) -> Reservation:
    """Reserve an ISBN or a title, or give it up."""
    node = context.node_of(request)
    async with node.database.transaction() as conn:
        try:
            if end:
                done = await reservations.give_up(conn, reserving.key(what), who(request).submits)
            else:
                name = permits.actor_of(request).name
                done = await reserving.make(conn, what, library, made_by=name, hours=hours)
        except Misconfigured as error:
            raise BadInput(str(error)) from error
        await auditing.deed(request).done(conn, object=done.key, library=done.library)
    return done
