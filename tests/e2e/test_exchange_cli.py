"""Records between two nodes as operators see it: real processes, `status --wait`, `reconcile`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio

from tests import builders, postgres, terminal
from tests.postgres import Postgres
from tests.terminal import PATIENCE, ROOT, environ, free_port, tianlu


@dataclass(frozen=True)
class Operator:
    """Somebody at the terminal of a node."""

    home: Path
    dsn: str

    def says(self, *words: str) -> subprocess.CompletedProcess[str]:
        return terminal.says("--home", str(self.home), *words)

    def asks(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        done = self.says("--json", *words)
        assert done.returncode == code, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextmanager
    def runs(self, *roles: str, killed: bool = False) -> Iterator[None]:
        child = subprocess.Popen(
            tianlu("--home", str(self.home), "--json", "run", *roles),
            env=environ(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert child.stdout
            assert child.stdout.readline()
            yield
        finally:
            child.kill() if killed else child.terminate()
            child.wait(PATIENCE)


@pytest_asyncio.fixture
async def operators(server: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Operator, Operator]]:
    """Of the centre and of a library that has joined it and loaded three titles; nothing runs."""
    async with server.fresh() as first, server.fresh() as second:
        with postgres.home() as above, postgres.home() as below:
            centre, local = Operator(above, first), Operator(below, second)
            for each, tier, symbol in ((centre, "central", "NLC"), (local, "local", "TJU")):
                secret = tmp_path / symbol
                secret.write_text(each.dsn, encoding="utf-8")
                words = ("--tier", tier, "--symbol", symbol, "--port", str(free_port()), "--dsn-file", str(secret))
                each.asks("init", *words)
            (invited,) = centre.asks("invite", "--symbol", "TJU")
            with centre.runs("web"):
                local.asks("join", invited["code"])
            titles = [
                builders.a_cnmarc(title=f"天工开物卷{n}", isbn=builders.isbn13(n), local_id=f"n{n}") for n in (1, 2, 3)
            ]
            file = tmp_path / "three.mrc"
            file.write_bytes(builders.iso2709(*titles))
            local.asks("source", "add", "own", "--library", "TJU")
            local.asks("load", str(file), "--source", "own")
            yield centre, local


async def test_status_waits_for_parents_and_reconcile_proves_it(operators: tuple[Operator, Operator]) -> None:
    centre, local = operators
    late = local.says("status", "--wait")
    assert (late.returncode, "NLC has not heard all" in late.stderr) == (4, True)

    with centre.runs("web", "exchange"), local.runs("web", "exchange"):
        (told,) = local.asks("status", "--wait")
        up = told["streams"]["NLC/clusters"]
        assert (up["role"], up["told"], up["waiting"], up["behind"]) == ("parent", up["last"], 0, 0)
        (above,) = centre.asks("status")
        assert above["streams"]["TJU/clusters"]["heard"] == up["last"]

        proved = local.asks("reconcile", "NLC")
        assert all(row["equal"] for row in proved)
        (clusters,) = [row for row in proved if (row["channel"], row["way"]) == ("clusters", "up")]
        assert clusters["told"] == clusters["heard"] > 0

        conn = await asyncpg.connect(centre.dsn)
        await conn.execute("update heard set digest = $1 where channel = 'clusters'", bytes(16))
        await conn.close()
        differs = local.asks("reconcile", "NLC", code=1)
        assert [row["equal"] for row in differs].count(False) == 1
        mended = local.asks("reconcile", "NLC", "--repair")
        assert sum(row["mended"] for row in mended) == clusters["told"]
        assert all(row["equal"] for row in local.asks("reconcile", "NLC"))

        wrong = centre.says("reconcile", "TJU")
        assert (wrong.returncode, "on the machine of TJU, run tianlu reconcile NLC" in wrong.stderr) == (1, True)
    away = local.says("reconcile", "NLC")
    assert away.returncode == 4
