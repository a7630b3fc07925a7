"""Who may do what, as a table made from the declarations beside the routes and commands: docs/policy.md.

    python -m tests.policy_matrix --write

The tables of the document are reviewed by people; a test tries each cell over real sockets (e2e/test_policy_matrix.py).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.commands import COMMANDS
from node.web import exchange_routes, machine
from node.web.openapi import Route
from node.web.routes import ROUTES
from node.z3950 import operations
from services.access import keys
from services.access.policy import (
    ALL,
    DUTIES,
    EVERYBODY,
    NOBODY,
    OF_NODES,
    PERMITS,
    PUBLIC,
    Actor,
    Grant,
    Permission,
    Role,
    Scope,
)

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "policy.md"
MARK = "<!-- made by `python -m tests.policy_matrix --write` -->"
NODE, OWN, FOREIGN = "CN-NODE", "CN-A", "CN-B"  # the node's own library, and two that it keeps things of
KEY, SIGNED = "key", "node"
COLUMNS = ("nobody", *map(str, Role), KEY, SIGNED)
# The key's account may all that a library gives; its scopes are for its own library.
OF_KEY = (Role.ADMIN, Role.CATALOGUER)
SCOPES = tuple(
    Scope(permission=each, library=OWN)
    for each in keys.FOR_KEYS
    if each in EVERYBODY or any(each in PERMITS[role] for role in OF_KEY)
)


def grants(*roles: Role) -> tuple[Grant, ...]:
    """Duties for the node, other roles in the own library."""
    return tuple(Grant(role=each, library=ALL if each in DUTIES else OWN) for each in roles)


ACTORS: Mapping[str, Actor] = {
    "nobody": NOBODY,
    **{str(role): Actor(name=str(role), account=1, library=OWN, grants=grants(role)) for role in Role},
    KEY: Actor(name=KEY, account=1, library=OWN, grants=grants(*OF_KEY), scopes=SCOPES),
    SIGNED: NOBODY,  # outside of /x/ a signature is not looked at
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How a route is tried. In its texts {library} is the library whose thing is asked for, and {load}, {key},
    {source}, {case} its things."""

    path: str = ""  # the route's own unless said
    form: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    single: bool = False  # of one thing, which is absent for those who don't reach it
    shows: str = ""  # what a list holds of each library
    by: Permission | None = None  # whose reach counts, unless that of what the route takes
    refused: Sequence[int] = (404,)  # what answers for another library's thing


# By path, and by path and method where methods differ. Public routes without a variable need none.
PROBES: Mapping[str, Probe] = {
    "/records/{id}": Probe(path="/records/CN-NODE.00000a"),
    "/records/{id}/{form}": Probe(path="/records/CN-NODE.00000a/marcxml"),
    "/api/records/{id}": Probe(path="/api/records/CN-NODE.00000a"),
    "/api/records/{id}/contributors": Probe(path="/api/records/CN-NODE.00000a/contributors"),
    "/api/records/{id}/held": Probe(path="/api/records/CN-NODE.00000a/held?year=2000"),
    "/static/{name}": Probe(path="/static/tianlu.css"),
    "/oai": Probe(path="/oai?verb=Identify"),
    "/oai POST": Probe(form={"verb": "Identify"}),
    "/sign-in POST": Probe(form={"name": "visitor", "password": "correct horse battery staple", "code": ""}),
    "/sign-out POST": Probe(form={}),
    "/reset POST": Probe(form={"code": "x", "new": "one", "again": "another"}),
    "/account": Probe(),
    "/account POST": Probe(form={"do": "end", "session": "none"}),
    "/account/codes.svg": Probe(),
    "/accounts": Probe(shows="post-{library}"),
    "/accounts POST": Probe(
        form={"name": "post-{library}", "title": "", "library": "{library}", "role": "cataloguer-copy"},
        single=True,
        refused=(403,),
    ),
    "/accounts/{name}": Probe(path="/accounts/post-{library}", single=True),
    "/accounts/{name} POST": Probe(path="/accounts/post-{library}", form={"do": "unlock"}, single=True),
    "/keys": Probe(shows="key of {library}", by=Permission.ACCOUNTS),
    "/keys POST": Probe(form={"title": "", "library": OWN, "days": "1", "rate": "1"}),
    "/keys/{key}": Probe(path="/keys/{key}", single=True, by=Permission.ACCOUNTS),
    "/keys/{key} POST": Probe(path="/keys/{key}", form={}, single=True, by=Permission.ACCOUNTS),
    "/api/keys": Probe(shows="key of {library}", by=Permission.ACCOUNTS),
    "/api/keys POST": Probe(json={"title": "-", "scopes": ["read"], "days": 1, "rate": 1}),
    "/api/keys/{key}": Probe(path="/api/keys/{key}", single=True, by=Permission.ACCOUNTS),
    "/api/keys/{key}/usage": Probe(path="/api/keys/{key}/usage", single=True, by=Permission.ACCOUNTS),
    "/audit": Probe(path="/audit?act=library.add", shows="thing of {library}"),
    "/audit/export": Probe(shows="thing of {library}"),
    "/api/audit": Probe(path="/api/audit?act=library.add", shows="thing of {library}"),
    "/api/loads": Probe(shows='"{library}"'),
    "/api/loads/{load}": Probe(path="/api/loads/{load}", single=True),
    "/api/quarantine": Probe(shows='"{library}"'),
    "/quality": Probe(shows="{library}"),
    "/quality.csv": Probe(shows="{library}"),
    "/quality/{source}": Probe(path="/quality/{source}", single=True),
    "/quality/{source}/record": Probe(path="/quality/{source}/record?id=1", single=True),
    "/copy": Probe(),
    "/copy/save POST": Probe(form={"q": "", "library": "{library}"}, single=True),
    "/api/copy": Probe(path="/api/copy?q=&library={library}", single=True),
    "/api/copy/save": Probe(json={"query": "", "target": "-", "number": "-", "library": "{library}"}, single=True),
    "/desk": Probe(shows="{library}"),
    "/review": Probe(),
    "/corrections": Probe(),
    "/corrections/decide POST": Probe(form={"correction": "{library}", "do": "refuse", "why": "-"}, single=True),
    "/review/decide POST": Probe(form={"do": "none", "a": "a/1", "b": "b/2", "why": "-"}),
    "/review/settle POST": Probe(form={"conflict": "none", "why": "-"}),
    "/returns": Probe(shows="{library}"),
    "/returns/{source}": Probe(path="/returns/{source}?rule=x", single=True),
    "/returns/{source}/do POST": Probe(path="/returns/{source}/do", form={"do": "drop", "rule": "none"}, single=True),
    "/returns/{source}/file": Probe(path="/returns/{source}/file", single=True),
    "/returns/{source}/records/{case}": Probe(path="/returns/{source}/records/{case}", single=True),
    "/api/returns": Probe(shows='"{library}"'),
    "/api/returns/{source}": Probe(path="/api/returns/{source}?rule=x", single=True),
    "/api/returns/{source}/preview": Probe(path="/api/returns/{source}/preview?rule=isbn-label", single=True),
    "/api/returns/{source}/do": Probe(
        path="/api/returns/{source}/do", json={"do": "drop", "rule": "none"}, single=True
    ),
    "/api/review": Probe(shows='"{library}"'),
    "/api/review/decision": Probe(json={"correction": "{library}", "accept": False}, single=True),
    "/api/clusters/{id}": Probe(path="/api/clusters/" + "x" * 301),
    "/api/clusters/{id}/base": Probe(path="/api/clusters/" + "x" * 301 + "/base", json={"why": "-"}),
    "/api/pair": Probe(),
    "/api/review/pairs": Probe(),
    "/api/review/conflicts": Probe(),
    "/api/review/conflicts/{conflict}/settle": Probe(path="/api/review/conflicts/none/settle", json={"why": "-"}),
    "/api/decisions": Probe(),
    "/api/decide": Probe(json={"kind": "none", "id": "a/1"}),
    "/api/decisions/{decision}": Probe(path="/api/decisions/none"),
    "/api/decisions/{decision}/undo": Probe(path="/api/decisions/none/undo", json={"why": "-"}),
    "/clusters/{id}": Probe(path="/clusters/" + "x" * 301),
    "/cluster/act POST": Probe(form={"do": "none", "id": "-", "why": "-"}),
    "/submissions": Probe(),
    "/submissions/{submission}": Probe(path="/submissions/none"),
    "/submission/new POST": Probe(form={"do": "none"}),
    "/submission/step POST": Probe(form={"do": "none"}),
    "/submission/decide POST": Probe(form={"do": "none"}),
    "/reservation POST": Probe(form={"do": "none"}),
    "/api/submissions": Probe(),
    "/api/submissions/{submission}": Probe(path="/api/submissions/none"),
    "/api/submissions/{submission}/step": Probe(path="/api/submissions/none/step", json={"do": "withdraw"}),
    "/api/submissions/{submission}/decide": Probe(path="/api/submissions/none/decide", json={"do": "accept"}),
    "/api/submission/make": Probe(json={"do": "none"}),
    "/api/reservations": Probe(),
    "/api/reservation": Probe(json={"what": ""}),
    "/batches": Probe(),
    "/batches/{batch}": Probe(path="/batches/none"),
    "/batch/new POST": Probe(form={"do": "none", "way": "source", "which": "-", "rule": "", "change": "-", "why": "-"}),
    "/batch/undo POST": Probe(form={"batch": "1", "why": ""}),
    "/api/batches": Probe(),
    "/api/batches/{batch}": Probe(path="/api/batches/none"),
    "/api/batches/{batch}/undo": Probe(path="/api/batches/none/undo", json={"why": "-"}),
    "/api/batch/preview": Probe(json={"change": []}),
    "/api/batch/make": Probe(json={"change": []}),
    "/x/join": Probe(json={}),
    "/x/hello": Probe(json={}),
    "/x/up/{link}": Probe(path="/x/up/00aa"),
    "/x/down/{channel}": Probe(path="/x/down/clusters?epoch=0&seq=0&link="),
    "/x/reconcile/{channel}/{way}": Probe(path="/x/reconcile/clusters/up", json={}),
    "/x/handover": Probe(json={}),
    "/x/audit": Probe(json={}),
    "/x/have": Probe(json={}),
}


def probe(route: Route, method: str) -> Probe:
    """How it is tried. LookupError if that isn't said of a route that needs it."""
    found = PROBES.get(f"{route.path} {method}") or PROBES.get(route.path)
    if found is None and (route.allow != PUBLIC or "{" in route.path or method != "GET"):
        raise LookupError(f"{route.path}: say in tests/policy_matrix.py how it is tried")
    return found or Probe()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A route and a method with what each column may."""

    route: Route
    method: str
    cells: Mapping[str, str] = field(default_factory=dict)


def rows(routes: Sequence[Route] = ROUTES) -> Iterator[Row]:
    """The whole matrix, as the policy has it."""
    for route in routes:
        for method in route.methods:
            tried = probe(route, method)
            yield Row(route=route, method=method, cells={name: cell(route, tried, name) for name in COLUMNS})


def cell(route: Route, tried: Probe, column: str) -> str:
    """What a column may: yes, own (of its own library alone), all, none, 401, 403."""
    need, actor = route.allow, ACTORS[column]
    if need == OF_NODES:
        return "yes" if column == SIGNED else "401"
    if need == PUBLIC:
        return "yes" if actor.may(need.permission) else "403"
    if actor is NOBODY:
        return "401"
    if not actor.may(need.permission):
        return "403"
    if not (tried.single or tried.shows):
        return "yes"
    reach = actor.reach(tried.by or need.permission)
    return seen(own=reach.holds(OWN), foreign=reach.holds(FOREIGN))


def seen(*, own: bool, foreign: bool) -> str:
    """The word for it."""
    return {(True, True): "all", (True, False): "own", (False, False): "none"}[own, foreign]


def commands() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """(words, permission, what each role may) of every command and its actions."""
    for name, command in COMMANDS.items():
        module = importlib.import_module(f"node.commands.{name}")
        for action in module.ACTS:
            permission = getattr(module, "ALLOW", {}).get(action, command.allow)
            cells = {
                str(role): _given(command.permits(ACTORS[str(role)], permission), role, within=command.within)
                for role in Role
            }
            yield f"{name} {action}".strip(), "" if command.free else str(permission), cells


def _given(permitted: bool, role: Role, *, within: bool) -> str:
    if not permitted:
        return ""
    return "own" if within and role not in DUTIES else "yes"


def tables() -> str:
    """The tables of the document."""
    parts = [
        "## Roles",
        _table(
            ("role", *map(str, Permission)),
            [(str(role), *("✓" if each in PERMITS[role] else "" for each in Permission)) for role in Role],
        ),
        "## Addresses",
        _table(
            ("method", "address", "takes", *COLUMNS),
            [
                (row.method, f"`{row.route.path}`", str(row.route.allow.permission), *map(_short, row.cells.values()))
                for row in rows()
            ],
        ),
        "## Operations",
        _table(
            ("protocol", "operation", "takes"),
            [
                *(("OAI-PMH", verb, str(need.permission)) for verb, need in machine.VERBS.items()),
                *(("exchange", f"channel {name}", str(n.permission)) for name, n in exchange_routes.CHANNELS.items()),
                *(("exchange", f"reconcile {name}", str(n.permission)) for name, n in exchange_routes.WAYS.items()),
                *(("Z39.50", name, str(need.permission)) for name, need in operations.NEEDS.items()),
            ],
        ),
        "## Commands",
        _table(
            ("command", "takes", *map(str, Role)),
            [(f"`{words}`", permission or "nothing", *cells.values()) for words, permission, cells in commands()],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _short(told: str) -> str:
    return {"yes": "✓", "none": "∅", "403": "·", "401": "–"}.get(told, told)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def written(text: str) -> str:
    """The document with today's tables."""
    before, mark, _ = text.partition(MARK)
    return f"{before}{mark}\n\n{tables()}"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.policy_matrix --write")
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
