"""A proxy between two nodes with bad weather in it, over real sockets; it also counts the segments that pass.

Another weather holds for bytes that come from then on. A line that was stalled or half open
never comes back by itself: whoever waits on it must find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

PIECE = 1 << 16  # bytes of one read
SEGMENT = re.compile(rb"PATCH /x/up/([0-9a-f]+) ")
OFFSET = re.compile(rb"\r\nUpload-Offset: *(\d+)", re.IGNORECASE)
LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
ETAG = re.compile(rb'\r\nETag: *"([0-9a-f]+)"', re.IGNORECASE)
FROM_START = re.compile(rb"\r\n(?:Content-Range: *bytes 0-)", re.IGNORECASE)
END = b"\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class Weather:
    """What happens to bytes that pass."""

    latency: float = 0.0  # seconds before each piece
    rate: float = 0.0  # bytes a second and direction; 0 = as they come
    down: bool = False  # nobody gets through: connections are reset at once
    cut: int = 0  # reset a connection once so many bytes have gone up in it
    flip: int = 0  # turn a bit after every so many bytes on their way up
    stall: bool = False  # nothing passes any more, and nobody is told
    half_open: bool = False  # what goes up arrives, what comes down is lost


@dataclass
class Meter:
    """Reads the heads of HTTP messages that pass by in one direction (RFC 9112), and passes over their bodies."""

    sends: Counter[str]
    _head: bytearray = field(default_factory=bytearray)
    _body: int = 0  # bytes of the body that are still to come

    def pass_by(self, data: bytes) -> None:
        """Count the segments that begin in these bytes."""
        while data:
            skip = min(self._body, len(data))
            self._body, data = self._body - skip, data[skip:]
            self._head += data
            end = self._head.find(END)
            if end < 0:
                return
            head, data = bytes(self._head[: end + 2]), bytes(self._head[end + len(END) :])
            self._head.clear()
            length = LENGTH.search(head)
            self._body = int(length[1]) if length else 0
            self._count(head)

    def _count(self, head: bytes) -> None:
        up, offset = SEGMENT.match(head), OFFSET.search(head)
        if up and offset and not int(offset[1]):
            self.sends[up[1].decode()] += 1
        etag = ETAG.search(head)
        if etag and FROM_START.search(head):
            self.sends[etag[1].decode()] += 1


@dataclass
class Proxy:
    """A listening proxy. `sends`: how often each segment was begun to be sent, by its link."""

    port: int  # where the node behind it listens
    weather: Weather = field(default_factory=Weather)
    up: Counter[str] = field(default_factory=Counter)
    down: Counter[str] = field(default_factory=Counter)
    harmed: int = 0  # connections that the weather did something to
    address: str = ""
    _lines: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def sends(self) -> int:
        """Segments that were begun to be sent, both ways."""
        return self.up.total() + self.down.total()

    @property
    def again(self) -> int:
        """Those of them that had been sent before."""
        return self.sends - len(self.up) - len(self.down)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        try:
            if self.weather.down:
                self.harmed += 1
                return
            with contextlib.suppress(OSError, asyncio.CancelledError):  # cancelled = cut off by `close`
                behind = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    await self._both(reader, writer, *behind)
                finally:
                    reset(behind[1])
        finally:
            self._lines.discard(line)
            reset(writer)

    async def _both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        behind: asyncio.StreamWriter,
    ) -> None:
        """Both directions, until one of them ends."""
        ways = [
            asyncio.create_task(self._upwards(reader, behind)),
            asyncio.create_task(self._downwards(answers, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _upwards(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meter = Meter(self.up)
        passed, since = 0, self.weather
        while data := await reader.read(PIECE):
            meter.pass_by(data)
            await self._weather(len(data))
            if self.weather is not since:
                passed, since = 0, self.weather
            if since.cut and passed + len(data) > since.cut:
                self.harmed += 1
                writer.write(data[: since.cut - passed])
                await writer.drain()
                return
            if since.flip and (passed + len(data)) // since.flip > passed // since.flip:
                self.harmed += 1
                data = flipped(data, since.flip - passed % since.flip - 1)
            passed += len(data)
            writer.write(data)
            await writer.drain()

    async def _downwards(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meter = Meter(self.down)
        while data := await reader.read(PIECE):
            meter.pass_by(data)
            await self._weather(len(data))
            if self.weather.half_open:
                self.harmed += 1
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()

    async def _weather(self, size: int) -> None:
        if self.weather.stall:
            self.harmed += 1
            await asyncio.Event().wait()
        if self.weather.latency:
            await asyncio.sleep(self.weather.latency)
        if self.weather.rate:
            await asyncio.sleep(size / self.weather.rate)

    async def turn(self, weather: Weather) -> None:
        """Another weather; when nobody is to get through, whoever is through is cut off."""
        self.weather = weather
        if weather.down:
            await self.close()

    async def close(self) -> None:
        """Cut every line."""
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)


def flipped(data: bytes, place: int) -> bytes:
    """One bit of one byte the other way round."""
    harmed = bytearray(data)
    harmed[place] ^= 1 << random.Random(place).randrange(8)
    return bytes(harmed)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST, as a router does that has forgotten it."""
    there = writer.get_extra_info("socket")
    if there is not None:
        with contextlib.suppress(OSError):
            there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.asynccontextmanager
async def before(port: int) -> AsyncIterator[Proxy]:
    """A proxy before the node that listens on `port`."""
    proxy = Proxy(port=port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
