"""Slow, idle and too many clients over real sockets: they are cut, and good ones don't notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import uvloop
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.http_parser import HttpRequestParser

from node.web import connections, headers
from node.web.address import Address
from node.web.connections import FLOOR, Guard

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LONG = b"x" * 20_000_000


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The loop that a node runs on."""
    policy: asyncio.AbstractEventLoopPolicy = uvloop.EventLoopPolicy()
    return policy


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A served application and what a test turns."""

    guard: Guard
    clock: Clock
    port: int
    held: asyncio.Event  # lets /held answer
    clients: list[Client] = field(default_factory=list)  # asyncio closes what nobody keeps

    def pass_(self, seconds: float) -> None:
        """Time goes by, looked at once a second."""
        for _ in range(round(seconds)):
            self.clock.now += 1.0
            self.guard.look()

    async def open(self) -> Client:
        """A connection that the server has taken in."""
        before = len(self.guard)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await until(lambda: len(self.guard) > before)
        self.clients.append(Client(reader, writer, self))
        return self.clients[-1]


@dataclass(slots=True)
class Client:
    """A raw socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    site: Site

    async def say(self, data: bytes) -> None:
        """Send, and wait until the server has it."""
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0.02)  # what was sent has no other way to be seen

    async def answer(self) -> int:
        """Status of the next answer, read to its end."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
        await self.reader.readexactly(length)
        return int(head.split()[1])

    async def ended(self) -> bool:
        """The server has cut the connection."""
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(1 << 20), 5.0) == b""
        return True


async def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def serving(most: int = 100, each: int = 100, *, shared: bool = False) -> AsyncIterator[Site]:
    held = asyncio.Event()

    async def hello(request: web.Request) -> web.Response:
        connections.begun(request)
        return web.Response(text=str(len(await request.read())))

    async def waits(request: web.Request) -> web.Response:
        connections.begun(request)
        await held.wait()
        return web.Response(text="held")

    async def peer(request: web.Request) -> web.Response:
        connections.begun(request)
        connections.spare(request)
        return web.Response(text=str(len(await request.read())))

    async def long(request: web.Request) -> web.Response:
        return web.Response(body=LONG)

    async def deaf(request: web.Request) -> web.Response:
        connections.begun(request)
        return web.Response(status=413, text="too long")

    app = web.Application(client_max_size=1 << 20)
    for path, handler in {"/": hello, "/held": waits, "/peer": peer, "/long": long, "/deaf": deaf}.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server
    clock = Clock()

    def known(_peer: Address) -> bool:
        return shared

    guard = Guard(runner.server, most=most, each=each, shared=known, headers=headers.EVERYWHERE, clock=clock)
    try:
        async with connections.listening(guard, "127.0.0.1", 0) as server:
            yield Site(guard=guard, clock=clock, port=server.sockets[0].getsockname()[1], held=held)
    finally:
        held.set()
        await runner.cleanup()


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
async def test_a_header_that_is_not_whole_in_five_seconds_is_cut(start: bytes) -> None:
    async with serving() as site:
        slow = await site.open()
        await slow.say(start)
        site.pass_(4)
        await slow.say(b"")
        assert len(site.guard) == 1
        site.pass_(2)
        assert len(site.guard) == 0
        assert await slow.ended()


async def test_a_byte_now_and_then_is_no_header_either() -> None:
    async with serving() as site:
        slow = await site.open()
        for byte in b"GET / ":
            await slow.say(bytes([byte]))
            site.pass_(1)
        assert await slow.ended()
        assert site.guard.cuts == {"header too slow": 1}


async def test_the_next_request_of_a_connection_has_five_seconds_too() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(GET)
        assert await client.answer() == 200
        site.pass_(60)
        await client.say(b"GET / HTTP")
        site.pass_(4)
        await client.say(b"/1.1\r\nHost: a\r\n\r\n")
        assert await client.answer() == 200
        site.pass_(60)
        await client.say(b"GET / HTTP")
        site.pass_(6)
        assert await client.ended()


async def test_an_idle_connection_is_kept_for_a_while() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(GET)
        assert await client.answer() == 200
        site.pass_(75)
        await client.say(GET)
        assert await client.answer() == 200
        site.pass_(76)
        assert await client.ended()
        assert site.guard.cuts == {"idle": 1}


async def test_a_header_of_any_size_is_not_gathered() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(b"GET / HTTP/1.1\r\nHost: a\r\n")
        with contextlib.suppress(ConnectionError):
            for n in range(40):
                await client.say(f"X-{n}: {'x' * 1000}\r\n".encode())
        assert await client.ended()
        assert site.guard.cuts == {"header too large": 1}


@pytest.mark.parametrize("begun", [0, 20_000])
async def test_a_header_that_is_whole_at_once_is_no_larger(begun: int) -> None:
    def header(size: int) -> bytes:
        fields = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(size // 1000))
        return b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"

    async with serving() as site:
        client = await site.open()
        await client.say(header(30_000) + b"\r\n")
        assert await client.answer() == 200
        large = header(40_000)
        await client.say(large[:begun])
        with contextlib.suppress(ConnectionError):
            await client.say(large[begun:])
        assert await client.ended()
        assert site.guard.cuts == {"header too large": 1}


async def test_a_body_that_comes_with_its_header_counts_by_itself() -> None:
    async with serving() as site:
        client = await site.open()
        body = (b"x" * 1000 + b"\r\n\r\n") * 50
        await client.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert await client.answer() == 200
        assert not site.guard.cuts


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G" * 9000,
    ],
)
async def test_what_is_no_http_is_refused_with_all_headers_and_the_connection_ends(junk: bytes) -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(junk + GET)
        head, _, body = (await client.reader.read(1 << 16)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.") and b" 400 " in head.split(b"\r\n")[0]
        for name, value in headers.EVERYWHERE.items():
            assert f"\r\n{name}: {value}".encode() in head
        assert json.loads(body)["status"] == 400
        assert b"python" not in head.lower() and b"aiohttp" not in head.lower()
        assert await client.ended()


def test_the_parser_is_the_strict_one() -> None:
    assert HttpRequestParser.__module__ == "aiohttp._http_parser"


async def test_a_body_slower_than_the_floor_is_cut() -> None:
    async with serving() as site:
        slow = await site.open()
        await slow.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(10):
            await slow.say(b"x")
            site.pass_(1)
        assert len(site.guard) == 1
        site.pass_(2)
        assert await slow.ended()
        assert site.guard.cuts == {"body too slow": 1}


async def test_a_body_as_fast_as_the_floor_arrives() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (40 * FLOOR))
        for _ in range(40):
            await client.say(b"x" * FLOOR)
            site.pass_(1)
        assert await client.answer() == 200


async def test_the_body_of_a_known_node_is_left_to_its_handler() -> None:
    async with serving() as site:
        node = await site.open()
        await node.say(b"PATCH /peer HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
        site.pass_(300)
        await node.say(b"bc")
        assert await node.answer() == 200


async def test_whoever_waits_for_an_answer_is_left_alone() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        site.pass_(600)
        site.held.set()
        assert await client.answer() == 200


async def test_the_end_of_a_refused_body_is_passed_over() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(b"POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 20_000)
        assert await client.answer() == 413
        await client.say(b"x" * 80_000)
        await client.say(GET)
        assert await client.answer() == 200


async def test_a_reader_who_takes_nothing_is_cut_and_its_answer_thrown_away() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: next(iter(site.guard._all)).unsent > 0)
        site.pass_(60)
        assert len(site.guard) == 1
        site.pass_(3)
        assert site.guard.cuts == {"answer not taken": 1}
        got = 0
        with contextlib.suppress(ConnectionError):
            while piece := await asyncio.wait_for(client.reader.read(1 << 20), 5.0):
                got += len(piece)
        assert got < len(LONG)


async def test_a_slow_reader_who_takes_enough_is_left_alone() -> None:
    async with serving() as site:
        client = await site.open()
        await client.say(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        connection = next(iter(site.guard._all))
        await until(lambda: connection.unsent > 0)
        for _ in range(6):
            before = connection.unsent
            site.pass_(50)
            while connection.unsent > before - 100_000:
                await client.reader.read(1 << 18)
        assert len(site.guard) == 1


async def test_those_who_wait_longest_make_room_and_work_is_never_cut() -> None:
    async with serving(most=4) as site:
        busy = await site.open()
        await busy.say(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        kept = [await site.open() for _ in range(3)]
        for each in kept[1:]:
            await each.say(GET)
            assert await each.answer() == 200
        site.pass_(2)
        _, good = await asyncio.open_connection("127.0.0.1", site.port)
        assert await kept[0].ended()  # it has never said anything
        assert len(site.guard) == 4
        site.held.set()
        assert await busy.answer() == 200
        good.close()


async def test_when_all_are_at_work_a_new_one_is_told_to_come_back() -> None:
    async with serving(most=3) as site:
        for _ in range(3):
            await (await site.open()).say(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n") and b"\r\nRetry-After: 5\r\n" in head
        assert b"\r\nContent-Security-Policy: default-src 'none'" in head
        assert json.loads(body)["status"] == 503
        assert len(site.guard) == 3
        writer.close()


async def test_those_who_have_just_come_are_not_cut_for_room() -> None:
    async with serving(most=3) as site:
        kept = [await site.open() for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        for each in kept:
            await each.say(GET)
            assert await each.answer() == 200
        writer.close()


@pytest.mark.parametrize("shared", [False, True])
async def test_one_address_has_its_share_unless_many_visitors_have_it(shared: bool) -> None:
    async with serving(most=100, each=5, shared=shared) as site:
        opened = []
        for _ in range(12):
            opened.append(await asyncio.open_connection("127.0.0.1", site.port))
            site.pass_(1)
        await until(lambda: len(site.guard) + site.guard.cuts["no room"] + site.guard.cuts["header too slow"] == 12)
        assert (site.guard.cuts["no room"] > 0) is not shared
        assert len(site.guard) <= 6
        for _, writer in opened:
            writer.close()


async def test_nobody_is_blamed_when_the_node_itself_was_late() -> None:
    async with serving() as site:
        await site.open()
        site.clock.now += 30.0
        site.guard.look()
        assert len(site.guard) == 1
        site.pass_(1)
        assert len(site.guard) == 0


async def test_cuts_are_told_once_a_minute_and_not_each(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as site:
        for _ in range(20):
            await site.open()
        site.pass_(59)
        assert not caplog.records
        site.pass_(3)
        assert [each.getMessage() for each in caplog.records] == [
            "connections were cut (header too slow: 20); 0 are open"
        ]


async def test_a_thousand_idle_and_slow_sockets_are_not_noticed() -> None:
    async with serving(most=600, each=100_000) as site, ClientSession(connector=TCPConnector(force_close=True)) as good:

        async def visit() -> None:
            async with good.get(f"http://127.0.0.1:{site.port}/") as got:
                assert got.status == 200

        with contextlib.ExitStack() as slow:
            for n in range(1000):
                each = slow.enter_context(socket.create_connection(("127.0.0.1", site.port)))
                each.sendall((b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-")[n % 2])
                if n % 10 == 0:
                    await visit()
                if n % 200 == 0:
                    site.pass_(1)
            await until(lambda: site.guard.cuts["no room"] >= 400)
            assert len(site.guard) == 600
            for _ in range(20):
                await visit()
            site.pass_(8)
            assert len(site.guard) <= 1  # the last good one
            await visit()


def test_connections_leave_files_for_the_rest() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        assert connections.room(1000) == min(1000, hard - 200)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(1200, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
