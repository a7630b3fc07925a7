"""Clusters and decisions about them, for programs: part of the table of routes."""

from __future__ import annotations

from node.web import deciding_api, deciding_schemas, parameters
from node.web.openapi import Parameter, Route
from node.web.staff_routes import CHANGE, LOOK

JSON = "application/json"
LIMIT, BEFORE = parameters.LISTED
CONFLICT = Parameter(name="conflict", about="A conflict's number.", schema={"type": "integer", "minimum": 1})
DECISION = Parameter(name="decision", about="A decision's number.", schema={"type": "integer", "minimum": 1})
ALL = Parameter(name="all", about="1: those that are settled too.", schema={"type": "string", "enum": ["1"]})
IDENT = Parameter(name="id", about="A cluster's id, old ones too.", schema={"type": "string"})
BOTH = tuple(
    Parameter(
        name=name, about="A cluster's id, or a record as source/local id.", schema={"type": "string"}, required=True
    )
    for name in "ab"
)
AFTER = Parameter(name="after", about="`next` of the answer before.", schema={"type": "string"})

ROUTES: tuple[Route, ...] = (
    Route(
        path="/api/clusters/{id}",
        handler=deciding_api.cluster,
        summary="A cluster: its records, every edge with score and reasons, what was decided, what contradicts.",
        allow=LOOK,
        parameters=(IDENT,),
        answer=JSON,
        schema=deciding_schemas.CLUSTER,
    ),
    Route(
        path="/api/clusters/{id}/base",
        handler=deciding_api.base,
        summary="Choose the base record of a cluster, or leave it to the policy again.",
        allow=CHANGE,
        act="cluster.base",
        methods=("POST",),
        parameters=(IDENT,),
        answer=JSON,
        schema=deciding_schemas.CHOSEN,
        body=deciding_schemas.CHOOSING,
    ),
    Route(
        path="/api/pair",
        handler=deciding_api.pair,
        summary="Why two records are one, or why not: side by side, the verdict, its points.",
        allow=LOOK,
        parameters=BOTH,
        answer=JSON,
        schema=deciding_schemas.PAIR,
    ),
    Route(
        path="/api/review/pairs",
        handler=deciding_api.waiting,
        summary="Pairs of records that a person must judge, the likeliest first.",
        allow=LOOK,
        parameters=(LIMIT, AFTER),
        answer=JSON,
        schema=deciding_schemas.PAIRS,
    ),
    Route(
        path="/api/review/conflicts",
        handler=deciding_api.conflicts,
        summary="Ids of one authority file that contradict within a cluster.",
        allow=LOOK,
        parameters=(LIMIT, ALL),
        answer=JSON,
        schema=deciding_schemas.CONFLICTS,
    ),
    Route(
        path="/api/review/conflicts/{conflict}/settle",
        handler=deciding_api.settle,
        summary="Say what became of a conflict of authority ids.",
        allow=CHANGE,
        act="authority.settle",
        methods=("POST",),
        parameters=(CONFLICT,),
        answer=JSON,
        schema=deciding_schemas.CONFLICT,
        body=deciding_schemas.REASON,
    ),
    Route(
        path="/api/decisions",
        handler=deciding_api.history,
        summary="Decisions of people about clusters, the newest first.",
        allow=LOOK,
        parameters=(LIMIT, BEFORE),
        answer=JSON,
        schema=deciding_schemas.DECISIONS,
    ),
    Route(
        path="/api/decide",
        handler=deciding_api.put,
        summary="Decide: join, apart, link, split. The matcher carries it out a moment later.",
        allow=CHANGE,
        act="cluster.decide",
        methods=("POST",),
        answer=JSON,
        schema=deciding_schemas.PUT,
        body=deciding_schemas.DECIDING,
    ),
    Route(
        path="/api/decisions/{decision}",
        handler=deciding_api.single,
        summary="One decision: what it came to, and where its records are.",
        allow=LOOK,
        parameters=(DECISION,),
        answer=JSON,
        schema=deciding_schemas.PUT,
    ),
    Route(
        path="/api/decisions/{decision}/undo",
        handler=deciding_api.undo,
        summary="Take a decision back.",
        allow=CHANGE,
        act="cluster.undo",
        methods=("POST",),
        parameters=(DECISION,),
        answer=JSON,
        schema=deciding_schemas.PUT,
        body=deciding_schemas.REASON,
    ),
)
