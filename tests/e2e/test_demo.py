"""`tianlu demo` from outside: the network proves itself, can be stopped at any time, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.demo import cast
from tests import builders

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0  # seconds; a busy machine starts some twenty Pythons
SPAN = cast.PORTS * len(cast.bundled())
FIRST_SCREEN = 180.0  # seconds
MEMORY = 2 << 30  # bytes


def environ(folder: Path) -> dict[str, str]:
    """Ours, without a node that it may describe; temporary folders come into `folder`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TIANLU_")}
    return {**plain, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}


def tianlu(*words: str) -> list[str]:
    return [sys.executable, "-m", "node.cli", *words]


def free_ports() -> int:
    """The first of `SPAN` ports of which those that the demo takes are free."""
    for first in range(20000 + os.getpid() % 1000 * 10, 60000, SPAN):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + SPAN, cast.PORTS):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise AssertionError("there are no free ports")


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def processes(folder: Path) -> list[int]:
    """Processes whose command line or folder names this one: nodes, their children and pools, PostgreSQL."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            where = (each / "cmdline").read_bytes() + os.fsencode(os.readlink(each / "cwd"))
            if os.fsencode(folder) in where and int(each.name) != os.getpid():
                found.append(int(each.name))
    return found


def memory(pids: list[int]) -> int:
    """Bytes that processes have, what they share counted once (proportional set size, proc(5))."""
    whole = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{pid}/smaps_rollup").read_text()
            whole += 1024 * int(next(line.split()[1] for line in told.splitlines() if line.startswith("Pss:")))
    return whole


def get(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


@contextlib.contextmanager
def staying(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A demonstration that stays, and the addresses of its nodes."""
    child = subprocess.Popen(
        tianlu("--json", "demo", "--base-port", str(free_ports()), *words),
        env=environ(folder), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert child.stdout
        yield child, json.loads(child.stdout.readline())["addresses"]
    finally:
        child.kill()
        child.wait()


@pytest.mark.full
def test_demo_proves_that_everything_arrived_and_leaves_nothing(home: Path) -> None:
    words = tianlu("--json", "demo", "--once", "--base-port", str(free_ports()))
    done = subprocess.run(words, env=environ(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told["addresses"]) == 4
    assert set(told["holdings"]) == {"CN-LJU", "CN-HZL", "CN-YLA"}
    assert told["shared"] > 100
    assert told["proved"]["works"] == len(cast.shared())
    assert [each.partition(".")[0] for each in told["proved"]["corrected"]] == ["CN-LJU", "CN-JIANGNAN", "CN-CENTRE"]
    assert told["proved"]["streams"] >= 12  # three links, two channels, two ways
    assert not list(home.iterdir())
    assert not processes(home)


@pytest.mark.full
def test_staying_demo_shows_the_network_and_ctrl_c_ends_all_of_it(home: Path) -> None:
    started = time.monotonic()
    with staying(home) as (child, addresses):
        assert time.monotonic() - started < FIRST_SCREEN
        running = processes(home)
        assert len(running) > len(addresses) * 4  # a node is web, indexer, worker and exchange
        assert memory([child.pid, *running]) < MEMORY
        whole = get(f"{addresses['CN-CENTRE']}api/search?limit=1")["total"]
        domain = get(f"{addresses['CN-JIANGNAN']}api/network")
        assert [(each["symbol"], each["relation"]) for each in domain["nodes"]] == [
            ("CN-JIANGNAN", "self"), ("CN-CENTRE", "parent"), ("CN-HZL", "child"), ("CN-LJU", "child"),
        ]  # fmt: skip
        assert domain["nodes"][0]["libraries"] == ["CN-JIANGNAN", "CN-YLA"]
        assert {each["state"] for each in domain["streams"]} == {"even", "listening"}
        upward = next(s for s in domain["streams"] if s["to"] == "CN-CENTRE" and s["channel"] == "clusters")
        assert upward["records"] >= whole > 0, "titles, and where old numbers lead"
        assert upward["behind"] == 0

        wide = get(f"{addresses['CN-LJU']}api/search?q=hongloumeng&scope=nation")
        assert wide["complete"]
        counts = [each["count"] for each in wide["scopes"]]
        assert counts == sorted(counts) and counts[0] < counts[-1]

        for node in home.glob("*/*/tianlu.toml"):
            words = tianlu("--json", "--home", str(node.parent), "status", "--wait")
            done = subprocess.run(words, env=environ(home), cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            streams = json.loads(done.stdout)["streams"]
            assert streams and not any(each["behind"] for each in streams.values())

        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) == 0
        assert not list(home.iterdir())
        assert not processes(home)


@pytest.mark.full
def test_own_files_are_dealt_out_and_where_nothing_meets_that_is_said(home: Path, tmp_path: Path) -> None:
    files = [tmp_path / "one.mrc", tmp_path / "two.mrc"]
    for file, title in zip(files, ("Dream of the red chamber", "Water margin"), strict=True):
        file.write_bytes(builders.iso2709(builders.a_marc21(title=title)))
    words = tianlu("demo", "--once", "--base-port", str(free_ports()), "--records", *map(str, files))
    done = subprocess.run(words, env=environ(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "1 records of Library 1 (one.mrc) at its own node" in done.stdout
    assert "1 records of Library 2 (two.mrc) at its own node" in done.stdout
    assert "nothing was brought together" in done.stderr
    assert not list(home.iterdir())
    assert not processes(home)


def test_taken_port_is_named_before_anything_is_made(home: Path) -> None:
    first = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + cast.PORTS))
        taken.listen()
        words = tianlu("demo", "--once", "--base-port", str(first))
        done = subprocess.run(words, env=environ(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search(rf"\b{first + cast.PORTS}\b", done.stderr) and "--base-port" in done.stderr
    assert not list(home.iterdir())


def test_missing_file_is_named(home: Path) -> None:
    words = tianlu("demo", "--records", str(home / "none.mrc"))
    done = subprocess.run(words, env=environ(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none.mrc" in done.stderr


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_demo_that_is_killed_or_loses_its_terminal_leaves_nothing(home: Path, number: signal.Signals) -> None:
    child = subprocess.Popen(
        tianlu("demo", "--base-port", str(free_ports())),
        env=environ(home), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: len([*home.glob("*/*/run.json")]) == len(cast.bundled()))
        child.send_signal(number)
        child.wait(PATIENCE)
    finally:
        child.kill()
        child.wait()
    until(lambda: not processes(home) and not list(home.iterdir()))
