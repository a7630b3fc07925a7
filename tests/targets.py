"""Other catalogues for tests: servers that speak Z39.50 well, badly or not at all, and those of foreign programs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from bench import foreign
from catalog.targets import Target
from protocols.target import Profile
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.init import InitRequest, InitResponse, Option
from protocols.z3950.apdu.parts import External
from protocols.z3950.apdu.present import PresentRequest, PresentResponse
from protocols.z3950.apdu.records import NamePlusRecord
from protocols.z3950.apdu.search import SearchRequest, SearchResponse
from protocols.z3950.ber import Frames
from tests import programs

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[apdu.Apdu], "Sequence[apdu.Apdu | bytes]"]


def a_target(name: str = "elsewhere", *, port: int = 210, host: str = "127.0.0.1", **said: object) -> Target:
    """A target as the operator described it."""
    profile = Profile(host=host, port=port, **said)  # type: ignore[arg-type]
    return Target(no=1, name=name, kind="z3950", profile=profile, state="active")


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """A server on this machine; its port. What still runs at the end is cut off."""
    running: set[asyncio.Task[None]] = set()

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            running.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for task in list(running):
            task.cancel()
        server.close()


def speaking(answer: Answer) -> Handler:
    """A handler that gives each APDU to a function and sends what it returns."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        while data := await reader.read(65536):
            for raw in frames.feed(data):
                for each in answer(apdu.decode(raw)):
                    writer.write(each if isinstance(each, bytes) else apdu.encode(each))
                await writer.drain()

    return handle


def welcome(request: InitRequest, *, accepted: bool = True) -> InitResponse:
    """An answer to Init."""
    return InitResponse(
        protocol_version=request.protocol_version,
        options=frozenset({Option.SEARCH, Option.PRESENT}),
        preferred_message_size=1 << 20,
        exceptional_record_size=1 << 20,
        result=accepted,
        implementation_name="a test",
    )


def a_record(raw: bytes, syntax: tuple[int, ...] = oids.UNIMARC) -> NamePlusRecord:
    """A record as it travels."""
    return NamePlusRecord(name="Default", record=External(direct_reference=syntax, encoding=raw))


def library(records: Sequence[bytes], syntax: tuple[int, ...] = oids.UNIMARC) -> Answer:
    """A server whose every search finds all these records."""

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        match request:
            case InitRequest():
                return [welcome(request)]
            case SearchRequest():
                sent = tuple(a_record(raw, syntax) for raw in records[: request.medium_set_present_number])
                return [found(len(records), sent)]
            case PresentRequest():
                start = request.result_set_start_point - 1
                given = records[start : start + request.number_of_records_requested]
                return [presented(tuple(a_record(raw, syntax) for raw in given))]
        return []

    return answer


def found(hits: int, records: tuple[NamePlusRecord, ...] = ()) -> SearchResponse:
    """An answer to Search."""
    return SearchResponse(
        result_count=hits,
        number_of_records_returned=len(records),
        next_result_set_position=1 + len(records),
        search_status=True,
        records=records or None,
    )


def presented(records: tuple[NamePlusRecord, ...]) -> PresentResponse:
    """An answer to Present."""
    return PresentResponse(
        number_of_records_returned=len(records), next_result_set_position=0, present_status=0, records=records
    )


@contextlib.contextmanager
def ztest() -> Iterator[int]:
    """Indexdata's test server, which finds something for every query; its port."""
    programs.need("yaz-ztest")
    with foreign.ztest() as (port,):
        yield port


@contextlib.contextmanager
def zebra(home: Path, records: bytes) -> Iterator[int]:
    """Zebra with these MARC records (ISO 2709 in UTF-8) indexed; its port."""
    for program in ("zebrasrv", "zebraidx"):
        programs.need(program)
    with foreign.zebra(home, records) as port:
        yield port
