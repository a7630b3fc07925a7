"""Which faults of the database pass by themselves."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

import asyncpg

from config.errors import Retry

# The database is away, full, or takes back what it was doing; the same transaction may work in a moment.
PASSING: tuple[type[Exception], ...] = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.DiskFullError,
    asyncpg.QueryCanceledError,
)
# The driver's own errors are mostly our mistakes (a wrong number of parameters), but it says these of a connection that
# was cut while it was used.
CUT = re.compile(r"connection (is|was) closed|released back to the pool|cannot switch to state|pool is clos")


def passes(error: Exception) -> bool:
    """May the same transaction work in a moment?"""
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError)):
        return bool(CUT.search(str(error)))
    return isinstance(error, PASSING)


def passes_connecting(error: Exception) -> bool:
    """The same while a connection is made: then any fault of the system is the network's or the socket's."""
    return isinstance(error, OSError) or passes(error)


@contextlib.contextmanager
def as_retry(which: Callable[[Exception], bool] = passes) -> Iterator[None]:
    """Turn passing faults into Retry."""
    try:
        yield
    except Exception as error:
        if not which(error):
            raise
        if isinstance(error, asyncpg.QueryCanceledError):
            raise Retry("that took the database too long and was given up; ask for less, or try again later") from error
        raise Retry(f"the database is not available just now ({type(error).__name__}: {error}); try again") from error
