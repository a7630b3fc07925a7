"""Whose catalogue a database is (store): one node's, for ever, since its symbol is in every cluster id."""

from __future__ import annotations

from catalog.connection import Connection
from config.errors import Conflict, Misconfigured


async def owner(conn: Connection) -> str | None:
    """Symbol of the node whose database this is, None before `claim`."""
    symbol: str | None = await conn.fetchval("select symbol from node")
    return symbol


async def claim(conn: Connection, symbol: str) -> None:
    """Make it this node's database. Repeating that is harmless; another node's database is a Conflict."""
    await conn.execute("insert into node (symbol) values ($1) on conflict do nothing", symbol)
    held = await owner(conn)
    if held != symbol:
        raise Conflict(f"this database belongs to the node {held}: give {symbol} a database of its own")


async def confirm(conn: Connection, symbol: str) -> None:
    """Misconfigured unless it is this node's database."""
    held = await owner(conn)
    if held != symbol:
        raise Misconfigured(
            f"node.symbol is {symbol or 'empty'}, but this database belongs to {held or 'no node yet'}: "
            "correct node.symbol or database.dsn in tianlu.toml"
        )
