"""Copy cataloguing, for people and for programs: part of the table of routes."""

from __future__ import annotations

from node.web import copy_api, copy_pages
from node.web.openapi import Parameter, Route, asking, doing, posting
from services.access.policy import Need, Permission, Subject
from services.copying import queries

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
    doing("/copy/save", copy_pages.save, "Make a record of another catalogue the library's", COPY, "record.copy"),
    asking(
        "/api/copy", copy_api.look, "What other catalogues have, the best record first.", COPY, copy_api.FOUND, *LOOKING
    ),
    posting(
        "/api/copy/save",
        copy_api.save,
        "Make a record of another catalogue the library's.",
        COPY,
        "record.copy",
        copy_api.WANTED,
        copy_api.SAVED,
    ),
)
