"""JSON Schemas of what programs post and get about submissions and reservations, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from catalog.submissions import ACTIONS, STATES
from node.web.submission_asking import DECIDES, LARGEST, STEPS

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_AT = {"type": "string", "format": "date-time"}
_NUMBER = {"type": ["integer", "null"]}
_MRK = {**_TEXT, "maxLength": LARGEST, "description": "the record in lines of .mrk (MARCMaker)"}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


ROW = _object(
    submission={**_NUMBER, "description": "null: nothing was kept"},
    state={"type": "string", "enum": list(STATES)},
    action={"type": "string", "enum": list(ACTIONS)},
    library=_TEXT,
    title=_TEXT,
    answer={**_TEXT, "description": "what is said of the record, in words"},
    outcome={"type": "string", "enum": ["", "new", "matched", "holdings", "held", "deleted"]},
    cluster={**_TEXT, "description": "that it matches"},
    made_by=_TEXT,
    changed_at=_AT,
    reason={**_TEXT, "description": "why it came back"},
)
LIST = _object(submissions={"type": "array", "items": ROW})
_WHOLE: dict[str, Any] = ROW["properties"] | {
    "local_id": _TEXT,
    "format": {"type": "string", "enum": ["marc21", "cnmarc"]},
    "note": _TEXT,
    "made_at": _AT,
    "decided_by": _TEXT,
    "load": _NUMBER,
    "held": {**_TEXTS, "description": "errors, doubtful, reserved, review"},
    "why": _TEXTS,
    "can": {**_TEXTS, "description": "steps that are possible"},
}
DONE = _object(**_WHOLE)
WHOLE = _object(**_WHOLE, record=_MRK)
NEW = _object(
    ("do",),
    do={"type": "string", "enum": ["look", "draft", "submit"]},
    record=_MRK,
    action={"type": "string", "enum": list(ACTIONS)},
    of={**_TEXT, "description": "SOURCE/LOCAL-ID of the record that is replaced or deleted"},
    library=_TEXT,
    note=_TEXT,
)
STEP = _object(("do",), do={"type": "string", "enum": list(map(str, STEPS))}, record=_MRK)
DECISION = _object(("do",), do={"type": "string", "enum": list(map(str, DECIDES))}, why=_TEXT)
RESERVATION = _object(key=_TEXT, what=_TEXT, library=_TEXT, until=_AT)
RESERVATIONS = _object(reservations={"type": "array", "items": RESERVATION})
RESERVING = _object(
    ("what",),
    what={**_TEXT, "description": "an ISBN or a title"},
    library=_TEXT,
    hours={"type": "number", "exclusiveMinimum": 0},
    end={"type": "boolean", "description": "give it up"},
)
