"""A Z39.50 door on a real socket with a real index, and clients that speak APDUs to it.

async with standing.door(database, home) as door:
    async with door.client() as client:
        found = await client.search("天工开物")
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from msgspec import structs as structs

from catalog import clusters
from catalog.database.pool import Database
from catalog.model import Format
from catalog.search import port
from catalog.search.tantivy import TantivyReader, TantivyWriter
from config.settings import Z3950, Access, Settings
from node.z3950 import door as doors
from node.z3950.listener import Guard
from protocols.z3950 import apdu as apdu
from protocols.z3950 import oids
from protocols.z3950.apdu.close import Close
from protocols.z3950.apdu.init import Authentication, InitRequest, InitResponse, Option
from protocols.z3950.apdu.present import PresentRequest, PresentResponse
from protocols.z3950.apdu.query import AttributeElement, AttributesPlusTerm, Query, RpnQuery, Type1
from protocols.z3950.apdu.search import SearchRequest, SearchResponse
from protocols.z3950.ber import Frames
from protocols.z3950.limits import ANSWERS
from protocols.z3950.primitive import Oid
from tests import builders, stocked
from tests.stocked import Node, Stock

PATIENCE = 30.0  # seconds for what takes none
HOST = "127.0.0.1"
OPTIONS = frozenset(
    (Option.SEARCH, Option.PRESENT, Option.DELETE_SET, Option.SCAN, Option.SORT, Option.NAMED_RESULT_SETS)
)
Answer = TypeVar("Answer", bound=apdu.Apdu)

STOCK = (
    Stock(
        record=builders.a_cnmarc(
            title="天工开物", author="宋应星", isbn=builders.isbn13(1), holdings=[builders.a_holding()]
        ),
        format=Format.CNMARC,
        holdings=(builders.a_holding(item="T0001"), builders.a_holding(builders.SZL, "N092/7", "S7", status="已借出")),
    ),
    Stock(
        record=builders.a_cnmarc(title="天工开物图说", author="潘吉星", isbn=builders.isbn13(2)),
        format=Format.CNMARC,
        holdings=(builders.a_holding(builders.SZL),),
    ),
    Stock(
        record=builders.a_marc21(title="Minerals and computers", author="Harrow, Edith"),
        format=Format.MARC21,
        holdings=(builders.a_holding(builders.HKS),),
    ),
    Stock(
        record=builders.a_cnmarc(title="长编", author="李焘", f330=["  $a" + "续资治通鉴" * 500] * 3),
        format=Format.CNMARC,
        holdings=(builders.a_holding(),),
    ),
)


def a_term(text: str | bytes, use: int = 4, **attributes: int) -> Type1:
    """A query of one term; attributes by the names r, p, s, t, c."""
    kinds = {"r": 2, "p": 3, "s": 4, "t": 5, "c": 6}
    given = [(1, use), *((kinds[name], value) for name, value in attributes.items())]
    elements = tuple(AttributeElement(attribute_type=kind, attribute_value=value) for kind, value in given)
    octets = text if isinstance(text, bytes) else text.encode()
    return Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=AttributesPlusTerm(attributes=elements, term=octets)))


def an_init(**given: object) -> InitRequest:
    """An Init of version 3."""
    values: dict[str, object] = {
        "protocol_version": frozenset((0, 1, 2)),
        "options": OPTIONS,
        "preferred_message_size": 1 << 20,
        "exceptional_record_size": 1 << 20,
        **given,
    }
    return InitRequest(**values)  # type: ignore[arg-type]


def a_search(query: Query, *databases: str, **given: object) -> SearchRequest:
    """A Search that brings no records, into the set `default`."""
    values: dict[str, object] = {
        "small_set_upper_bound": 0,
        "large_set_lower_bound": 1,
        "medium_set_present_number": 0,
        "replace_indicator": True,
        "result_set_name": "default",
        "database_names": databases or ("Default",),
        "query": query,
        **given,
    }
    return SearchRequest(**values)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Client:
    """One connection that sends APDUs."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: Frames = field(default_factory=lambda: Frames(ANSWERS))
    whole: list[bytes] = field(default_factory=list)

    async def send(self, octets: bytes) -> None:
        """Octets as they are."""
        self.writer.write(octets)
        await self.writer.drain()

    async def heard(self) -> apdu.Apdu | None:
        """The next APDU of the server; None when it has closed the connection."""
        while not self.whole:
            async with asyncio.timeout(PATIENCE):
                data = await self.reader.read(1 << 16)
            if not data:
                return None
            self.whole += self.frames.feed(data)
        return apdu.decode(self.whole.pop(0), ANSWERS)

    async def ask(self, request: apdu.Apdu, kind: type[Answer]) -> Answer:
        """The answer to a request, which must be of this kind."""
        await self.send(apdu.encode(request))
        answer = await self.heard()
        assert isinstance(answer, kind), answer
        return answer

    async def init(self, authentication: Authentication | None = None, **given: object) -> InitResponse:
        """Begin a session."""
        return await self.ask(an_init(id_authentication=authentication, **given), InitResponse)

    async def search(self, query: Query | str, *databases: str, **given: object) -> SearchResponse:
        """Search; a text is looked for in titles."""
        asked = a_term(query) if isinstance(query, str) else query
        return await self.ask(a_search(asked, *databases, **given), SearchResponse)

    async def present(
        self, start: int = 1, count: int = 1, syntax: Oid | None = None, name: str = "default", **given: object
    ) -> PresentResponse:
        """Take records."""
        request = PresentRequest(
            result_set_id=name,
            result_set_start_point=start,
            number_of_records_requested=count,
            preferred_record_syntax=syntax,
            **given,  # type: ignore[arg-type]
        )
        return await self.ask(request, PresentResponse)

    async def ended(self) -> Close | None:
        """Until the server closes: with which word, None = none."""
        word = None
        with contextlib.suppress(ConnectionError):
            while (answer := await self.heard()) is not None:
                word = answer if isinstance(answer, Close) else word
        return word


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A door that is open."""

    port: int
    guard: Guard
    node: Node

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connection without a session."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            yield Client(reader=reader, writer=writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    @contextlib.asynccontextmanager
    async def session(self, **given: object) -> AsyncIterator[Client]:
        """A connection with a session of nobody."""
        async with self.client() as client:
            assert (await client.init(**given)).result  # type: ignore[arg-type]
            yield client


@contextlib.asynccontextmanager
async def door(
    database: Database,
    home: Path,
    entries: Sequence[Stock] = STOCK,
    *,
    access: Access | None = None,
    reader: Callable[[Path], port.Reader] = TantivyReader,
    **told: object,
) -> AsyncIterator[Standing]:
    """A door of a node with these titles; further arguments are settings of `z3950`."""
    async with database.connection() as conn:
        if not await conn.fetchval("select exists (select from node)"):
            await stocked.open_house(conn)
        numbers = await stocked.stock(conn, entries)
        published = await clusters.many(conn, numbers)
    index = home / "index"
    with TantivyWriter(index) as writer:
        writer.apply([published[number] for number in numbers])
        writer.commit(1, len(numbers))
    settings = Settings(z3950=Z3950(**told), access=access or Access(totp="nobody"))  # type: ignore[arg-type]
    node = Node(database=database, reader=reader(index), home=home, settings=settings)
    with socket.create_server((HOST, 0), backlog=1024) as listener:
        listener.setblocking(False)
        async with doors.open(node, listener) as guard:
            yield Standing(port=listener.getsockname()[1], guard=guard, node=node)
