"""Which faults of the database pass by themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import asyncpg

from config.errors import Retry

# The database is away, full, or takes back what it was doing; the same transaction may work in a moment.
PASSING: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.InterfaceError,  # the connection is closed, or closing
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.DiskFullError,
)


@contextlib.contextmanager
def as_retry() -> Iterator[None]:
    """Turn the driver's passing faults into Retry."""
    try:
        yield
    except PASSING as error:
        raise Retry(f"the database is not available just now ({type(error).__name__}: {error}); try again") from error
