"""Batch changes, for people and for programs: part of the table of routes."""

from __future__ import annotations

from node.web import batch_api, batch_pages, batch_schemas, parameters
from node.web.openapi import Parameter, Route, asking, doing, posting
from node.web.staff_routes import CHANGE, LOOK

LIMIT = parameters.LISTED[0]
BATCH = Parameter(name="batch", about="A batch's number.", schema={"type": "integer", "minimum": 1})
STATE = Parameter(
    name="state",
    about="Only records in this state.",
    schema={"type": "string", "enum": list(batch_api.STATES)},
    many=True,
)

ROUTES: tuple[Route, ...] = (
    Route(
        path="/batches",
        handler=batch_pages.page,
        summary="Batch changes: a form, and those that were made",
        allow=LOOK,
    ),
    Route(
        path="/batches/{batch}",
        handler=batch_pages.one,
        summary="One batch change: how far it is, and its records",
        allow=LOOK,
    ),
    doing("/batch/new", batch_pages.new, "See what a batch change would do, or make it", CHANGE, "batch.make"),
    doing("/batch/undo", batch_pages.undo, "Take a batch change back", CHANGE, "batch.undo"),
    asking("/api/batches", batch_api.listed, "Batch changes, the newest first.", LOOK, batch_schemas.BATCHES, LIMIT),
    asking(
        "/api/batches/{batch}",
        batch_api.single,
        "One batch change: how far it is, what was refused and why, its records.",
        LOOK,
        batch_schemas.WHOLE,
        BATCH,
        LIMIT,
        STATE,
    ),
    posting(
        "/api/batches/{batch}/undo",
        batch_api.undo,
        "Take a batch change back.",
        CHANGE,
        "batch.undo",
        batch_schemas.REASON,
        batch_schemas.BATCH,
        BATCH,
    ),
    posting(
        "/api/batch/preview",
        batch_api.preview,
        "What a batch change would do with the first records.",
        CHANGE,
        "batch.preview",
        batch_schemas.WANTED,
        batch_schemas.PREVIEW,
    ),
    posting(
        "/api/batch/make",
        batch_api.make,
        "Make a batch change; workers carry it out.",
        CHANGE,
        "batch.make",
        batch_schemas.MAKING,
        batch_schemas.BATCH,
    ),
)
