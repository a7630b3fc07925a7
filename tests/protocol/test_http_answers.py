"""The outgoing door against answers that cost too much: in bytes, unpacked bytes, seconds or header fields."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib

import pytest
from aiohttp import web

from config.errors import Refused, Unreachable
from protocols.http import door
from protocols.http.door import Door, Limits, Unanswered
from protocols.http.guard import Forbidden
from protocols.http.inflate import Damaged, Excessive
from tests.doors import PATIENCE, PUBLIC, RULES, Serve, raw, says, serving


async def test_answer_has_a_size() -> None:
    limits = Limits(body=100_000)
    sent = asyncio.get_running_loop().create_future()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        total = 0
        try:
            while total < 100_000_000:
                await response.write(bytes(10_000))
                total += 10_000
        except ConnectionError:
            pass
        finally:
            sent.set_result(total)
        return response

    routes = {"/fits": says(bytes(100_000)), "/more": says(bytes(100_001)), "/endless": endless}
    async with serving(routes) as public, door.open(RULES) as out:
        assert len((await out.send("GET", f"{public}/fits", limits=limits)).body) == 100_000
        for path in ("more", "endless"):
            with pytest.raises(Excessive, match="more than 100,000 bytes"):
                await out.send("GET", f"{public}/{path}", limits=limits)
        assert await asyncio.wait_for(sent, PATIENCE) < 50_000_000  # what lies in the buffers of sockets


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


async def test_answer_is_unpacked_within_limits() -> None:
    good = b"<record/>" * 10_000
    routes = {
        "/good": says(gzip.compress(good), Content_Encoding="gzip"),
        "/bomb": says(bomb(64 << 20), Content_Encoding="gzip"),
        "/tight": says(bomb(4 << 20), Content_Encoding="x-gzip"),
        "/short": says(gzip.compress(good)[:-9], Content_Encoding="gzip"),
        "/noise": says(b"noise" * 9, Content_Encoding="gzip"),
        "/tail": says(gzip.compress(good) + b"tail", Content_Encoding="gzip"),
        "/twice": says(gzip.compress(good), Content_Encoding="gzip, gzip"),
        "/brotli": says(b"x", Content_Encoding="br"),
    }
    async with serving(routes) as public, door.open(RULES) as out:
        assert (await out.send("GET", f"{public}/good")).body == good
        assert gzip.decompress((await out.send("GET", f"{public}/good", raw=True)).body) == good
        assert (await out.send("HEAD", f"{public}/good")).body == b""
        with pytest.raises(Excessive, match=r"more than 8,388,608 bytes|grows more than 250 times"):
            await out.send("GET", f"{public}/bomb")
        with pytest.raises(Excessive, match="grows more than 250 times"):
            await out.send("GET", f"{public}/tight")
        with pytest.raises(Excessive, match="more than 50,000 bytes"):
            await out.send("GET", f"{public}/good", limits=Limits(body=50_000))
        for path in ("short", "noise", "tail", "twice", "brotli"):
            with pytest.raises(Damaged):
                await out.send("GET", f"{public}/{path}")


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def dribble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header that never ends, in fields that are short enough."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def promises(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("serve", [drip, dribble, silence, promises])
async def test_answer_has_a_time(serve: Serve) -> None:
    async with raw(serve) as public, door.open(RULES) as out:
        began = time.monotonic()
        with pytest.raises(Unanswered, match=r"not within 0.3 s"):
            await out.send("GET", f"{public}/", limits=Limits(total=0.3))
        assert time.monotonic() - began < PATIENCE


async def test_redirects_share_the_time_of_one_answer() -> None:
    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.Response(status=302, headers={"Location": "/"})

    async with serving({"/": slow}) as public, door.open(RULES) as out:
        with pytest.raises(Unanswered):
            await out.send("GET", f"{public}/", limits=Limits(total=0.5, redirects=3))


def header(*lines: bytes) -> Serve:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\r\n".join([*lines, b"Content-Length: 0", b"", b""]))
        await writer.drain()

    return serve


@pytest.mark.parametrize(
    "serve",
    [
        header(b"HTTP/1.1 200 OK", b"X: " + b"a" * 10_000),
        header(b"HTTP/1.1 200 OK", *(b"X-%d: a" % n for n in range(200))),
        header(b"HTTP/1.1 200 " + b"a" * 10_000),
        header(b"HTTP/1.1 200 OK", b"Content-Length: 5"),
        header(b"SSH-2.0-OpenSSH_9.6"),
        header(b"-ERR unknown command 'GET'"),
    ],
    ids=["long field", "many fields", "long line", "two lengths", "ssh", "redis"],
)
async def test_header_has_a_size_and_a_form(serve: Serve) -> None:
    async with raw(serve) as public, door.open(RULES) as out:
        with pytest.raises(Unanswered) as caught:
            await out.send("GET", f"{public}/?key=hidden")
        assert "hidden" not in str(caught.value) and "\n" not in str(caught.value)


async def test_what_cannot_be_reached_says_so() -> None:
    with socket.socket() as closed:
        closed.bind((PUBLIC, 0))
        async with door.open(RULES) as out:
            with pytest.raises(Unanswered, match=PUBLIC) as caught:
                await out.send("GET", f"http://{PUBLIC}:{closed.getsockname()[1]}/?key=hidden")
    assert "hidden" not in str(caught.value)
    assert issubclass(Unanswered, Unreachable) and issubclass(Damaged, Unreachable)
    assert issubclass(Forbidden, Refused) and issubclass(Excessive, Refused)


async def test_a_door_serves_many_at_once_over_few_connections() -> None:
    peers: set[object] = set()

    async def noted(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text=request.query["n"])

    async def ask(out: Door, url: str, n: int) -> bool:
        answer = await out.send("GET", url, parameters=[("n", str(n))])
        return answer.body == str(n).encode()

    async with serving({"/": noted}) as public, door.open(RULES) as out:
        assert all(await asyncio.gather(*(ask(out, f"{public}/", n) for n in range(200))))
    assert 1 <= len(peers) <= door.AT_ONCE_PER_HOST
