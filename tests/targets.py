"""Other catalogues for tests: servers that speak Z39.50 well, badly or not at all, and those of foreign programs."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from catalog.targets import Target
from protocols.target import Profile
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.common import External
from protocols.z3950.apdu.init import InitRequest, InitResponse, Option
from protocols.z3950.apdu.present import PresentRequest, PresentResponse
from protocols.z3950.apdu.records import NamePlusRecord
from protocols.z3950.apdu.search import SearchRequest, SearchResponse
from protocols.z3950.ber import Frames
from tests import programs

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[apdu.Apdu], "Sequence[apdu.Apdu | bytes]"]
# What Zebra indexes of a record in either family, by bib-1 names.
ABSTRACT = """name bib
attset bib1.att
esetname F @
esetname B @
marc usmarc.mar
xpath disable
all any
melm 001 Local-number,Local-number:0
melm 020$a ISBN
melm 010$a ISBN
melm 245 Title,Title:p
melm 200 Title,Title:p
melm 100 Author,Author:p
melm 701 Author,Author:p
"""
STARTING = 20.0  # seconds that a foreign server may take to listen


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


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def ztest() -> Iterator[int]:
    """Indexdata's test server, which finds something for every query; its port."""
    port = free_port()
    with _program([programs.need("yaz-ztest"), "-t", "1", f"tcp:127.0.0.1:{port}"], port):
        yield port


@contextlib.contextmanager
def zebra(home: Path, records: bytes, *, database: str = "Default") -> Iterator[int]:
    """Zebra with these MARC records (ISO 2709 in UTF-8) indexed; its port."""
    server, index = programs.need("zebrasrv"), programs.need("zebraidx")
    modules = glob.glob("/usr/lib/*/idzebra-2.0/modules") or ["/usr/lib/idzebra-2.0/modules"]
    for folder in ("records", "register", "shadow", "lock", "tmp"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "records" / "all.mrc").write_bytes(records)
    (home / "bib.abs").write_text(ABSTRACT, encoding="ascii")
    (home / "zebra.cfg").write_text(
        f"profilePath: {home}:/usr/share/idzebra-2.0/tab\nattset: bib1.att\nmodulePath: {modules[0]}\n"
        f"recordType: grs.marcxml.bib\nencoding: utf-8\ndatabase: {database}\n"
        f"register: {home}/register:1G\nlockDir: {home}/lock\nsetTmpDir: {home}/tmp\nkeyTmpDir: {home}/tmp\n"
        f"perm.anonymous: r\nstoreData: 1\nstoreKeys: 1\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [index, "-c", "zebra.cfg", "-d", database, "update", "records"], cwd=home, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    port = free_port()
    with _program([server, "-c", "zebra.cfg", f"tcp:127.0.0.1:{port}"], port, cwd=home):
        yield port


@contextlib.contextmanager
def _program(command: list[str], port: int, cwd: Path | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + STARTING
        while True:
            assert process.poll() is None, command
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, command
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()
