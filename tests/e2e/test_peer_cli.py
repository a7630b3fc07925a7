"""`tianlu invite`, `join` and `peer` as operators use them: two nodes, real processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import postgres, terminal
from tests.postgres import Postgres
from tests.terminal import PATIENCE, ROOT, environ, free_port, tianlu


class Operator:
    """Somebody at the terminal of a node."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def says(self, *words: str) -> subprocess.CompletedProcess[str]:
        return terminal.says("--home", str(self.home), *words)

    def asks(self, *words: str) -> list[dict[str, Any]]:
        done = self.says("--json", *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def peer(self, symbol: str) -> dict[str, Any]:
        return next(each for each in self.asks("peer", "list") if each["symbol"] == symbol)


@contextmanager
def up(home: Path) -> Iterator[None]:
    child = subprocess.Popen(
        tianlu("--home", str(home), "--json", "run", "web"), env=environ(), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout
        assert child.stdout.readline()
        yield
    finally:
        child.terminate()
        child.wait(PATIENCE)


@pytest.fixture
async def operators(server: Postgres, tmp_path: Path) -> Any:
    """Of the centre and of a library."""
    async with server.fresh() as first, server.fresh() as second:
        with postgres.home() as centre, postgres.home() as local:
            for home, dsn, tier, symbol in ((centre, first, "central", "NLC"), (local, second, "local", "TJU")):
                secret = tmp_path / symbol
                secret.write_text(dsn, encoding="utf-8")
                words = ("--tier", tier, "--symbol", symbol, "--port", str(free_port()), "--dsn-file", str(secret))
                done = Operator(home).says("init", *words, "--name", f"{symbol} 图书馆")
                assert done.returncode == 0, done.stderr
            yield Operator(centre), Operator(local)


@pytest.mark.full
async def test_operators_join_suspend_and_revoke(operators: tuple[Operator, Operator]) -> None:
    centre, local = operators
    (invited,) = centre.asks("invite", "--symbol", "TJU")
    assert [(each["symbol"], each["state"]) for each in centre.asks("peer", "list")] == [("TJU", "invited")]
    assert centre.says("invite", "--symbol", "no code!").returncode == 2
    away = local.says("join", invited["code"])
    assert away.returncode == 4, away.stderr

    with up(centre.home):
        mistyped = local.says("join", invited["code"][:-1] + ("2" if invited["code"][-1] != "2" else "3"))
        assert (mistyped.returncode, "typing error" in mistyped.stderr) == (2, True)
        other = centre.asks("invite", "--symbol", "PKU")[0]["code"]
        foreign = local.says("join", other)
        assert (foreign.returncode, "PKU" in foreign.stderr) == (5, True)

        joined = local.says("--lang", "zh", "join", *invited["code"].split("-"))
        assert joined.returncode == 0, joined.stderr
        assert "已加入 NLC（NLC 图书馆），作为主上级" in joined.stdout
        assert invited["fingerprint"] in joined.stdout
        (parent,) = local.asks("peer", "list")
        assert (parent["role"], parent["path"], parent["state"]) == ("parent", "uplink", "active")
        child = centre.peer("TJU")
        assert (child["symbol"], child["role"], child["name"]) == ("TJU", "child", "TJU 图书馆")
        assert child["fingerprint"] == local.asks("peer", "key")[0]["fingerprint"]
        libraries = {each["symbol"]: each["name"] for each in centre.asks("library", "list")}
        assert libraries == {"NLC": "NLC 图书馆", "TJU": "TJU 图书馆"}
        assert [each["source"] for each in centre.asks("source", "list")] == ["TJU"]
        assert local.says("join", invited["code"]).returncode == 5

        a_policy(local)
        changed = local.says("peer", "rekey")
        assert (changed.returncode, "NLC knows the new key" in changed.stdout) == (0, True)
        assert centre.peer("TJU")["fingerprint"] == local.asks("peer", "key")[0]["fingerprint"]
        for action, told in (("suspend", "suspended"), ("resume", "knows"), ("revoke", "revoked")):
            assert centre.says("peer", action, "TJU").returncode == 0
            done = local.says("peer", "rekey")
            assert told in done.stdout + done.stderr, action
        assert centre.says("peer", "resume", "TJU").returncode == 5
        assert centre.says("peer", "revoke", "PKU").returncode == 0  # invited, never joined
        assert {each["symbol"]: each["state"] for each in centre.asks("peer", "list")} == {"TJU": "revoked"}
        assert centre.says("peer", "suspend", "XYZ").returncode == 1


def a_policy(local: Operator) -> None:
    """What is published to a parent."""
    everything = {"symbol": "NLC", "level": "all", "libraries": None, "sources": None}
    assert local.asks("peer", "policy", "NLC") == [everything]
    narrow = local.asks("peer", "policy", "NLC", "--level", "holdings", "--libraries", "TJU")
    assert narrow == [everything | {"level": "holdings", "libraries": ["TJU"]}]
    assert local.asks("peer", "policy", "NLC") == narrow
    shown = local.says("--lang", "zh", "peer", "policy", "NLC").stdout.split()
    assert shown == ["level", "holdings", "libraries", "TJU", "sources", "全部"]
    for words, code in (
        (("XYZ",), 1),
        (("NLC", "--libraries", "XYZ"), 1),
        (("NLC", "--sources", "xyz"), 1),
        (("NLC", "--level", "some"), 2),
    ):
        assert local.says("peer", "policy", *words).returncode == code, words
    assert local.asks("peer", "policy", "NLC") == narrow
    assert local.asks("peer", "policy", "NLC", "--level", "all", "--libraries") == [everything]


async def test_tiers_that_can_not_are_told_so(operators: tuple[Operator, Operator]) -> None:
    centre, local = operators
    done = local.says("invite", "--symbol", "PKU")
    assert (done.returncode, "takes no records" in done.stderr) == (2, True)
    code = centre.asks("invite", "--symbol", "TJU", "--address", "https://nlc.example")[0]
    assert code["address"] == "https://nlc.example/"
    done = centre.says("join", code["code"])
    assert (done.returncode, "has no parent" in done.stderr) == (2, True)
    for words in (
        ("--address", "nlc.example"),
        ("--address", "http://a/b"),
        ("--address", "http://0.0.0.0:80/"),
        ("--days", "0"),
    ):
        assert centre.says("invite", "--symbol", "TJU", *words).returncode == 2, words
    plain = centre.says("invite", "--symbol", "TJU")
    assert "TIANLU1-" in plain.stdout
    assert "Only this machine" in plain.stderr
