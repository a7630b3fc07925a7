"""Batch changes, for people and for programs: part of the table of routes."""

from __future__ import annotations

from node.web import batch_api, batch_pages, batch_schemas, parameters
from node.web.openapi import Parameter, Route
from node.web.staff_routes import CHANGE, LOOK

JSON = "application/json"
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
    Route(
        path="/batch/new",
        handler=batch_pages.new,
        summary="See what a batch change would do, or make it",
        allow=CHANGE,
        act="batch.make",
        methods=("POST",),
    ),
    Route(
        path="/batch/undo",
        handler=batch_pages.undo,
        summary="Take a batch change back",
        allow=CHANGE,
        act="batch.undo",
        methods=("POST",),
    ),
    Route(
        path="/api/batches",
        handler=batch_api.listed,
        summary="Batch changes, the newest first.",
        allow=LOOK,
        parameters=(LIMIT,),
        answer=JSON,
        schema=batch_schemas.BATCHES,
    ),
    Route(
        path="/api/batches/{batch}",
        handler=batch_api.single,
        summary="One batch change: how far it is, what was refused and why, its records.",
        allow=LOOK,
        parameters=(BATCH, LIMIT, STATE),
        answer=JSON,
        schema=batch_schemas.WHOLE,
    ),
    Route(
        path="/api/batches/{batch}/undo",
        handler=batch_api.undo,
        summary="Take a batch change back.",
        allow=CHANGE,
        act="batch.undo",
        methods=("POST",),
        parameters=(BATCH,),
        answer=JSON,
        schema=batch_schemas.BATCH,
        body=batch_schemas.REASON,
    ),
    Route(
        path="/api/batch/preview",
        handler=batch_api.preview,
        summary="What a batch change would do with the first records.",
        allow=CHANGE,
        act="batch.preview",
        methods=("POST",),
        answer=JSON,
        schema=batch_schemas.PREVIEW,
        body=batch_schemas.WANTED,
    ),
    Route(
        path="/api/batch/make",
        handler=batch_api.make,
        summary="Make a batch change; workers carry it out.",
        allow=CHANGE,
        act="batch.make",
        methods=("POST",),
        answer=JSON,
        schema=batch_schemas.BATCH,
        body=batch_schemas.MAKING,
    ),
)
