"""Clusters and decisions about them, for programs: part of the table of routes."""

from __future__ import annotations

from node.web import deciding_api as api
from node.web import deciding_schemas as schemas
from node.web import parameters
from node.web.openapi import Parameter, Route, asking, posting
from node.web.staff_routes import CHANGE, LOOK

LIMIT, BEFORE = parameters.LISTED
CONFLICT = Parameter(name="conflict", about="A conflict's number.", schema={"type": "integer", "minimum": 1})
DECISION = Parameter(name="decision", about="A decision's number.", schema={"type": "integer", "minimum": 1})
ALL = Parameter(name="all", about="1: those that are settled too.", schema={"type": "string", "enum": ["1"]})
IDENT = Parameter(name="id", about="A cluster's id, old ones too.", schema={"type": "string"})
BOTH = tuple(
    Parameter(name=name, about="A cluster, or a record as source/local id.", schema={"type": "string"}, required=True)
    for name in "ab"
)
AFTER = Parameter(name="after", about="`next` of the answer before.", schema={"type": "string"})

ROUTES: tuple[Route, ...] = (
    asking(
        "/api/clusters/{id}",
        api.cluster,
        "A cluster: its records, every edge with score and reasons, what was decided, what contradicts.",
        LOOK,
        schemas.CLUSTER,
        IDENT,
    ),
    posting(
        "/api/clusters/{id}/base",
        api.base,
        "Choose the base record of a cluster, or leave it to the policy again.",
        CHANGE,
        "cluster.base",
        schemas.CHOOSING,
        schemas.CHOSEN,
        IDENT,
    ),
    asking(
        "/api/pair",
        api.pair,
        "Why two records are one, or why not: side by side, the verdict, its points.",
        LOOK,
        schemas.PAIR,
        *BOTH,
    ),
    asking(
        "/api/review/pairs",
        api.waiting,
        "Pairs of records that a person must judge, the likeliest first.",
        LOOK,
        schemas.PAIRS,
        LIMIT,
        AFTER,
    ),
    asking(
        "/api/review/conflicts",
        api.conflicts,
        "Ids of one authority file that contradict within a cluster.",
        LOOK,
        schemas.CONFLICTS,
        LIMIT,
        ALL,
    ),
    posting(
        "/api/review/conflicts/{conflict}/settle",
        api.settle,
        "Say what became of a conflict of authority ids.",
        CHANGE,
        "authority.settle",
        schemas.REASON,
        schemas.CONFLICT,
        CONFLICT,
    ),
    asking(
        "/api/decisions",
        api.history,
        "Decisions of people about clusters, the newest first.",
        LOOK,
        schemas.DECISIONS,
        LIMIT,
        BEFORE,
    ),
    posting(
        "/api/decide",
        api.put,
        "Decide: join, apart, link, split. The matcher carries it out a moment later.",
        CHANGE,
        "cluster.decide",
        schemas.DECIDING,
        schemas.PUT,
    ),
    asking(
        "/api/decisions/{decision}",
        api.single,
        "One decision: what it came to, and where its records are.",
        LOOK,
        schemas.PUT,
        DECISION,
    ),
    posting(
        "/api/decisions/{decision}/undo",
        api.undo,
        "Take a decision back.",
        CHANGE,
        "cluster.undo",
        schemas.REASON,
        schemas.PUT,
        DECISION,
    ),
)
