"""Copy cataloguing for the command line and the pages: lines to targets, whose passwords only this opens (shell)."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from catalog import sources, targets
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Format
from catalog.targets import Target
from config.secret import Secret
from config.settings import Settings
from dms import quality_scope
from dms.crosswalk.marc import between
from node import outgoing
from services.access import sealed
from services.copying import lines, z3950
from services.copying.candidates import Judge
from services.copying.choosing import Wish
from services.copying.lines import Lines

CHINESE = "chi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a library's records are."""

    dialect: str  # of `between.FORMATS`
    judge: Judge

    def wish(self, language: str | None) -> Wish:
        """What it wants of a copied record; without a language of cataloguing: Chinese where its records are CNMARC."""
        fmt = between.FORMATS[self.dialect]
        usual = CHINESE if fmt is Format.CNMARC and self.dialect != "unimarc" else ""
        return Wish(format=fmt, language=usual if language is None else language)


async def habits(conn: Connection, settings: Settings, library: str, dialect: str = "") -> Habits:
    """Those of a library: its dialect as told, else that of most of its records."""
    if not dialect:
        usual = await sources.usual_format(conn, library)
        dialect = between.MARC21 if usual is Format.MARC21 else settings.z3950.dialect
    rules = await quality_scope.of_library(conn, library)
    return Habits(dialect=dialect, judge=await asyncio.to_thread(Judge, rules))


@contextlib.asynccontextmanager
async def open_lines(database: Database, settings: Settings, home: Path) -> AsyncIterator[Lines]:
    """Lines to this node's targets for the length of the block."""
    password = functools.partial(password_of, database, home)
    async with lines.of(z3950.opener(outgoing.rules(settings), password)) as opened:
        yield opened


async def password_of(database: Database, home: Path, target: Target) -> Secret:
    """The password that the node of this home has at a target; empty = it has none."""
    async with database.connection() as conn:
        kept = await targets.secret(conn, target.no)
    return Secret(sealed.of(home).open(kept, targets.place(target.no)).decode()) if kept else Secret("")
