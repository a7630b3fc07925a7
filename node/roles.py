"""The roles of a node, each played until `stop` is set: web in this process, the others as child processes.

A child's work never makes a reader wait, and its death is only its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import IO

from aiohttp import web

from config import networks
from config.errors import Misconfigured
from config.settings import Settings
from node.web import address, connections, gate, headers

log = logging.getLogger(__name__)

ROLES = ("web", "indexer", "worker", "exchange", "z3950")
CHILDREN = ("indexer", "worker", "exchange", "z3950")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a dead child is started again
SETTLED = 60.0  # seconds after which a child's death counts as the first again
DRAIN = 30.0  # seconds that a child has to finish or give back what it holds


def named(words: Sequence[str]) -> frozenset[str]:
    """The roles to play: those named, or all. Misconfigured names an unknown one."""
    for word in words:
        if word not in ROLES:
            raise Misconfigured(f"there is no role {word!r}: known are {', '.join(ROLES)}")
    return frozenset(words or ROLES)


@contextlib.asynccontextmanager
async def serving(application: web.Application, settings: Settings) -> AsyncIterator[str]:
    """Serves the application for the length of the block; yields its address. Misconfigured if the port is taken."""
    told = settings.web
    host, port = told.host, told.port
    proxies = networks.read(told.proxies)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    assert runner.server is not None
    guard = connections.Guard(
        runner.server,
        most=connections.room(told.connections),
        each=told.connections_each,
        shared=lambda peer: peer.is_loopback or address.within(peer, proxies),
        headers=headers.of(told.base_url),
        shed=gate.shedding(application),
    )
    try:
        async with contextlib.AsyncExitStack() as open_:
            try:
                server = await open_.enter_async_context(connections.listening(guard, host, port))
            except OSError as error:
                raise Misconfigured(unavailable(error, host, port)) from error
            taken = server.sockets[0].getsockname()[1]  # port 0 takes a free one
            yield f"http://{f'[{host}]' if ':' in host else host}:{taken}/"
    finally:
        await runner.cleanup()


def unavailable(error: OSError, host: str, port: int, section: str = "web") -> str:
    """Why a port can't be had, and what to do."""
    if error.errno == errno.EADDRINUSE:
        how = " or by --port (demo: --base-port)" if section == "web" else ""
        return f"{section}.port: port {port} on {host} is taken by another program: choose another in tianlu.toml{how}"
    if error.errno == errno.EACCES:
        return f"{section}.port: this user may not listen on port {port}: choose one above 1023 with {section}.port"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{section}.host: {host} is not an address of this machine: choose another with {section}.host"
    return f"{section}.host, {section}.port: can't listen on {host}:{port}: {error.strerror or error}"


def bound(host: str, port: int, section: str) -> socket.socket:
    """A socket that listens, which a child can inherit: then whoever comes while the child starts again waits for it.
    Misconfigured if the address can't be had; `section` is of the settings that say it."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(connections.BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise Misconfigured(unavailable(error, host, port, section)) from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket, *, tls: bool) -> str:
    """What Z39.50 clients are told, as `yaz-client` takes it."""
    host, port = listener.getsockname()[:2]
    return f"{'ssl' if tls else 'tcp'}:{f'[{host}]' if ':' in host else host}:{port}"


def child_command(role: str, home: Path, *, debug: bool, listener: socket.socket | None = None) -> list[str]:
    """How a role of this home is started as a child; `--child` makes it end when its parent is gone, and -P keeps what
    lies in the folder where we were started from being imported.
    """
    inherited = ["--listener", str(listener.fileno())] if listener else []
    words = [sys.executable, "-P", "-m", "node.cli", "run", role, "--child", "--home", str(home), *inherited]
    return [*words, *["--debug"][:debug]]


async def supervise(
    role: str,
    command: Sequence[str],
    stop: asyncio.Event,
    *,
    output: IO[bytes] | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Keeps one child process alive, with back-off when it dies; ends it in order when `stop` is set.

    What it says goes to `output`, or where our own words go. It inherits `listener` by its number.
    """
    inherited = (listener.fileno(),) if listener else ()
    pause = FIRST_PAUSE
    while not stop.is_set():
        started = time.monotonic()
        # Its own session: Ctrl-C reaches only us, and we stop it in order. The pipe tells it when we are gone.
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=inherited,
        )
        try:
            await _first(child.wait(), stop.wait())
        finally:
            await _end(role, child)
        if stop.is_set():
            return
        if time.monotonic() - started > SETTLED:
            pause = FIRST_PAUSE
        log.error("the %s ended with code %s; it starts again in %.1f s", role, child.returncode, pause)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _end(role: str, child: asyncio.subprocess.Process) -> None:
    """SIGTERM and time to drain, then SIGKILL; a cancelled caller still leaves no process behind."""
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), DRAIN)
    except TimeoutError:
        log.error("the %s did not drain in %.0f s; killing it, its work is taken up again later", role, DRAIN)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _first(*waits: Coroutine[None, None, object]) -> None:
    """Until one of them is done; the others are cancelled."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def parent_gone(stop: asyncio.Event) -> None:
    """Sets `stop` when the process at the other end of standard input is gone: a killed node leaves no worker."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        await reader.read()
        stop.set()
    finally:
        transport.close()
