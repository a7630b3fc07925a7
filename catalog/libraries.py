"""The directory of libraries (store)."""

from __future__ import annotations

from catalog import area
from catalog.connection import Connection
from catalog.model import Library
from config.errors import Conflict, NotFound

COLUMNS = "symbol, name, name_en, area, state, successor, node"


async def every(conn: Connection) -> list[Library]:
    """All libraries, by symbol."""
    rows = await conn.fetch(f"select {COLUMNS} from library order by symbol")
    return [Library(**dict(row)) for row in rows]


async def get(conn: Connection, symbol: str) -> Library | None:
    """The library with this symbol."""
    row = await conn.fetchrow(f"select {COLUMNS} from library where symbol = $1", symbol)
    return Library(**dict(row)) if row else None


async def add(conn: Connection, library: Library) -> None:
    """Enter a library; a symbol that is there already is a Conflict."""
    done = await conn.execute(
        "insert into library (symbol, name, name_en, area) values ($1, $2, $3, $4) on conflict do nothing",
        library.symbol,
        library.name,
        library.name_en,
        area.tidy(library.area),
    )
    if done.endswith(" 0"):
        raise Conflict(f"library {library.symbol} is in the directory already")


async def ensure(conn: Connection, symbol: str) -> None:
    """Enter a library by its symbol alone if it is unknown."""
    await conn.execute("insert into library (symbol, name) values ($1, $1) on conflict do nothing", symbol)


async def rename(conn: Connection, symbol: str, name: str, name_en: str) -> None:
    """Give a library other names; its symbol and records stay."""
    done = await conn.execute("update library set name = $2, name_en = $3 where symbol = $1", symbol, name, name_en)
    if done.endswith(" 0"):
        raise NotFound(f"no library has the symbol {symbol}")


async def move(conn: Connection, symbol: str, where: str) -> None:
    """Put a library into another area (`catalog.area`)."""
    done = await conn.execute("update library set area = $2 where symbol = $1", symbol, area.tidy(where))
    if done.endswith(" 0"):
        raise NotFound(f"no library has the symbol {symbol}")


async def close(conn: Connection, symbol: str, successor: str) -> None:
    """Close a library, or merge it into `successor`; refused while it still has records."""
    if successor and not await get(conn, successor):
        raise NotFound(f"no library has the symbol {successor}")
    if await conn.fetchval("select exists (select from source where library = $1 and state <> 'removed')", symbol):
        raise Conflict(f"library {symbol} still has sources: remove them first (tianlu source remove NAME)")
    done = await conn.execute(
        "update library set state = $2, successor = $3 where symbol = $1",
        symbol,
        "merged" if successor else "closed",
        successor,
    )
    if done.endswith(" 0"):
        raise NotFound(f"no library has the symbol {symbol}")
