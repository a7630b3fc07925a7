"""Three nodes for tests of what readers see: a library's node, its domain and the centre, each with a database.

The cast: Shenzhen's two libraries, Guangzhou's and Tianjin's. What each holds, by the number of the title "Garden N":

    CN-SZL (its own node) 1 2 · CN-SZU 2 3 · CN-GZL 4 (both hosted by the domain CN-GD) · CN-TJU 2 5 (the centre CN-C)
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp.test_utils import TestServer

from catalog import changes, libraries
from catalog.connection import Connection
from catalog.database import pool
from catalog.model import Holding, Library, Symbol
from catalog.search import indexer
from catalog.search.tantivy import TantivyReader
from config.settings import Node as Told
from config.settings import Settings
from node.web import app
from tests import builders, stocked
from tests.postgres import Postgres
from tests.stocked import Stock

AREAS = {"CN-SZL": "广东/深圳", "CN-SZU": "广东省/深圳市", "CN-GZL": "广东/广州", "CN-TJU": "天津"}
NAMES = {"CN-SZL": "深圳图书馆", "CN-SZU": "深圳大学图书馆", "CN-GZL": "广州图书馆", "CN-TJU": "天津大学图书馆"}
HELD = {"CN-SZL": (1, 2), "CN-SZU": (2, 3), "CN-GZL": (4,), "CN-TJU": (2, 5)}
HOSTS = {"CN-SZL": "CN-SZL", "CN-SZU": "CN-GD", "CN-GZL": "CN-GD", "CN-TJU": "CN-C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A node: its symbol, tier and name, and the libraries whose records it has."""

    symbol: str
    tier: str
    name: str
    has: Sequence[str]


LEAF = Who(symbol="CN-SZL", tier="local", name="深圳图书馆", has=("CN-SZL",))
DOMAIN = Who(symbol="CN-GD", tier="domain", name="岭南文献中心", has=("CN-SZL", "CN-SZU", "CN-GZL"))
CENTRE = Who(symbol="CN-C", tier="central", name="国家书目中心", has=tuple(HELD))


@dataclass(frozen=True, kw_only=True)
class Running:
    """A node that is up."""

    who: Who
    address: str  # without a slash at the end
    database: pool.Database
    numbers: Mapping[int, int] = field(default_factory=dict)  # cluster by number of the title


@contextlib.asynccontextmanager
async def node(server: Postgres, folder: Path, who: Who) -> AsyncIterator[Running]:
    """A node with its libraries' records in its index, its pages on a free port, and no parents yet."""
    home = folder / who.symbol
    home.mkdir(parents=True)
    async with contextlib.AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(server.fresh())
        database = await stack.enter_async_context(pool.open(home, dsn))
        async with database.connection() as conn:
            numbers = await _fill(conn, who)
        await indexer.catch_up(database.pool, home / "index", feed=changes)
        settings = Settings(node=Told(symbol=who.symbol, tier=who.tier, name=who.name))
        made = app.make(
            stocked.Node(
                database=database,
                reader=TantivyReader(home / "index"),
                home=home,
                settings=settings,
                symbol=who.symbol,
            )
        )
        web = await stack.enter_async_context(TestServer(made))
        yield Running(who=who, address=str(web.make_url("/")).rstrip("/"), database=database, numbers=numbers)


async def _fill(conn: Connection, who: Who) -> dict[int, int]:
    """The directory, as notices would leave it, and the titles; the cluster of each."""
    await conn.execute("insert into node (symbol) values ($1)", who.symbol)
    for symbol, area in AREAS.items():
        await libraries.add(conn, Library(symbol=Symbol(symbol), name=NAMES[symbol], area=area))
        host = "" if HOSTS[symbol] == who.symbol else HOSTS[symbol]
        await conn.execute("update library set node = $2 where symbol = $1", symbol, host)
        if symbol in who.has:
            await conn.execute("insert into source (name, library) values (lower($1), $1)", symbol)
    titles = sorted({n for symbol in who.has for n in HELD[symbol]})
    entries = [
        Stock(
            record=builders.a_marc21(title=f"Garden {n}", year=str(1990 + n)),
            holdings=tuple(Holding(library=symbol) for symbol in who.has if n in HELD[symbol]),
        )
        for n in titles
    ]
    return dict(zip(titles, await stocked.stock(conn, entries), strict=True))


async def join(child: Running, symbol: str, name: str, address: str, path: str = "uplink") -> None:
    """Enter a parent of a node as joining does."""
    async with child.database.connection() as conn:
        await conn.execute(
            """insert into peer (symbol, name, role, path, suite, key, address)
               values ($1, $2, 'parent', $3, 'ed25519-sha256-blake3', '', $4)""",
            symbol, name, path, address + "/",
        )  # fmt: skip


@contextlib.asynccontextmanager
async def up(server: Postgres, folder: Path) -> AsyncIterator[tuple[Running, Running, Running]]:
    """(library's node, domain, centre), each the next one's child."""
    async with (
        node(server, folder, CENTRE) as centre,
        node(server, folder, DOMAIN) as domain,
        node(server, folder, LEAF) as leaf,
    ):
        await join(domain, "CN-C", CENTRE.name, centre.address)
        await join(leaf, "CN-GD", DOMAIN.name, domain.address)
        yield leaf, domain, centre
