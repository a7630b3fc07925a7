"""JSON Schemas of the answers of `/api`, for the OpenAPI document; a test checks real answers against them."""

from __future__ import annotations

from typing import Any

from dms import merge_base
from dms.ranges.model import Answer
from node.web.shapes import AT, COUNT, TEXT, TEXTS, thing
from services.discovery import authorities

HIT = thing(
    id=TEXT,
    url=TEXT,
    title=TEXT,
    parallel=TEXTS,
    responsibility=TEXT,
    authors=TEXTS,
    edition=TEXT,
    publication=TEXT,
    year={"type": ["integer", "null"]},
    kind=TEXT,
    languages=TEXTS,
    isbns=TEXTS,
    issns=TEXTS,
    libraries={**TEXTS, "description": "symbols of the holding libraries"},
    updated={"type": "string", "format": "date-time"},
)
_LEVELS: dict[str, Any] = {
    "scope": {**TEXT, "description": "the level that the answer is about"},
    "from": {**TEXT, "description": "symbol of the library that the levels are seen from, or empty"},
    "scopes": {
        "type": "array",
        "description": "the levels, narrow to wide",
        "items": thing(
            scope={**TEXT, "description": "what the parameter `scope` takes"},
            kind={"type": "string", "enum": ["library", "here", "city", "province", "alliance", "nation"]},
            name=TEXT,
            node={**TEXT, "description": "symbol of the parent that answers for it; empty = this node"},
            count={"type": ["integer", "null"], "minimum": 0, "description": "titles; null = not known"},
            state={"type": "string", "enum": ["known", "late", "unreachable"]},
        ),
    },
}
SCOPES = thing(query=TEXT, **_LEVELS)
_HELD = {"type": "boolean", "description": "whether the library in `from` holds it"}
AUTHORITIES = thing(
    query=TEXT,
    total=COUNT,
    page=COUNT,
    pages=COUNT,
    limit=COUNT,
    authorities={
        "type": "array",
        "description": "the best matches first",
        "items": thing(
            id={**TEXT, "description": "source and local id"},
            library=TEXT,
            kind={"type": "string", "enum": list(authorities.KINDS)},
            heading=TEXT,
            variants={**TEXTS, "description": "names that it is not entered under (see from)"},
            related={**TEXTS, "description": "other headings (see also)"},
            identifiers={**TEXTS, "description": "the record's own number first"},
        ),
    },
)
RESULTS = thing(
    query=TEXT,
    **_LEVELS,
    complete={"type": "boolean", "description": "false: the level did not answer, these are a part of its titles"},
    total=COUNT,
    page=COUNT,
    pages=COUNT,
    limit=COUNT,
    hits={"type": "array", "items": thing(**HIT["properties"], held=_HELD)},
    facets={
        "type": "object",
        "additionalProperties": {"type": "array", "items": thing(value=TEXT, label=TEXT, count=COUNT)},
    },
)
HOLDING = thing(
    library=TEXT,
    source=TEXT,
    local_id=TEXT,
    call_number=TEXT,
    item=TEXT,
    location=TEXT,
    status=TEXT,
    note=TEXT,
    held={**TEXT, "description": "what the note says is held, in the normal form (ANSI/NISO Z39.71)"},
    copies={"type": ["integer", "null"], "description": "how many copies the note counts"},
)
_MORE = {
    "format": {"type": "string", "enum": ["MARC21", "CNMARC"]},
    "extent": TEXT,
    "series": TEXTS,
    "subjects": TEXTS,
    "classification": TEXTS,
    "summary": TEXT,
    "notes": TEXTS,
    "links": TEXTS,
    "holdings": {"type": "array", "items": HOLDING},
    "held": {
        "type": "array",
        "description": "by library: how many copies, and what all its statements say together",
        "items": thing(library=TEXT, copies=COUNT, held=TEXT),
    },
    "related": {
        "type": "array",
        "description": "what is shown with it and is not one with it: volumes of a set, other editions, companions",
        "items": thing(
            id=TEXT,
            rules={**TEXTS, "description": "why, by rule; none where a cataloguer linked them"},
            decision={"type": ["integer", "null"]},
        ),
    },
    "elsewhere": {
        "type": "array",
        "description": "libraries that hold it besides those listed here, by the account of each parent",
        "items": thing(node=TEXT, name=TEXT, ids=TEXTS, urls=TEXTS, libraries=TEXTS),
    },
}
HELD = thing(
    id=TEXT,
    libraries={
        "type": "array",
        "description": "those that have it first",
        "items": thing(
            library=TEXT,
            answer={
                "type": "string",
                "enum": [each.value for each in Answer],
                "description": "unknown: it does not say what it holds, or not so closely",
            },
            held={**TEXT, "description": "all that it holds, in the normal form (ANSI/NISO Z39.71)"},
        ),
    },
)
CONTRIBUTORS = thing(
    id=TEXT,
    format={"type": "string", "enum": ["MARC21", "CNMARC"]},
    base={**TEXT, "description": "the base record: source and local id"},
    base_by={
        "type": "string",
        "description": "the question that made it the base; empty where it is the only record",
        "enum": ["", *merge_base.STEPS],
    },
    fields={
        "type": "array",
        "description": "in the record's order",
        "items": thing(
            tag=TEXT,
            indicators=TEXT,
            value={**TEXT, "description": "of a control field"},
            subfields={"type": "array", "items": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}},
            wording={**TEXT, "description": "the record whose words these are; empty: a correction wrote them"},
            others={**TEXTS, "description": "further records that have the value"},
        ),
    },
)
RECORD = thing(**(HIT["properties"] | _MORE))
_AREA = {**TEXT, "description": "a path from the largest part, e.g. 广东/深圳"}
AUDIT = thing(
    entries={
        "type": "array",
        "items": thing(
            no=COUNT,
            at={"type": "string", "format": "date-time"},
            actor=TEXT,
            act=TEXT,
            object=TEXT,
            library=TEXT,
            outcome={"type": "string", "enum": ["done", "begun", "refused", "failed"]},
            detail={"type": "object"},
            address=TEXT,
            request=TEXT,
            digest=TEXT,
        ),
    },
    next={"type": ["integer", "null"], "description": "value of `before` for the entries that follow"},
)
_NEXT = {"type": ["integer", "null"], "description": "value of `before` for those that follow"}
LOAD = thing(
    load=COUNT,
    source=TEXT,
    library=TEXT,
    mode={"type": "string", "enum": ["changes", "full", "undo", "feed", "move", "recheck", "batch"]},
    state=TEXT,
    reason=TEXT,
    origin=TEXT,
    records=COUNT,
    unchanged=COUNT,
    added=COUNT,
    updated=COUNT,
    deleted=COUNT,
    superseded=COUNT,
    returned=COUNT,
    unreadable=COUNT,
    mended=COUNT,
    started_at=AT,
    finished_at={"type": ["string", "null"], "format": "date-time"},
)
LOADS = thing(loads={"type": "array", "items": LOAD}, next=_NEXT)
QUARANTINE = thing(
    cases={
        "type": "array",
        "items": thing(
            id=COUNT,
            source=TEXT,
            library=TEXT,
            load=COUNT,
            position={**COUNT, "description": "byte of the input at which the record begins"},
            ordinal={**COUNT, "description": "1 = first record of the input"},
            local_id=TEXT,
            verdict={"type": "string", "enum": ["unreadable", "returned"]},
            rule=TEXT,
            reason=TEXT,
            at=AT,
        ),
    },
    next=_NEXT,
)
REVIEW = thing(
    corrections={
        "type": "array",
        "items": thing(
            correction=TEXT,
            library={**TEXT, "description": "whose it is: of the child that it is offered to, else this node's"},
            offered_to=TEXT,
            offered_by=TEXT,
            state={"type": "string", "enum": ["open", "accepted", "refused", "superseded"]},
            record=TEXT,
            field={**TEXT, "description": "tags of all fields that it changes"},
            old=TEXT,
            new=TEXT,
            fields={"type": "array", "items": thing(field=TEXT, old=TEXT, new=TEXT)},
            why=TEXT,
            who=TEXT,
            reason={**TEXT, "description": "why it was refused, or what isn't as it was"},
            decided_by=TEXT,
            at=AT,
            decided_at={"type": ["string", "null"], "format": "date-time"},
        ),
    }
)
DECIDED = thing(correction=TEXT, state={"type": "string", "enum": ["accepted", "refused", "superseded"]})
DECIDING = thing(("correction", "accept"), correction=TEXT, accept={"type": "boolean"}, why=TEXT)
LIBRARIES = thing(
    libraries={
        "type": "array",
        "items": thing(symbol=TEXT, name=TEXT, name_en=TEXT, area=_AREA, state=TEXT, successor=TEXT),
    }
)
_ENDS: dict[str, Any] = {"from": TEXT, "to": TEXT}
NETWORK = thing(
    symbol=TEXT,
    name=TEXT,
    titles=COUNT,
    work=thing(preparing=COUNT, to_merge=COUNT, epoch=COUNT, last=COUNT),
    nodes={
        "type": "array",
        "description": "this node, its peers, and those that only the directory tells of",
        "items": thing(
            symbol=TEXT,
            name=TEXT,
            relation={"type": "string", "enum": ["self", "parent", "child", "further"]},
            path={"type": "string", "enum": ["", "uplink", "membership"]},
            state={"type": "string", "enum": ["", "active", "suspended", "revoked"]},
            address=TEXT,
            libraries={**TEXTS, "description": "symbols of the libraries that it hosts"},
            seen={"type": ["string", "null"], "format": "date-time"},
            trouble=TEXT,
        ),
    },
    streams={
        "type": "array",
        "items": thing(
            **_ENDS,
            channel=TEXT,
            records={**COUNT, "description": "that stand: told, or heard where this node is the one that is told"},
            behind={
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "states to come; null = only the sender knows",
            },
            state={"type": "string", "enum": ["even", "flowing", "listening", "held_up", "silent", "trouble"]},
            reason=TEXT,
        ),
    },
)
KEY = thing(
    key=COUNT,
    account=TEXT,
    library=TEXT,
    title=TEXT,
    prefix=TEXT,
    scopes={**TEXTS, "description": "permission@library; * = wherever its account may"},
    rate={**COUNT, "description": "requests a minute"},
    made_at={"type": "string", "format": "date-time"},
    made_by=TEXT,
    until={"type": "string", "format": "date-time"},
    state={"type": "string", "enum": ["active", "disabled", "expired"]},
    used={"type": ["string", "null"], "format": "date-time"},
)
KEYS = thing(keys={"type": "array", "items": KEY})
USAGE = thing(
    key=COUNT,
    usage={
        "type": "array",
        "items": thing(day={"type": "string", "format": "date"}, operation=TEXT, calls=COUNT, refused=COUNT),
    },
)
HEALTH = thing(status={"type": "string", "enum": ["ok"]}, symbol=TEXT, records=COUNT)
