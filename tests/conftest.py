"""Fixtures for tests that need a database or a node's home.

`conn`: a connection to a fresh, migrated database. `database`: the same as an open `Database` with its pool. `dsn`: its
address, for further connections and other processes. `home`: an empty folder for `tianlu --home`; `used`: one whose
database has been made already, which starts much faster.
"""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

from catalog.connection import Connection
from catalog.database import pool
from catalog.database.pool import Database
from tests import postgres
from tests.postgres import Postgres

# A run in the background (nohup, some CI systems, pytest-xdist) has SIGINT or SIGHUP ignored, and so would every
# process that a test starts: neither Ctrl-C nor a closed terminal could be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Speed is proven in bench/, never by a timed test: a busy machine must not fail a property.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


LONG = ("chaos", "full", "ui")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several take their turns, file by file: those with long tests first, so that none is left alone at the end;
    the others in an order that means nothing, so that what waits for its processes runs beside what computes.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    long = {each.path for each in items if any(each.get_closest_marker(mark) for mark in LONG)}
    items.sort(key=lambda each: (each.path not in long, zlib.crc32(each.path.name.encode()), str(each.path)))


@pytest.fixture
def home() -> Iterator[Path]:
    """A node's home that PostgreSQL can live in, whoever runs the tests."""
    with postgres.home() as folder:
        yield folder


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """The home that `used` copies."""
    with postgres.made() as folder:
        yield folder


@pytest.fixture
def used(made: Path, home: Path) -> Path:
    """A node's home with an empty, migrated database, not running: opens in a tenth of the time of a new one."""
    return postgres.copy(made, home)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """The server of this run."""
    with postgres.running() as running:
        yield running


@pytest_asyncio.fixture
async def dsn(server: Postgres) -> AsyncIterator[str]:
    """Address of a fresh, migrated database."""
    async with server.fresh() as address:
        yield address


@pytest_asyncio.fixture
async def conn(dsn: str) -> AsyncIterator[Connection]:
    """A connection to a fresh, migrated database."""
    async with postgres.connection(dsn) as connection:
        yield connection


@pytest_asyncio.fixture
async def database(dsn: str, home: Path) -> AsyncIterator[Database]:
    """A fresh, migrated database with its pool."""
    async with pool.open(home, dsn) as opened:
        yield opened
