"""Copy cataloguing, for people and for programs: part of the table of routes."""

from __future__ import annotations

from node.web import copy_api, copy_pages
from node.web.openapi import Parameter, Route
from services.access.policy import Need, Permission, Subject
from services.copying import queries

JSON = "application/json"
COPY = Need(permission=Permission.COPY, subject=Subject.LIBRARY)
LOOKING = (
    Parameter(
        name="q",
        about="An ISBN, words of the title, CQL, or prefix notation.",
        schema={"type": "string", "maxLength": queries.LONGEST},
        required=True,
    ),
    Parameter(name="from", about="A target; all unless said.", schema={"type": "string"}, many=True),
    Parameter(name="library", about="Symbol of the library to copy for.", schema={"type": "string"}),
)

ROUTES: tuple[Route, ...] = (
    Route(path="/copy", handler=copy_pages.page, summary="Look for records in other catalogues", allow=COPY),
    Route(
        path="/copy/save",
        handler=copy_pages.save,
        summary="Make a record of another catalogue the library's",
        allow=COPY,
        act="record.copy",
        methods=("POST",),
    ),
    Route(
        path="/api/copy",
        handler=copy_api.look,
        summary="What other catalogues have, the best record first.",
        allow=COPY,
        parameters=LOOKING,
        answer=JSON,
        schema=copy_api.FOUND,
    ),
    Route(
        path="/api/copy/save",
        handler=copy_api.save,
        summary="Make a record of another catalogue the library's.",
        allow=COPY,
        act="record.copy",
        methods=("POST",),
        answer=JSON,
        schema=copy_api.SAVED,
        body=copy_api.WANTED,
    ),
)
