"""JSON Schemas of what programs post and get about clusters and decisions, for the OpenAPI document."""

from __future__ import annotations

from catalog.model import Verdict
from dms import merge_base
from node.web import deciding_api
from node.web.shapes import AT, COUNT, TEXT, TEXTS, WHY, many, thing

_NUMBER = {"type": "integer"}
_RECORD = {**TEXT, "description": "source and local id"}


_REASONS = many(
    thing(rule=TEXT, points={**_NUMBER, "description": "0: it forbids, or sets a limit"}, text=TEXT),
    "why, by rule, in the language of the request",
)
DECISION = thing(
    decision=COUNT,
    at=AT,
    kind={"type": "string", "enum": list(deciding_api.KINDS)},
    state={"type": "string", "enum": ["due", "done", "undue", "undone", "void"]},
    clusters={**TEXTS, "description": "ids of then"},
    records={**TEXTS, "description": "of a split: those that leave; else those of the one side"},
    others=TEXTS,
    library={**TEXT, "description": "whose staff decided; empty = the node's"},
    who=TEXT,
    why=TEXT,
    result={
        **TEXT,
        "description": "empty, or why it came to nothing: `against` with decisions that oppose it, `missing` records",
    },
    undone_by=TEXT,
    undone_why=TEXT,
)
PUT = thing(**DECISION["properties"], clusters_now={**TEXTS, "description": "where its records are"})
CONFLICT = thing(
    conflict=COUNT,
    cluster=TEXT,
    field=TEXT,
    file={**TEXT, "description": "the authority file"},
    a=_RECORD,
    id_a=TEXT,
    b=_RECORD,
    id_b=TEXT,
    state={"type": "string", "enum": ["waiting", "settled"]},
    libraries=TEXTS,
    found_at=AT,
    who=TEXT,
    why=TEXT,
)
CLUSTER = thing(
    cluster=TEXT,
    records=many(thing(record=_RECORD, library=TEXT)),
    base=_RECORD,
    base_by={"type": "string", "enum": ["", *merge_base.STEPS]},
    edges=many(
        thing(
            records=TEXTS,
            score={"type": ["integer", "null"], "description": "null: they are equal in all that is compared"},
            reasons=_REASONS,
        ),
        "why its records are one, the strongest first",
    ),
    related=many(thing(cluster=TEXT, decision={"type": ["integer", "null"]}, reasons=_REASONS)),
    conflicts=many(CONFLICT),
    decisions=many(DECISION),
)
PAIR = thing(
    a=_RECORD,
    b=_RECORD,
    clusters=TEXTS,
    together={"type": "boolean", "description": "whether they are in one cluster now"},
    verdict={"type": "string", "enum": [each.value for each in Verdict]},
    score=_NUMBER,
    join_from={**_NUMBER, "description": "points from which a pair joins by itself"},
    reasons=_REASONS,
    held_apart={"type": "boolean", "description": "by a rule, whatever joins their neighbours"},
    decisions={"type": "array", "items": COUNT},
    fields=many(thing(label=TEXT, a=TEXT, b=TEXT)),
)
PAIRS = thing(
    pairs=many(thing(a=_RECORD, b=_RECORD, libraries=TEXTS, score=_NUMBER, reasons=_REASONS)),
    next={"type": ["string", "null"], "description": "`after` of the list that follows; null = there is none"},
)
CONFLICTS = thing(conflicts=many(CONFLICT))
DECISIONS = thing(
    decisions=many(DECISION),
    next={"type": ["integer", "null"], "description": "`before` of the list that follows; null = there is none"},
)
CHOSEN = thing(cluster=TEXT, base={**_RECORD, "description": "empty: the policy chooses"})

# What is posted
DECIDING = thing(
    ("kind", "id", "why"),
    kind={"type": "string", "enum": list(deciding_api.KINDS)},
    id={**TEXT, "description": "a cluster, or a record as source/local id"},
    other={**TEXT, "description": "the other one, of join, apart and link"},
    records={**TEXTS, "maxItems": deciding_api.MOST_RECORDS, "description": "those that leave, of split"},
    why=WHY,
)
REASON = thing(why=WHY)
CHOOSING = thing(
    ("why",), record={**_RECORD, "description": "that shall be the base; empty: the policy chooses again"}, why=WHY
)
