"""Roles: a web door that names what is wrong with its port, a worker that is kept alive and never left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from config.errors import Misconfigured
from config.settings import Settings, Web
from node import roles

ROOT = Path(__file__).resolve().parents[2]


def a_site() -> web.Application:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="天禄")

    site = web.Application()
    site.router.add_get("/", hello)
    return site


def at(port: int, host: str = "127.0.0.1") -> Settings:
    return Settings(web=Web(host=host, port=port))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(done: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for what another process does."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_site_is_served_for_the_length_of_the_block() -> None:
    async with aiohttp.ClientSession() as client:
        async with roles.serving(a_site(), at(free_port())) as address, client.get(address) as answer:
            assert await answer.text() == "天禄"
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(address)


@pytest.mark.parametrize(
    ("host", "setting"), [("127.0.0.1", "web.port"), ("203.0.113.7", "web.host"), ("no such host", "web.host")]
)
async def test_address_that_cannot_be_had_names_the_setting(host: str, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=setting):
            async with roles.serving(a_site(), at(port, host)):
                pass


def test_unknown_role_is_named() -> None:
    assert roles.named([]) == {"web", "indexer", "worker", "exchange", "z3950"}
    assert roles.named(["worker"]) == {"worker"}
    with pytest.raises(Misconfigured, match="wroker"):
        roles.named(["wroker"])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def a_worker(log: Path, then: str) -> list[str]:
    """A stand-in for the worker that writes its process id and then does `then`."""
    code = f"import os, sys, time, signal; open({str(log)!r}, 'a').write(f'{{os.getpid()}}\\n'); {then}"
    return [sys.executable, "-c", code]


async def test_dead_worker_is_started_again_and_stopped_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "FIRST_PAUSE", 0.01)
    log, stop = tmp_path / "pids", asyncio.Event()
    keeping = asyncio.create_task(roles.supervise("worker", a_worker(log, "sys.stdin.read()"), stop))
    await until(lambda: len(pids(log)) == 1)
    os.kill(pids(log)[0], 9)
    await until(lambda: len(pids(log)) == 2)
    stop.set()
    await asyncio.wait_for(keeping, 10)
    assert not any(alive(pid) for pid in pids(log))


async def test_pauses_between_starts_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "FIRST_PAUSE", 0.1)
    pauses: list[float] = []
    monkeypatch.setattr(roles.log, "error", lambda text, *values: pauses.append(values[-1]))
    log, stop = tmp_path / "pids", asyncio.Event()
    keeping = asyncio.create_task(roles.supervise("worker", a_worker(log, "sys.exit(3)"), stop))
    await until(lambda: len(pauses) >= 3)
    stop.set()
    await asyncio.wait_for(keeping, 10)
    assert pauses[:3] == pytest.approx([0.1, 0.2, 0.4])


async def test_worker_that_does_not_drain_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "DRAIN", 0.2)
    log, stop = tmp_path / "pids", asyncio.Event()
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    keeping = asyncio.create_task(roles.supervise("worker", a_worker(log, deaf), stop))
    await until(lambda: len(pids(log)) == 1)
    stop.set()
    await asyncio.wait_for(keeping, 10)
    assert not alive(pids(log)[0])


async def test_cancelled_supervisor_leaves_no_process(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    keeping = asyncio.create_task(roles.supervise("worker", a_worker(log, "sys.stdin.read()"), asyncio.Event()))
    await until(lambda: len(pids(log)) == 1)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert not alive(pids(log)[0])


def test_child_ends_when_its_parent_is_gone() -> None:
    code = (
        "import asyncio\nfrom node import roles\n"
        "async def main():\n"
        "    stop = asyncio.Event()\n"
        "    print('waiting', flush=True)\n"
        "    await asyncio.gather(roles.parent_gone(stop), stop.wait())\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as child:
        assert child.stdout
        assert child.stdin
        child.stdout.readline()
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(10) == 0


def test_a_child_runs_nothing_that_lies_in_the_working_folder(tmp_path: Path) -> None:
    for name in ("config.py", "msgspec.py"):
        (tmp_path / name).write_text("raise SystemExit('this was run')\n", encoding="utf-8")
    command = roles.child_command("worker", tmp_path, debug=False)
    start = command[: command.index("run")]
    done = subprocess.run([*start, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
