"""JSON Schemas of what programs post and get about batch changes, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from node.web import batch_api, batch_asking
from node.web.shapes import AT, COUNT, TEXT, WHY, thing
from services.cataloguing import batch_told

_MAYBE = {"type": ["string", "null"]}


_EDIT: dict[str, Any] = {"field": TEXT, "old": TEXT, "new": TEXT}
_COUNTED: dict[str, Any] = {name: {**COUNT, "description": "records"} for name in batch_told.COUNTED}
_PREVIEWED: dict[str, Any] = dict.fromkeys(batch_told.PREVIEWED, COUNT)
BATCH = thing(
    batch=COUNT,
    at=AT,
    state={"type": "string", "enum": ["due", "done", "undue", "undone"]},
    who=TEXT,
    why=TEXT,
    selection={**TEXT, "description": "which records were asked for"},
    rule=TEXT,
    **_COUNTED,
    undone_by=_MAYBE,
    undone_why=_MAYBE,
    undone_at=_MAYBE,
)
BATCHES = thing(batches={"type": "array", "items": BATCH})
WHOLE = thing(
    **BATCH["properties"],
    change={"type": "array", "items": TEXT, "description": "operations"},
    answers={
        "type": "object",
        "description": "what became of what was offered: by state, how many",
        "additionalProperties": COUNT,
    },
    waits_for_load={"type": ["integer", "null"], "description": "a held load that it waits for"},
    records={
        "type": "array",
        "items": thing(
            record={**TEXT, "description": "source and local id"},
            library=TEXT,
            state={"type": "string", "enum": list(batch_api.STATES)},
            reason={**TEXT, "description": "why it was refused, or is left as it is"},
            edits={
                "type": "array",
                "items": thing(
                    **_EDIT,
                    holds={"type": "boolean", "description": "false: taken back, or the library sent something else"},
                ),
            },
        ),
    },
)
PREVIEW = thing(
    looked=COUNT,
    **_PREVIEWED,
    fields={"type": "object", "additionalProperties": COUNT, "description": "fields that change, by tag"},
    reasons={"type": "object", "additionalProperties": COUNT, "description": "why records are refused"},
    examples={
        "type": "array",
        "items": thing(record=TEXT, edits={"type": "array", "items": thing(**_EDIT)}),
    },
    limit={**COUNT, "description": "records that a preview looks at, at most"},
)

# What is posted
_ASKED: dict[str, Any] = {
    "change": {"type": "array", "items": {**TEXT, "maxLength": batch_asking.LONGEST_LINE}, "minItems": 1},
    "query": {**TEXT, "description": "the records of the titles that it finds; or"},
    "source": {**TEXT, "description": "all records of this source; or"},
    "ids": {
        "type": "array",
        "items": TEXT,
        "maxItems": batch_api.MOST_IDS,
        "description": "clusters, and records as source/local id",
    },
    "rule": {**TEXT, "description": "only records in which this rule finds something"},
}
WANTED = thing(("change",), **_ASKED)
MAKING = thing(("change", "why"), **(_ASKED | {"why": WHY}))
REASON = thing(why=WHY)
