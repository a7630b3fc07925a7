"""Migrations: each once, in order, and never another file under the same number."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from catalog.connection import Connection
from catalog.database import migrate
from config.errors import Fatal, Misconfigured


def write(folder: Path, *files: tuple[str, str]) -> list[migrate.Migration]:
    for name, sql in files:
        (folder / name).write_text(sql)
    return migrate.known(folder)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A folder with the migrations of this release, to which a test adds the next one."""
    for migration in migrate.known():
        (tmp_path / migration.name).write_text(migration.sql)
    return tmp_path


def following(what: str, phase: str = "pre") -> str:
    return f"{len(migrate.known()) + 1:04d}_{phase}_{what}.sql"


async def test_a_fresh_database_has_all_tables_and_a_second_run_does_nothing(conn: Connection) -> None:
    tables = {row["tablename"] for row in await conn.fetch("select tablename from pg_tables")}
    assert {"record", "merged", "feed", "lease", "worker", "migration", "pgqueuer"} <= tables
    assert await migrate.migrate(conn) == 0


async def test_what_is_new_is_applied_once_in_order(conn: Connection, shipped: Path) -> None:
    migrations = write(shipped, (following("shelf"), "create table shelf (n int); insert into shelf values (1)"))
    assert await migrate.migrate(conn, migrations) == 1
    assert await migrate.migrate(conn, migrations) == 0
    assert await conn.fetchval("select count(*) from shelf") == 1


async def test_a_failing_migration_leaves_nothing_behind(conn: Connection, shipped: Path) -> None:
    migrations = write(shipped, (following("shelf"), "create table shelf (n int); select 1/0"))
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate.migrate(conn, migrations)
    assert await conn.fetchval("select to_regclass('shelf')") is None
    assert await migrate.migrate(conn) == 0


async def test_a_changed_file_is_refused(conn: Connection, shipped: Path) -> None:
    first = migrate.known()[0]
    migrations = write(shipped, (first.name, first.sql + "\n-- afterthought"))
    with pytest.raises(Fatal, match=first.name):
        await migrate.migrate(conn, migrations)


async def test_an_older_program_runs_on_a_pre_migrated_database(conn: Connection, shipped: Path) -> None:
    await migrate.migrate(conn, write(shipped, (following("shelf"), "create table shelf (n int)")))
    assert await migrate.migrate(conn) == 0


async def test_an_older_program_is_refused_by_a_post_migrated_database(conn: Connection, shipped: Path) -> None:
    await migrate.migrate(conn, write(shipped, (following("shelf", "post"), "create table shelf (n int)")))
    with pytest.raises(Misconfigured, match="later release"):
        await migrate.migrate(conn)


@pytest.mark.parametrize(
    "names", [("0001_pre_a.sql", "0003_pre_b.sql"), ("0001_pre_a.sql", "0001_pre_b.sql"), ("1.sql",)]
)
def test_wrongly_numbered_files_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(Fatal):
        write(tmp_path, *((name, "select 1") for name in names))
