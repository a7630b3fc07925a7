"""JSON Schemas of what programs post and get about submissions and reservations, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from catalog.submissions import ACTIONS, STATES
from node.web.shapes import AT, TEXT, TEXTS, thing
from node.web.submission_asking import DECIDES, LARGEST, STEPS

_NUMBER = {"type": ["integer", "null"]}
_MRK = {**TEXT, "maxLength": LARGEST, "description": "the record in lines of .mrk (MARCMaker)"}


ROW = thing(
    submission={**_NUMBER, "description": "null: nothing was kept"},
    state={"type": "string", "enum": list(STATES)},
    action={"type": "string", "enum": list(ACTIONS)},
    library=TEXT,
    title=TEXT,
    answer={**TEXT, "description": "what is said of the record, in words"},
    outcome={"type": "string", "enum": ["", "new", "matched", "holdings", "held", "deleted"]},
    cluster={**TEXT, "description": "that it matches"},
    made_by=TEXT,
    changed_at=AT,
    reason={**TEXT, "description": "why it came back"},
)
LIST = thing(submissions={"type": "array", "items": ROW})
_WHOLE: dict[str, Any] = ROW["properties"] | {
    "local_id": TEXT,
    "format": {"type": "string", "enum": ["marc21", "cnmarc"]},
    "note": TEXT,
    "made_at": AT,
    "decided_by": TEXT,
    "load": _NUMBER,
    "held": {**TEXTS, "description": "errors, doubtful, reserved, review"},
    "why": TEXTS,
    "can": {**TEXTS, "description": "steps that are possible"},
}
DONE = thing(**_WHOLE)
WHOLE = thing(**_WHOLE, record=_MRK)
NEW = thing(
    ("do",),
    do={"type": "string", "enum": ["look", "draft", "submit"]},
    record=_MRK,
    action={"type": "string", "enum": list(ACTIONS)},
    of={**TEXT, "description": "SOURCE/LOCAL-ID of the record that is replaced or deleted"},
    library=TEXT,
    note=TEXT,
)
STEP = thing(("do",), do={"type": "string", "enum": list(map(str, STEPS))}, record=_MRK)
DECISION = thing(("do",), do={"type": "string", "enum": list(map(str, DECIDES))}, why=TEXT)
RESERVATION = thing(key=TEXT, what=TEXT, library=TEXT, until=AT)
RESERVATIONS = thing(reservations={"type": "array", "items": RESERVATION})
RESERVING = thing(
    ("what",),
    what={**TEXT, "description": "an ISBN or a title"},
    library=TEXT,
    hours={"type": "number", "exclusiveMinimum": 0},
    end={"type": "boolean", "description": "give it up"},
)
