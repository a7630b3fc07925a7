"""Whatever a person can change is declared with the act that the audit log calls it."""

from __future__ import annotations

import argparse
import importlib
import re
from typing import Any

import pytest

from catalog.acts import Entry
from node import deeds
from node.commands import COMMANDS
from node.deeds import Act
from node.web import routes
from node.web.openapi import Route
from services.access.policy import Permission

NAME = re.compile(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*")
READING = ("GET", "HEAD")
# Routes that a POST only reads from, each with the reason.
READ_BY_POST = {"/oai": "a harvester's arguments may come as a form (OAI-PMH 2.0, 3.1.1.2)"}
# Arguments that may hold a secret, or name the file of one.
SECRET = re.compile(r"code|password|secret|token|key.|dsn|prompt|proxy")  # `key` alone is a key's number


def parsers(name: str) -> dict[str, argparse.ArgumentParser]:
    """A command's parsers by action, "" where it has none."""
    module = importlib.import_module(f"node.commands.{name}")
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    for each in parser._actions:
        if isinstance(each, argparse._SubParsersAction):
            assert each.dest == "action", "the audit log tells actions by this argument"
            return dict(each.choices)
        if each.dest == "action":
            return dict.fromkeys(map(str, each.choices or ()), parser)
    return {"": parser}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_action_of_a_command_declares_its_act_or_that_it_only_looks(name: str) -> None:
    acts: dict[str, Act | None] = importlib.import_module(f"node.commands.{name}").ACTS
    known = parsers(name)
    assert set(acts) == set(known)
    for action, act in acts.items():
        if act is None:
            continue
        assert NAME.fullmatch(act.name)
        arguments = {each.dest for each in known[action]._actions}
        told = {each for each in (act.object, act.library, *act.detail) if each}
        assert told <= arguments
        assert not [each for each in told if SECRET.search(each)], "the audit log tells no secrets"


def test_no_two_acts_have_one_name() -> None:
    names = [
        act.name
        for name in COMMANDS
        for act in importlib.import_module(f"node.commands.{name}").ACTS.values()
        if act is not None
    ]
    assert len(names) == len(set(names)) > 30


@pytest.mark.parametrize("route", routes.ROUTES, ids=lambda route: route.path)
def test_every_route_that_changes_something_declares_its_act(route: Route) -> None:
    unsafe = [each for each in route.methods if each not in READING]
    of_people = route.allow.permission is not Permission.EXCHANGE and route.path not in READ_BY_POST
    assert bool(route.act) or not (unsafe and of_people)
    assert not route.act or NAME.fullmatch(route.act)


def test_an_action_that_declares_nothing_is_kept_all_the_same() -> None:
    args: Any = argparse.Namespace(command="library", action="burn", symbol="CN-TJU")
    assert deeds.of_command({"list": None}, args, "os:root").entry == Entry(actor="os:root", act="library.burn")
    args.action = "list"
    assert deeds.of_command({"list": None}, args, "os:root").entry.act == ""
