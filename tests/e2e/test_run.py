"""`tianlu run` from outside: one a home, all of it gone when it ends, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protocols.z3950 import apdu
from protocols.z3950.apdu.init import InitRequest, InitResponse
from tests.terminal import PATIENCE, ROOT, environ, free_port, tianlu


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def processes(home: Path) -> list[int]:
    """Processes whose command line or folder names this home: ours, the worker's pool, PostgreSQL."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            where = (each / "cmdline").read_bytes() + os.fsencode(os.readlink(each / "cwd"))
            if os.fsencode(home) in where and int(each.name) != os.getpid():
                found.append(int(each.name))
    return found


@pytest.fixture
def node(home: Path) -> Path:
    """The home of a fresh node on the embedded PostgreSQL."""
    words = ("--home", str(home), "init", "--tier", "local", "--symbol", "TJU", "--port", str(free_port()))
    subprocess.run(tianlu(*words), check=True, env=environ(), cwd=ROOT, capture_output=True, timeout=PATIENCE)
    return home


@contextlib.contextmanager
def running(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`tianlu run`, and the address that it printed."""
    child = subprocess.Popen(
        tianlu("--home", str(home), "--json", "run"), env=environ(), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout
        yield child, json.loads(child.stdout.readline())["addresses"]["web"]
    finally:
        child.kill()
        child.wait()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_node_runs_once_answers_and_leaves_nothing_when_told_to_stop(node: Path) -> None:
    with running(node) as (child, address):
        with urllib.request.urlopen(f"{address}libraries") as answer:
            assert "TJU" in answer.read().decode()
        note = json.loads((node / "run.json").read_text(encoding="utf-8"))
        z3950 = note["addresses"].pop("z3950")
        assert z3950.startswith("tcp:127.0.0.1:")
        assert note == {"pid": child.pid, "addresses": {"web": address}}

        second = subprocess.run(
            tianlu("--home", str(node), "run"), env=environ(), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert second.returncode == 5
        assert str(child.pid) in second.stderr

        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE) == 0
        assert not processes(node)
        assert not (node / "run.json").exists()


def test_killed_node_leaves_no_process_and_runs_again(node: Path) -> None:
    with running(node) as (child, _):
        until(lambda: len(children(child.pid)) >= 2)
        child.kill()
        child.wait()
        until(lambda: not processes(node))
    with running(node) as (child, address):
        with urllib.request.urlopen(f"{address}libraries") as answer:
            assert answer.status == 200
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) == 0


def test_a_z3950_client_that_comes_while_the_door_starts_again_is_answered(node: Path) -> None:
    with running(node) as (child, _):
        port = int(json.loads((node / "run.json").read_text(encoding="utf-8"))["addresses"]["z3950"].rpartition(":")[2])
        assert said_init(port)

        def door() -> list[int]:
            return [pid for pid in children(child.pid) if b"\0z3950\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]

        (first,) = door()
        os.kill(first, signal.SIGKILL)
        assert said_init(port)
        assert door() != [first]
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE) == 0
        assert not processes(node)


def said_init(port: int) -> bool:
    """Whether the door accepts a session."""
    asked = InitRequest(
        protocol_version=frozenset((0, 1, 2)), options=frozenset((0, 1)), preferred_message_size=1 << 20,
        exceptional_record_size=1 << 20,
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(apdu.encode(asked))
        answer = apdu.decode(client.recv(1 << 16))
    return isinstance(answer, InitResponse) and answer.result


def test_taken_port_names_the_setting(node: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = tianlu("--home", str(node), "run", "--port", port)
        done = subprocess.run(words, env=environ(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "web.port" in done.stderr
    assert not processes(node)
