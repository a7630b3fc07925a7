"""What came back, for programs: part of the table of routes, with the JSON Schemas of what they post and get."""

from __future__ import annotations

from typing import Any

from node.web import parameters, returning, returns_api
from node.web.openapi import Parameter, Route
from node.web.staff_routes import LOAD, LOOK

JSON = "application/json"
LIMIT, BEFORE = parameters.LISTED
SOURCE = Parameter(name="source", about="A source's name.", schema={"type": "string"})
RULE = Parameter(name="rule", about="Only what this rule returned.", schema={"type": "string"})
FIXED = Parameter(name="rule", about="The rule whose fix is tried.", schema={"type": "string"}, required=True)
TRIED = Parameter(
    name="limit",
    about="Records on which it is tried.",
    schema={"type": "integer", "minimum": 1, "maximum": returns_api.MOST_TRIED, "default": returns_api.TRIED},
)

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_AT = {"type": "string", "format": "date-time"}
_VERDICT = {"type": "string", "enum": ["unreadable", "returned"]}
_PLACE = {**_TEXT, "description": "where in its input, in the language of the request; empty = it was read from none"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


GROUPS = _object(
    groups=_list(
        _object(
            source=_TEXT,
            library=_TEXT,
            rule=_TEXT,
            text={**_TEXT, "description": "what the rule looks for"},
            verdict=_VERDICT,
            count=_COUNT,
            running={**_COUNT, "description": "of these, that are being read again"},
            fix={
                "type": ["object", "null"],
                "description": "how many it was tried on and how many would be taken then; null = the rule has none",
                "properties": {"tried": _COUNT, "passing": _COUNT},
            },
            newest=_AT,
        )
    )
)
CASES = _object(
    cases=_list(
        _object(
            id=_COUNT,
            load=_COUNT,
            library=_TEXT,
            local_id=_TEXT,
            verdict=_VERDICT,
            rule=_TEXT,
            position={**_COUNT, "description": "byte of the input at which the record begins"},
            ordinal={**_COUNT, "description": "1 = first record of the input; 0 = it was read from none"},
            place=_PLACE,
            rows=_list(_object(sheet=_TEXT, row=_COUNT)) | {"description": "of a table that it was made of"},
            reason=_TEXT,
            running={"type": "boolean", "description": "it is being read again"},
            at=_AT,
        )
    ),
    next={"type": ["integer", "null"], "description": "`before` of the next page; null = there is none"},
)
PREVIEW = _object(
    rule=_TEXT,
    tried=_COUNT,
    passing={**_COUNT, "description": "would be taken then"},
    records=_list(
        _object(
            id=_COUNT,
            local_id=_TEXT,
            place=_PLACE,
            passes={"type": "boolean"},
            receipts=_list(_object(rule=_TEXT, tag=_TEXT, nth=_COUNT, before=_TEXT, after=_TEXT)),
            left=_list(_object(rule=_TEXT, place=_TEXT, text=_TEXT)),
            error={**_TEXT, "description": "why nothing could be tried"},
        )
    ),
)
DOING = _object(do={"type": "string", "enum": list(returning.ACTS)}, rule=_TEXT)
DONE = _object(loads=_list(_COUNT) | {"description": "that read the records again (/api/loads/{load})"}, dropped=_COUNT)

ROUTES: tuple[Route, ...] = (
    Route(
        path="/api/returns",
        handler=returns_api.summary,
        summary="What came back, by rule and source, and on how many a fix helps.",
        allow=LOOK,
        answer=JSON,
        schema=GROUPS,
    ),
    Route(
        path="/api/returns/{source}",
        handler=returns_api.cases,
        summary="What came back from a source, the newest first: place and reason of each record.",
        allow=LOOK,
        parameters=(SOURCE, RULE, LIMIT, BEFORE),
        answer=JSON,
        schema=CASES,
    ),
    Route(
        path="/api/returns/{source}/preview",
        handler=returns_api.preview,
        summary="What the fix of a rule would change, tried on the first records; nothing is changed.",
        allow=LOOK,
        parameters=(SOURCE, FIXED, TRIED),
        answer=JSON,
        schema=PREVIEW,
    ),
    Route(
        path="/api/returns/{source}/do",
        handler=returns_api.do,
        summary="Mend, read again or forget what a rule returned from a source.",
        allow=LOAD,
        act="quarantine.rerun",
        methods=("POST",),
        parameters=(SOURCE,),
        answer=JSON,
        schema=DONE,
        body=DOING,
    ),
)
