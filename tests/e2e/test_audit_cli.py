"""What commands leave in the audit log, and `tianlu audit`: real processes."""

from __future__ import annotations

import csv
import json
import os
import pwd
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests import builders, postgres
from tests.e2e.test_exchange_cli import Operator
from tests.postgres import Postgres
from tests.terminal import PATIENCE, ROOT, environ, free_port, tianlu

ME = f"os:{pwd.getpwuid(os.geteuid()).pw_name}"


def init(operator: Operator, tier: str, symbol: str, folder: Path) -> None:
    secret = folder / f"{symbol}.dsn"
    secret.write_text(operator.dsn, encoding="utf-8")
    words = ("--tier", tier, "--symbol", symbol, "--port", str(free_port()), "--dsn-file", str(secret))
    done = operator.says("init", *words)
    assert done.returncode == 0, done.stderr


@pytest_asyncio.fixture
async def operator(server: Postgres, tmp_path: Path) -> AsyncIterator[Operator]:
    """Of a library."""
    async with server.fresh() as dsn:
        with postgres.home() as home:
            made = Operator(home, dsn)
            init(made, "local", "TJU", tmp_path)
            yield made


def brief(operator: Operator, *words: str) -> list[tuple[str, str, str, str]]:
    """(act, object, library, outcome), the oldest first."""
    found = operator.asks("audit", "list", "--limit", "1000", *words)
    assert all(each["actor"] == ME for each in found)
    return [(each["act"], each["object"], each["library"], each["outcome"]) for each in reversed(found)]


async def test_commands_that_change_something_are_in_the_log(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "books.mrc"
    file.write_bytes(builders.iso2709(builders.a_marc21(title="Dream of the red chamber")))
    operator.asks("library", "add", "PKU", "--name", "北京大学图书馆")
    operator.asks("library", "list")
    operator.asks("library", "add", "PKU", "--name", "北京大学图书馆", code=5)
    operator.asks("source", "add", "opac", "--library", "TJU")
    operator.asks("load", str(file), "--source", "opac")
    operator.asks("loads", "undo", "1")
    operator.asks("source", "pause", "nowhere", code=1)
    operator.asks("user", "add", "bianmu-1", "--role", "cataloguer-copy")
    assert brief(operator) == [
        ("node.init", "TJU", "", "done"),
        ("library.add", "PKU", "PKU", "done"),
        ("library.add", "PKU", "PKU", "refused"),
        ("source.add", "opac", "TJU", "done"),
        ("load.add", "opac", "TJU", "begun"),
        ("load.add", "opac", "TJU", "done"),
        ("load.undo", "1", "TJU", "begun"),
        ("load.undo", "1", "TJU", "done"),
        ("source.pause", "nowhere", "", "refused"),
        ("account.add", "bianmu-1", "TJU", "done"),
    ]
    (added,) = operator.asks("audit", "list", "--act", "library", "--library", "PKU")[1:]
    assert added["detail"] == {"name": "北京大学图书馆"}
    (refused,) = [each for each in operator.asks("audit", "list") if each["act"] == "source.pause"]
    assert refused["detail"] == {"error": "not-found"}
    (loaded,) = [each for each in operator.asks("audit", "list", "--act", "load.add") if each["outcome"] == "done"]
    assert loaded["detail"]["counts"]["added"] == 1

    (checked,) = operator.asks("audit", "verify")
    assert (checked["entries"], checked["last"], checked["fits"]) == (10, 10, "yes")
    noted = f"{checked['last']}:{checked['digest']}"
    exported = operator.asks("audit", "export")
    assert [each["no"] for each in exported] == list(range(10, 0, -1))
    assert exported[0]["digest"] == checked["digest"]
    assert exported[0]["previous"] == exported[1]["digest"]
    lines = list(csv.DictReader(operator.says("audit", "export", "--csv").stdout.splitlines()))
    assert [each["act"] for each in lines][:2] == ["audit.export", "account.add"]
    assert operator.says("audit", "verify", "--head", noted).returncode == 0
    assert operator.says("audit", "verify", "--head", f"9:{checked['digest']}").returncode == 1

    conn = await asyncpg.connect(operator.dsn)
    await conn.execute("alter table audit disable trigger user")
    await conn.execute("update audit set actor = 'os:somebody' where no = 4")
    await conn.close()
    (broken,) = operator.asks("audit", "verify", code=1)
    assert (broken["fits"], broken["reason"]) == ("no", "entry 4 is not as it was written")


def loading(operator: Operator) -> subprocess.Popen[bytes]:
    """A load that waits for its records."""
    words = tianlu("--home", str(operator.home), "load", "-", "--source", "opac")
    return subprocess.Popen(words, env=environ(), cwd=ROOT, stdin=subprocess.PIPE)


async def test_a_load_that_is_killed_leaves_that_it_began(operator: Operator, tmp_path: Path) -> None:
    operator.asks("source", "add", "opac", "--library", "TJU")
    child = loading(operator)
    conn = await asyncpg.connect(operator.dsn)

    async def begun() -> bool:
        return bool(await conn.fetchval("select exists (select from audit where act = 'load.add')"))

    await postgres.eventually(begun, PATIENCE)
    await conn.close()
    child.kill()
    child.wait()
    assert brief(operator, "--act", "load") == [("load.add", "opac", "TJU", "begun")]


async def test_a_run_is_kept_with_whether_the_settings_changed(operator: Operator) -> None:
    def starts() -> list[dict[str, Any]]:
        found = operator.asks("audit", "list", "--act", "node.run")
        return [each["detail"] for each in reversed(found) if each["outcome"] == "begun"]

    for _ in range(2):
        with operator.runs("web"):
            pass
    file = operator.home / "tianlu.toml"
    file.write_text(file.read_text(encoding="utf-8") + '\n[oai]\nadmin_email = "a@example.org"\n', encoding="utf-8")
    with operator.runs("web"):
        pass
    told = starts()
    assert [each["changed"] for each in told] == [False, False, True]
    assert told[0]["settings"] == told[1]["settings"] != told[2]["settings"]
    assert [each[3] for each in brief(operator, "--act", "node.run")] == ["begun", "done"] * 3


@pytest.mark.full
async def test_a_child_asks_its_parent_and_the_parent_knows_its_children(
    operator: Operator, server: Postgres, tmp_path: Path
) -> None:
    async with server.fresh() as dsn:
        with postgres.home() as home, ExitStack() as up:
            centre = Operator(home, dsn)
            init(centre, "central", "NLC", tmp_path)
            (invited,) = centre.asks("invite", "--symbol", "TJU")
            up.enter_context(centre.runs("web"))
            operator.asks("join", invited["code"])
            assert brief(operator)[-1] == ("peer.join", "NLC", "", "done")
            asking = ("--json", "audit", "verify", "--peer", "TJU")
            with operator.runs("web", "exchange"):  # which tells at once, and each minute from then on

                async def heard() -> bool:
                    return any(each["last"] for each in map(json.loads, centre.says(*asking).stdout.splitlines()))

                await postgres.eventually(heard, PATIENCE)
            found = operator.asks("audit", "verify")
            assert [(each["log"], each["of"], each["fits"]) for each in found] == [
                ("chain", "TJU", "yes"), ("told", "NLC", "yes"), ("heard of", "NLC", "yes")
            ]  # fmt: skip
            operator.asks("library", "rename", "TJU", "--name", "天津大学图书馆")
            assert operator.says("audit", "verify").returncode == 0

            conn = await asyncpg.connect(operator.dsn)
            for table in ("audit", "audit_end"):
                await conn.execute(f"alter table {table} disable trigger user")
            await conn.execute("delete from audit where act = 'library.rename'")
            await conn.execute(
                "update audit_end set (no, digest) = (select no, digest from audit order by no desc limit 1)"
            )
            await conn.close()
            assert [each["fits"] for each in operator.asks("audit", "verify", code=1)] == ["yes", "no", "yes"]
            (seen,) = centre.asks("audit", "verify", "--peer", "TJU", code=1)
            assert "it had entry" in seen["reason"]
            assert [each["fits"] for each in centre.asks("audit", "verify", code=1)] == ["yes", "no"]
            centre.asks("audit", "accept", "TJU")
            assert operator.says("audit", "verify").returncode == 0
            centre.asks("audit", "accept", "TJU", code=1)
            acts = [each["act"] for each in centre.asks("audit", "list")]
            assert acts[:3] == ["audit.accept", "audit.accept", "audit.alarm"]
        assert operator.says("audit", "verify").returncode == 4
        assert json.loads(operator.says("--json", "audit", "verify").stdout.splitlines()[1])["fits"] == "unknown"
