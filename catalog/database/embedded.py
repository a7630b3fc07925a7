"""The embedded PostgreSQL server of one home, shared by all processes of the node.

Every user holds `<home>/pg/use.lock` shared. Whoever comes or goes holds `start.lock`, so there is one starter at a
time; whoever leaves and can take the use lock for itself alone was the last one and stops the server. A killed user
loses its lock with its life and leaves the server running; the next user adopts it, or starts it again if it is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import asyncpg

from catalog.database import place, programs, supervisor
from catalog.database.place import Place
from catalog.database.programs import Programs
from catalog.database.supervisor import NotReady, Started
from config.errors import Misconfigured, TianluError

log = logging.getLogger(__name__)

LOOK = 0.5  # seconds between two looks at whether the server lives
LONGEST_PAUSE = 30.0  # seconds between attempts to start a server that doesn't
LEAVING_PATIENCE = 10.0  # seconds a leaver waits for a starter; that one then stops the server in its turn
PAUSE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What can be told of a home's server without touching it."""

    running: bool
    pid: int | None
    written_by: int | None  # major version of the data, None before the first start
    folder: Path


class Server:
    """A running server, as one user sees it."""

    def __init__(self, where: Place, choice: str, settings: Mapping[str, str]) -> None:
        self.place = where
        self.dsn = ""
        self.keeper = ""  # DSN of the superuser: for backup and tests
        self.kind = ""
        self.version = ""
        self._choice = choice
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._use: int | None = None

    async def watch(self) -> NoReturn:
        """Start the server again whenever it dies, with back-off, until cancelled. One user may do so, or several."""
        pause = LOOK
        while True:
            await asyncio.sleep(pause)
            if self._process is not None:
                self._process.poll()  # collects it if it has ended
            if supervisor.postmaster(self.place) is not None:
                pause = LOOK
                continue
            log.error("PostgreSQL in %s has died; starting it again", self.place.root)
            try:
                async with _locked(self.place):
                    await self._arrive()
            except (TianluError, OSError, asyncpg.PostgresError) as error:
                log.error("PostgreSQL does not start again: %s", error)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def enter(self) -> None:
        """Become a user: adopt the server or start it."""
        async with _locked(self.place):
            self._use = os.open(self.place.locks / "use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._use, fcntl.LOCK_SH)  # nobody holds it alone without the start lock
            await self._arrive()

    async def another(self, name: str) -> str:
        """The DSN of a further database of this server, made if it isn't there: several nodes may share one server."""
        keeper = await asyncpg.connect(self.keeper)
        try:
            await supervisor.make_database(keeper, name)
        finally:
            await keeper.close()
        return self.place.dsn(database=name)

    async def leave(self) -> None:
        """Stop being a user; the last one stops the server."""
        if self._use is None:
            return
        try:
            async with _locked(self.place, LEAVING_PATIENCE):
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await supervisor.stop(self.place, self._process)
        except BlockingIOError:
            pass  # others use it still
        finally:
            fcntl.flock(self._use, fcntl.LOCK_UN)  # not only closed: a forked child may share it
            os.close(self._use)
            self._use = None

    async def _arrive(self) -> None:
        """Adopt or start. The start lock is held."""
        keeper = await self._adopt()
        if keeper is None:
            keeper, started = await self._start()
        else:
            started = supervisor.remembered(self.place)
        try:
            await supervisor.provide(keeper, self.place)
        finally:
            await keeper.close()
        self.dsn = self.place.dsn()
        self.keeper = self.place.dsn(place.KEEPER, "postgres")
        self.kind, self.version = started.kind, started.version

    async def _adopt(self) -> asyncpg.Connection | None:
        while True:
            with contextlib.suppress(NotReady):
                connection = await supervisor.connect(self.place)
                if connection is not None or supervisor.postmaster(self.place) is None:
                    return connection
            await asyncio.sleep(PAUSE)

    async def _start(self) -> tuple[asyncpg.Connection, Started]:
        written_by = self.place.written_by()
        found = await asyncio.to_thread(programs.find, self._choice, written_by)
        found = await asyncio.to_thread(_enterable, found, self.place)
        if written_by is None:
            log.info("making the database in %s with PostgreSQL %s (%s)", self.place.root, found.version, found.kind)
            await supervisor.initialise(self.place, found)
        self._process, keeper = await supervisor.start(self.place, found, self._settings)
        return keeper, supervisor.remember(self.place, found)


@contextlib.asynccontextmanager
async def server(
    home: Path, programs: str = "auto", settings: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Use the home's server while the block lasts. `programs` is auto, machine, wheel or a folder; `settings` are
    PostgreSQL's own, over `supervisor.SETTINGS`, and hold if this user is the one that starts it.
    """
    user = Server(place.prepare(home), programs, settings or {})
    try:
        await user.enter()
        yield user
    finally:
        await user.leave()


def status(home: Path) -> Status:
    """How the home's server is. A home that isn't there is not made."""
    if not (home / "pg").is_dir():
        return Status(running=False, pid=None, written_by=None, folder=home / "pg")
    where = place.prepare(home)
    pid = supervisor.postmaster(where)
    return Status(running=pid is not None, pid=pid, written_by=where.written_by(), folder=where.root)


def _enterable(found: Programs, where: Place) -> Programs:
    """Programs that the server's user can enter."""
    if place.reachable(found.bin.resolve(), where.uid, where.gid):
        return found
    if found.kind == "wheel":
        return programs.copy(found, where.root)
    raise Misconfigured(
        f"the user that runs PostgreSQL can't enter {found.bin}: open the folders on the way to it, or choose other "
        "programs (database.programs)"
    )


@contextlib.asynccontextmanager
async def _locked(where: Place, patience: float | None = None) -> AsyncIterator[None]:
    """Hold the start lock. Without patience waits as long as it takes (a starter may be recovering from a crash);
    BlockingIOError when patience ends.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    descriptor = os.open(where.locks / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if patience is not None and loop.time() - began > patience:
                    raise
            await asyncio.sleep(PAUSE)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
