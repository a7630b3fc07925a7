"""What `tianlu doctor` looks at: one small check after another, each saying how it is and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.database import embedded, programs
from config import settings
from config.errors import Misconfigured, TianluError
from node import app, lifecycle
from node.context import Context
from services.access import accounts
from services.access.policy import Role

PYTHON = (3, 11)
GIGABYTE = 1 << 30
ENOUGH = 2  # accounts with each duty
TIGHT, FULL = 10 * GIGABYTE, GIGABYTE  # free disk: below the first a warning, below the second a failure


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding of the doctor."""

    name: str
    state: State
    detail: str  # how it is
    todo: str = ""  # what to do about it


async def examine(context: Context) -> AsyncIterator[Check]:
    """Every check in order, those that need nothing first; the database is opened only if there is a node."""
    for check in (_python, _settings, _home, _disk):
        yield check(context)
    if isinstance(context.told, Misconfigured):
        return  # the rest asks the settings
    for check in (_programs, _port):
        yield check(context)
    if _has_node(context):
        async for found in _opened(context):
            yield found


def _python(context: Context) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        return _bad(context, "python", f"{version} ({sys.executable})", todo=context.text("doctor_python"))
    return _good(context, "python", f"{version} ({sys.executable})")


def _settings(context: Context) -> Check:
    if isinstance(context.told, Misconfigured):
        return _bad(context, "settings", str(context.told), todo=context.text("doctor_settings"))
    if not _has_node(context):
        return _bad(
            context, "settings", context.text("doctor_no_node"), todo=context.text("doctor_init"), state=State.WARN
        )
    return _good(context, "settings", str(context.home / settings.FILE))


def _home(context: Context) -> Check:
    existing = next(each for each in (context.home, *context.home.parents) if each.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return _bad(context, "home", str(existing), todo=context.text("doctor_home", user=os.geteuid()))
    return _good(context, "home", str(context.home))


def _disk(context: Context) -> Check:
    existing = next(each for each in (context.home, *context.home.parents) if each.exists())
    free = shutil.disk_usage(existing).free
    detail = context.text("doctor_free", gigabytes=f"{free / GIGABYTE:.1f}")
    if free >= TIGHT:
        return _good(context, "disk", detail)
    state = State.FAIL if free < FULL else State.WARN
    return _bad(context, "disk", detail, todo=context.text("doctor_disk", path=existing), state=state)


def _programs(context: Context) -> Check:
    if context.settings.database.dsn:
        return _good(context, "programs", context.text("doctor_dsn"))
    try:
        written_by = embedded.status(context.home).written_by if _has_node(context) else None
        found = programs.find(context.settings.database.programs, written_by)
    except Misconfigured as error:
        return _bad(context, "programs", str(error), todo=context.text("doctor_programs"))
    return _good(context, "programs", f"PostgreSQL {found.version} ({found.bin})")


def _port(context: Context) -> Check:
    host, port = context.settings.web.host, context.settings.web.port
    where = f"{host}:{port}"
    if lifecycle.running(context.home):
        return _good(context, "port", context.text("doctor_running", where=where))
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = "doctor_port_taken" if error.errno == errno.EADDRINUSE else "doctor_port"
        return _bad(context, "port", f"{where}: {error.strerror}", todo=context.text(reason))
    return _good(context, "port", context.text("doctor_port_free", where=where))


async def _opened(context: Context) -> AsyncIterator[Check]:
    """The database, and what only it can tell."""
    found: dict[Role, int] | None = None
    several: list[str] = []
    try:
        async with app.open(context) as node:
            database = _good(context, "database", f"PostgreSQL {node.database.version} ({node.database.kind})")
            async with node.database.connection() as conn:
                found, several = await accounts.holders(conn), await accounts.with_several_duties(conn)
    except TianluError as error:
        todo = "" if isinstance(error, Misconfigured) else context.text("doctor_database")
        database = _bad(context, "database", str(error), todo=todo)
    yield database
    if found is not None:
        yield _accounts(context, found)
        if several and context.settings.access.duties == "separate":
            yield _bad(
                context, "duties", ", ".join(several), todo=context.text("doctor_duties_several"), state=State.WARN
            )


def _accounts(context: Context, found: Mapping[Role, int]) -> Check:
    """Whether somebody else can help when a password is lost."""
    detail = ", ".join(f"{role}: {count}" for role, count in found.items())
    if min(found.values()) >= ENOUGH:
        return _good(context, "accounts", detail)
    return _bad(context, "accounts", detail, todo=context.text("doctor_accounts_few"), state=State.WARN)


def _has_node(context: Context) -> bool:
    return (context.home / settings.FILE).is_file()


def _good(context: Context, name: str, detail: str) -> Check:
    return Check(name=context.text(f"doctor_name_{name}"), state=State.OK, detail=detail)


def _bad(context: Context, name: str, detail: str, *, todo: str, state: State = State.FAIL) -> Check:
    return Check(name=context.text(f"doctor_name_{name}"), state=state, detail=detail, todo=todo)
