"""JSON Schemas of what programs post and get about clusters and decisions, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from catalog.model import Verdict
from dms import merge_base
from node.web import deciding_api

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "integer"}
_AT = {"type": "string", "format": "date-time"}
_RECORD = {**_TEXT, "description": "source and local id"}
_WHY = {**_TEXT, "minLength": 1, "description": "reason, which others will read"}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


def _list(item: dict[str, Any], about: str = "") -> dict[str, Any]:
    return {"type": "array", "items": item} | ({"description": about} if about else {})


_REASONS = _list(
    _object(rule=_TEXT, points={**_NUMBER, "description": "0: it forbids, or sets a limit"}, text=_TEXT),
    "why, by rule, in the language of the request",
)
DECISION = _object(
    decision=_COUNT,
    at=_AT,
    kind={"type": "string", "enum": list(deciding_api.KINDS)},
    state={"type": "string", "enum": ["due", "done", "undue", "undone", "void"]},
    clusters={**_TEXTS, "description": "ids of then"},
    records={**_TEXTS, "description": "of a split: those that leave; else those of the one side"},
    others=_TEXTS,
    library={**_TEXT, "description": "whose staff decided; empty = the node's"},
    who=_TEXT,
    why=_TEXT,
    result={
        **_TEXT,
        "description": "empty, or why it came to nothing: `against` with decisions that oppose it, `missing` records",
    },
    undone_by=_TEXT,
    undone_why=_TEXT,
)
PUT = _object(**DECISION["properties"], clusters_now={**_TEXTS, "description": "where its records are"})
CONFLICT = _object(
    conflict=_COUNT,
    cluster=_TEXT,
    field=_TEXT,
    file={**_TEXT, "description": "the authority file"},
    a=_RECORD,
    id_a=_TEXT,
    b=_RECORD,
    id_b=_TEXT,
    state={"type": "string", "enum": ["waiting", "settled"]},
    libraries=_TEXTS,
    found_at=_AT,
    who=_TEXT,
    why=_TEXT,
)
CLUSTER = _object(
    cluster=_TEXT,
    records=_list(_object(record=_RECORD, library=_TEXT)),
    base=_RECORD,
    base_by={"type": "string", "enum": ["", *merge_base.STEPS]},
    edges=_list(
        _object(
            records=_TEXTS,
            score={"type": ["integer", "null"], "description": "null: they are equal in all that is compared"},
            reasons=_REASONS,
        ),
        "why its records are one, the strongest first",
    ),
    related=_list(_object(cluster=_TEXT, decision={"type": ["integer", "null"]}, reasons=_REASONS)),
    conflicts=_list(CONFLICT),
    decisions=_list(DECISION),
)
PAIR = _object(
    a=_RECORD,
    b=_RECORD,
    clusters=_TEXTS,
    together={"type": "boolean", "description": "whether they are in one cluster now"},
    verdict={"type": "string", "enum": [each.value for each in Verdict]},
    score=_NUMBER,
    join_from={**_NUMBER, "description": "points from which a pair joins by itself"},
    reasons=_REASONS,
    held_apart={"type": "boolean", "description": "by a rule, whatever joins their neighbours"},
    decisions={"type": "array", "items": _COUNT},
    fields=_list(_object(label=_TEXT, a=_TEXT, b=_TEXT)),
)
PAIRS = _object(
    pairs=_list(_object(a=_RECORD, b=_RECORD, libraries=_TEXTS, score=_NUMBER, reasons=_REASONS)),
    next={"type": ["string", "null"], "description": "`after` of the list that follows; null = there is none"},
)
CONFLICTS = _object(conflicts=_list(CONFLICT))
DECISIONS = _object(
    decisions=_list(DECISION),
    next={"type": ["integer", "null"], "description": "`before` of the list that follows; null = there is none"},
)
CHOSEN = _object(cluster=_TEXT, base={**_RECORD, "description": "empty: the policy chooses"})

# What is posted
DECIDING = _object(
    ("kind", "id", "why"),
    kind={"type": "string", "enum": list(deciding_api.KINDS)},
    id={**_TEXT, "description": "a cluster, or a record as source/local id"},
    other={**_TEXT, "description": "the other one, of join, apart and link"},
    records={**_TEXTS, "maxItems": deciding_api.MOST_RECORDS, "description": "those that leave, of split"},
    why=_WHY,
)
REASON = _object(why=_WHY)
CHOOSING = _object(
    ("why",), record={**_RECORD, "description": "that shall be the base; empty: the policy chooses again"}, why=_WHY
)
