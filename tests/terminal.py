"""Commands of `tianlu` as operators give them, each in a process of its own that needs no start.

A process that has imported every command waits for lines and forks; what it forks has its own memory, signals, files
and exit code, as what a shell starts has, and spares the second of Python's start that hundreds of commands would cost.
`tests/e2e/test_run.py` and the nodes of the other tests start as they do in the field.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node import cli, commands

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60  # seconds; a busy machine starts three Pythons and a PostgreSQL in a few
_ONE = threading.Lock()


def environ() -> dict[str, str]:
    """Ours, without a node that it may describe."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TIANLU_")}
    return {**plain, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "TIANLU_Z3950__PORT": "0"}


def tianlu(*words: str) -> list[str]:
    """The command line, for a process that lives longer than a command."""
    return [sys.executable, "-m", "node.cli", *words]


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def says(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`tianlu WORDS…`, with `environ()` and what `env` adds; killed after `PATIENCE`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error, _ONE:
        asked = {
            "words": words, "env": environ() | dict(env or {}),
            "out": f"/proc/{os.getpid()}/fd/{out.fileno()}", "error": f"/proc/{os.getpid()}/fd/{error.fileno()}",
        }  # fmt: skip
        forker = _forker()
        assert forker.stdin and forker.stdout
        forker.stdin.write(json.dumps(asked) + "\n")
        forker.stdin.flush()
        answer = forker.stdout.readline()
        assert answer, "what forks commands has ended"
        out.seek(0)
        error.seek(0)
        return subprocess.CompletedProcess(words, int(answer), out.read().decode(), error.read().decode())


@functools.cache
def _forker() -> subprocess.Popen[str]:
    """One a test process; ends with it, as its input does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.terminal"],
        env=environ(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _serve() -> None:
    for each in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{each.name}")
    assert threading.active_count() == 1, "a process with threads must not fork"
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(asked)
            sys.exit(cli.main(asked["words"]))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: Mapping[str, Any]) -> None:
    """A process of its own: its environment, its streams, no input."""
    signal.alarm(PATIENCE)
    os.environ.clear()
    os.environ.update(asked["env"])
    for number, path in enumerate((os.devnull, asked["out"], asked["error"])):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)


if __name__ == "__main__":
    _serve()
