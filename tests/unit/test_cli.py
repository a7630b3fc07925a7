"""The command line: where flags may stand, how errors and interrupts end, what stays quick."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.errors import BadRecord, Conflict, Misconfigured, NotFound, Unreachable
from node import cli
from node.commands import COMMANDS
from node.context import TRACES, Context, default_home

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "tianlu.toml").write_text("[node]\nsymbol = 'TJU'\n", encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("TIANLU_") or name in ("LANG", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name)


def plant(monkeypatch: pytest.MonkeyPatch, act: Any) -> list[Context]:
    """Puts a stand-in behind `tianlu status` that notes its context and calls `act`."""
    seen: list[Context] = []

    async def run(context: Context, args: argparse.Namespace) -> int:
        seen.append(context)
        return int(await act() or 0)

    module = SimpleNamespace(
        NAME="status", HELP={"en": "-", "zh": "-"}, ACTS={"": None}, arguments=lambda parser: None, run=run
    )
    monkeypatch.setattr(cli, "_module", lambda name: module)
    return seen


def raising(error: BaseException) -> Any:
    async def act() -> None:
        raise error

    return act


async def nothing() -> None:
    return None


def test_global_flags_stand_before_or_after_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = plant(monkeypatch, nothing)
    assert cli.main(["--home", str(home), "--lang", "zh", "--json", "status"]) == 0
    assert cli.main(["status", "--home", str(home), "--lang=zh", "--json"]) == 0
    assert [(c.home, c.lang, c.out.json) for c in seen] == [(home, "zh", True)] * 2


def test_language_comes_from_flag_then_settings_then_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = plant(monkeypatch, nothing)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    cli.main(["--home", str(home), "status"])
    with (home / "tianlu.toml").open("r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write("lang = 'en'\n" + text)
    cli.main(["--home", str(home), "status"])
    cli.main(["--home", str(home), "status", "--lang", "zh"])
    assert [c.lang for c in seen] == ["zh", "en", "zh"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("no such load"), 1),
        (Misconfigured("wrong"), 2),
        (BadRecord("unreadable"), 3),
        (Unreachable("silent"), 4),
        (Conflict("locked"), 5),
    ],
)
def test_error_is_one_line_and_its_class_gives_the_exit_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    plant(monkeypatch, raising(error))
    assert cli.main(["--home", str(home), "status"]) == code
    captured = capsys.readouterr()
    assert captured.err == f"tianlu: error: {error}\n"
    assert captured.out == ""


def test_with_json_an_error_is_an_object_on_standard_error(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch, raising(Conflict("locked")))
    assert cli.main(["--json", "--home", str(home), "status"]) == 5
    assert json.loads(capsys.readouterr().err) == {"error": "conflict", "message": "locked"}


def test_unexpected_error_keeps_its_trace_in_the_home_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch, raising(ZeroDivisionError("oh")))
    assert cli.main(["--home", str(home), "status"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: oh" in err
    assert "Traceback" not in err
    assert "Traceback" in (home / TRACES).read_text(encoding="utf-8")
    assert cli.main(["--debug", "--home", str(home), "status"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_unwinds_the_command_and_says_how_to_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    closed = []

    async def act() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    plant(monkeypatch, act)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert cli.main(["--home", str(home), "status"]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert closed
    assert "again" in capsys.readouterr().err


def test_command_that_needs_a_node_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch, nothing)
    assert cli.main(["--home", str(tmp_path), "status"]) == 2
    assert "tianlu init" in capsys.readouterr().err


def test_fault_in_the_settings_stops_a_command_before_it_starts(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = plant(monkeypatch, nothing)
    (home / "tianlu.toml").write_text("[web]\nprot = 1\n", encoding="utf-8")
    assert cli.main(["--home", str(home), "status"]) == 2
    assert not seen
    assert f"{home}/tianlu.toml:2" in capsys.readouterr().err


def test_wrong_command_or_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["lode"])
    assert caught.value.code == 2
    assert cli.main([]) == 2
    assert "demo" in capsys.readouterr().out


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_help_lists_every_command_in_the_language(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help", "--lang", lang])
    text = "".join(capsys.readouterr().out.split())
    for name, command in COMMANDS.items():
        assert "".join(f"{name} {getattr(command, lang)}".split()) in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_module_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help", "--lang", "zh"])
    assert caught.value.code == 0
    assert f"usage: tianlu {name}" in capsys.readouterr().out
    module = cli._module(name)
    assert name == module.NAME


def test_help_imports_no_command_and_no_database() -> None:
    probe = (
        "import sys; from node import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith('node.commands.') or m in ('asyncpg', 'aiohttp', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_reader_that_goes_away_ends_the_command_quietly(home: Path) -> None:
    probe = (
        "import asyncio, sys; from types import SimpleNamespace; from node import cli\n"
        "async def run(context, args):\n"
        "    for n in range(100000): context.out.item({'n': n})\n"
        "    return 0\n"
        "planted = SimpleNamespace(HELP={'en': ''}, ACTS={}, arguments=lambda p: None, run=run)\n"
        "cli._module = lambda name: planted\n"
        f"sys.exit(cli.main(['--home', {str(home)!r}, 'status']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""


@pytest.mark.parametrize(
    ("environ", "root", "expected"),
    [
        ({"TIANLU_HOME": "/srv/node"}, True, "/srv/node"),
        ({}, True, "/var/lib/tianlu"),
        ({"HOME": "/home/a"}, False, "/home/a/.local/state/tianlu"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/home/a/state"}, False, "/home/a/state/tianlu"),
    ],
)
def test_home_folder_unless_told(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], root: bool, expected: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    assert default_home(environ) == Path(expected)


@pytest.mark.parametrize("action", ["show", "check"])
def test_config_shows_values_with_origins_and_no_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    monkeypatch.setenv("TIANLU_DATABASE__DSN", "postgresql://u:canary@h/d")
    assert cli.main(["config", action, "--home", str(home), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "canary" not in str(rows)
    if action == "show":
        by_key = {row["key"]: row for row in rows}
        assert by_key["node.symbol"] == {"key": "node.symbol", "value": "TJU", "origin": f"{home}/tianlu.toml:2"}
        assert by_key["database.dsn"] == {"key": "database.dsn", "value": "***", "origin": "$TIANLU_DATABASE__DSN"}
        assert by_key["web.port"]["value"] == 8080


def test_global_flags_stand_after_an_action_too() -> None:
    parser, _ = cli._parser(["loads", "list", "--json"], "en")
    args = parser.parse_args(["loads", "list", "--json", "--lang", "zh"])
    assert args.json and args.lang == "zh"
    assert not parser.parse_args(["loads", "list"]).json
