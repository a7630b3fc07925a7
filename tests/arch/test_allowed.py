"""Whatever can be asked of a node says what it takes, and only what is named here goes round the door's own role."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from exchange import ends
from node.commands import COMMANDS
from node.web import exchange_routes, machine, permits, routes
from node.web.openapi import Route
from node.z3950 import operations, session
from protocols.oaipmh import provider
from services.access.policy import ALL, DUTIES, NOBODY, OF_NODES, PUBLIC, Actor, Grant, Permission, Role

WEB = Path(routes.__file__).parent
# Nobody changes anything by what everybody may, or by looking.
LOOKING = {Permission.READ, Permission.OWN, Permission.LOOK}
# Modules of the web door that use the node's own database role, each with the reason.
OWN_ROLE = {
    "account_pages.py": "changes one's own account",
    "audit_pages.py": "keeps that the log was taken away; reads all of the chain to verify it",
    "auditing.py": "adds to the audit log, which nobody's reach may keep from being told",
    "batch_asking.py": "puts a batch, and takes it back, of what the door's role has found within reach",
    "bell.py": "listens for what is new for other nodes",
    "cluster_pages.py": "the same as deciding_api.py",
    "copy_asking.py": "loads what was copied for a library within reach",
    "correction_pages.py": "the same as desk.py",
    "deciding_api.py": "the same as review_pages.py; compares two records that the door's role has found",
    "desk.py": "decides on a correction that the door's role has found within reach",
    "exchange_door.py": "knows other nodes by their keys, and their nonces",
    "exchange_routes.py": "applies and makes what nodes tell each other",
    "handing.py": "the same for libraries on their way",
    "key_pages.py": "makes and ends keys",
    "metering.py": "counts what keys are used for",
    "peering.py": "lets other nodes join",
    "permits.py": "finds whose a key is, before anybody is known",
    "returning.py": "reads cases again that the door's role has found within reach",
    "returns_pages.py": "keeps that what came back was taken away",
    "review_pages.py": "puts a decision; services.deciding asks whether it is within reach",
    "signing_in.py": "finds who signs in, before anybody is known",
    "staff_pages.py": "changes accounts within reach (services.access.keeping)",
    "submission_asking.py": "puts submissions and their steps, for whom the qualification is asked within",
    "trust.py": "watches whether other nodes are trusted",
    "visitor.py": "finds whose a session is, before anybody is known",
}


def of(*roles: Role, library: str = ALL) -> Actor:
    return Actor(name="-", library="CN-A", grants=tuple(Grant(role=each, library=library) for each in roles))


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_takes_is_declared_for_actions_that_it_has(name: str) -> None:
    module, command = importlib.import_module(f"node.commands.{name}"), COMMANDS[name]
    allow: dict[str, Permission] = getattr(module, "ALLOW", {})
    assert set(allow) <= set(module.ACTS)
    for action, act in module.ACTS.items():
        permission = allow.get(action, command.allow)
        if act is not None and not command.free and not act.name.endswith(".export"):
            assert permission not in LOOKING, (name, action)
        assert command.permits(of(*DUTIES), permission), "whoever runs the machine may give every command"
        assert command.free or permission is Permission.READ or not command.permits(NOBODY, permission)


def test_a_role_within_a_library_gives_no_command_that_is_about_the_whole_node() -> None:
    admin = of(Role.ADMIN, library="CN-A")
    given = {name for name, each in COMMANDS.items() if each.permits(admin, each.allow) and not each.free}
    assert given == {"user", "key", "search", "show", "export", "copy", "submission", "reservation"}


def test_no_address_has_two_policies() -> None:
    route = routes.ROUTES[0]
    assert len(permits.table(routes.ROUTES)) == len(routes.ROUTES)
    with pytest.raises(ValueError, match="two routes"):
        permits.table((route, Route(path=route.path, handler=route.handler, summary="-", allow=PUBLIC)))


def test_what_other_nodes_ask_goes_through_their_door_and_nothing_else_does() -> None:
    for route in routes.ROUTES:
        guarded = route.handler.__qualname__ == "_knock.<locals>.knock"
        assert guarded == (route.allow == OF_NODES) == route.path.startswith("/x/"), route.path


def test_every_operation_that_a_protocol_knows_has_its_entry() -> None:
    assert set(machine.VERBS) == set(provider.VERBS)
    assert set(exchange_routes.CHANNELS) == set(ends.KNOWN)
    assert set(exchange_routes.CHANNELS.values()) | set(exchange_routes.WAYS.values()) == {OF_NODES}
    assert set(operations.NEEDS) == {name for name, _ in session.OPERATIONS.values()}
    assert set(operations.ACTS) <= set(operations.NEEDS)


def test_the_nodes_own_database_role_is_used_where_that_is_said() -> None:
    """Handlers read by `context.connection` and `context.private`, which see no more than the visitor may."""
    found = set()
    for path in sorted(WEB.glob("*.py")):
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(each, ast.Attribute) and each.attr in ("database", "pool") and path.name != "context.py":
                found.add(path.name)
            if isinstance(each, ast.ImportFrom) and each.module == "catalog.database.pool":
                found.add(path.name)
    assert found - {"context.py"} == set(OWN_ROLE)


def test_the_z3950_door_asks_for_no_connection_but_that_of_the_doors_role() -> None:
    """Who somebody is, is found out before anybody is known, and kept in the audit log (visitors); what
    cataloguers hand in is written (clerk)."""
    own = {
        path.name
        for path in sorted((WEB.parent / "z3950").glob("*.py"))
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(each, ast.Attribute) and each.attr in ("connection", "transaction", "snapshot", "pool")
    }
    assert own == {"clerk.py", "visitors.py"}
