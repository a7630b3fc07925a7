"""The pages of submissions: what waits, a new record with what would become of it, one with its steps; reservations."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from multidict import MultiMapping

from catalog import reservations, submissions
from catalog.reservations import Reservation
from catalog.submissions import OPEN, STATES, Submission
from config import sentences
from config.errors import Conflict, Refused
from node.web import context, permits, submission_asking, view, visitor
from node.web.inputs import numbered
from node.web.middleware import BadInput
from node.web.submission_asking import DECIDES, LARGEST, STEPS
from protocols import writing
from services.access.policy import Permission
from services.submitting import handing, reserving, told
from services.submitting.states import Event, Who

SIZE = 100  # of a list
REFRESH = "2"  # seconds between looks at one that is on its way
LIGHTS = {
    "draft": "suspended",
    "submitted": "flowing",
    "returned": "trouble",
    "accepted": "flowing",
    "merged": "active",
    "withdrawn": "suspended",
}
DO = ("look", "draft", "submit")
EMPTY = {"action": "insert", "of": "", "record": "", "note": "", "library": ""}
START = "=LDR  00000nam0 2200000   450 \n=010  \\\\$a\n=200  1\\$a$f\n=210  \\\\$a$c$d\n"


async def page(request: web.Request) -> web.StreamResponse:
    """Those that wait for somebody, a form for a new one, and what is reserved."""
    return await _form(request, EMPTY | {"record": START})


async def new(request: web.Request) -> web.StreamResponse:
    """What would become of a record, or the record."""
    fields = await visitor.form(request)
    do, action, of, note, library = (
        visitor.text(fields, name).strip() for name in ("do", "action", "of", "note", "library")
    )
    if do not in DO:
        raise web.HTTPBadRequest
    typed = _record(fields)
    asked = {"action": action, "of": of, "record": typed, "note": note, "library": library}
    owner = submission_asking.library_of(request, library)
    what = submission_asking.action_of(action)
    try:
        record = None if what == "delete" else submission_asking.given(typed)
        if do == "look":
            _, answer = await submission_asking.look(request, owner, what, record, of)
            return await _form(request, asked, looked=told.answer(answer, context.lang_of(request)))
        made = await submission_asking.make(request, owner, what, record, of, note, draft=do == "draft")
    except (BadInput, Conflict) as error:
        return await _form(request, asked, wrong=str(error))
    return _to(made.submission.submission)


async def one(request: web.Request) -> web.StreamResponse:
    """One, with its record, what is said of it, and what can be done."""
    return await _one(request, number_of(request.match_info["submission"]))


async def step(request: web.Request) -> web.StreamResponse:
    """Its cataloguer's steps: another text, hand in, withdraw."""
    return await _step(request, STEPS)


async def decide(request: web.Request) -> web.StreamResponse:
    """A reviewer's: accept, return."""
    return await _step(request, DECIDES)


async def reserve(request: web.Request) -> web.StreamResponse:
    """Reserve an ISBN or a title, or give it up."""
    fields = await visitor.form(request)
    do, what, library = (visitor.text(fields, name).strip() for name in ("do", "what", "library"))
    if do not in ("make", "end"):
        raise web.HTTPBadRequest
    owner = submission_asking.library_of(request, library)
    try:
        await submission_asking.reserve(request, what, owner, reserving.HOURS, end=do == "end")
    except (BadInput, Conflict) as error:
        return await _form(request, EMPTY | {"record": START}, wrong=str(error))
    return web.Response(status=303, headers={"Location": "/submissions#reserved", "Cache-Control": "no-store"})


def number_of(text: str) -> int:
    """A submission's number. BadInput if it is none."""
    if (number := numbered(text)) is None:
        raise BadInput("A submission is named by its number.")
    return number


async def _step(request: web.Request, allowed: tuple[Event, ...]) -> web.StreamResponse:
    fields = await visitor.form(request)
    do, number, why = (visitor.text(fields, name).strip() for name in ("do", "submission", "why"))
    event = next((each for each in allowed if each == do), None)
    if event is None:
        raise web.HTTPBadRequest
    which = number_of(number)
    try:
        record = submission_asking.given(_record(fields)) if event in (Event.EDIT, Event.SUBMIT) else None
        await submission_asking.step(request, which, event, record, why)
    except (BadInput, Conflict, Refused) as error:
        return await _one(request, which, wrong=str(error))
    return _to(which)


def _record(fields: MultiMapping[object]) -> str:
    """A record that was typed. A field of it may be longer than what else is typed."""
    found = fields.get("record", "")
    if not isinstance(found, str) or len(found) > LARGEST or "\0" in found:
        raise BadInput(f"a record has at most {LARGEST:,} characters")
    return found


def _to(number: int) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/submissions/{number}", "Cache-Control": "no-store"})


async def _one(request: web.Request, number: int, *, wrong: str = "") -> web.StreamResponse:
    async with context.private(request) as conn:
        found = await submissions.get(conn, number, within=context.reach(request).within)
    person = submission_asking.who(request)
    shown = _shown(request, found)
    response = view.page(
        request,
        "one_submission.html",
        submission=told.whole(found, context.lang_of(request)) | shown,
        record=writing.write(handing.given_of(found).record, "mrk").data.decode().strip() if found.body else "",
        can=_can(person, found),
        wrong=sentences.told(wrong, context.lang_of(request)),
    )
    response.headers["Cache-Control"] = "no-store"
    if found.state == "accepted":
        response.headers["Refresh"] = REFRESH
    return response


def _can(person: Who, found: Submission) -> list[str]:
    """What the visitor can do with it."""
    every = told.possible(found)
    return [str(event) for event in every if person.may(event, found.library)]


def _shown(request: web.Request, found: Submission) -> dict[str, Any]:
    return {"light": LIGHTS[found.state], "at": f"{found.changed_at:%Y-%m-%d %H:%M}"}


def _held(each: Reservation) -> dict[str, Any]:
    return told.reservation(each) | {"until": f"{each.until:%Y-%m-%d %H:%M}"}


async def _form(
    request: web.Request, asked: dict[str, str], *, looked: dict[str, Any] | None = None, wrong: str = ""
) -> web.StreamResponse:
    lang, node = context.lang_of(request), context.node_of(request)
    every = request.query.get("all") == "1"
    async with context.private(request) as conn:
        found = await submissions.listing(conn, STATES if every else OPEN, SIZE, within=context.reach(request).within)
        reserved = await reservations.listing(conn, SIZE)
    actor = permits.actor_of(request)
    response = view.page(
        request,
        "submissions.html",
        submissions=[told.submission(each, lang) | _shown(request, each) for each in found],
        reserved=[_held(each) | {"own": actor.may(Permission.SUBMIT, each.library)} for each in reserved],
        asked=asked,
        home=actor.library or node.symbol,
        looked=looked,
        wrong=sentences.told(wrong, lang),
        all=every,
        may_submit=actor.may(Permission.SUBMIT),
    )
    response.headers["Cache-Control"] = "no-store"
    return response
