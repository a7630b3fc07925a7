"""Acts on their way into the audit log: kept with what they do, once, and also when they fail."""

from __future__ import annotations

import argparse
import json

import pytest

from catalog import audit
from catalog.acts import Entry
from catalog.audit import Wanted
from catalog.database.pool import Database
from config.errors import Conflict, Unreachable
from node import deeds
from node.deeds import Act, Deed

ACTS = {"add": Act(name="library.add", object="symbol", library="symbol", detail=("name", "area"))}


def a_deed(**more: object) -> Deed:
    """Of `tianlu library add CN-TJU`."""
    told = {"command": "library", "action": "add", "symbol": "CN-TJU", "name": "天津大学", "area": ""} | more
    return deeds.of_command(ACTS, argparse.Namespace(**told), "os:root")


async def kept(database: Database) -> list[tuple[str, str, object]]:
    """(object, outcome, detail), the oldest first."""
    async with database.connection() as conn:
        found = await audit.page(conn, Wanted())
    return [(each.object, each.outcome, json.loads(each.detail)) for each in reversed(found)]


async def test_it_is_kept_where_it_was_done_and_not_again(database: Database) -> None:
    deed = a_deed()
    async with deeds.settled(database, deed), database.transaction() as conn:
        await deed.done(conn, count=2)
    assert await kept(database) == [("CN-TJU", "done", {"name": "天津大学", "count": 2})]


async def test_it_is_kept_at_the_end_by_those_who_say_nothing(database: Database) -> None:
    async with deeds.settled(database, a_deed()):
        pass
    assert await kept(database) == [("CN-TJU", "done", {"name": "天津大学"})]


async def test_what_was_undone_with_its_entry_is_kept_as_failed(database: Database) -> None:
    deed = a_deed()
    with pytest.raises(Unreachable):
        async with deeds.settled(database, deed), database.transaction() as conn:
            await deed.done(conn)
            raise Unreachable("CN-TJ can't be asked: the password is hunter2")
    assert await kept(database) == [("CN-TJU", "failed", {"name": "天津大学", "error": "unreachable"})]


async def test_a_refusal_is_no_fault_and_neither_is_told_in_its_own_words(database: Database) -> None:
    for error, outcome, code in (
        (Conflict("hunter2"), "refused", "conflict"),
        (ExceptionGroup("x", [ZeroDivisionError("hunter2")]), "failed", "ZeroDivisionError"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
    ):
        with pytest.raises(type(error)):
            async with deeds.settled(database, a_deed(symbol=code)):
                raise error
        assert (await kept(database))[-1] == (code, outcome, {"name": "天津大学", "error": code})


async def test_what_only_looks_or_changes_nothing_is_not_kept(database: Database) -> None:
    deed = a_deed()
    async with deeds.settled(database, deed), database.transaction() as conn:
        deed.nothing()
        await deed.done(conn)
    async with deeds.settled(database, Deed()):
        pass
    with pytest.raises(Conflict):
        async with deeds.settled(database, Deed()):
            raise Conflict("x")
    assert await kept(database) == []


async def test_a_command_fails_whose_act_cannot_be_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(audit, "append", broken)
    with pytest.raises(ZeroDivisionError):
        async with deeds.settled(database, a_deed()):
            pass
    with pytest.raises(Conflict):  # what went wrong first is told
        async with deeds.settled(database, a_deed()):
            raise Conflict("x")


async def test_who_did_what_may_become_known_on_the_way(database: Database) -> None:
    deed = Deed(entry=Entry(actor="nobody", act="session.begin"))
    deed.about(actor="account:wang", object="wang", library="CN-TJU", act="session.prove")
    async with database.transaction() as conn:
        await deed.begun(conn)
        await deed.refused(conn, why="late")
    assert await kept(database) == [("wang", "begun", {}), ("wang", "refused", {"why": "late"})]
    async with database.connection() as conn:
        assert {(each.actor, each.act) for each in await audit.page(conn, Wanted())} == {
            ("account:wang", "session.prove")
        }
