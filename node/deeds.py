"""What a person does, on its way into the audit log (shell).

Commands and routes that change something declare their act beside them: a command by action in its module's `ACTS`, a
route in its `act`. From that a `Deed` is made, which the handler has at hand:

    async with node.database.transaction() as conn:
        …
        await context.deed.done(conn, library=source.library)       # last: it commits with the act, or not at all

What a handler doesn't keep itself is kept after it, by `settled`: so that nothing which was declared is missing, and
neither are acts that failed or were refused. Where nothing is declared, nothing is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from catalog.acts import Entry, Outcome
from config.errors import Fatal, Retry, TianluError, Unreachable

if TYPE_CHECKING:  # `--help` makes a context, which has a deed, and can spare the database's driver
    from catalog.connection import Connection
    from catalog.database.pool import Database

log = logging.getLogger(__name__)

FAULTS = (Retry, Unreachable, Fatal)  # of our own errors; all others say that something may not or cannot be


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act as a command declares it: its name, and which arguments the log tells of. None of them is a secret."""

    name: str  # e.g. library.add
    object: str = ""  # the argument that says what it is done to
    library: str = ""  # the argument that says whose data it is about
    detail: tuple[str, ...] = ()  # arguments that are told if they are given


@dataclass(kw_only=True)
class Deed:
    """One act while it is done. With no name of an act it is none, and nothing is kept of it."""

    entry: Entry = field(default_factory=lambda: Entry(actor="nobody", act=""))
    kept: bool = False

    def about(self, *, object: str = "", library: str = "", actor: str = "", act: str = "", **detail: Any) -> None:
        """What has become known: the object, whose data it is, who did it, what exactly, and what else the log should
        tell."""
        self.entry = replace(
            self.entry,
            act=act or self.entry.act,
            object=object or self.entry.object,
            library=library or self.entry.library,
            actor=actor or self.entry.actor,
            detail={**self.entry.detail, **detail},
        )

    def nothing(self) -> None:
        """It turned out that nothing is changed, or only looked at."""
        self.entry = replace(self.entry, act="")

    async def begun(self, conn: Connection, *, object: str = "", library: str = "", **detail: Any) -> None:
        """Keep that it began, for what takes longer than a transaction; how it ended is kept besides."""
        self.about(object=object, library=library, **detail)
        await self._keep(conn, "begun")

    async def done(self, conn: Connection, *, object: str = "", library: str = "", **detail: Any) -> None:
        """Keep it, last in the transaction that does it."""
        self.about(object=object, library=library, **detail)
        await self._keep(conn, "done")
        self.kept = True

    async def refused(self, conn: Connection, *, object: str = "", library: str = "", **detail: Any) -> None:
        """Keep that it was not done, because whoever asked may not."""
        self.about(object=object, library=library, **detail)
        await self._keep(conn, "refused")
        self.kept = True

    async def settle(self, database: Database, outcome: Outcome, **detail: Any) -> None:
        """Keep what was not kept yet. A failure is kept in any case: what was kept before was undone with it."""
        if self.entry.act and (not self.kept or outcome != "done"):
            self.about(**detail)
            async with database.transaction() as conn:
                await self._keep(conn, outcome)

    async def _keep(self, conn: Connection, outcome: Outcome) -> None:
        if self.entry.act:
            audit = importlib.import_module("catalog.audit")
            await audit.append(conn, replace(self.entry, outcome=outcome))


def of_command(acts: Mapping[str, Act | None], args: argparse.Namespace, actor: str) -> Deed:
    """The deed that a command line is. An action that declares nothing is kept by its name alone."""
    action = getattr(args, "action", None) or ""
    act = acts.get(action, Act(name=f"{args.command}.{action}".rstrip(".")))
    if act is None:
        return Deed()
    told = {name: value for name in act.detail if (value := getattr(args, name, None)) not in (None, "", False, [])}
    return Deed(
        entry=Entry(
            actor=actor,
            act=act.name,
            object=str(getattr(args, act.object, "") or "") if act.object else "",
            library=str(getattr(args, act.library, "") or "") if act.library else "",
            detail=told,
        )
    )


@contextlib.asynccontextmanager
async def settled(database: Database, deed: Deed) -> AsyncIterator[None]:
    """Keep the deed at the end of the block, however it ends."""
    try:
        yield
    except BaseException as error:
        outcome, name = told(error)
        try:
            await deed.settle(database, outcome, error=name)
        except Exception as fault:  # the error itself is what has to be told
            log.error("%s by %s %s, which the audit log could not be told (%s)", deed.entry.act, deed.entry.actor,
                      outcome, told(fault)[1])  # fmt: skip
        raise
    await deed.settle(database, "done")


def told(error: BaseException) -> tuple[Outcome, str]:
    """Whether an error is a refusal or a fault, and what kind, without its words: they may hold what was typed."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TianluError):
        return "failed" if isinstance(error, FAULTS) else "refused", error.code
    return "failed", type(error).__name__
