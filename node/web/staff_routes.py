"""The pages on which staff look after what waits for somebody: part of the table of routes."""

from __future__ import annotations

from node.web import cluster_pages, correction_pages, desk_page, returns_pages, review_pages
from node.web.openapi import Route, doing
from services.access.policy import Need, Permission, Subject

LOOK = Need(permission=Permission.LOOK, subject=Subject.LIBRARY)
LOAD = Need(permission=Permission.LOAD, subject=Subject.LIBRARY)
CHANGE = Need(permission=Permission.CHANGE, subject=Subject.LIBRARY)

ROUTES: tuple[Route, ...] = (
    Route(path="/desk", handler=desk_page.page, summary="What waits for somebody, and the newest loads", allow=LOOK),
    Route(path="/review", handler=review_pages.page, summary="Pairs of records that a person must judge", allow=LOOK),
    Route(
        path="/clusters/{id}",
        handler=cluster_pages.page,
        summary="A cluster: why its records are one, what was decided, and another one beside it",
        allow=LOOK,
    ),
    doing(
        "/cluster/act",
        cluster_pages.act,
        "Split a cluster, choose its base, take a decision back",
        CHANGE,
        "cluster.decide",
    ),
    doing("/review/settle", review_pages.settle, "Settle a conflict of authority ids", CHANGE, "authority.settle"),
    doing("/review/decide", review_pages.decide, "Decide what two records are to each other", CHANGE, "cluster.decide"),
    Route(path="/corrections", handler=correction_pages.page, summary="Corrections offered, both ways", allow=LOOK),
    doing("/corrections/decide", correction_pages.decide, "Accept or refuse a correction", CHANGE, "correction.decide"),
    Route(path="/returns", handler=returns_pages.overview, summary="What came back, by rule and source", allow=LOOK),
    Route(path="/returns/{source}", handler=returns_pages.group, summary="What one rule returned", allow=LOOK),
    doing(
        "/returns/{source}/do",
        returns_pages.do,
        "Mend, read again or forget what a rule returned",
        LOAD,
        "quarantine.rerun",
    ),
    Route(
        path="/returns/{source}/file",
        handler=returns_pages.file,
        summary="What a rule returned as MARC or as a table",
        allow=LOOK,
        act="quarantine.export",
    ),
    Route(
        path="/returns/{source}/records/{case}",
        handler=returns_pages.case,
        summary="One record that came back",
        allow=LOOK,
    ),
)
