"""The same file again from the command line: known at once, and whatever a killed load left over is still finished."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from node import attending
from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]  # fixtures

UNMERGED = "insert into dirty (cluster, mark) select cluster, nextval('dirty_mark') from merged"


def a_file(folder: Path) -> Path:
    path = folder / "books.mrc"
    path.write_bytes(b"".join(builders.iso2709(builders.a_marc21(local_id=f"b{n}")) for n in range(3)))
    return path


async def tell(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


def test_the_same_file_again_is_known_and_told_like_any_load(cli: Cli, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    first = cli.load(str(path), "--source", "s", "--library", "CN-A")
    again = cli.load(str(path), "--source", "s")
    assert (again["state"], again["records"], again["unchanged"], again["stages"]) == ("done", 3, 3, {})
    assert f"the same bytes as load {first['load']}" in again["reason"]
    (shown, _) = cli.lines("loads", "list")
    assert (shown["load"], shown["state"], shown["records"], shown["added"]) == (again["load"], "done", 3, 0)


def test_what_a_killed_load_left_unmerged_is_merged_by_the_same_command(cli: Cli, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    cli.load(str(path), "--source", "s", "--library", "CN-A")
    asyncio.run(tell(cli.dsn, UNMERGED))
    assert cli.lines("status")[0]["to_merge"]
    assert cli.load(str(path), "--source", "s")["unchanged"] == 3
    assert not cli.lines("status")[0]["to_merge"]


def test_what_a_load_leaves_to_be_merged_is_merged_by_who_wants_to_see_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(tmp_path)
    monkeypatch.setattr(attending, "SOON", 0)
    cli.load(str(path), "--source", "s", "--library", "CN-A")
    assert cli.lines("status")[0]["to_merge"]
    (shown, *_) = cli.lines("search")
    assert cli.lines("status")[0]["to_merge"] == 0
    cli.load(str(path), "--source", "t", "--library", "CN-B")
    assert cli.lines("status")[0]["to_merge"]
    cli.run("show", shown["id"])
    assert cli.lines("status")[0]["to_merge"] == 0
