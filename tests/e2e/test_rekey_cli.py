"""`tianlu source rekey` as a librarian uses it after moving to another system: look, do it, ask what became of ids."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from tests import builders, postgres
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

COUNT = 8


def _file(path: Path, *records: object) -> str:
    path.write_bytes(b"".join(builders.iso2709(record) for record in records))  # type: ignore[arg-type]
    return str(path)


def _book(number: int, local_id: str, **given: object) -> object:
    copies = [builders.a_holding(call_number=f"TU{number}", item=f"T{number:07}")]
    return builders.a_cnmarc(
        title=f"园冶注释第{number}种",
        isbn=builders.isbn13(500 + number),
        local_id=local_id,
        **({"holdings": copies} | given),
    )


@pytest.fixture
def stocked(cli: Cli, tmp_path: Path) -> Cli:
    """Eight books of a library, one of them decided on with another library's."""
    first = [_book(n, f"{n}") for n in range(1, COUNT + 1)]
    cli.run("load", _file(tmp_path / "a.mrc", *first), "--source", "a", "--library", "LIB-A")
    cli.run("load", _file(tmp_path / "b.mrc", _book(3, "b3"), _book(5, "b5")), "--source", "b", "--library", "LIB-B")
    cli.run("cluster", "split", "a/3", "--record", "b/b3", "--why", "another printing")
    cli.run("cluster", "join", "a/1", "b/b5", "--why", "one book")
    return cli


@pytest.fixture
def new(tmp_path: Path) -> str:
    """The same library's new system: it counts from 1 too, has lost number 8 and has a new book."""
    kept = [_book(n, f"{COUNT - n}", f935=f"  \x1fa{n}" if n % 2 else None) for n in range(1, COUNT)]
    return _file(tmp_path / "new.mrc", *kept, _book(99, "99"))


def _clusters(cli: Cli) -> dict[str, str]:
    return {f"{each['source']}/{each['local_id']}": each["cluster"] for each in cli.lines("export", "--clusters")}


def test_a_library_moves_to_another_system(stocked: Cli, new: str, tmp_path: Path) -> None:
    was = _clusters(stocked)
    said = stocked.run("source", "rekey", "a", "--new", new).stdout.decode()
    assert "1 → 7" in said and "935$a = 1" in said and "barcode T0000002" in said
    assert _clusters(stocked) == was
    *pairs, told = stocked.lines("source", "rekey", "a", "--new", new, "--preview", "--yes")
    counts = {"records": 8, "paired": 7, "moving": 6, "by_old_id": 4, "by_barcode": 3, "unpaired": 1, "new": 1}
    assert {name: told["counts"][name] for name in counts} == counts
    assert {each["old"]: each["new"] for each in pairs} == {**{f"{n}": f"{8 - n}" for n in range(1, 8)}, "8": None}
    assert _clusters(stocked) == was
    stocked.run("source", "rekey", "a", "--new", new, "--yes")
    now = _clusters(stocked)
    assert {now[f"a/{8 - n}"] for n in range(1, 8)} == {was[f"a/{n}"] for n in range(1, 8)}
    assert all(now[f"a/{8 - n}"] == was[f"a/{n}"] for n in range(1, 8))
    assert (now["b/b3"], now["b/b5"]) == (was["b/b3"], was["b/b5"])
    past = stocked.lines("cluster", "history")
    assert {each["state"] for each in past} == {"done"}
    (undone,) = stocked.lines("cluster", "undo", str(past[0]["decision"]), "--why", "no")
    assert undone["state"] == "undone"
    again = json.loads(stocked.run("--json", "source", "rekey", "a", "--new", new, "--yes").stdout.splitlines()[-1])
    assert (again["state"], again["updated"], again["added"], again["deleted"]) == ("done", 0, 0, 0)


def test_old_ids_lead_on(stocked: Cli, tmp_path: Path) -> None:
    new = _file(tmp_path / "new.mrc", *(_book(n, f"x{n}") for n in range(1, COUNT)))
    was = _clusters(stocked)
    stocked.run("source", "rekey", "a", "--new", new, "--yes")
    shown = stocked.run("show", "a/2")
    assert "园冶注释第2种" in shown.stdout.decode() and b"a/x2" in shown.stderr
    (cluster,) = stocked.lines("cluster", "show", "a/2")
    assert cluster["cluster"] == was["a/2"]
    steps = stocked.lines("explain", "a/2")
    assert "became a/x2" in steps[0]["told"] and "barcode" in steps[0]["told"]
    assert any(step["step"] == "formerly" for step in stocked.lines("explain", "a/x2"))
    gone = stocked.run("explain", "a/8").stdout.decode()
    assert "no record of the new system" in gone and was["a/8"] in gone
    assert was["a/8"].encode() in stocked.run("show", "a/8", code=1).stderr
    loads = stocked.lines("loads", "list")
    first = min(each["load"] for each in loads if each["source"] == "a")
    assert b"came later" in stocked.run("loads", "undo", str(first), code=5).stderr


def test_what_is_doubtful_is_listed_until_a_person_says(cli: Cli, tmp_path: Path) -> None:
    plain: dict[str, object] = {"holdings": []}
    old = _file(tmp_path / "old.mrc", *(_book(1, name, **plain) for name in ("1", "2")))
    new = _file(tmp_path / "new.mrc", *(_book(1, name, **plain) for name in ("7", "8")))
    cli.run("load", old, "--source", "a", "--library", "LIB-A")
    assert "1 may be 7, 8" in cli.run("source", "rekey", "a", "--new", new).stdout.decode()
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("old,new\n1,8\n2,7\n")
    cli.run("source", "rekey", "a", "--new", new, "--pairs", str(pairs), "--yes")
    assert b"a/8" in cli.run("show", "a/1").stderr
    pairs.write_text("1,8\n1,7\n")
    assert b"row 2" in cli.run("source", "rekey", "a", "--new", new, "--pairs", str(pairs), code=2).stderr
    assert b"unknown" in cli.run("source", "rekey", "a", "--new", new, "--identity", "nonsense", code=2).stderr


def test_a_command_that_is_killed_goes_on_when_it_is_given_again(stocked: Cli, new: str) -> None:
    was = _clusters(stocked)

    async def begun() -> bool:
        connection = await asyncpg.connect(stocked.dsn)
        try:
            return bool(await connection.fetchval("select exists (select from rekey)"))
        finally:
            await connection.close()

    process = stocked.start("source", "rekey", "a", "--new", new, "--yes")
    asyncio.run(postgres.eventually(begun))
    process.kill()
    assert process.wait(timeout=60) != 0
    done = stocked.run("source", "rekey", "a", "--new", new, "--yes")
    assert b"cut short" in done.stderr
    now = _clusters(stocked)
    assert {name: now[name] for name in now if name != "a/99"} == {
        **{f"a/{8 - n}": was[f"a/{n}"] for n in range(1, 8)},
        "b/b3": was["b/b3"],
        "b/b5": was["b/b5"],
    }
