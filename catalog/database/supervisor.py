"""Make, start and stop one PostgreSQL server in a place. The caller holds the place's start lock."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg

from catalog.database import complaints, door, place
from catalog.database.place import Place
from catalog.database.programs import Programs
from config.errors import Fatal, Misconfigured

log = logging.getLogger(__name__)

# Figures for a node that shares 2 cores and a few GB with its own workers.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # no port: other hosts need a DSN to a server of their own
    "unix_socket_permissions": "0700",
    "max_connections": "120",  # some ten processes with a pool of ten, the web door with one more
    "synchronous_commit": "on",  # what is acknowledged survives a power cut: off lost records in 5 of 6 cuts
    "shared_buffers": "256MB",  # untouched pages cost nothing; holds the hot part of the key index
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",  # solid-state disks, or everything cached: key look-ups must stay index scans
    "wal_compression": "on",  # page images after each checkpoint are most of the log under bulk upserts
    "max_wal_size": "2GB",  # bulk loads checkpoint by time, not every few seconds by size
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "jit": "off",  # compiling costs more than any of our short statements
    "max_parallel_workers_per_gather": "0",  # cores belong to PREPARE; small /dev/shm of containers breaks it
    "autovacuum_naptime": "20s",  # queue, inbox and dirty tables turn over quickly
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",  # complaints.py reads them
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
LOG_LIMIT = 8 << 20  # bytes after which the next start begins a new log; one old one is kept
STOP_PATIENCE = 120.0  # seconds a stop may take to write everything out, before it is cut short (nothing is lost)
ORPHAN_PATIENCE = 1.0  # seconds that processes of a dead server get to end by themselves; they can't commit any more
START_PATIENCE = 60.0  # seconds of passing faults; a crash recovery may take as long as it takes
PAUSE = 0.005  # seconds between two looks, at first: most starts and stops take a tenth of a second …
LONGEST_PAUSE = 0.2  # … and crash recoveries may take minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What the starter leaves in `<root>/server.json` for those that adopt the server."""

    kind: str
    version: str
    bin: str


class NotReady(Exception):
    """The server is there but does not accept connections yet (crash recovery, shutdown)."""


def processes(where: Place) -> list[int]:
    """Every living process of this place's server. By title, which any user may read: in containers even root may not
    read another user's `/proc/<pid>/cwd`. Zombies have no title.
    """
    mark = where.mark.encode()
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in Path(entry.path, "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def postmaster(where: Place) -> int | None:
    """The server's first process, if it lives."""
    try:
        pid = int((where.data / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if where.mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes() else None
    except (OSError, ValueError):
        return None


async def initialise(where: Place, programs: Programs) -> None:
    """Make the data folder: complete or not at all, whenever the power goes."""
    unfinished = where.root / "data.unfinished"
    await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)
    place.give(unfinished, where.uid, where.gid)
    place.new_secret(where)
    utf8 = ["-E", "UTF8"]
    # Byte order everywhere; sort keys are made in Python. 17 and later carry C.UTF-8 themselves, earlier ones need the
    # machine's, which a small machine may lack.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.major >= 17 else []
    said = ""
    for locale in ("C.UTF-8", "C"):
        command: list[str | Path] = [programs.bin / "initdb", "-D", unfinished, "-U", place.KEEPER]
        command += ["-A", "scram-sha-256", "--pwfile", where.password, "-k", "--no-instructions"]
        command += [*utf8, *builtin, f"--locale={locale}"]
        done = await asyncio.to_thread(_run, command, where)
        if done.returncode == 0:
            unfinished.rename(where.data)
            return
        said = done.stdout + done.stderr
        if "invalid locale name" not in said:
            break
    raise complaints.error(said, str(where.root))


async def start(
    where: Place, programs: Programs, settings: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], asyncpg.Connection]:
    """Start the server and wait until it accepts connections, through a crash recovery of any length.

    Returns the process and a connection of the keeper. Faults that pass (processes of a killed server still ending) are
    waited out.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        _clear(where)
        before = _begin_log(where)
        process = _spawn(where, programs, settings)
        try:
            return process, await _wait_ready(where, process)
        except NotReady:
            said = where.log.read_text(errors="replace")[before:]
            if not complaints.passing(said) or loop.time() - began > START_PATIENCE:
                raise complaints.error(said, str(where.root)) from None
        log.info("waiting for the processes of an earlier server in %s to end", where.root)
        if loop.time() - began > ORPHAN_PATIENCE:
            _signal(processes(where), signal.SIGQUIT)
        await asyncio.sleep(0.2)


async def connect(where: Place) -> asyncpg.Connection | None:
    """A connection of the keeper, or None where nothing listens. NotReady while the server can't take it yet."""
    if not (where.run / place.SOCKET).exists():
        return None
    try:
        return await asyncpg.connect(where.dsn(place.KEEPER, "postgres"), timeout=10)
    except (ConnectionRefusedError, FileNotFoundError):
        return None
    except asyncpg.InvalidPasswordError:
        raise Misconfigured(
            f"{where.password} is not the password of the server in {where.root}: put it back from a backup of the home"
        ) from None
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError):
        raise NotReady from None


async def stop(where: Place, process: subprocess.Popen[bytes] | None) -> None:
    """Stop the server, all of it: write everything out, or cut short after `STOP_PATIENCE`."""
    loop = asyncio.get_running_loop()
    pid = postmaster(where)
    if pid is not None:
        _signal([pid], signal.SIGINT)
        deadline = loop.time() + STOP_PATIENCE
        while postmaster(where) == pid:
            if process is not None:
                process.poll()
            if loop.time() > deadline:
                log.warning("PostgreSQL in %s has not stopped for %.0f s and is cut short", where.root, STOP_PATIENCE)
                _signal([pid], signal.SIGQUIT)
                deadline += STOP_PATIENCE
            await asyncio.sleep(PAUSE)
    if process is not None:
        await asyncio.to_thread(process.wait)
    if where.run.parent == place.SHORT:
        with contextlib.suppress(OSError):
            where.run.rmdir()


def remember(where: Place, programs: Programs) -> Started:
    """Leave word for those that adopt the server."""
    started = Started(kind=programs.kind, version=programs.version, bin=str(programs.bin))
    (where.root / "server.json").write_text(json.dumps(asdict(started)) + "\n")
    return started


def remembered(where: Place) -> Started:
    """What the starter of the running server left."""
    try:
        return Started(**json.loads((where.root / "server.json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise Fatal(f"{where.root / 'server.json'} can't be read ({error}): stop the server there") from error


async def provide(keeper: asyncpg.Connection, where: Place) -> None:
    """The node's own role, which may nothing beyond its database, the web door's, which it may become, and the
    database."""
    if not await keeper.fetchval("select true from pg_roles where rolname = $1", place.ROLE):
        # A role's password can't be a parameter; the text is quoted by the server.
        await keeper.execute(
            await keeper.fetchval(
                "select format('create role %I login password %L', $1::text, $2::text)", place.ROLE, where.secret()
            )
        )
    await door.provide(keeper, place.ROLE)
    await make_database(keeper, place.DATABASE)


async def make_database(keeper: asyncpg.Connection, name: str) -> None:
    """A database of the node's own role, if it isn't there."""
    if not await keeper.fetchval("select true from pg_database where datname = $1", name):
        await keeper.execute(
            await keeper.fetchval("select format('create database %I owner %I', $1::text, $2::text)", name, place.ROLE)
        )


def _run(command: list[str | Path], where: Place) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=_environment(), **_identity(where)
    )


def _clear(where: Place) -> None:
    """Remove the lock files of a server that is gone: its number may by now be another program's, or a zombie's that
    nobody collects (containers), and PostgreSQL would take it for alive.
    """
    if not processes(where):
        for stale in (where.data / "postmaster.pid", where.run / f"{place.SOCKET}.lock", where.run / place.SOCKET):
            stale.unlink(missing_ok=True)


def _begin_log(where: Place) -> int:
    """Characters already in the log; a long one is put aside first."""
    try:
        if where.log.stat().st_size > LOG_LIMIT:
            where.log.rename(where.log.with_suffix(".log.1"))
        return len(where.log.read_text(errors="replace"))
    except FileNotFoundError:
        return 0


def _spawn(where: Place, programs: Programs, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [programs.bin / "postgres", "-D", where.data, "-k", where.run]
    for name, value in {**SETTINGS, **settings, "cluster_name": where.mark}.items():
        command += ["-c", f"{name}={value}"]
    with open(where.log, "ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # an interrupt at the terminal is for us, not for the server
            env=_environment(),
            **_identity(where),
        )


async def _wait_ready(where: Place, process: subprocess.Popen[bytes]) -> asyncpg.Connection:
    loop = asyncio.get_running_loop()
    tell = loop.time() + 10
    pause = PAUSE
    while True:
        with contextlib.suppress(NotReady):
            if connection := await connect(where):
                return connection
        if process.poll() is not None:
            raise NotReady
        if loop.time() > tell:
            log.warning("PostgreSQL in %s is recovering from a crash; waiting", where.root)
            tell += 60
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)


def _identity(where: Place) -> dict[str, Any]:
    if os.geteuid():
        return {}
    return {"user": where.uid, "group": where.gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Nothing of ours: settings come from the command line alone (PGDATA, PGPORT and friends would interfere)."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
