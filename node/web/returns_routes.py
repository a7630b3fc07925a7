"""What came back, for programs: part of the table of routes, with the JSON Schemas of what they post and get."""

from __future__ import annotations

from node.web import parameters, returning, returns_api
from node.web.openapi import Parameter, Route, asking, posting
from node.web.shapes import AT, COUNT, TEXT, many, thing
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

_VERDICT = {"type": "string", "enum": ["unreadable", "returned"]}
_PLACE = {**TEXT, "description": "where in its input, in the language of the request; empty = it was read from none"}


GROUPS = thing(
    groups=many(
        thing(
            source=TEXT,
            library=TEXT,
            rule=TEXT,
            text={**TEXT, "description": "what the rule looks for"},
            verdict=_VERDICT,
            count=COUNT,
            running={**COUNT, "description": "of these, that are being read again"},
            fix={
                "type": ["object", "null"],
                "description": "how many it was tried on and how many would be taken then; null = the rule has none",
                "properties": {"tried": COUNT, "passing": COUNT},
            },
            newest=AT,
        )
    )
)
CASES = thing(
    cases=many(
        thing(
            id=COUNT,
            load=COUNT,
            library=TEXT,
            local_id=TEXT,
            verdict=_VERDICT,
            rule=TEXT,
            position={**COUNT, "description": "byte of the input at which the record begins"},
            ordinal={**COUNT, "description": "1 = first record of the input; 0 = it was read from none"},
            place=_PLACE,
            rows=many(thing(sheet=TEXT, row=COUNT)) | {"description": "of a table that it was made of"},
            reason=TEXT,
            running={"type": "boolean", "description": "it is being read again"},
            at=AT,
        )
    ),
    next={"type": ["integer", "null"], "description": "`before` of the next page; null = there is none"},
)
PREVIEW = thing(
    rule=TEXT,
    tried=COUNT,
    passing={**COUNT, "description": "would be taken then"},
    records=many(
        thing(
            id=COUNT,
            local_id=TEXT,
            place=_PLACE,
            passes={"type": "boolean"},
            receipts=many(thing(rule=TEXT, tag=TEXT, nth=COUNT, before=TEXT, after=TEXT)),
            left=many(thing(rule=TEXT, place=TEXT, text=TEXT)),
            error={**TEXT, "description": "why nothing could be tried"},
        )
    ),
)
DOING = thing(do={"type": "string", "enum": list(returning.ACTS)}, rule=TEXT)
DONE = thing(loads=many(COUNT) | {"description": "that read the records again (/api/loads/{load})"}, dropped=COUNT)

ROUTES: tuple[Route, ...] = (
    asking(
        "/api/returns",
        returns_api.summary,
        "What came back, by rule and source, and on how many a fix helps.",
        LOOK,
        GROUPS,
    ),
    asking(
        "/api/returns/{source}",
        returns_api.cases,
        "What came back from a source, the newest first: place and reason of each record.",
        LOOK,
        CASES,
        SOURCE,
        RULE,
        LIMIT,
        BEFORE,
    ),
    asking(
        "/api/returns/{source}/preview",
        returns_api.preview,
        "What the fix of a rule would change, tried on the first records; nothing is changed.",
        LOOK,
        PREVIEW,
        SOURCE,
        FIXED,
        TRIED,
    ),
    posting(
        "/api/returns/{source}/do",
        returns_api.do,
        "Mend, read again or forget what a rule returned from a source.",
        LOAD,
        "quarantine.rerun",
        DOING,
        DONE,
        SOURCE,
    ),
)
