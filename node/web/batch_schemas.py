"""JSON Schemas of what programs post and get about batch changes, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from node.web import batch_api, batch_asking
from services.cataloguing import batch_told

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_AT = {"type": "string", "format": "date-time"}
_MAYBE = {"type": ["string", "null"]}
_WHY = {**_TEXT, "minLength": 1, "description": "reason, which others will read"}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


_EDIT: dict[str, Any] = {"field": _TEXT, "old": _TEXT, "new": _TEXT}
_COUNTED: dict[str, Any] = {name: {**_COUNT, "description": "records"} for name in batch_told.COUNTED}
_PREVIEWED: dict[str, Any] = dict.fromkeys(batch_told.PREVIEWED, _COUNT)
BATCH = _object(
    batch=_COUNT,
    at=_AT,
    state={"type": "string", "enum": ["due", "done", "undue", "undone"]},
    who=_TEXT,
    why=_TEXT,
    selection={**_TEXT, "description": "which records were asked for"},
    rule=_TEXT,
    **_COUNTED,
    undone_by=_MAYBE,
    undone_why=_MAYBE,
    undone_at=_MAYBE,
)
BATCHES = _object(batches={"type": "array", "items": BATCH})
WHOLE = _object(
    **BATCH["properties"],
    change={"type": "array", "items": _TEXT, "description": "operations"},
    answers={
        "type": "object",
        "description": "what became of what was offered: by state, how many",
        "additionalProperties": _COUNT,
    },
    waits_for_load={"type": ["integer", "null"], "description": "a held load that it waits for"},
    records={
        "type": "array",
        "items": _object(
            record={**_TEXT, "description": "source and local id"},
            library=_TEXT,
            state={"type": "string", "enum": list(batch_api.STATES)},
            reason={**_TEXT, "description": "why it was refused, or is left as it is"},
            edits={
                "type": "array",
                "items": _object(
                    **_EDIT,
                    holds={"type": "boolean", "description": "false: taken back, or the library sent something else"},
                ),
            },
        ),
    },
)
PREVIEW = _object(
    looked=_COUNT,
    **_PREVIEWED,
    fields={"type": "object", "additionalProperties": _COUNT, "description": "fields that change, by tag"},
    reasons={"type": "object", "additionalProperties": _COUNT, "description": "why records are refused"},
    examples={
        "type": "array",
        "items": _object(record=_TEXT, edits={"type": "array", "items": _object(**_EDIT)}),
    },
    limit={**_COUNT, "description": "records that a preview looks at, at most"},
)

# What is posted
_ASKED: dict[str, Any] = {
    "change": {"type": "array", "items": {**_TEXT, "maxLength": batch_asking.LONGEST_LINE}, "minItems": 1},
    "query": {**_TEXT, "description": "the records of the titles that it finds; or"},
    "source": {**_TEXT, "description": "all records of this source; or"},
    "ids": {
        "type": "array",
        "items": _TEXT,
        "maxItems": batch_api.MOST_IDS,
        "description": "clusters, and records as source/local id",
    },
    "rule": {**_TEXT, "description": "only records in which this rule finds something"},
}
WANTED = _object(("change",), **_ASKED)
MAKING = _object(("change", "why"), **(_ASKED | {"why": _WHY}))
REASON = _object(why=_WHY)
