"""`tianlu init` makes a node once, completely, and for its owner alone."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from catalog import libraries, ownership
from catalog.connection import Connection
from config import settings
from config.errors import Conflict, Misconfigured, Unreachable
from node import cli
from node.commands import init
from node.context import TRACES
from services.access import accounts, passwords
from services.access.policy import DUTIES, Role


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("TIANLU_") and not name.startswith("TIANLU_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")


def test_init_makes_a_node_that_the_doctor_finds_well(
    home: Path, dsn: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret = tmp_path / "dsn"
    secret.write_text(dsn, encoding="utf-8")
    words = ["--home", str(home), "--json"]
    name = '天津大学"图书馆\\'
    told = ["--tier", "local", "--symbol", "TJU", "--name", name, "--port", "1", "--dsn-file", str(secret)]
    assert cli.main([*words, "init", *told]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == {"symbol": "TJU", "tier": "local", "home": str(home)}
    assert [each["account"] for each in said[1:]] == ["operator"]

    made = settings.load(home, {})
    assert (made.node.symbol, made.node.tier, made.node.name, made.web.port) == ("TJU", "local", name, 1)
    assert made.database.dsn.reveal() == dsn
    assert dsn not in (home / settings.FILE).read_text(encoding="utf-8")
    assert stat.S_IMODE((home / settings.FILE).stat().st_mode) == 0o600
    assert not stat.S_IMODE(home.stat().st_mode) & 0o066

    assert cli.main([*words, "doctor"]) in (0, 1)
    checks = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert checks["database"]["state"] == "ok"
    assert checks["settings"]["state"] == "ok"
    assert checks["accounts"]["state"] == "warn"  # one person alone


@pytest.mark.parametrize("duties", ["together", "separate"])
async def test_the_first_accounts_have_the_duties_and_passwords_that_are_shown_once(
    home: Path, dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch, duties: str
) -> None:
    monkeypatch.setenv("TIANLU_DATABASE__DSN", dsn)
    made = await init.make(home, {"node.tier": "local", "node.symbol": "TJU", "access.duties": duties})
    assert made.settings.access.duties == duties
    found = {name: await accounts.get(conn, name) for name in made.passwords}
    expected: dict[str, tuple[Role, ...]] = {"operator": DUTIES}
    assert {name: each.duties for name, each in found.items()} == (
        expected if duties == "together" else {str(each): (each,) for each in DUTIES}
    )
    for name, password in made.passwords.items():
        assert found[name].must_change
        kept = await accounts.proof(conn, found[name].account)
        assert kept and await passwords.right(password.reveal(), kept.password)
        assert password.reveal() not in kept.password
    assert all(count == 1 for count in (await accounts.holders(conn)).values())


async def test_own_library_is_in_the_directory_and_the_database_is_claimed(
    home: Path, dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANLU_DATABASE__DSN", dsn)
    await init.make(home, {"node.tier": "local", "node.symbol": "TJU", "node.name": "天大"})
    library = await libraries.get(conn, "TJU")
    assert library is not None
    assert library.name == "天大"
    assert await ownership.owner(conn) == "TJU"
    with pytest.raises(Conflict):
        await ownership.claim(conn, "PKU")
    with pytest.raises(Misconfigured, match="TJU"):
        await ownership.confirm(conn, "PKU")


async def test_existing_home_is_a_conflict_and_stays_as_it_is(
    home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANLU_DATABASE__DSN", dsn)
    await init.make(home, {"node.tier": "local", "node.symbol": "TJU"})
    before = (home / settings.FILE).read_bytes()
    with pytest.raises(Conflict, match="already") as caught:
        await init.make(home, {"node.tier": "local", "node.symbol": "PKU"})
    assert caught.value.exit_code == 5
    assert (home / settings.FILE).read_bytes() == before


def test_folder_of_somebody_else_is_not_touched(home: Path) -> None:
    (home / "letters").mkdir()
    mode = home.stat().st_mode
    with pytest.raises(Conflict, match="letters"):
        asyncio.run(init.make(home, {"node.tier": "local", "node.symbol": "TJU"}))
    assert home.stat().st_mode == mode


async def test_interrupted_init_can_be_repeated(home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"node.tier": "local", "node.symbol": "TJU"}
    monkeypatch.setenv("TIANLU_DATABASE__DSN", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unreachable, match=r"database\.dsn"):
        await init.make(home, chosen)
    assert not (home / settings.FILE).exists()
    (home / TRACES).touch()
    monkeypatch.setenv("TIANLU_DATABASE__DSN", dsn)
    first = await init.make(home, chosen)
    assert (home / settings.FILE).exists()
    # As if it had been interrupted when the password was to be shown: that one is lost, and there is another.
    (home / settings.FILE).rename(home / init.UNFINISHED)
    again = await init.make(home, chosen)
    assert again.passwords["operator"] != first.passwords["operator"]
