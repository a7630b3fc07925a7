"""Bring a database's tables to what this program needs, from numbered files in `catalog/schema`.

`NNNN_pre_what.sql` may run while the previous release is still at work, and that release must run on the result;
`NNNN_post_what.sql` removes what only the previous release needed. So an older program may use a newer database as long
as no `post` file it doesn't know has been applied.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.connection import Connection
from catalog.database import door
from catalog.work import queue
from config.errors import Fatal, Misconfigured

log = logging.getLogger(__name__)

SCHEMA = Path(__file__).resolve().parents[1] / "schema"
NAME = re.compile(r"(\d{4})_(pre|post)_[a-z0-9_]+\.sql")
LOCK = 0x7469616E6C75  # "tianlu": one program at a time migrates a database


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file."""

    number: int
    name: str  # of the file
    digest: bytes  # SHA-256 of its text
    sql: str

    @property
    def post(self) -> bool:
        return _is_post(self.name)


def known(folder: Path = SCHEMA) -> list[Migration]:
    """The migrations this program brings, in order. Fatal if the files are wrongly named or numbered."""
    migrations = []
    for path in sorted(folder.glob("*.sql")):
        match = NAME.fullmatch(path.name)
        if not match:
            raise Fatal(f"{path}: a migration is named NNNN_pre_what.sql or NNNN_post_what.sql")
        text = path.read_bytes()
        digest = hashlib.sha256(text).digest()
        migrations.append(Migration(number=int(match[1]), name=path.name, digest=digest, sql=text.decode()))
    if [m.number for m in migrations] != list(range(1, len(migrations) + 1)):
        raise Fatal(f"{folder}: migrations must be numbered 0001, 0002, … without gap or repeat")
    return migrations


async def migrate(conn: Connection, migrations: Sequence[Migration] | None = None) -> int:
    """Apply what is missing, each file in a transaction with its entry in table `migration`; how many were applied.

    Fatal if an applied file has been changed, Misconfigured if the database belongs to a release that is too new, or
    the web door's role can't be had.
    Connections that were open before must not be used after (their statement caches hold the old column types).
    """
    migrations = known() if migrations is None else migrations
    await conn.execute("select pg_advisory_lock($1)", LOCK)
    try:
        await door.provide(conn)
        await conn.execute(
            "create table if not exists migration (number int primary key, name text not null, digest bytea not null,"
            " applied_at timestamptz not null default now())"
        )
        rows = await conn.fetch("select number, name, digest from migration order by number")
        applied = {row["number"]: (row["name"], row["digest"]) for row in rows}
        missing = _plan(migrations, applied)
        for migration in missing:
            await _apply(conn, migration)
        await queue.install(conn)
    finally:
        await conn.execute("select pg_advisory_unlock($1)", LOCK)
    return len(missing)


def _plan(migrations: Sequence[Migration], applied: dict[int, tuple[str, bytes]]) -> list[Migration]:
    """What is missing, after making sure that what is there is what we think."""
    newest = max((m.number for m in migrations), default=0)
    for number, (name, _) in applied.items():
        if number > newest and _is_post(name):
            raise Misconfigured(
                f"the database was upgraded by a later release of this program ({name}), which this one can't work "
                "with: install that release, or restore a backup from before the upgrade"
            )
    for migration in migrations:
        if migration.number in applied and applied[migration.number][1] != migration.digest:
            raise Fatal(
                f"{migration.name} is not the file that was applied to this database as "
                f"{applied[migration.number][0]}: put the original back; changes go into a new file"
            )
    return [m for m in migrations if m.number not in applied]


async def _apply(conn: Connection, migration: Migration) -> None:
    async with conn.transaction():
        await conn.execute(migration.sql)
        await conn.execute(
            "insert into migration (number, name, digest) values ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.digest,
        )
    log.info("applied %s", migration.name)


def _is_post(name: str) -> bool:
    match = NAME.fullmatch(name)
    return bool(match and match[2] == "post")
