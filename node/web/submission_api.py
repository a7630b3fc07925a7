"""Submissions and reservations for programs."""

from __future__ import annotations

import msgspec
from aiohttp import web

from catalog import reservations, submissions
from catalog.submissions import OPEN, STATES
from node.web import api, context, submission_asking
from node.web.inputs import number
from node.web.middleware import BadInput
from node.web.posted import posted
from node.web.submission_asking import DECIDES, STEPS
from node.web.submission_pages import number_of
from protocols import writing
from services.submitting import handing, reserving, told
from services.submitting.states import Event

SIZE, MOST = 50, 200  # items of a list
EXAMPLE = '{"record": "=LDR  …\\n=200  1\\\\\\\\$a…", "do": "submit"}'
DO = ("look", "draft", "submit")


class New(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A record that is handed in, in lines of `.mrk`."""

    do: str
    record: str = ""
    action: str = "insert"
    of: str = ""
    library: str = ""
    note: str = ""


class Doing(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A step of a submission."""

    do: str
    why: str = ""
    record: str = ""


class Reserving(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is reserved, or given up."""

    what: str
    library: str = ""
    hours: float = reserving.HOURS
    end: bool = False


async def listed(request: web.Request) -> web.StreamResponse:
    """Those that wait for somebody, or those in some states; the newest first."""
    limit, states = number(request.query, "limit", SIZE, 1, MOST), request.query.getall("state", ())
    if unknown := [state for state in states if state not in STATES]:
        raise BadInput(f"state is one of {', '.join(STATES)}, not {unknown[0]}.")
    wanted = [state for state in STATES if state in states] or OPEN
    async with context.private(request) as conn:
        found = await submissions.listing(conn, wanted, limit, within=context.reach(request).within)
    return api.answer({"submissions": [told.submission(each, context.lang_of(request)) for each in found]})


async def single(request: web.Request) -> web.StreamResponse:
    """One with its record and what is said of it."""
    async with context.private(request) as conn:
        one = await submissions.get(conn, _number(request), within=context.reach(request).within)
    record = writing.write(handing.given_of(one).record, "mrk").data.decode()
    return api.answer(told.whole(one, context.lang_of(request)) | {"record": record})


async def make(request: web.Request) -> web.StreamResponse:
    """Say what would become of a record, keep it as a draft, or hand it in."""
    given = posted(await request.read(), New, EXAMPLE)
    if given.do not in DO:
        raise BadInput(f"do is one of {', '.join(DO)}, not {given.do!r}.")
    library, action = submission_asking.library_of(request, given.library), submission_asking.action_of(given.action)
    record = None if action == "delete" else submission_asking.given(given.record)
    lang = context.lang_of(request)
    if given.do == "look":
        made, answer = await submission_asking.look(request, library, action, record, given.of)
        return api.answer(told.whole(made, lang) | told.answer(answer, lang) | {"submission": None})
    handed = await submission_asking.make(
        request, library, action, record, given.of, given.note, draft=given.do == "draft"
    )
    return api.answer(told.whole(handed.submission, lang))


async def step(request: web.Request) -> web.StreamResponse:
    """Its cataloguer's steps."""
    return await _step(request, STEPS)


async def decide(request: web.Request) -> web.StreamResponse:
    """A reviewer's."""
    return await _step(request, DECIDES)


async def reserved(request: web.Request) -> web.StreamResponse:
    """What is reserved now, the next to end first."""
    limit = number(request.query, "limit", SIZE, 1, MOST)
    async with context.private(request) as conn:
        found = await reservations.listing(conn, limit)
    return api.answer({"reservations": [told.reservation(each) for each in found]})


async def reserve(request: web.Request) -> web.StreamResponse:
    """Reserve an ISBN or a title, or give it up."""
    given = posted(await request.read(), Reserving, '{"what": "9787020002207"}')
    library = submission_asking.library_of(request, given.library)
    done = await submission_asking.reserve(request, given.what, library, given.hours, end=given.end)
    return api.answer(told.reservation(done))


async def _step(request: web.Request, allowed: tuple[Event, ...]) -> web.StreamResponse:
    given = posted(await request.read(), Doing, f'{{"do": "{allowed[0]}"}}')
    event = next((each for each in allowed if each == given.do), None)
    if event is None:
        raise BadInput(f"do is one of {', '.join(allowed)}, not {given.do!r}.")
    record = submission_asking.given(given.record)
    handed = await submission_asking.step(request, _number(request), event, record, given.why)
    return api.answer(told.whole(handed.submission, context.lang_of(request)))


def _number(request: web.Request) -> int:
    return number_of(request.match_info["submission"])
