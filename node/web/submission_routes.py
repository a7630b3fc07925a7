"""Submissions and reservations, for people and for programs: part of the table of routes."""

from __future__ import annotations

from catalog.submissions import STATES
from node.web import parameters, submission_api, submission_pages
from node.web import submission_schemas as schemas
from node.web.openapi import Parameter, Route, asking, doing, posting
from node.web.staff_routes import CHANGE, LOOK
from services.access.policy import Need, Permission, Subject

SUBMIT = Need(permission=Permission.SUBMIT, subject=Subject.LIBRARY)
LIMIT = parameters.LISTED[0]
SUBMISSION = Parameter(name="submission", about="A submission's number.", schema={"type": "integer", "minimum": 1})
STATE = Parameter(
    name="state", about="Only those in this state.", schema={"type": "string", "enum": list(STATES)}, many=True
)

ROUTES: tuple[Route, ...] = (
    Route(
        path="/submissions",
        handler=submission_pages.page,
        summary="Records that were handed in one by one, a form for a new one, and what is reserved",
        allow=LOOK,
    ),
    Route(
        path="/submissions/{submission}",
        handler=submission_pages.one,
        summary="One submission: its record, what is said of it, what can be done",
        allow=LOOK,
    ),
    doing(
        "/submission/new",
        submission_pages.new,
        "See what would become of a record, or hand it in",
        SUBMIT,
        "submission.make",
    ),
    doing(
        "/submission/step", submission_pages.step, "Edit, hand in or withdraw a submission", SUBMIT, "submission.step"
    ),
    doing(
        "/submission/decide", submission_pages.decide, "Accept a submission, or return it", CHANGE, "submission.decide"
    ),
    doing(
        "/reservation",
        submission_pages.reserve,
        "Reserve an ISBN or a title, or give it up",
        SUBMIT,
        "reservation.make",
    ),
    asking(
        "/api/submissions",
        submission_api.listed,
        "Records that were handed in one by one and wait for somebody.",
        LOOK,
        schemas.LIST,
        LIMIT,
        STATE,
    ),
    asking(
        "/api/submissions/{submission}",
        submission_api.single,
        "One submission with its record and what is said of it.",
        LOOK,
        schemas.WHOLE,
        SUBMISSION,
    ),
    posting(
        "/api/submissions/{submission}/step",
        submission_api.step,
        "Edit, hand in or withdraw a submission (steps of its cataloguer).",
        SUBMIT,
        "submission.step",
        schemas.STEP,
        schemas.DONE,
        SUBMISSION,
    ),
    posting(
        "/api/submissions/{submission}/decide",
        submission_api.decide,
        "Accept a submission, or return it with a reason.",
        CHANGE,
        "submission.decide",
        schemas.DECISION,
        schemas.DONE,
        SUBMISSION,
    ),
    posting(
        "/api/submission/make",
        submission_api.make,
        "Say what would become of a record, keep it as a draft, or hand it in.",
        SUBMIT,
        "submission.make",
        schemas.NEW,
        schemas.DONE,
    ),
    asking("/api/reservations", submission_api.reserved, "What is reserved now.", LOOK, schemas.RESERVATIONS, LIMIT),
    posting(
        "/api/reservation",
        submission_api.reserve,
        "Reserve an ISBN or a title, or give a reservation up.",
        SUBMIT,
        "reservation.make",
        schemas.RESERVING,
        schemas.RESERVATION,
    ),
)
