"""A stocked catalogue and a web door on a real socket, for tests of what leaves the node.

`stock` publishes records of the cast as the pipeline would leave them: source records, clusters, holdings, merged
records and their places in the feed. `Shelf` is a search engine of a dozen lines for tests that aren't about searching.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from catalog import bodies, changes, clusters, libraries, packing
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Description, Format, Holding, Published
from catalog.search import headings, port
from catalog.search.fold import fold
from catalog.work.queue import PgQueue, Queue
from config.settings import Settings
from dms import describe
from node.web import app
from protocols.marc import Record
from tests import builders

SYMBOL = "CN-NODE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One cluster to publish."""

    record: Record
    format: Format = Format.MARC21
    holdings: tuple[Holding, ...] = ()
    description: Description | None = None  # made from the record unless given


async def open_house(conn: Connection) -> None:
    """The node's symbol, the libraries of the cast and a source of each."""
    await conn.execute("insert into node (symbol) values ($1)", SYMBOL)
    for library in builders.CAST:
        await libraries.add(conn, library)
        await conn.execute(
            "insert into source (name, library, sharing) values (lower($1), $1, '{\"items\": true}')", library.symbol
        )


async def stock(conn: Connection, entries: Sequence[Stock], first: int = 1) -> list[int]:
    """Publish `entries` as clusters `first`, `first` + 1, …"""
    numbers = list(range(first, first + len(entries)))
    for number, entry in zip(numbers, entries, strict=True):
        for held_by in dict.fromkeys(each.library for each in entry.holdings):
            copies = [each for each in entry.holdings if each.library == held_by]
            await _source_record(conn, number, held_by, entry, copies)
    await publish(conn, [version(number, entry) for number, entry in zip(numbers, entries, strict=True)])
    return numbers


async def _source_record(conn: Connection, number: int, library: str, entry: Stock, copies: Sequence[Holding]) -> None:
    source = await conn.fetchval("select source from source where library = $1", library)
    await conn.execute(
        """insert into record (source, local_id, library, sid, load, format, carrier, encoding, visibility, dictionary,
               digest, stamp, title_hash, body)
           values ($1, $2, $3, $4, 1, $5, 1, 'utf-8', 0, 0, '', '', 0, $6)""",
        source, f"r{number}", library, number, entry.format, bodies.shrink(builders.iso2709(entry.record)),
    )  # fmt: skip
    await conn.execute("insert into membership (sid, cluster) values ($1, $1) on conflict do nothing", number)
    for n, each in enumerate(copies):
        await conn.execute(
            "insert into holding values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            source, f"r{number}", n, library, each.call_number, each.item, each.location, each.status, each.note,
        )  # fmt: skip


def version(number: int, entry: Stock | None, redirect: int | None = None) -> changes.Version:
    """A cluster's state for the feed; without an entry its tombstone."""
    if entry is None:
        return changes.Version(
            cluster=number, deleted=True, redirect=redirect, format=1, fingerprint=b"", libraries=(), dictionary=0,
            content=b"",
        )  # fmt: skip
    told = entry.description or describe.describe(entry.record, entry.format)
    body = Record(entry.record.leader, tuple(each for each in entry.record.fields if each[0] != "001"))
    return changes.Version(
        cluster=number,
        deleted=False,
        redirect=None,
        format=entry.format,
        fingerprint=b"",
        libraries=tuple(dict.fromkeys(each.library for each in entry.holdings)),
        dictionary=0,
        content=bodies.shrink(packing.pack_content(packing.pack(body), packing.pack_description(told))),
    )


async def publish(conn: Connection, versions: Sequence[changes.Version]) -> None:
    """Put states into the feed in a transaction of their own."""
    async with conn.transaction():
        await changes.publish(conn, versions)


@dataclass
class Shelf:
    """Finds clusters whose folded description contains every folded word asked for."""

    published: dict[int, Published] = field(default_factory=dict)

    async def look(self, conn: Connection) -> None:
        """Take over what is published now."""
        numbers = [row["cluster"] for row in await conn.fetch("select cluster from merged")]
        found = await clusters.many(conn, numbers)
        self.published = {number: each for number, each in sorted(found.items()) if each.description}

    def search(self, request: port.Request) -> port.Result:
        words = fold(request.text).split()
        fit = [
            (number, values)
            for number, each in self.published.items()
            if all(word in fold(str(each.description)) for word in words)
            and all(set(chosen) & set((values := _values(each))[name]) for name, chosen in request.filters.items())
            and (values := _values(each))
        ]
        facets = {
            name: tuple(Counter(value for _, values in fit for value in values[name]).most_common(10))
            for name in request.facets
        }
        hits = tuple(port.Hit(cluster=number, score=1.0) for number, _ in fit)
        return port.Result(total=len(fit), hits=hits[request.offset :][: request.limit], facets=facets, seq=0)

    def place(self) -> tuple[int, int]:
        return 0, 0

    def numbers(self, request: port.Request) -> tuple[int, tuple[int, ...]]:
        found = self.search(request)
        return found.total, tuple(hit.cluster for hit in found.hits)

    def scan(
        self, index: str, text: str, *, before: int, count: int, libraries: frozenset[str] | None = None
    ) -> port.Stretch:
        held = [each for each in self.published.values() if libraries is None or libraries & {*each.libraries}]
        found = Counter(
            value
            for each in held
            if (of := each.description)
            for kind, value in {*headings.of(of), *headings.listed(of)}
            if kind == index
        )
        values = sorted(found, key=lambda value: headings.order(index, value))
        at = sum(headings.order(index, value) < headings.order(index, text) for value in values)
        start, end = max(0, at - before), at + count - before
        listed = tuple(port.Listed(text=value, count=found[value]) for value in values[start:end])
        return port.Stretch(values=listed, before=at - start, start=start == 0, end=end >= len(values))


def _values(published: Published) -> dict[str, tuple[str, ...]]:
    of = published.description
    assert of is not None
    return {
        "library": published.libraries,
        "language": of.languages,
        "year": (str(of.year),) if of.year else (),
        "kind": (of.kind,),
        "class": tuple(each[:1] for each in of.classification),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """As much of a node as the web door asks for."""

    database: Database
    reader: port.Reader
    home: Path
    settings: Settings = field(default_factory=Settings)
    symbol: str = SYMBOL

    @property
    def queue(self) -> Queue:
        return PgQueue(self.database.dsn)


@contextlib.asynccontextmanager
async def serving(
    database: Database, reader: port.Reader, home: Path, settings: Settings | None = None
) -> AsyncIterator[str]:
    """The web door on a free port; gives its address without a slash at the end."""
    node = Node(database=database, reader=reader, home=home, settings=settings or Settings())
    made: web.Application = app.make(node)
    async with TestServer(made) as server:
        yield str(server.make_url("/")).rstrip("/")
