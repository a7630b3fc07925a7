"""JSON Schemas of the answers of `/api`, for the OpenAPI document; a test checks real answers against them."""

from __future__ import annotations

from typing import Any

from dms import merge_base
from dms.ranges.model import Answer
from services.discovery import authorities

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


HIT = _object(
    id=_TEXT,
    url=_TEXT,
    title=_TEXT,
    parallel=_TEXTS,
    responsibility=_TEXT,
    authors=_TEXTS,
    edition=_TEXT,
    publication=_TEXT,
    year={"type": ["integer", "null"]},
    kind=_TEXT,
    languages=_TEXTS,
    isbns=_TEXTS,
    issns=_TEXTS,
    libraries={**_TEXTS, "description": "symbols of the holding libraries"},
    updated={"type": "string", "format": "date-time"},
)
_LEVELS: dict[str, Any] = {
    "scope": {**_TEXT, "description": "the level that the answer is about"},
    "from": {**_TEXT, "description": "symbol of the library that the levels are seen from, or empty"},
    "scopes": {
        "type": "array",
        "description": "the levels, narrow to wide",
        "items": _object(
            scope={**_TEXT, "description": "what the parameter `scope` takes"},
            kind={"type": "string", "enum": ["library", "here", "city", "province", "alliance", "nation"]},
            name=_TEXT,
            node={**_TEXT, "description": "symbol of the parent that answers for it; empty = this node"},
            count={"type": ["integer", "null"], "minimum": 0, "description": "titles; null = not known"},
            state={"type": "string", "enum": ["known", "late", "unreachable"]},
        ),
    },
}
SCOPES = _object(query=_TEXT, **_LEVELS)
_HELD = {"type": "boolean", "description": "whether the library in `from` holds it"}
AUTHORITIES = _object(
    query=_TEXT,
    total=_COUNT,
    page=_COUNT,
    pages=_COUNT,
    limit=_COUNT,
    authorities={
        "type": "array",
        "description": "the best matches first",
        "items": _object(
            id={**_TEXT, "description": "source and local id"},
            library=_TEXT,
            kind={"type": "string", "enum": list(authorities.KINDS)},
            heading=_TEXT,
            variants={**_TEXTS, "description": "names that it is not entered under (see from)"},
            related={**_TEXTS, "description": "other headings (see also)"},
            identifiers={**_TEXTS, "description": "the record's own number first"},
        ),
    },
)
RESULTS = _object(
    query=_TEXT,
    **_LEVELS,
    complete={"type": "boolean", "description": "false: the level did not answer, these are a part of its titles"},
    total=_COUNT,
    page=_COUNT,
    pages=_COUNT,
    limit=_COUNT,
    hits={"type": "array", "items": _object(**HIT["properties"], held=_HELD)},
    facets={
        "type": "object",
        "additionalProperties": {"type": "array", "items": _object(value=_TEXT, label=_TEXT, count=_COUNT)},
    },
)
HOLDING = _object(
    library=_TEXT,
    source=_TEXT,
    local_id=_TEXT,
    call_number=_TEXT,
    item=_TEXT,
    location=_TEXT,
    status=_TEXT,
    note=_TEXT,
    held={**_TEXT, "description": "what the note says is held, in the normal form (ANSI/NISO Z39.71)"},
    copies={"type": ["integer", "null"], "description": "how many copies the note counts"},
)
_MORE = {
    "format": {"type": "string", "enum": ["MARC21", "CNMARC"]},
    "extent": _TEXT,
    "series": _TEXTS,
    "subjects": _TEXTS,
    "classification": _TEXTS,
    "summary": _TEXT,
    "notes": _TEXTS,
    "links": _TEXTS,
    "holdings": {"type": "array", "items": HOLDING},
    "held": {
        "type": "array",
        "description": "by library: how many copies, and what all its statements say together",
        "items": _object(library=_TEXT, copies=_COUNT, held=_TEXT),
    },
    "related": {
        "type": "array",
        "description": "what is shown with it and is not one with it: volumes of a set, other editions, companions",
        "items": _object(
            id=_TEXT,
            rules={**_TEXTS, "description": "why, by rule; none where a cataloguer linked them"},
            decision={"type": ["integer", "null"]},
        ),
    },
    "elsewhere": {
        "type": "array",
        "description": "libraries that hold it besides those listed here, by the account of each parent",
        "items": _object(node=_TEXT, name=_TEXT, ids=_TEXTS, urls=_TEXTS, libraries=_TEXTS),
    },
}
HELD = _object(
    id=_TEXT,
    libraries={
        "type": "array",
        "description": "those that have it first",
        "items": _object(
            library=_TEXT,
            answer={
                "type": "string",
                "enum": [each.value for each in Answer],
                "description": "unknown: it does not say what it holds, or not so closely",
            },
            held={**_TEXT, "description": "all that it holds, in the normal form (ANSI/NISO Z39.71)"},
        ),
    },
)
CONTRIBUTORS = _object(
    id=_TEXT,
    format={"type": "string", "enum": ["MARC21", "CNMARC"]},
    base={**_TEXT, "description": "the base record: source and local id"},
    base_by={
        "type": "string",
        "description": "the question that made it the base; empty where it is the only record",
        "enum": ["", *merge_base.STEPS],
    },
    fields={
        "type": "array",
        "description": "in the record's order",
        "items": _object(
            tag=_TEXT,
            indicators=_TEXT,
            value={**_TEXT, "description": "of a control field"},
            subfields={"type": "array", "items": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}},
            wording={**_TEXT, "description": "the record whose words these are; empty: a correction wrote them"},
            others={**_TEXTS, "description": "further records that have the value"},
        ),
    },
)
RECORD = _object(**(HIT["properties"] | _MORE))
_AREA = {**_TEXT, "description": "a path from the largest part, e.g. 广东/深圳"}
AUDIT = _object(
    entries={
        "type": "array",
        "items": _object(
            no=_COUNT,
            at={"type": "string", "format": "date-time"},
            actor=_TEXT,
            act=_TEXT,
            object=_TEXT,
            library=_TEXT,
            outcome={"type": "string", "enum": ["done", "begun", "refused", "failed"]},
            detail={"type": "object"},
            address=_TEXT,
            request=_TEXT,
            digest=_TEXT,
        ),
    },
    next={"type": ["integer", "null"], "description": "value of `before` for the entries that follow"},
)
_NEXT = {"type": ["integer", "null"], "description": "value of `before` for those that follow"}
_AT = {"type": "string", "format": "date-time"}
LOAD = _object(
    load=_COUNT,
    source=_TEXT,
    library=_TEXT,
    mode={"type": "string", "enum": ["changes", "full", "undo", "feed", "move", "recheck", "batch"]},
    state=_TEXT,
    reason=_TEXT,
    origin=_TEXT,
    records=_COUNT,
    unchanged=_COUNT,
    added=_COUNT,
    updated=_COUNT,
    deleted=_COUNT,
    superseded=_COUNT,
    returned=_COUNT,
    unreadable=_COUNT,
    mended=_COUNT,
    started_at=_AT,
    finished_at={"type": ["string", "null"], "format": "date-time"},
)
LOADS = _object(loads={"type": "array", "items": LOAD}, next=_NEXT)
QUARANTINE = _object(
    cases={
        "type": "array",
        "items": _object(
            id=_COUNT,
            source=_TEXT,
            library=_TEXT,
            load=_COUNT,
            position={**_COUNT, "description": "byte of the input at which the record begins"},
            ordinal={**_COUNT, "description": "1 = first record of the input"},
            local_id=_TEXT,
            verdict={"type": "string", "enum": ["unreadable", "returned"]},
            rule=_TEXT,
            reason=_TEXT,
            at=_AT,
        ),
    },
    next=_NEXT,
)
REVIEW = _object(
    corrections={
        "type": "array",
        "items": _object(
            correction=_TEXT,
            library={**_TEXT, "description": "whose it is: of the child that it is offered to, else this node's"},
            offered_to=_TEXT,
            offered_by=_TEXT,
            state={"type": "string", "enum": ["open", "accepted", "refused", "superseded"]},
            record=_TEXT,
            field={**_TEXT, "description": "tags of all fields that it changes"},
            old=_TEXT,
            new=_TEXT,
            fields={"type": "array", "items": _object(field=_TEXT, old=_TEXT, new=_TEXT)},
            why=_TEXT,
            who=_TEXT,
            reason={**_TEXT, "description": "why it was refused, or what isn't as it was"},
            decided_by=_TEXT,
            at=_AT,
            decided_at={"type": ["string", "null"], "format": "date-time"},
        ),
    }
)
DECIDED = _object(correction=_TEXT, state={"type": "string", "enum": ["accepted", "refused", "superseded"]})
DECIDING = _object(("correction", "accept"), correction=_TEXT, accept={"type": "boolean"}, why=_TEXT)
LIBRARIES = _object(
    libraries={
        "type": "array",
        "items": _object(symbol=_TEXT, name=_TEXT, name_en=_TEXT, area=_AREA, state=_TEXT, successor=_TEXT),
    }
)
_ENDS: dict[str, Any] = {"from": _TEXT, "to": _TEXT}
NETWORK = _object(
    symbol=_TEXT,
    name=_TEXT,
    titles=_COUNT,
    work=_object(preparing=_COUNT, to_merge=_COUNT, epoch=_COUNT, last=_COUNT),
    nodes={
        "type": "array",
        "description": "this node, its peers, and those that only the directory tells of",
        "items": _object(
            symbol=_TEXT,
            name=_TEXT,
            relation={"type": "string", "enum": ["self", "parent", "child", "further"]},
            path={"type": "string", "enum": ["", "uplink", "membership"]},
            state={"type": "string", "enum": ["", "active", "suspended", "revoked"]},
            address=_TEXT,
            libraries={**_TEXTS, "description": "symbols of the libraries that it hosts"},
            seen={"type": ["string", "null"], "format": "date-time"},
            trouble=_TEXT,
        ),
    },
    streams={
        "type": "array",
        "items": _object(
            **_ENDS,
            channel=_TEXT,
            records={**_COUNT, "description": "that stand: told, or heard where this node is the one that is told"},
            behind={
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "states to come; null = only the sender knows",
            },
            state={"type": "string", "enum": ["even", "flowing", "listening", "held_up", "silent", "trouble"]},
            reason=_TEXT,
        ),
    },
)
KEY = _object(
    key=_COUNT,
    account=_TEXT,
    library=_TEXT,
    title=_TEXT,
    prefix=_TEXT,
    scopes={**_TEXTS, "description": "permission@library; * = wherever its account may"},
    rate={**_COUNT, "description": "requests a minute"},
    made_at={"type": "string", "format": "date-time"},
    made_by=_TEXT,
    until={"type": "string", "format": "date-time"},
    state={"type": "string", "enum": ["active", "disabled", "expired"]},
    used={"type": ["string", "null"], "format": "date-time"},
)
KEYS = _object(keys={"type": "array", "items": KEY})
USAGE = _object(
    key=_COUNT,
    usage={
        "type": "array",
        "items": _object(day={"type": "string", "format": "date"}, operation=_TEXT, calls=_COUNT, refused=_COUNT),
    },
)
HEALTH = _object(status={"type": "string", "enum": ["ok"]}, symbol=_TEXT, records=_COUNT)
